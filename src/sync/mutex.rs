use crate::clock;
use crate::record::{Arg, Bytes, MUTEX_ACQUIRE, MUTEX_RELEASE, Name, Record};
use crate::ring::thread_ring::ThreadRing;
use crate::ring::{frame, local, pipe, tsc};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, TryLockResult};

/// [`std::sync::Mutex`], which also records who held it in which order.
///
/// Same methods, same poisoning, same guarantees. What comes in addition: each acquisition has a number, kept inside
/// the lock and advanced while it is held, so that the order of critical sections is known exactly, whatever the
/// clocks say. It records into the client that was built last (see [`crate::Builder::record_locks`]); where there is
/// none, it is a plain mutex.
///
/// # Examples
///
/// ```
/// use trackside::TrackedMutex;
///
/// static TOTAL: TrackedMutex<u64> = TrackedMutex::named("total", 0);
///
/// *TOTAL.lock().unwrap() += 1;
/// assert_eq!(*TOTAL.lock().unwrap(), 1);
/// ```
pub struct TrackedMutex<T: ?Sized> {
    meta: Meta,
    inner: Mutex<Sequenced<T>>,
}

/// What a guard needs to know of its lock.
struct Meta {
    /// Given at the first recorded acquisition: `new` is const and cannot count.
    id: OnceLock<u64>,
    name: Name<Bytes<'static>>,
}

/// The guarded value, and the order of those who held it.
struct Sequenced<T: ?Sized> {
    /// The number of the present acquisition, from 1, among those recorded for one client.
    sequence: u64,
    /// That client's key: another client counts from the start.
    key: u64,
    value: T,
}

impl<T> TrackedMutex<T> {
    /// An unlocked mutex, called after the place in the source where it is made.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self::with_name(Name::Location(Location::caller()), value)
    }

    /// An unlocked mutex with a name of its own.
    pub const fn named(name: &'static str, value: T) -> Self {
        Self::with_name(Name::Static(name), value)
    }

    const fn with_name(name: Name<Bytes<'static>>, value: T) -> Self {
        let inner = Mutex::new(Sequenced { sequence: 0, key: 0, value });
        Self { meta: Meta { id: OnceLock::new(), name }, inner }
    }

    /// Takes the value out.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the value.
    pub fn into_inner(self) -> LockResult<T> {
        match self.inner.into_inner() {
            Ok(inner) => Ok(inner.value),
            Err(poison) => Err(PoisonError::new(poison.into_inner().value)),
        }
    }
}

impl<T: ?Sized> TrackedMutex<T> {
    /// Waits for the lock and takes it.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the guard.
    ///
    /// # Panics
    /// May panic, or never return, if this thread holds the lock already: as [`Mutex::lock`].
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> LockResult<TrackedMutexGuard<'_, T>> {
        let site = Location::caller();
        match self.inner.lock() {
            Ok(inner) => Ok(self.acquired(inner, site)),
            Err(poison) => Err(PoisonError::new(self.acquired(poison.into_inner(), site))),
        }
    }

    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if somebody does; [`TryLockError::Poisoned`] if a thread panicked while it held the
    /// lock; the error then holds the guard.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<TrackedMutexGuard<'_, T>> {
        let site = Location::caller();
        match self.inner.try_lock() {
            Ok(inner) => Ok(self.acquired(inner, site)),
            Err(TryLockError::Poisoned(poison)) => {
                Err(TryLockError::Poisoned(PoisonError::new(self.acquired(poison.into_inner(), site))))
            }
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        }
    }

    /// Whether a thread has panicked while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Forgets that a thread panicked while it held the lock.
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// The value, which nobody else can reach while it is borrowed mutably. Records nothing.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the reference.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        match self.inner.get_mut() {
            Ok(inner) => Ok(&mut inner.value),
            Err(poison) => Err(PoisonError::new(&mut poison.into_inner().value)),
        }
    }

    #[inline]
    fn acquired<'a>(
        &'a self,
        mut inner: MutexGuard<'a, Sequenced<T>>,
        site: &'static Location<'static>,
    ) -> TrackedMutexGuard<'a, T> {
        let key = pipe::default_key();
        if key != 0 {
            if inner.key != key {
                (inner.key, inner.sequence) = (key, 0);
            }
            inner.sequence += 1;
            self.meta.record(MUTEX_ACQUIRE, key, inner.sequence, site);
        }
        TrackedMutexGuard { key, site, meta: &self.meta, inner }
    }
}

impl Meta {
    /// As for a client's events: straight on where all is as it mostly is, and one way out for anything else.
    #[inline(always)]
    fn record(&self, kind: u8, key: u64, sequence: u64, site: &'static Location<'static>) {
        let id = *self.id.get_or_init(pipe::new_lock_id);
        // Once for each form of name, so that the record's shape is known where it is written.
        let written = match self.name {
            Name::Static(name) if frame::packs(name) => {
                Operation { kind, key, id, sequence, site, name: Name::Static(name) }.record_at_once()
            }
            Name::Location(name) => {
                Operation { kind, key, id, sequence, site, name: Name::Location(name) }.record_at_once()
            }
            _ => false,
        };
        if !written {
            Operation { kind, key, id, sequence, site, name: self.name }.record_anyhow();
        }
    }
}

/// An acquisition or release to be recorded.
struct Operation {
    kind: u8,
    key: u64,
    id: u64,
    sequence: u64,
    site: &'static Location<'static>,
    name: Name<Bytes<'static>>,
}

impl Operation {
    #[inline(always)]
    fn record_at_once(&self) -> bool {
        let Some(mut entered) = local::enter_at_once(self.key) else { return false };
        let ring = entered.ring();
        let written = self.at(tsc::counter()).write_at_once(ring);
        if written {
            self.note(ring);
        }
        written
    }

    #[cold]
    #[inline(never)]
    fn record_anyhow(&self) {
        let Some(mut entered) = local::enter_default(self.key) else { return };
        let ring = entered.ring();
        self.at(clock::ticks()).write(ring);
        self.note(ring);
    }

    /// After the record: should a gap come before it, the locks held are told as they were.
    #[inline(always)]
    fn note(&self, ring: &mut ThreadRing) {
        if self.kind == MUTEX_ACQUIRE {
            ring.held.push(self.id);
        } else {
            ring.held.remove(self.id);
        }
    }

    #[inline(always)]
    fn at(&self, ticks: u64) -> Record<Bytes<'static>> {
        let (a, b) = (Arg::UInt(self.id), Arg::UInt(self.sequence));
        Record { kind: self.kind, site: Some(self.site.into()), name: self.name, ticks, a, b }
    }
}

impl<T: Default> Default for TrackedMutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for TrackedMutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for TrackedMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("TrackedMutex");
        match self.inner.try_lock() {
            Ok(inner) => out.field("data", &&inner.value),
            Err(TryLockError::Poisoned(poison)) => out.field("data", &&poison.get_ref().value),
            Err(TryLockError::WouldBlock) => out.field("data", &format_args!("<locked>")),
        };
        out.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// Holds a [`TrackedMutex`] locked; dropping it records the release and unlocks.
#[must_use = "if unused the TrackedMutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct TrackedMutexGuard<'a, T: ?Sized> {
    /// The client for which the acquisition was recorded, or 0.
    key: u64,
    site: &'static Location<'static>,
    meta: &'a Meta,
    inner: MutexGuard<'a, Sequenced<T>>,
}

impl<T: ?Sized> Drop for TrackedMutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // The fields are dropped after this, so the lock is still held, and the record is in the order of the lock.
        if self.key != 0 {
            self.meta.record(MUTEX_RELEASE, self.key, self.inner.sequence, self.site);
        }
    }
}

impl<T: ?Sized> Deref for TrackedMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner.value
    }
}

impl<T: ?Sized> DerefMut for TrackedMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for TrackedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for TrackedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
