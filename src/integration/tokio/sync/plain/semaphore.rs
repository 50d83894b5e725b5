//! The twin of `semaphore` where the feature `tracked` is off.

use std::fmt;
use std::sync::Arc;
use tokio::sync::{AcquireError, TryAcquireError};

pub use crate::ring::apart::Semaphore;
pub use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};

impl Semaphore {
    /// As [`tokio::sync::Semaphore::MAX_PERMITS`].
    pub const MAX_PERMITS: usize = tokio::sync::Semaphore::MAX_PERMITS;

    /// As [`tokio::sync::Semaphore::new`].
    ///
    /// # Panics
    /// If that is more than [`Semaphore::MAX_PERMITS`].
    #[inline(always)]
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        Self(tokio::sync::Semaphore::new(permits))
    }

    /// As [`tokio::sync::Semaphore::const_new`].
    ///
    /// # Panics
    /// As [`Semaphore::new`].
    #[inline(always)]
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Self(tokio::sync::Semaphore::const_new(permits))
    }

    /// As [`Semaphore::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub fn named(_name: &'static str, permits: usize) -> Self {
        Self::new(permits)
    }

    /// As [`Semaphore::const_new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn const_named(_name: &'static str, permits: usize) -> Self {
        Self::const_new(permits)
    }

    /// As [`tokio::sync::Semaphore::available_permits`].
    #[inline(always)]
    pub fn available_permits(&self) -> usize {
        self.0.available_permits()
    }

    /// As [`tokio::sync::Semaphore::add_permits`].
    ///
    /// # Panics
    /// If there are more than [`Semaphore::MAX_PERMITS`] then.
    #[inline(always)]
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.0.add_permits(n);
    }

    /// As [`tokio::sync::Semaphore::forget_permits`].
    #[inline(always)]
    pub fn forget_permits(&self, n: usize) -> usize {
        self.0.forget_permits(n)
    }

    /// As [`tokio::sync::Semaphore::close`].
    #[inline(always)]
    pub fn close(&self) {
        self.0.close();
    }

    /// As [`tokio::sync::Semaphore::is_closed`].
    #[inline(always)]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// As [`tokio::sync::Semaphore::acquire`].
    ///
    /// # Errors
    /// If it is closed.
    #[inline(always)]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.0.acquire()
    }

    /// As [`tokio::sync::Semaphore::try_acquire`].
    ///
    /// # Errors
    /// If there are too few permits, or it is closed.
    #[inline(always)]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.0.try_acquire()
    }

    /// As [`tokio::sync::Semaphore::blocking_acquire`].
    ///
    /// # Errors
    /// If it is closed.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[inline(always)]
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.0.blocking_acquire()
    }

    /// As [`tokio::sync::Semaphore::acquire_owned`].
    ///
    /// # Errors
    /// If it is closed.
    #[inline(always)]
    pub fn acquire_owned(self: Arc<Self>) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.peel().acquire_owned()
    }

    /// As [`tokio::sync::Semaphore::try_acquire_owned`].
    ///
    /// # Errors
    /// If there are too few permits, or it is closed.
    #[inline(always)]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.peel().try_acquire_owned()
    }

    /// As [`tokio::sync::Semaphore::blocking_acquire_owned`].
    ///
    /// # Errors
    /// If it is closed.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[inline(always)]
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.peel().blocking_acquire_owned()
    }

    /// As [`tokio::sync::Semaphore::acquire_many`].
    ///
    /// # Errors
    /// If it is closed.
    #[inline(always)]
    pub fn acquire_many(&self, n: u32) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.0.acquire_many(n)
    }

    /// As [`tokio::sync::Semaphore::try_acquire_many`].
    ///
    /// # Errors
    /// If there are too few permits, or it is closed.
    #[inline(always)]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.0.try_acquire_many(n)
    }

    /// As [`tokio::sync::Semaphore::blocking_acquire_many`].
    ///
    /// # Errors
    /// If it is closed.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[inline(always)]
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.0.blocking_acquire_many(n)
    }

    /// As [`tokio::sync::Semaphore::acquire_many_owned`].
    ///
    /// # Errors
    /// If it is closed.
    #[inline(always)]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.peel().acquire_many_owned(n)
    }

    /// As [`tokio::sync::Semaphore::try_acquire_many_owned`].
    ///
    /// # Errors
    /// If there are too few permits, or it is closed.
    #[inline(always)]
    pub fn try_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.peel().try_acquire_many_owned(n)
    }

    /// As [`tokio::sync::Semaphore::blocking_acquire_many_owned`].
    ///
    /// # Errors
    /// If it is closed.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[inline(always)]
    #[track_caller]
    pub fn blocking_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.peel().blocking_acquire_many_owned(n)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
