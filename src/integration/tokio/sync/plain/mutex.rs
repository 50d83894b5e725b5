//! The twin of `mutex` where the feature `tracked` is off.

use crate::ring::apart::Mutex;
use std::fmt;
use std::sync::Arc;
use tokio::sync::TryLockError;

pub use tokio::sync::{MappedMutexGuard, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

impl<T> Mutex<T> {
    /// As [`tokio::sync::Mutex::new`].
    #[inline(always)]
    pub fn new(t: T) -> Self {
        Self(tokio::sync::Mutex::new(t))
    }

    /// As [`tokio::sync::Mutex::const_new`].
    #[inline(always)]
    pub const fn const_new(t: T) -> Self {
        Self(tokio::sync::Mutex::const_new(t))
    }

    /// As [`Mutex::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub fn named(_name: &'static str, t: T) -> Self {
        Self::new(t)
    }

    /// As [`Mutex::const_new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn const_named(_name: &'static str, t: T) -> Self {
        Self::const_new(t)
    }

    /// As [`tokio::sync::Mutex::into_inner`].
    #[inline(always)]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// As [`tokio::sync::Mutex::lock`].
    #[inline(always)]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        self.0.lock()
    }

    /// As [`tokio::sync::Mutex::lock_owned`].
    #[inline(always)]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> {
        self.peel().lock_owned()
    }

    /// As [`tokio::sync::Mutex::blocking_lock`].
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[inline(always)]
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        self.0.blocking_lock()
    }

    /// As [`tokio::sync::Mutex::blocking_lock_owned`].
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[inline(always)]
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        self.peel().blocking_lock_owned()
    }

    /// As [`tokio::sync::Mutex::try_lock`].
    ///
    /// # Errors
    /// If somebody holds it, or waits for it.
    #[inline(always)]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        self.0.try_lock()
    }

    /// As [`tokio::sync::Mutex::try_lock_owned`].
    ///
    /// # Errors
    /// If somebody holds it, or waits for it.
    #[inline(always)]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        self.peel().try_lock_owned()
    }

    /// As [`tokio::sync::Mutex::get_mut`].
    #[inline(always)]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
