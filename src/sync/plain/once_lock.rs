//! The twin of `once_lock.rs` where the feature `tracked` is off.

use std::fmt;

/// [`std::sync::OnceLock`] under this crate's names: the feature `tracked` is off, and nothing is recorded.
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub struct OnceLock<T>(std::sync::OnceLock<T>);

impl<T> OnceLock<T> {
    /// As [`std::sync::OnceLock::new`].
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    /// As [`OnceLock::new`]: the name is for the record, and there is none.
    #[inline(always)]
    #[must_use]
    pub const fn named(_name: &'static str) -> Self {
        Self::new()
    }

    /// As [`std::sync::OnceLock::get`].
    #[inline(always)]
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// As [`std::sync::OnceLock::get_mut`].
    #[inline(always)]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.get_mut()
    }

    /// As [`std::sync::OnceLock::wait`].
    #[inline(always)]
    pub fn wait(&self) -> &T {
        self.0.wait()
    }

    /// As [`std::sync::OnceLock::set`].
    ///
    /// # Errors
    /// If there is a value; this one is given back.
    #[inline(always)]
    pub fn set(&self, value: T) -> Result<(), T> {
        self.0.set(value)
    }

    /// As [`std::sync::OnceLock::get_or_init`].
    ///
    /// # Panics
    /// If `f` does.
    #[inline(always)]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        self.0.get_or_init(f)
    }

    /// As [`std::sync::OnceLock::into_inner`].
    #[inline(always)]
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }

    /// As [`std::sync::OnceLock::take`].
    #[inline(always)]
    pub fn take(&mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> Self {
        Self(value.into())
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
