use super::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLockReadGuard, RwLockWriteGuard};
use crate::integration::tokio::sync::wait::{assert_may_block, timed};
use crate::lock_record::Mode;
use crate::ring::apart::{Beside, Known, RwLock};
use crate::sync::hold::start;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use tokio::sync::TryLockError;

impl<T> RwLock<T> {
    /// An unlocked lock, called after the place in the source where it is made.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self::const_new(value)
    }

    /// As [`RwLock::new`], in a `const` or a `static`.
    #[track_caller]
    pub const fn const_new(value: T) -> Self {
        Self(tokio::sync::RwLock::const_new(Beside { known: Known::at(Location::caller()), value }))
    }

    /// As [`RwLock::new`], for so many readers at once.
    ///
    /// # Panics
    /// If that is none, or more than `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> Self {
        let known = Known::at(Location::caller());
        Self(tokio::sync::RwLock::with_max_readers(Beside { known, value }, max_reads))
    }

    /// As [`RwLock::with_max_readers`], in a `const` or a `static`.
    ///
    /// # Panics
    /// If that is more than `u32::MAX >> 3`.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self {
        let known = Known::at(Location::caller());
        Self(tokio::sync::RwLock::const_with_max_readers(Beside { known, value }, max_reads))
    }

    /// An unlocked lock with a name of its own, of which the first 255 bytes are told.
    pub fn named(name: &'static str, value: T) -> Self {
        Self::const_named(name, value)
    }

    /// As [`RwLock::named`], in a `const` or a `static`.
    pub const fn const_named(name: &'static str, value: T) -> Self {
        Self(tokio::sync::RwLock::const_new(Beside { known: Known::named(name), value }))
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0.into_inner().value
    }
}

impl<T: ?Sized> RwLock<T> {
    /// As [`tokio::sync::RwLock::read`]: waits until nobody can write or came earlier to do so, and keeps it so.
    ///
    /// Cancel safe: a future that is dropped has lost its place in the queue, and has recorded nothing.
    #[track_caller]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        async move {
            let (inner, start) = timed(self.0.read()).await;
            RwLockReadGuard::new(inner, Mode::TokioRead, start, site)
        }
    }

    /// As [`RwLock::read`], with a guard that may outlive the borrow.
    #[track_caller]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>> {
        let site = Location::caller();
        async move {
            let (inner, start) = timed(self.clone().peel().read_owned()).await;
            OwnedRwLockReadGuard::new(self, inner, Mode::TokioRead, start, site)
        }
    }

    /// As [`RwLock::read`], for threads that are not a runtime's.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        assert_may_block();
        let (inner, start) = match self.0.try_read() {
            Ok(inner) => (inner, None),
            Err(_) => {
                let start = start();
                (self.0.blocking_read(), start)
            }
        };
        RwLockReadGuard::new(inner, Mode::TokioRead, start, Location::caller())
    }

    /// Takes the lock as [`RwLock::read`] does, if that takes no waiting.
    ///
    /// # Errors
    /// If it does.
    #[track_caller]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        let inner = self.0.try_read()?;
        Ok(RwLockReadGuard::new(inner, Mode::TryTokioRead, None, Location::caller()))
    }

    /// As [`RwLock::try_read`], with a guard that may outlive the borrow.
    ///
    /// # Errors
    /// As [`RwLock::try_read`].
    #[track_caller]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let inner = self.clone().peel().try_read_owned()?;
        Ok(OwnedRwLockReadGuard::new(self, inner, Mode::TryTokioRead, None, Location::caller()))
    }

    /// As [`tokio::sync::RwLock::write`]: waits until nobody else holds the lock, in the order of those who wait, and takes it.
    ///
    /// Cancel safe: a future that is dropped has lost its place in the queue, and has recorded nothing.
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        async move {
            let (inner, start) = timed(self.0.write()).await;
            RwLockWriteGuard::new(inner, Mode::TokioWrite, start, site)
        }
    }

    /// As [`RwLock::write`], with a guard that may outlive the borrow.
    #[track_caller]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>> {
        let site = Location::caller();
        async move {
            let (inner, start) = timed(self.clone().peel().write_owned()).await;
            OwnedRwLockWriteGuard::new(self, inner, Mode::TokioWrite, start, site)
        }
    }

    /// As [`RwLock::write`], for threads that are not a runtime's.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        assert_may_block();
        let (inner, start) = match self.0.try_write() {
            Ok(inner) => (inner, None),
            Err(_) => {
                let start = start();
                (self.0.blocking_write(), start)
            }
        };
        RwLockWriteGuard::new(inner, Mode::TokioWrite, start, Location::caller())
    }

    /// Takes the lock as [`RwLock::write`] does, if that takes no waiting.
    ///
    /// # Errors
    /// If it does.
    #[track_caller]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        let inner = self.0.try_write()?;
        Ok(RwLockWriteGuard::new(inner, Mode::TryTokioWrite, None, Location::caller()))
    }

    /// As [`RwLock::try_write`], with a guard that may outlive the borrow.
    ///
    /// # Errors
    /// As [`RwLock::try_write`].
    #[track_caller]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let inner = self.clone().peel().try_write_owned()?;
        Ok(OwnedRwLockWriteGuard::new(self, inner, Mode::TryTokioWrite, None, Location::caller()))
    }

    /// The value, which nobody else can reach while it is borrowed mutably. Records nothing.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.0.get_mut().value
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
            Err(_) => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
