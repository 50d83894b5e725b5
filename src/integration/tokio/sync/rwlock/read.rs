use crate::lock_record::Mode;
use crate::ring::apart::{Beside, RwLock};
use crate::sync::hold::Hold;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

/// As [`tokio::sync::RwLockReadGuard`]. Dropping it records the release and gives the lock back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::RwLockReadGuard<'a, T>,
}

/// As [`tokio::sync::OwnedRwLockReadGuard`]. Dropping it records the release and gives the lock back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::OwnedRwLockReadGuard<Beside<T>, U>,
    lock: Arc<RwLock<T>>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline]
    pub(super) fn new(
        inner: tokio::sync::RwLockReadGuard<'a, Beside<T>>,
        mode: Mode,
        start: Option<u64>,
        site: &'static Location<'static>,
    ) -> Self {
        let hold = Hold::new(&inner.known, mode, start, site);
        Self::of(hold, tokio::sync::RwLockReadGuard::map(inner, |beside| &beside.value))
    }

    #[inline]
    pub(super) fn of(hold: Hold, inner: tokio::sync::RwLockReadGuard<'a, T>) -> Self {
        Self { hold, inner }
    }

    /// A guard of a part of the value.
    #[inline]
    pub fn map<F: FnOnce(&T) -> &U, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U> {
        let Self { hold, inner } = this;
        RwLockReadGuard { hold, inner: tokio::sync::RwLockReadGuard::map(inner, f) }
    }

    /// A guard of a part of the value, if there is that part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<F: FnOnce(&T) -> Option<&U>, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self> {
        let Self { hold, inner } = this;
        match tokio::sync::RwLockReadGuard::try_map(inner, f) {
            Ok(inner) => Ok(RwLockReadGuard { hold, inner }),
            Err(inner) => Err(Self { hold, inner }),
        }
    }
}

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    #[inline]
    pub(super) fn new(
        lock: Arc<RwLock<T>>,
        inner: tokio::sync::OwnedRwLockReadGuard<Beside<T>>,
        mode: Mode,
        start: Option<u64>,
        site: &'static Location<'static>,
    ) -> Self {
        let hold = Hold::new(&inner.known, mode, start, site);
        Self::of(hold, tokio::sync::OwnedRwLockReadGuard::map(inner, |beside| &beside.value), lock)
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    #[inline]
    pub(super) fn of(hold: Hold, inner: tokio::sync::OwnedRwLockReadGuard<Beside<T>, U>, lock: Arc<RwLock<T>>) -> Self {
        Self { hold, inner, lock }
    }

    /// A guard of a part of the value.
    #[inline]
    pub fn map<F: FnOnce(&U) -> &V, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V> {
        let Self { hold, inner, lock } = this;
        OwnedRwLockReadGuard { hold, inner: tokio::sync::OwnedRwLockReadGuard::map(inner, f), lock }
    }

    /// A guard of a part of the value, if there is that part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        let Self { hold, inner, lock } = this;
        match tokio::sync::OwnedRwLockReadGuard::try_map(inner, f) {
            Ok(inner) => Ok(OwnedRwLockReadGuard { hold, inner, lock }),
            Err(inner) => Err(Self { hold, inner, lock }),
        }
    }

    /// The lock.
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockReadGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        &self.inner
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockReadGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedRwLockReadGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
