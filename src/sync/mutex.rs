use super::turn::{Holding, Meta, Turns, about_to_wait, client};
use super::watchdog::about_to_wait_for;
use crate::lock_record::Mode;
use crate::ring::closing::{Close, Closing};
use crate::ring::held::LockPlace;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

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
/// use trackside::sync::Mutex;
///
/// static TOTAL: Mutex<u64> = Mutex::named("total", 0);
///
/// *TOTAL.lock().unwrap() += 1;
/// assert_eq!(*TOTAL.lock().unwrap(), 1);
/// ```
pub struct Mutex<T: ?Sized>(std::sync::Mutex<Inner<T>>);

/// The value, and what there is beside it. All of it is the holder's, so that a guard is no larger than std's. The value comes
/// last: a lock in it is not to be taken for this one by its address.
#[repr(C)]
pub(super) struct Inner<T: ?Sized> {
    meta: Meta,
    turns: Turns,
    holding: Holding,
    value: T,
}

impl<T> Mutex<T> {
    /// An unlocked mutex, called after the place in the source where it is made.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self::with(Meta::at(Location::caller()), value)
    }

    /// An unlocked mutex with a name of its own, of which the first 255 bytes are told.
    pub const fn named(name: &'static str, value: T) -> Self {
        Self::with(Meta::named(name), value)
    }

    const fn with(meta: Meta, value: T) -> Self {
        let holding = Holding::none(Location::caller());
        Self(std::sync::Mutex::new(Inner { meta, turns: Turns::new(), holding, value }))
    }

    /// Takes the value out.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the value.
    pub fn into_inner(self) -> LockResult<T> {
        match self.0.into_inner() {
            Ok(inner) => Ok(inner.value),
            Err(poison) => Err(PoisonError::new(poison.into_inner().value)),
        }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock and takes it.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the guard.
    ///
    /// # Panics
    /// May panic, or never return, if this thread holds the lock already: as [`std::sync::Mutex::lock`].
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        let (inner, poisoned) = match self.0.try_lock() {
            Ok(inner) => (inner, false),
            Err(TryLockError::Poisoned(poison)) => (poison.into_inner(), true),
            Err(TryLockError::WouldBlock) => return self.lock_contended(site),
        };
        // In one place for both, because all that it does stands here.
        let guard = MutexGuard::new(inner, self.place(), Mode::Mutex, site);
        if poisoned { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    /// How long it is waited for is told, which costs reading the clock twice.
    #[cold]
    #[inline(never)]
    fn lock_contended(&self, site: &'static Location<'static>) -> LockResult<MutexGuard<'_, T>> {
        let (start, waiting) = about_to_wait_for(self.place(), size_of::<Inner<()>>(), Mode::Mutex, site);
        let acquired = |inner| MutexGuard::after(inner, self.place(), start, site);
        let locked = self.0.lock();
        drop(waiting);
        locked.map(acquired).map_err(|poison| PoisonError::new(acquired(poison.into_inner())))
    }

    #[inline(always)]
    fn place(&self) -> LockPlace {
        LockPlace::of(self, false)
    }

    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if somebody does; [`TryLockError::Poisoned`] if a thread panicked while it held the
    /// lock; the error then holds the guard.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        let (inner, poisoned) = match self.0.try_lock() {
            Ok(inner) => (inner, false),
            Err(TryLockError::Poisoned(poison)) => (poison.into_inner(), true),
            Err(TryLockError::WouldBlock) => return Err(TryLockError::WouldBlock),
        };
        let guard = MutexGuard::new(inner, self.place(), Mode::TryMutex, site);
        if poisoned { Err(PoisonError::new(guard).into()) } else { Ok(guard) }
    }

    /// Whether a thread has panicked while it held the lock.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.0.is_poisoned()
    }

    /// Forgets that a thread panicked while it held the lock.
    #[inline]
    pub fn clear_poison(&self) {
        self.0.clear_poison();
    }

    /// The value, which nobody else can reach while it is borrowed mutably. Records nothing.
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the reference.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        match self.0.get_mut() {
            Ok(inner) => Ok(&mut inner.value),
            Err(poison) => Err(PoisonError::new(&mut poison.into_inner().value)),
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.0.try_lock() {
            Ok(inner) => out.field("data", &&inner.value),
            Err(TryLockError::Poisoned(poison)) => out.field("data", &&poison.get_ref().value),
            Err(TryLockError::WouldBlock) => out.field("data", &format_args!("<locked>")),
        };
        out.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// Holds a [`Mutex`] locked; dropping it records the release and unlocks.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized>(Closing<Std<'a, T>>);

/// Std's guard.
pub(super) type Std<'a, T> = std::sync::MutexGuard<'a, Inner<T>>;

impl<T: ?Sized> Close for Std<'_, T> {
    /// The lock is still held, so the record is in the order of the lock.
    #[inline(always)]
    fn close(&mut self) {
        let Inner { meta, turns, holding, .. } = &**self;
        meta.released(Mode::Mutex, turns.present(), holding);
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline(always)]
    fn new(mut inner: Std<'a, T>, place: LockPlace, mode: Mode, site: &'static Location<'static>) -> Self {
        let Inner { meta, turns, holding, .. } = &mut *inner;
        let key = client();
        *holding = meta.acquired(place, mode, (key, turns.take(key)), site);
        Self(Closing::new(inner))
    }

    /// The mutex was taken again, by somebody who cannot see it from outside.
    pub(super) fn again(inner: Std<'a, T>, site: &'static Location<'static>) -> Self {
        // The beginning of what lies inside is within the lock, and in no lock that lies in there.
        let place = LockPlace::of(&*inner, false);
        Self::new(inner, place, Mode::Mutex, site)
    }

    fn after(mut inner: Std<'a, T>, place: LockPlace, start: u64, site: &'static Location<'static>) -> Self {
        let Inner { meta, turns, holding, .. } = &mut *inner;
        let key = client();
        *holding = meta.acquired_after(place, start, Mode::Mutex, (key, turns.take(key)), site);
        Self(Closing::new(inner))
    }

    /// The mutex is about to be unlocked, by somebody who waits, and locks it again.
    pub(super) fn give_back(self) -> Std<'a, T> {
        let inner = self.0.close();
        about_to_wait();
        inner
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
