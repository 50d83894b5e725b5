//! A value whose accesses are recorded by themselves.

use super::default::Recording;
use crate::record::{Bytes, NAME_LIMIT, Name, Record};
use crate::ring::gates;
use crate::ring::sync::Arc;
use crate::ring::turns::LazyId;
use crate::value::Captured;
use serde::Serialize;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use trackside_wire::Kind;

/// A shared value whose reads and writes are recorded by themselves: a variable, without a call of
/// [`Client::track_state_change`](crate::Client::track_state_change).
///
/// It protects nothing: put it where the value was, behind the lock that is to keep it, as in `Mutex<Tracked<i64>>`,
/// `RwLock<Tracked<Vec<u8>>>`, or in the field of a struct there. Each access is one call, and so it is seen in the source:
///
/// | | records |
/// |---|---|
/// | [`get`](Self::get), [`read`](Self::read) | a read, and its value |
/// | [`set`](Self::set) | a write, and the value after; what was there before has played no part |
/// | [`replace`](Self::replace), [`take`](Self::take) | a write, and the values before and after |
/// | [`write`](Self::write), [`update`](Self::update) | a read, and, once it has been changed, a write with the values before and after |
/// | [`untracked`](Self::untracked), [`untracked_mut`](Self::untracked_mut), [`into_inner`](Self::into_inner), `Debug` | nothing |
///
/// There is no `Deref`, which would make accesses out of what does not look like one. A value that was computed from an
/// earlier read is stored by `set`: this is how the analysis knows an update that may have been lost from one that
/// was made in place.
///
/// Accesses go to the client that was built last (see [`Builder::record_locks`](crate::Builder::record_locks)), as
/// [`Kind::Read`](crate::Kind::Read) and [`Kind::Write`](crate::Kind::Write), with the place of the call. Where there is none,
/// they cost a relaxed load, or three for a change in place. Values are told by their [`Serialize`], up to [`Tracked::VALUE_LIMIT`] bytes of MessagePack;
/// [`Tracked::opaque`] takes values that have none, and does not tell them. If a `Serialize` panics, the panic reaches the
/// caller, and the access is not recorded.
///
/// Without the feature `tracked`, a `Tracked<T>` is a `T` and nothing more.
///
/// Each `Tracked` is a variable of its own. Without a name it is called after the place where it was made, with a number:
/// `src/bank.rs:17#5`. Those that are given one name are one variable to the analysis.
///
/// # Examples
///
/// ```
/// use std::sync::Mutex;
/// use trackside::Tracked;
/// # use trackside::{Client, Kind, MemoryTransport};
/// # let memory = MemoryTransport::new();
/// # let client = Client::builder_to(memory.clone()).build()?;
///
/// static BALANCE: Mutex<Tracked<i64>> = Mutex::new(Tracked::named("balance", 100));
///
/// fn withdraw(amount: i64) {
///     let balance = BALANCE.lock().unwrap().get();
///     // Nothing keeps others out in between, and the record says so.
///     BALANCE.lock().unwrap().set(balance - amount);
/// }
///
/// withdraw(30);
/// BALANCE.lock().unwrap().update(|balance| *balance -= 10);
/// assert_eq!(BALANCE.lock().unwrap().get(), 60);
/// # let stats = client.shutdown(std::time::Duration::from_secs(5));
/// # assert_eq!(stats.delivered, 5);
/// # Ok::<(), trackside::BuildError>(())
/// ```
pub struct Tracked<T> {
    title: Title,
    object: LazyId,
    /// Takes down the value; nothing for one that is not told.
    capture: Option<fn(&T) -> Captured>,
    value: T,
}

/// What the variable is called.
enum Title {
    Place(&'static Location<'static>),
    Static(&'static str),
    Dynamic(Arc<str>),
}

impl<T: Serialize> Tracked<T> {
    /// A value, called after the place in the source where it is made.
    ///
    /// # Examples
    ///
    /// ```
    /// use trackside::Tracked;
    ///
    /// // Three variables, though they are made in one place.
    /// let accounts: Vec<_> = (0..3).map(|_| Tracked::new(100)).collect();
    /// assert_eq!(accounts[2].get(), 100);
    /// ```
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self::of(Title::Place(Location::caller()), Some(Captured::of::<T>), value)
    }

    /// A value with a name of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::RwLock;
    /// use trackside::Tracked;
    ///
    /// static QUEUE: RwLock<Tracked<Vec<u8>>> = RwLock::new(Tracked::named("queue", Vec::new()));
    ///
    /// QUEUE.write().unwrap().write().push(1);
    /// assert_eq!(QUEUE.read().unwrap().read().len(), 1);
    /// ```
    pub const fn named(name: &'static str, value: T) -> Self {
        Self::of(Title::Static(name), Some(Captured::of::<T>), value)
    }
}

impl<T> Tracked<T> {
    /// The longest value that is recorded whole, in bytes of MessagePack. A longer one is left out, and marked as left out.
    pub const VALUE_LIMIT: usize = Captured::LIMIT;

    /// A value that is not told, only that it is accessed; called after the place in the source where it is made.
    ///
    /// # Examples
    ///
    /// ```
    /// use trackside::Tracked;
    ///
    /// struct Secret([u8; 16]);
    ///
    /// let secret = Tracked::opaque(Secret([7; 16]));
    /// assert_eq!(secret.read().0[3], 7);
    /// ```
    #[track_caller]
    pub const fn opaque(value: T) -> Self {
        Self::of(Title::Place(Location::caller()), None, value)
    }

    const fn of(title: Title, capture: Option<fn(&T) -> Captured>, value: T) -> Self {
        Self { title, object: LazyId::new(), capture, value }
    }

    /// The value under another name, which may be made up while the program runs.
    ///
    /// A name longer than [`Name::INLINE_LIMIT`](crate::Name::INLINE_LIMIT) is cut when an access is recorded.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use trackside::Tracked;
    ///
    /// let account = |id| (id, Tracked::new(100).renamed(format!("accounts.{id}.balance")));
    /// let accounts: HashMap<u32, Tracked<i64>> = (0..3).map(account).collect();
    /// # assert_eq!(accounts[&2].get(), 100);
    /// ```
    #[must_use]
    pub fn renamed(self, name: impl Into<Arc<str>>) -> Self {
        Self { title: Title::Dynamic(name.into()), ..self }
    }

    /// Reads the value, and returns a copy of it.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(trackside::Tracked::new(5).get(), 5);
    /// ```
    #[inline]
    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        *self.read()
    }

    /// Reads the value. The read is recorded now, not when the reference is used.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(trackside::Tracked::new("text").read().starts_with("te"));
    /// ```
    #[inline]
    #[track_caller]
    pub fn read(&self) -> &T {
        if self.is_wanted(Kind::Read) {
            self.record(Kind::Read, &Captured::UNKNOWN, &self.captured(), Location::caller());
        }
        &self.value
    }

    /// Writes a value, whatever the old one was. That one is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut value = trackside::Tracked::new(5);
    /// value.set(6);
    /// assert_eq!(value.into_inner(), 6);
    /// ```
    #[inline]
    #[track_caller]
    pub fn set(&mut self, value: T) {
        let old = std::mem::replace(&mut self.value, value);
        if self.is_wanted(Kind::Write) {
            self.record(Kind::Write, &Captured::UNKNOWN, &self.captured(), Location::caller());
        }
        drop(old);
    }

    /// Writes a value, and returns the old one.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(trackside::Tracked::new(5).replace(6), 5);
    /// ```
    #[inline]
    #[track_caller]
    pub fn replace(&mut self, value: T) -> T {
        if !self.is_wanted(Kind::Write) {
            return std::mem::replace(&mut self.value, value);
        }
        let before = self.captured();
        let old = std::mem::replace(&mut self.value, value);
        self.record(Kind::Write, &before, &self.captured(), Location::caller());
        old
    }

    /// Takes the value, and leaves its default in its place.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut queue = trackside::Tracked::new(vec![1, 2]);
    /// assert_eq!(queue.take(), [1, 2]);
    /// assert!(queue.into_inner().is_empty());
    /// ```
    #[inline]
    #[track_caller]
    pub fn take(&mut self) -> T
    where
        T: Default,
    {
        self.replace(T::default())
    }

    /// Changes the value in place, by a function.
    ///
    /// # Panics
    /// If `change` does; a write is recorded all the same, without the value after it.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut value = trackside::Tracked::new(5);
    /// value.update(|value| *value += 1);
    /// assert_eq!(value.into_inner(), 6);
    /// ```
    #[inline]
    #[track_caller]
    pub fn update<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.write())
    }

    /// Reads the value, to change it in place: a write is recorded when the guard is dropped, if it was borrowed mutably. A
    /// guard that is leaked records none.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut queue = trackside::Tracked::new(vec![1]);
    /// let mut guard = queue.write();
    /// if guard.len() < 2 {
    ///     guard.push(2);
    ///     guard.push(3);
    /// }
    /// drop(guard);
    /// assert_eq!(queue.into_inner(), [1, 2, 3]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn write(&mut self) -> WriteGuard<'_, T> {
        let site = Location::caller();
        if self.is_wanted(Kind::Read) || self.is_wanted(Kind::Write) {
            return WriteGuard::begin(self, site);
        }
        // Made in one go, so that the room in it need not be copied.
        WriteGuard { old: Captured::UNKNOWN, site, changed: false, tracked: self }
    }

    /// The value. Records nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(trackside::Tracked::new(5).untracked(), &5);
    /// ```
    pub const fn untracked(&self) -> &T {
        &self.value
    }

    /// The value, to be changed. Records nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut value = trackside::Tracked::new(5);
    /// *value.untracked_mut() = 6;
    /// assert_eq!(value.into_inner(), 6);
    /// ```
    pub const fn untracked_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Takes the value out. Records nothing: it is shared no more.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(trackside::Tracked::new(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }

    #[inline(always)]
    fn is_wanted(&self, kind: Kind) -> bool {
        gates::gate(kind.code()) != 0
    }

    /// The value as it is. Runs the user's `Serialize`, so not while anything is being recorded.
    #[inline]
    fn captured(&self) -> Captured {
        self.capture.map_or(Captured::UNKNOWN, |capture| capture(&self.value))
    }

    #[inline(never)]
    fn record(&self, kind: Kind, old: &Captured, new: &Captured, site: &'static Location<'static>) {
        let name = match &self.title {
            Title::Place(place) => Name::Object(place, self.object.get().to_le_bytes()),
            Title::Static(name) => Name::Static(name),
            Title::Dynamic(name) => Name::Copied(Bytes::of(name, NAME_LIMIT)),
        };
        if let Some(recording) = Recording::begin(kind.code()) {
            let (kind, a, b) = (kind.code(), old.arg(), new.arg());
            recording.write(Record { kind, site: Some(site.into()), name, ticks: 0, a, b });
        }
    }
}

impl<T: Serialize + Default> Default for Tracked<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Serialize> From<T> for Tracked<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracked").field(&self.value).finish()
    }
}

/// A [`Tracked`] value being changed in place; see [`Tracked::write`].
#[must_use = "a value that is only read is read by `Tracked::read`"]
#[clippy::has_significant_drop]
pub struct WriteGuard<'a, T> {
    old: Captured,
    site: &'static Location<'static>,
    /// Whether it has been borrowed mutably.
    changed: bool,
    tracked: &'a mut Tracked<T>,
}

impl<'a, T> WriteGuard<'a, T> {
    #[inline(never)]
    fn begin(tracked: &'a mut Tracked<T>, site: &'static Location<'static>) -> Self {
        let guard = WriteGuard { old: tracked.captured(), site, changed: false, tracked };
        if guard.tracked.is_wanted(Kind::Read) {
            guard.tracked.record(Kind::Read, &Captured::UNKNOWN, &guard.old, site);
        }
        guard
    }

    #[inline(never)]
    fn end(&mut self) {
        // A `Serialize` that panics as well would end the program.
        let new = if std::thread::panicking() { Captured::UNKNOWN } else { self.tracked.captured() };
        self.tracked.record(Kind::Write, &self.old, &new, self.site);
    }
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.tracked.value
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.tracked.value
    }
}

impl<T> Drop for WriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.changed && self.tracked.is_wanted(Kind::Write) {
            self.end();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tracked.value.fmt(f)
    }
}
