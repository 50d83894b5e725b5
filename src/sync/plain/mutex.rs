//! The twin of `mutex.rs` where the feature `tracked` is off.

use std::fmt;
use std::sync::{LockResult, TryLockResult};

pub use std::sync::MutexGuard;

/// [`std::sync::Mutex`] under this crate's names: the feature `tracked` is off, and nothing is recorded.
#[repr(transparent)]
pub struct Mutex<T: ?Sized>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// As [`std::sync::Mutex::new`].
    #[inline(always)]
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// As [`Mutex::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn named(_name: &'static str, value: T) -> Self {
        Self::new(value)
    }

    /// As [`std::sync::Mutex::into_inner`].
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the value.
    #[inline(always)]
    pub fn into_inner(self) -> LockResult<T> {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// As [`std::sync::Mutex::lock`].
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the guard.
    #[inline(always)]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.0.lock()
    }

    /// As [`std::sync::Mutex::try_lock`].
    ///
    /// # Errors
    /// If somebody holds the lock, or a thread panicked while it did; the error then holds the guard.
    #[inline(always)]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        self.0.try_lock()
    }

    /// As [`std::sync::Mutex::is_poisoned`].
    #[inline(always)]
    pub fn is_poisoned(&self) -> bool {
        self.0.is_poisoned()
    }

    /// As [`std::sync::Mutex::clear_poison`].
    #[inline(always)]
    pub fn clear_poison(&self) {
        self.0.clear_poison();
    }

    /// As [`std::sync::Mutex::get_mut`].
    ///
    /// # Errors
    /// If a thread panicked while it held the lock; the error holds the reference.
    #[inline(always)]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
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
