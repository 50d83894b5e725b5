//! The twin of `once_cell.rs` where the feature `tracked` is off.

use std::fmt;
use tokio::sync::SetError;

/// [`tokio::sync::OnceCell`] under this crate's names: the feature `tracked` is off, and nothing is recorded.
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub struct OnceCell<T>(tokio::sync::OnceCell<T>);

impl<T> OnceCell<T> {
    /// As [`tokio::sync::OnceCell::new`].
    #[inline(always)]
    pub fn new() -> Self {
        Self(tokio::sync::OnceCell::new())
    }

    /// As [`tokio::sync::OnceCell::const_new`].
    #[inline(always)]
    pub const fn const_new() -> Self {
        Self(tokio::sync::OnceCell::const_new())
    }

    /// As [`OnceCell::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub fn named(_name: &'static str) -> Self {
        Self::new()
    }

    /// As [`OnceCell::const_new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn const_named(_name: &'static str) -> Self {
        Self::const_new()
    }

    /// As [`tokio::sync::OnceCell::new_with`].
    #[inline(always)]
    pub fn new_with(value: Option<T>) -> Self {
        Self(tokio::sync::OnceCell::new_with(value))
    }

    /// As [`tokio::sync::OnceCell::const_new_with`].
    #[inline(always)]
    pub const fn const_new_with(value: T) -> Self {
        Self(tokio::sync::OnceCell::const_new_with(value))
    }

    /// As [`tokio::sync::OnceCell::initialized`].
    #[inline(always)]
    pub fn initialized(&self) -> bool {
        self.0.initialized()
    }

    /// As [`tokio::sync::OnceCell::get`].
    #[inline(always)]
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// As [`tokio::sync::OnceCell::get_mut`].
    #[inline(always)]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.get_mut()
    }

    /// As [`tokio::sync::OnceCell::set`].
    ///
    /// # Errors
    /// If there is a value, or somebody is about to put one in; this one is given back.
    #[inline(always)]
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        self.0.set(value)
    }

    /// As [`tokio::sync::OnceCell::get_or_init`].
    #[inline(always)]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        self.0.get_or_init(f)
    }

    /// As [`tokio::sync::OnceCell::get_or_try_init`].
    ///
    /// # Errors
    /// If `f` has one.
    #[inline(always)]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.0.get_or_try_init(f)
    }

    /// As [`tokio::sync::OnceCell::into_inner`].
    #[inline(always)]
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }

    /// As [`tokio::sync::OnceCell::take`].
    #[inline(always)]
    pub fn take(&mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        Self(value.into())
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
