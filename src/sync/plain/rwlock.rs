//! The twin of `rwlock.rs` where the feature `tracked` is off.

use std::fmt;
use std::sync::{LockResult, TryLockResult};

pub use std::sync::{RwLockReadGuard, RwLockWriteGuard};

/// [`std::sync::RwLock`] under this crate's names: the feature `tracked` is off, and nothing is recorded.
#[repr(transparent)]
pub struct RwLock<T: ?Sized>(std::sync::RwLock<T>);

impl<T> RwLock<T> {
    /// As [`std::sync::RwLock::new`].
    #[inline(always)]
    pub const fn new(value: T) -> Self {
        Self(std::sync::RwLock::new(value))
    }

    /// As [`RwLock::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn named(_name: &'static str, value: T) -> Self {
        Self::new(value)
    }

    /// As [`std::sync::RwLock::into_inner`].
    ///
    /// # Errors
    /// If a thread panicked while it could write; the error holds the value.
    #[inline(always)]
    pub fn into_inner(self) -> LockResult<T> {
        self.0.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// As [`std::sync::RwLock::read`].
    ///
    /// # Errors
    /// If a thread panicked while it could write; the error holds the guard.
    #[inline(always)]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.0.read()
    }

    /// As [`std::sync::RwLock::try_read`].
    ///
    /// # Errors
    /// If somebody can write, or a thread panicked while it could; the error then holds the guard.
    #[inline(always)]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        self.0.try_read()
    }

    /// As [`std::sync::RwLock::write`].
    ///
    /// # Errors
    /// If a thread panicked while it could write; the error holds the guard.
    #[inline(always)]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.0.write()
    }

    /// As [`std::sync::RwLock::try_write`].
    ///
    /// # Errors
    /// If somebody holds the lock, or a thread panicked while it could write; the error then holds the guard.
    #[inline(always)]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        self.0.try_write()
    }

    /// As [`std::sync::RwLock::is_poisoned`].
    #[inline(always)]
    pub fn is_poisoned(&self) -> bool {
        self.0.is_poisoned()
    }

    /// As [`std::sync::RwLock::clear_poison`].
    #[inline(always)]
    pub fn clear_poison(&self) {
        self.0.clear_poison();
    }

    /// As [`std::sync::RwLock::get_mut`].
    ///
    /// # Errors
    /// If a thread panicked while it could write; the error holds the reference.
    #[inline(always)]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.0.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
