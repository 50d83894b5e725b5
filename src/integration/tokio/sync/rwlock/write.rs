use super::RwLockReadGuard;
use crate::lock_record::Mode;
use crate::ring::apart::Beside;
use crate::sync::hold::Hold;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

/// As [`tokio::sync::RwLockWriteGuard`]. Dropping it records the release and gives the lock back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::RwLockWriteGuard<'a, Beside<T>>,
}

/// As [`tokio::sync::RwLockMappedWriteGuard`]. Dropping it records the release and gives the lock back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    // Dropped first.
    hold: Hold,
    inner: tokio::sync::RwLockMappedWriteGuard<'a, T>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline]
    pub(super) fn new(
        inner: tokio::sync::RwLockWriteGuard<'a, Beside<T>>,
        mode: Mode,
        start: Option<u64>,
        site: &'static Location<'static>,
    ) -> Self {
        Self { hold: Hold::new(&inner.known, mode, start, site), inner }
    }

    /// A guard of a part of the value.
    #[inline]
    pub fn map<F: FnOnce(&mut T) -> &mut U, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U> {
        let Self { hold, inner } = this;
        let inner = tokio::sync::RwLockWriteGuard::map(inner, |beside| f(&mut beside.value));
        RwLockMappedWriteGuard { hold, inner }
    }

    /// A guard of a part of the value, if there is that part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { hold, inner } = this;
        match tokio::sync::RwLockWriteGuard::try_map(inner, |beside| f(&mut beside.value)) {
            Ok(inner) => Ok(RwLockMappedWriteGuard { hold, inner }),
            Err(inner) => Err(Self { hold, inner }),
        }
    }

    /// A guard of the value that can become one of a part of it.
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        Self::map(this, |value| value)
    }

    /// Goes on reading; others may read too, and nobody can write in between. Recorded as a release and an acquisition.
    #[track_caller]
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        Self::downgrade_map(self, |value| value)
    }

    /// As `downgrade`, with a guard of a part of the value.
    #[track_caller]
    pub fn downgrade_map<F: FnOnce(&T) -> &U, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U> {
        let site = Location::caller();
        let Self { mut hold, inner } = this;
        // While nobody else can write or read, so that the two records are one after the other. It cannot wait for anybody, as
        // if it had been tried for.
        let inner = tokio::sync::RwLockWriteGuard::downgrade_map(inner, |beside| {
            hold.renew(&beside.known, Mode::TryTokioRead, site);
            f(&beside.value)
        });
        RwLockReadGuard::of(hold, inner)
    }

    /// As `downgrade`, with a guard of a part of the value, if there is that part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself, which can still write.
    #[track_caller]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let site = Location::caller();
        let Self { mut hold, inner } = this;
        // As in `downgrade_map`.
        let downgraded = tokio::sync::RwLockWriteGuard::try_downgrade_map(inner, |beside| {
            let part = f(&beside.value)?;
            hold.renew(&beside.known, Mode::TryTokioRead, site);
            Some(part)
        });
        match downgraded {
            Ok(inner) => Ok(RwLockReadGuard::of(hold, inner)),
            Err(inner) => Err(Self { hold, inner }),
        }
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// A guard of a part of that.
    #[inline]
    pub fn map<F: FnOnce(&mut T) -> &mut U, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U> {
        let Self { hold, inner } = this;
        RwLockMappedWriteGuard { hold, inner: tokio::sync::RwLockMappedWriteGuard::map(inner, f) }
    }

    /// A guard of a part of that, if there is such a part.
    ///
    /// # Errors
    /// If there is not; this is the guard itself.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { hold, inner } = this;
        match tokio::sync::RwLockMappedWriteGuard::try_map(inner, f) {
            Ok(inner) => Ok(RwLockMappedWriteGuard { hold, inner }),
            Err(inner) => Err(Self { hold, inner }),
        }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner.value
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> Deref for RwLockMappedWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockMappedWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockMappedWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockMappedWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
