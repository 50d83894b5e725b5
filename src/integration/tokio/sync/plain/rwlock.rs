//! The twin of `rwlock` where the feature `tracked` is off.

use crate::ring::apart::RwLock;
use std::fmt;
use std::sync::Arc;
use tokio::sync::TryLockError;

pub use tokio::sync::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLockMappedWriteGuard, RwLockReadGuard,
    RwLockWriteGuard,
};

impl<T> RwLock<T> {
    /// As [`tokio::sync::RwLock::new`].
    #[inline(always)]
    pub fn new(value: T) -> Self {
        Self(tokio::sync::RwLock::new(value))
    }

    /// As [`tokio::sync::RwLock::const_new`].
    #[inline(always)]
    pub const fn const_new(value: T) -> Self {
        Self(tokio::sync::RwLock::const_new(value))
    }

    /// As [`tokio::sync::RwLock::with_max_readers`].
    ///
    /// # Panics
    /// If that is none, or more than `u32::MAX >> 3`.
    #[inline(always)]
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> Self {
        Self(tokio::sync::RwLock::with_max_readers(value, max_reads))
    }

    /// As [`tokio::sync::RwLock::const_with_max_readers`].
    ///
    /// # Panics
    /// If that is more than `u32::MAX >> 3`.
    #[inline(always)]
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self {
        Self(tokio::sync::RwLock::const_with_max_readers(value, max_reads))
    }

    /// As [`RwLock::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub fn named(_name: &'static str, value: T) -> Self {
        Self::new(value)
    }

    /// As [`RwLock::const_new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn const_named(_name: &'static str, value: T) -> Self {
        Self::const_new(value)
    }

    /// As [`tokio::sync::RwLock::into_inner`].
    #[inline(always)]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// As [`tokio::sync::RwLock::read`].
    #[inline(always)]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        self.0.read()
    }

    /// As [`tokio::sync::RwLock::read_owned`].
    #[inline(always)]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>> {
        self.peel().read_owned()
    }

    /// As [`tokio::sync::RwLock::blocking_read`].
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[inline(always)]
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        self.0.blocking_read()
    }

    /// As [`tokio::sync::RwLock::try_read`].
    ///
    /// # Errors
    /// If it would have to be waited for.
    #[inline(always)]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        self.0.try_read()
    }

    /// As [`tokio::sync::RwLock::try_read_owned`].
    ///
    /// # Errors
    /// If it would have to be waited for.
    #[inline(always)]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        self.peel().try_read_owned()
    }

    /// As [`tokio::sync::RwLock::write`].
    #[inline(always)]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        self.0.write()
    }

    /// As [`tokio::sync::RwLock::write_owned`].
    #[inline(always)]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>> {
        self.peel().write_owned()
    }

    /// As [`tokio::sync::RwLock::blocking_write`].
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[inline(always)]
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.blocking_write()
    }

    /// As [`tokio::sync::RwLock::try_write`].
    ///
    /// # Errors
    /// If it would have to be waited for.
    #[inline(always)]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        self.0.try_write()
    }

    /// As [`tokio::sync::RwLock::try_write_owned`].
    ///
    /// # Errors
    /// If it would have to be waited for.
    #[inline(always)]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        self.peel().try_write_owned()
    }

    /// As [`tokio::sync::RwLock::get_mut`].
    #[inline(always)]
    pub fn get_mut(&mut self) -> &mut T {
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
