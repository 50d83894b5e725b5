use super::mutex::Mutual;
use crate::ring::raw_mutex::{MutexWitness, WitnessedMutex};
use crate::ring::witness::Taken;
use ::parking_lot::{RawThreadId, lock_api};
use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

/// [`parking_lot::ReentrantMutex`](::parking_lot::ReentrantMutex), which also records who held it in which order. A thread
/// that has it and takes it again has it as before: only the outermost acquisition is recorded.
///
/// It is a type of its own around lock_api's, because that does not pass on where its `lock` was called. What is not here is
/// there, one [`Deref`] away.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use trackside::parking_lot::ReentrantMutex;
///
/// let count = ReentrantMutex::new(Cell::new(0));
/// let outer = count.lock();
/// count.lock().set(outer.get() + 1);
/// assert_eq!(outer.get(), 1);
/// ```
pub struct ReentrantMutex<T: ?Sized>(lock_api::ReentrantMutex<RawOutermost, RawThreadId, T>);

/// Holds a [`ReentrantMutex`] locked; dropping the outermost one records the release and unlocks.
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawOutermost, RawThreadId, T>;

/// Holds a [`ReentrantMutex`] locked, and gives out a part of what it guards.
pub type MappedReentrantMutexGuard<'a, T> = lock_api::MappedReentrantMutexGuard<'a, RawOutermost, RawThreadId, T>;

/// The raw mutex of [`ReentrantMutex`], which is taken by the outermost acquisition.
pub type RawOutermost = WitnessedMutex<::parking_lot::RawMutex, Outermost>;

/// An unlocked mutex.
pub const fn const_reentrant_mutex<T>(val: T) -> ReentrantMutex<T> {
    ReentrantMutex::new(val)
}

/// An unlocked mutex with a name of its own, of which the first 255 bytes are told.
pub const fn named_reentrant_mutex<T>(name: &'static str, val: T) -> ReentrantMutex<T> {
    ReentrantMutex::with(Mutual::called(Some(name)), val)
}

impl<T> ReentrantMutex<T> {
    /// An unlocked mutex.
    #[inline]
    pub const fn new(val: T) -> Self {
        Self::with(Mutual::called(None), val)
    }

    const fn with(witness: Mutual, val: T) -> Self {
        let raw = RawOutermost::with(Outermost(witness));
        Self(lock_api::ReentrantMutex::from_raw(raw, <RawThreadId as lock_api::GetThreadId>::INIT, val))
    }

    /// Takes the value out.
    #[inline]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> ReentrantMutex<T> {
    /// Takes the mutex, having waited for it if another thread holds it.
    ///
    /// # Panics
    /// If this thread has taken it [`usize::MAX`] times.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, T> {
        called_at(Location::caller(), || self.0.lock())
    }

    /// Takes the mutex unless another thread holds it.
    ///
    /// # Panics
    /// As [`ReentrantMutex::lock`].
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        called_at(Location::caller(), || self.0.try_lock())
    }

    /// As [`ReentrantMutex::lock`], but gives up after `timeout`.
    ///
    /// # Panics
    /// As [`ReentrantMutex::lock`].
    #[inline]
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<ReentrantMutexGuard<'_, T>> {
        called_at(Location::caller(), || self.0.try_lock_for(timeout))
    }

    /// As [`ReentrantMutex::lock`], but gives up at `timeout`.
    ///
    /// # Panics
    /// As [`ReentrantMutex::lock`].
    #[inline]
    #[track_caller]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<ReentrantMutexGuard<'_, T>> {
        called_at(Location::caller(), || self.0.try_lock_until(timeout))
    }
}

impl<T: ?Sized> Deref for ReentrantMutex<T> {
    type Target = lock_api::ReentrantMutex<RawOutermost, RawThreadId, T>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for ReentrantMutex<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T: Default> Default for ReentrantMutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for ReentrantMutex<T> {
    fn from(val: T) -> Self {
        Self::new(val)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

thread_local! {
    /// Where the calling thread takes a reentrant mutex just now.
    static CALLER: Cell<Option<&'static Location<'static>>> = const { Cell::new(None) };
}

#[inline(always)]
fn called_at<R>(site: &'static Location<'static>, take: impl FnOnce() -> R) -> R {
    CALLER.set(Some(site));
    let taken = take();
    CALLER.set(None);
    taken
}

/// What there is beside a reentrant mutex: it is told of outermost acquisitions alone.
#[derive(Debug)]
pub struct Outermost(Mutual);

impl MutexWitness for Outermost {
    const NEW: Self = Self(Mutual::NEW);

    fn about_to_wait() -> u64 {
        Mutual::about_to_wait()
    }

    #[inline(always)]
    fn taken(&mut self, taken: Taken) {
        let site = CALLER.get().unwrap_or(taken.site);
        self.0.taken(Taken { site, ..taken });
    }

    #[inline(always)]
    fn given_back(&mut self) {
        self.0.given_back();
    }
}
