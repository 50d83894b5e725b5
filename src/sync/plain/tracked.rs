//! The twin of `tracked.rs` where the feature `tracked` is off.

use serde::Serialize;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value, and nothing beside it: the feature `tracked` is off, and no access is recorded.
///
/// What it asks of its value is what it asks for where the feature is on, so that one program compiles both ways.
#[repr(transparent)]
pub struct Tracked<T>(T);

impl<T: Serialize> Tracked<T> {
    /// A value.
    #[inline(always)]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// As [`Tracked::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn named(_name: &'static str, value: T) -> Self {
        Self(value)
    }
}

impl<T> Tracked<T> {
    /// The longest value that would be recorded whole, in bytes of MessagePack.
    pub const VALUE_LIMIT: usize = crate::value::Captured::LIMIT;

    /// A value that has no [`Serialize`].
    #[inline(always)]
    pub const fn opaque(value: T) -> Self {
        Self(value)
    }

    /// The value as it is: the name is for the record, and there is none.
    #[inline(always)]
    #[must_use]
    pub fn renamed(self, _name: impl Into<Arc<str>>) -> Self {
        self
    }

    /// A copy of the value.
    #[inline(always)]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        self.0
    }

    /// The value.
    #[inline(always)]
    pub fn read(&self) -> &T {
        &self.0
    }

    /// Puts a value in the old one's place.
    #[inline(always)]
    pub fn set(&mut self, value: T) {
        self.0 = value;
    }

    /// Puts a value in the old one's place, and returns that one.
    #[inline(always)]
    pub fn replace(&mut self, value: T) -> T {
        std::mem::replace(&mut self.0, value)
    }

    /// Takes the value, and leaves its default in its place.
    #[inline(always)]
    pub fn take(&mut self) -> T
    where
        T: Default,
    {
        std::mem::take(&mut self.0)
    }

    /// Changes the value in place, by a function.
    ///
    /// # Panics
    /// If `change` does.
    #[inline(always)]
    pub fn update<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0)
    }

    /// The value, to be changed in place.
    #[inline(always)]
    pub fn write(&mut self) -> WriteGuard<'_, T> {
        WriteGuard(&mut self.0)
    }

    /// The value.
    #[inline(always)]
    pub const fn untracked(&self) -> &T {
        &self.0
    }

    /// The value, to be changed.
    #[inline(always)]
    pub const fn untracked_mut(&mut self) -> &mut T {
        &mut self.0
    }

    /// Takes the value out.
    #[inline(always)]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: Serialize + Default> Default for Tracked<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Serialize> From<T> for Tracked<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracked").field(&self.0).finish()
    }
}

/// A [`Tracked`] value being changed in place; see [`Tracked::write`].
#[must_use = "a value that is only read is read by `Tracked::read`"]
#[repr(transparent)]
pub struct WriteGuard<'a, T>(&'a mut T);

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        self.0
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
