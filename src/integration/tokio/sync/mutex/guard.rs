use crate::lock_record::Mode;
use crate::ring::apart::{Beside, Mutex};
use crate::sync::hold::Hold;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

/// As [`tokio::sync::MutexGuard`]. Dropping it records the release and unlocks.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::MutexGuard<'a, Beside<T>>,
    mutex: &'a Mutex<T>,
}

/// As [`tokio::sync::MappedMutexGuard`]. Dropping it records the release and unlocks.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::MappedMutexGuard<'a, T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline]
    pub(super) fn new(
        mutex: &'a Mutex<T>,
        inner: tokio::sync::MutexGuard<'a, Beside<T>>,
        mode: Mode,
        start: Option<u64>,
        site: &'static Location<'static>,
    ) -> Self {
        Self { hold: Hold::new(&inner.known, mode, start, site), inner, mutex }
    }

    /// A guard of a part of the value.
    #[inline]
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(this: Self, f: F) -> MappedMutexGuard<'a, U> {
        let Self { hold, inner, .. } = this;
        MappedMutexGuard { hold, inner: tokio::sync::MutexGuard::map(inner, |beside| f(&mut beside.value)) }
    }

    /// A guard of a part of the value, if there is that part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<U: ?Sized, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { hold, inner, mutex } = this;
        match tokio::sync::MutexGuard::try_map(inner, |beside| f(&mut beside.value)) {
            Ok(inner) => Ok(MappedMutexGuard { hold, inner }),
            Err(inner) => Err(Self { hold, inner, mutex }),
        }
    }

    /// The mutex.
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.mutex
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// A guard of a part of that.
    #[inline]
    pub fn map<U, F: FnOnce(&mut T) -> &mut U>(this: Self, f: F) -> MappedMutexGuard<'a, U> {
        let Self { hold, inner } = this;
        MappedMutexGuard { hold, inner: tokio::sync::MappedMutexGuard::map(inner, f) }
    }

    /// A guard of a part of that, if there is such a part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { hold, inner } = this;
        match tokio::sync::MappedMutexGuard::try_map(inner, f) {
            Ok(inner) => Ok(MappedMutexGuard { hold, inner }),
            Err(inner) => Err(Self { hold, inner }),
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner.value
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner.value
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

impl<T: ?Sized> Deref for MappedMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MappedMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MappedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MappedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
