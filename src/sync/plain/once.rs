//! The twin of `once.rs` where the feature `tracked` is off.

use super::OnceState;
use std::fmt;

/// [`std::sync::Once`] under this crate's names: the feature `tracked` is off, and nothing is recorded.
#[repr(transparent)]
pub struct Once(std::sync::Once);

/// As [`std::sync::ONCE_INIT`].
#[deprecated = "the `Once::new()` function is now preferred"]
#[expect(clippy::declare_interior_mutable_const, reason = "std has declared it so")]
pub const ONCE_INIT: Once = Once::new();

impl Once {
    /// As [`std::sync::Once::new`].
    #[inline(always)]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "std's has none either")]
    pub const fn new() -> Self {
        Self(std::sync::Once::new())
    }

    /// As [`Once::new`]: the name is for the record, and there is none.
    #[inline(always)]
    #[must_use]
    pub const fn named(_name: &'static str) -> Self {
        Self::new()
    }

    /// As [`std::sync::Once::call_once`].
    ///
    /// # Panics
    /// If `f` does, or an earlier one did.
    #[inline(always)]
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.0.call_once(f);
    }

    /// As [`std::sync::Once::call_once_force`].
    ///
    /// # Panics
    /// If `f` does.
    #[inline(always)]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        self.0.call_once_force(f);
    }

    /// As [`std::sync::Once::is_completed`].
    #[inline(always)]
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.0.is_completed()
    }

    /// As [`std::sync::Once::wait`].
    ///
    /// # Panics
    /// If a call has panicked.
    #[inline(always)]
    pub fn wait(&self) {
        self.0.wait();
    }

    /// As [`std::sync::Once::wait_force`].
    #[inline(always)]
    pub fn wait_force(&self) {
        self.0.wait_force();
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
