//! The twin of `barrier.rs` where the feature `tracked` is off.

use std::fmt;

pub use std::sync::BarrierWaitResult;

/// [`std::sync::Barrier`] under this crate's names: the feature `tracked` is off, and nothing is recorded.
#[repr(transparent)]
pub struct Barrier(std::sync::Barrier);

impl Barrier {
    /// As [`std::sync::Barrier::new`].
    #[inline(always)]
    #[must_use]
    pub const fn new(n: usize) -> Self {
        Self(std::sync::Barrier::new(n))
    }

    /// As [`Barrier::new`]: the name is for the record, and there is none.
    #[inline(always)]
    #[must_use]
    pub const fn named(_name: &'static str, n: usize) -> Self {
        Self::new(n)
    }

    /// As [`std::sync::Barrier::wait`].
    #[inline(always)]
    pub fn wait(&self) -> BarrierWaitResult {
        self.0.wait()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
