use super::{MutexGuard, OwnedMutexGuard};
use crate::integration::tokio::sync::wait::{assert_may_block, timed};
use crate::lock_record::Mode;
use crate::ring::apart::{Beside, Known, Mutex};
use crate::sync::hold::start;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use tokio::sync::TryLockError;

impl<T> Mutex<T> {
    /// An unlocked mutex, called after the place in the source where it is made.
    #[track_caller]
    pub fn new(t: T) -> Self {
        Self::const_new(t)
    }

    /// As [`Mutex::new`], in a `const` or a `static`.
    #[track_caller]
    pub const fn const_new(t: T) -> Self {
        Self::with(Known::at(Location::caller()), t)
    }

    /// An unlocked mutex with a name of its own, of which the first 255 bytes are told.
    pub fn named(name: &'static str, t: T) -> Self {
        Self::const_named(name, t)
    }

    /// As [`Mutex::named`], in a `const` or a `static`.
    pub const fn const_named(name: &'static str, t: T) -> Self {
        Self::with(Known::named(name), t)
    }

    const fn with(known: Known, value: T) -> Self {
        Self(tokio::sync::Mutex::const_new(Beside { known, value }))
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0.into_inner().value
    }
}

impl<T: ?Sized> Mutex<T> {
    /// As [`tokio::sync::Mutex::lock`]: waits for the lock, in the order of those who do, and takes it.
    ///
    /// Cancel safe: a future that is dropped has lost its place in the queue, and has recorded nothing.
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        let site = Location::caller();
        async move {
            let (inner, start) = timed(self.0.lock()).await;
            MutexGuard::new(self, inner, Mode::TokioMutex, start, site)
        }
    }

    /// As [`Mutex::lock`], with a guard that may outlive the borrow.
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> {
        let site = Location::caller();
        async move {
            let (inner, start) = timed(self.clone().peel().lock_owned()).await;
            OwnedMutexGuard::new(self, inner, Mode::TokioMutex, start, site)
        }
    }

    /// As [`Mutex::lock`], for threads that are not a runtime's.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        assert_may_block();
        let (inner, start) = match self.0.try_lock() {
            Ok(inner) => (inner, None),
            Err(_) => {
                let start = start();
                (self.0.blocking_lock(), start)
            }
        };
        MutexGuard::new(self, inner, Mode::TokioMutex, start, Location::caller())
    }

    /// As [`Mutex::blocking_lock`], with a guard that may outlive the borrow.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        assert_may_block();
        let (inner, start) = match self.clone().peel().try_lock_owned() {
            Ok(inner) => (inner, None),
            Err(_) => {
                let start = start();
                (self.clone().peel().blocking_lock_owned(), start)
            }
        };
        OwnedMutexGuard::new(self, inner, Mode::TokioMutex, start, Location::caller())
    }

    /// Takes the lock if nobody holds it or waits for it.
    ///
    /// # Errors
    /// If somebody does.
    #[track_caller]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let site = Location::caller();
        self.0.try_lock().map(|inner| MutexGuard::new(self, inner, Mode::TryTokioMutex, None, site))
    }

    /// As [`Mutex::try_lock`], with a guard that may outlive the borrow.
    ///
    /// # Errors
    /// As [`Mutex::try_lock`].
    #[track_caller]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let inner = self.clone().peel().try_lock_owned()?;
        Ok(OwnedMutexGuard::new(self, inner, Mode::TryTokioMutex, None, Location::caller()))
    }

    /// The value, which nobody else can reach while it is borrowed mutably. Records nothing.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.0.get_mut().value
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
            Err(_) => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
