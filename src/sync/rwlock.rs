use super::turn::{Holding, Meta, client};
use super::watchdog::about_to_wait_for;
use crate::lock_record::Mode;
use crate::ring::closing::{Close, Closing};
use crate::ring::held::LockPlace;
use crate::ring::turns::SharedTurns;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// [`std::sync::RwLock`], which also records who held it in which order.
///
/// Same methods, same poisoning, same guarantees. In addition, each acquisition has a number, taken while the lock is held:
/// so it is known which readers came between which writers. It records where a [`Mutex`](super::Mutex) does.
///
/// # Examples
///
/// ```
/// use trackside::sync::RwLock;
///
/// static RATES: RwLock<Vec<u32>> = RwLock::named("rates", Vec::new());
///
/// RATES.write().unwrap().push(7);
/// assert_eq!(*RATES.read().unwrap(), [7]);
/// ```
pub struct RwLock<T: ?Sized>(std::sync::RwLock<Inner<T>>);

/// The value, and what there is beside it. The value comes last: a lock in it is not to be taken for this one by its address.
#[repr(C)]
struct Inner<T: ?Sized> {
    meta: Meta,
    turns: SharedTurns,
    /// Who can write.
    writing: Turned,
    value: T,
}

/// Somebody's turn.
#[derive(Debug)]
struct Turned {
    sequence: u64,
    holding: Holding,
}

impl<T: ?Sized> Inner<T> {
    /// The next turn, by the client's key. To be taken while the lock is held.
    #[inline(always)]
    fn turn(&self) -> (u64, u64) {
        match client() {
            0 => (0, 0),
            key => self.turns.take(key).map_or((0, 0), |turn| (key, turn)),
        }
    }

    #[inline(always)]
    fn acquired(&self, place: LockPlace, mode: Mode, site: &'static Location<'static>) -> Turned {
        let turn = self.turn();
        Turned { sequence: turn.1, holding: self.meta.acquired(place, mode, turn, site) }
    }

    fn acquired_after(&self, place: LockPlace, start: u64, mode: Mode, site: &'static Location<'static>) -> Turned {
        let turn = self.turn();
        Turned { sequence: turn.1, holding: self.meta.acquired_after(place, start, mode, turn, site) }
    }

    #[inline(always)]
    fn released(&self, mode: Mode, turned: &Turned) {
        self.meta.released(mode, turned.sequence, &turned.holding);
    }
}

impl<T> RwLock<T> {
    /// An unlocked lock, called after the place in the source where it is made.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self::with(Meta::at(Location::caller()), value)
    }

    /// An unlocked lock with a name of its own, of which the first 255 bytes are told.
    pub const fn named(name: &'static str, value: T) -> Self {
        Self::with(Meta::named(name), value)
    }

    const fn with(meta: Meta, value: T) -> Self {
        let writing = Turned { sequence: 0, holding: Holding::none(Location::caller()) };
        Self(std::sync::RwLock::new(Inner { meta, turns: SharedTurns::new(), writing, value }))
    }

    /// Takes the value out.
    ///
    /// # Errors
    /// If a thread panicked while it could write; the error holds the value.
    pub fn into_inner(self) -> LockResult<T> {
        match self.0.into_inner() {
            Ok(inner) => Ok(inner.value),
            Err(poison) => Err(PoisonError::new(poison.into_inner().value)),
        }
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody can write, and keeps it so.
    ///
    /// # Errors
    /// If a thread panicked while it could write; the error holds the guard.
    ///
    /// # Panics
    /// May panic, or never return, if this thread holds the lock already: as [`std::sync::RwLock::read`].
    #[inline]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        let (inner, poisoned) = match self.0.try_read() {
            Ok(inner) => (inner, false),
            Err(TryLockError::Poisoned(poison)) => (poison.into_inner(), true),
            Err(TryLockError::WouldBlock) => return self.read_contended(site),
        };
        let guard = RwLockReadGuard::new(inner, self.place(true), Mode::Read, site);
        if poisoned { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    #[cold]
    fn read_contended<'a>(&'a self, site: &'static Location<'static>) -> LockResult<RwLockReadGuard<'a, T>> {
        let place = self.place(true);
        let (start, waiting) = about_to_wait_for(place, size_of::<Inner<()>>(), Mode::Read, site);
        let acquired = |inner: StdRead<'a, T>| {
            let turned = inner.acquired_after(place, start, Mode::Read, site);
            RwLockReadGuard(Closing::new(Reading { inner, turned }))
        };
        let locked = self.0.read();
        drop(waiting);
        locked.map(acquired).map_err(|poison| PoisonError::new(acquired(poison.into_inner())))
    }

    /// Takes the lock for reading if nobody can write.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if somebody can; [`TryLockError::Poisoned`] as [`RwLock::read`].
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        let (inner, poisoned) = match self.0.try_read() {
            Ok(inner) => (inner, false),
            Err(TryLockError::Poisoned(poison)) => (poison.into_inner(), true),
            Err(TryLockError::WouldBlock) => return Err(TryLockError::WouldBlock),
        };
        let guard = RwLockReadGuard::new(inner, self.place(true), Mode::TryRead, site);
        if poisoned { Err(PoisonError::new(guard).into()) } else { Ok(guard) }
    }

    /// Waits until nobody else holds the lock, and takes it.
    ///
    /// # Errors
    /// If a thread panicked while it could write; the error holds the guard.
    ///
    /// # Panics
    /// May panic, or never return, if this thread holds the lock already: as [`std::sync::RwLock::write`].
    #[inline]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        let (inner, poisoned) = match self.0.try_write() {
            Ok(inner) => (inner, false),
            Err(TryLockError::Poisoned(poison)) => (poison.into_inner(), true),
            Err(TryLockError::WouldBlock) => return self.write_contended(site),
        };
        let guard = RwLockWriteGuard::new(inner, self.place(false), Mode::Write, site);
        if poisoned { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    #[cold]
    fn write_contended<'a>(&'a self, site: &'static Location<'static>) -> LockResult<RwLockWriteGuard<'a, T>> {
        let place = self.place(false);
        let (start, waiting) = about_to_wait_for(place, size_of::<Inner<()>>(), Mode::Write, site);
        let acquired = |mut inner: StdWrite<'a, T>| {
            inner.writing = inner.acquired_after(place, start, Mode::Write, site);
            RwLockWriteGuard(Closing::new(inner))
        };
        let locked = self.0.write();
        drop(waiting);
        locked.map(acquired).map_err(|poison| PoisonError::new(acquired(poison.into_inner())))
    }

    /// Takes the lock for writing if nobody holds it.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if somebody does; [`TryLockError::Poisoned`] as [`RwLock::write`].
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        let (inner, poisoned) = match self.0.try_write() {
            Ok(inner) => (inner, false),
            Err(TryLockError::Poisoned(poison)) => (poison.into_inner(), true),
            Err(TryLockError::WouldBlock) => return Err(TryLockError::WouldBlock),
        };
        let guard = RwLockWriteGuard::new(inner, self.place(false), Mode::TryWrite, site);
        if poisoned { Err(PoisonError::new(guard).into()) } else { Ok(guard) }
    }

    #[inline(always)]
    fn place(&self, shared: bool) -> LockPlace {
        LockPlace::of(self, shared)
    }

    /// Whether a thread has panicked while it could write.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.0.is_poisoned()
    }

    /// Forgets that a thread panicked while it could write.
    #[inline]
    pub fn clear_poison(&self) {
        self.0.clear_poison();
    }

    /// The value, which nobody else can reach while it is borrowed mutably. Records nothing.
    ///
    /// # Errors
    /// If a thread panicked while it could write; the error holds the reference.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        match self.0.get_mut() {
            Ok(inner) => Ok(&mut inner.value),
            Err(poison) => Err(PoisonError::new(&mut poison.into_inner().value)),
        }
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.0.try_read() {
            Ok(inner) => out.field("data", &&inner.value),
            Err(TryLockError::Poisoned(poison)) => out.field("data", &&poison.get_ref().value),
            Err(TryLockError::WouldBlock) => out.field("data", &format_args!("<locked>")),
        };
        out.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// Holds an [`RwLock`] for reading; dropping it records the release and gives it back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized>(Closing<Reading<'a, T>>);

/// Holds an [`RwLock`] for writing; dropping it records the release and gives it back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized>(Closing<StdWrite<'a, T>>);

type StdRead<'a, T> = std::sync::RwLockReadGuard<'a, Inner<T>>;
type StdWrite<'a, T> = std::sync::RwLockWriteGuard<'a, Inner<T>>;

/// Several may read at once, so each has to know of its own turn.
struct Reading<'a, T: ?Sized> {
    inner: StdRead<'a, T>,
    turned: Turned,
}

impl<T: ?Sized> Close for Reading<'_, T> {
    #[inline(always)]
    fn close(&mut self) {
        self.inner.released(Mode::Read, &self.turned);
    }
}

impl<T: ?Sized> Close for StdWrite<'_, T> {
    #[inline(always)]
    fn close(&mut self) {
        self.released(Mode::Write, &self.writing);
    }
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline(always)]
    fn new(inner: StdRead<'a, T>, place: LockPlace, mode: Mode, site: &'static Location<'static>) -> Self {
        let turned = inner.acquired(place, mode, site);
        Self(Closing::new(Reading { inner, turned }))
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline(always)]
    fn new(mut inner: StdWrite<'a, T>, place: LockPlace, mode: Mode, site: &'static Location<'static>) -> Self {
        inner.writing = inner.acquired(place, mode, site);
        Self(Closing::new(inner))
    }

    /// Goes on reading; others may read too, and nobody can write in between. Recorded as a release and an acquisition.
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, T> {
        let inner = std::sync::RwLockWriteGuard::downgrade(s.0.close());
        // The beginning of what lies inside is within the lock, and in no lock that lies in there.
        let place = LockPlace::of(&*inner, true);
        // It cannot wait for anybody, as if it had been tried for.
        RwLockReadGuard::new(inner, place, Mode::TryRead, Location::caller())
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.inner.value
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
