use super::OwnedRwLockReadGuard;
use crate::lock_record::Mode;
use crate::ring::apart::{Beside, RwLock};
use crate::sync::hold::Hold;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

/// As [`tokio::sync::OwnedRwLockWriteGuard`]. Dropping it records the release and gives the lock back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::OwnedRwLockWriteGuard<Beside<T>>,
    lock: Arc<RwLock<T>>,
}

/// As [`tokio::sync::OwnedRwLockMappedWriteGuard`]. Dropping it records the release and gives the lock back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::OwnedRwLockMappedWriteGuard<Beside<T>, U>,
    lock: Arc<RwLock<T>>,
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    #[inline]
    pub(super) fn new(
        lock: Arc<RwLock<T>>,
        inner: tokio::sync::OwnedRwLockWriteGuard<Beside<T>>,
        mode: Mode,
        start: Option<u64>,
        site: &'static Location<'static>,
    ) -> Self {
        Self { hold: Hold::new(&inner.known, mode, start, site), inner, lock }
    }

    /// A guard of a part of the value.
    #[inline]
    pub fn map<F: FnOnce(&mut T) -> &mut U, U: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U> {
        let Self { hold, inner, lock } = this;
        let inner = tokio::sync::OwnedRwLockWriteGuard::map(inner, |beside| f(&mut beside.value));
        OwnedRwLockMappedWriteGuard { hold, inner, lock }
    }

    /// A guard of a part of the value, if there is that part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { hold, inner, lock } = this;
        match tokio::sync::OwnedRwLockWriteGuard::try_map(inner, |beside| f(&mut beside.value)) {
            Ok(inner) => Ok(OwnedRwLockMappedWriteGuard { hold, inner, lock }),
            Err(inner) => Err(Self { hold, inner, lock }),
        }
    }

    /// A guard of the value that can become one of a part of it.
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T, T> {
        Self::map(this, |value| value)
    }

    /// Goes on reading; others may read too, and nobody can write in between. Recorded as a release and an acquisition.
    #[track_caller]
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        Self::downgrade_map(self, |value| value)
    }

    /// As `downgrade`, with a guard of a part of the value.
    #[track_caller]
    pub fn downgrade_map<F: FnOnce(&T) -> &U, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U> {
        let site = Location::caller();
        let Self { mut hold, inner, lock } = this;
        // While nobody else can write or read, so that the two records are one after the other. It cannot wait for anybody, as
        // if it had been tried for.
        let inner = tokio::sync::OwnedRwLockWriteGuard::downgrade_map(inner, |beside| {
            hold.renew(&beside.known, Mode::TryTokioRead, site);
            f(&beside.value)
        });
        OwnedRwLockReadGuard::of(hold, inner, lock)
    }

    /// As `downgrade`, with a guard of a part of the value, if there is that part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself, which can still write.
    #[track_caller]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let site = Location::caller();
        let Self { mut hold, inner, lock } = this;
        // As in `downgrade_map`.
        let downgraded = tokio::sync::OwnedRwLockWriteGuard::try_downgrade_map(inner, |beside| {
            let part = f(&beside.value)?;
            hold.renew(&beside.known, Mode::TryTokioRead, site);
            Some(part)
        });
        match downgraded {
            Ok(inner) => Ok(OwnedRwLockReadGuard::of(hold, inner, lock)),
            Err(inner) => Err(Self { hold, inner, lock }),
        }
    }

    /// The lock.
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// A guard of a part of that.
    #[inline]
    pub fn map<F: FnOnce(&mut U) -> &mut V, V: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V> {
        let Self { hold, inner, lock } = this;
        OwnedRwLockMappedWriteGuard { hold, inner: tokio::sync::OwnedRwLockMappedWriteGuard::map(inner, f), lock }
    }

    /// A guard of a part of that, if there is such a part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        let Self { hold, inner, lock } = this;
        match tokio::sync::OwnedRwLockMappedWriteGuard::try_map(inner, f) {
            Ok(inner) => Ok(OwnedRwLockMappedWriteGuard { hold, inner, lock }),
            Err(inner) => Err(Self { hold, inner, lock }),
        }
    }

    /// The lock.
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized> Deref for OwnedRwLockWriteGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner.value
    }
}

impl<T: ?Sized> DerefMut for OwnedRwLockWriteGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockWriteGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for OwnedRwLockWriteGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockMappedWriteGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        &self.inner
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedRwLockMappedWriteGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        &mut self.inner
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockMappedWriteGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedRwLockMappedWriteGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
