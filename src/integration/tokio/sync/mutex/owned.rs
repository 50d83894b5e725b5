use crate::lock_record::Mode;
use crate::ring::apart::{Beside, Mutex};
use crate::sync::hold::Hold;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

/// As [`tokio::sync::OwnedMutexGuard`]. Dropping it records the release and unlocks.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::OwnedMutexGuard<Beside<T>>,
    mutex: Arc<Mutex<T>>,
}

/// As [`tokio::sync::OwnedMappedMutexGuard`]. Dropping it records the release and unlocks.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::OwnedMappedMutexGuard<Beside<T>, U>,
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    #[inline]
    pub(super) fn new(
        mutex: Arc<Mutex<T>>,
        inner: tokio::sync::OwnedMutexGuard<Beside<T>>,
        mode: Mode,
        start: Option<u64>,
        site: &'static Location<'static>,
    ) -> Self {
        Self { hold: Hold::new(&inner.known, mode, start, site), inner, mutex }
    }

    /// A guard of a part of the value.
    #[inline]
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U> {
        let Self { hold, inner, .. } = this;
        OwnedMappedMutexGuard { hold, inner: tokio::sync::OwnedMutexGuard::map(inner, |beside| f(&mut beside.value)) }
    }

    /// A guard of a part of the value, if there is that part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<U: ?Sized, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { hold, inner, mutex } = this;
        match tokio::sync::OwnedMutexGuard::try_map(inner, |beside| f(&mut beside.value)) {
            Ok(inner) => Ok(OwnedMappedMutexGuard { hold, inner }),
            Err(inner) => Err(Self { hold, inner, mutex }),
        }
    }

    /// The mutex.
    #[inline]
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.mutex
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// A guard of a part of that.
    #[inline]
    pub fn map<S, F: FnOnce(&mut U) -> &mut S>(this: Self, f: F) -> OwnedMappedMutexGuard<T, S> {
        let Self { hold, inner } = this;
        OwnedMappedMutexGuard { hold, inner: tokio::sync::OwnedMappedMutexGuard::map(inner, f) }
    }

    /// A guard of a part of that, if there is such a part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<S, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        let Self { hold, inner } = this;
        match tokio::sync::OwnedMappedMutexGuard::try_map(inner, f) {
            Ok(inner) => Ok(OwnedMappedMutexGuard { hold, inner }),
            Err(inner) => Err(Self { hold, inner }),
        }
    }
}

impl<T: ?Sized> Deref for OwnedMutexGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner.value
    }
}

impl<T: ?Sized> DerefMut for OwnedMutexGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedMappedMutexGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        &self.inner
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedMappedMutexGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        &mut self.inner
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedMappedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedMappedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
