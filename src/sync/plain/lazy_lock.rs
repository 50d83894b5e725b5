//! The twin of `lazy_lock.rs` where the feature `tracked` is off.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// [`std::sync::LazyLock`] under this crate's names: the feature `tracked` is off, and nothing is recorded.
#[repr(transparent)]
pub struct LazyLock<T, F = fn() -> T>(std::sync::LazyLock<T, F>);

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// As [`std::sync::LazyLock::new`].
    #[inline(always)]
    pub const fn new(f: F) -> Self {
        Self(std::sync::LazyLock::new(f))
    }

    /// As [`LazyLock::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn named(_name: &'static str, f: F) -> Self {
        Self::new(f)
    }

    /// As [`std::sync::LazyLock::force`].
    ///
    /// # Panics
    /// If making the value panics, or has panicked before.
    #[inline(always)]
    pub fn force(this: &Self) -> &T {
        std::sync::LazyLock::force(&this.0)
    }

    /// As [`std::sync::LazyLock::force_mut`].
    ///
    /// # Panics
    /// As [`LazyLock::force`].
    #[inline(always)]
    pub fn force_mut(this: &mut Self) -> &mut T {
        std::sync::LazyLock::force_mut(&mut this.0)
    }
}

impl<T, F> LazyLock<T, F> {
    /// As [`std::sync::LazyLock::get`].
    #[inline(always)]
    pub fn get(this: &Self) -> Option<&T> {
        std::sync::LazyLock::get(&this.0)
    }

    /// As [`std::sync::LazyLock::get_mut`].
    #[inline(always)]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        std::sync::LazyLock::get_mut(&mut this.0)
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    fn default() -> Self {
        Self(std::sync::LazyLock::default())
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
