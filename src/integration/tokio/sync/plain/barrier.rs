//! The twin of `barrier.rs` where the feature `tracked` is off.

use std::fmt;

pub use tokio::sync::BarrierWaitResult;

/// [`tokio::sync::Barrier`] under this crate's names: the feature `tracked` is off, and nothing is recorded.
#[repr(transparent)]
pub struct Barrier(tokio::sync::Barrier);

impl Barrier {
    /// As [`tokio::sync::Barrier::new`].
    #[inline(always)]
    #[track_caller]
    pub fn new(n: usize) -> Self {
        Self(tokio::sync::Barrier::new(n))
    }

    /// As [`Barrier::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub fn named(_name: &'static str, n: usize) -> Self {
        Self::new(n)
    }

    /// As [`tokio::sync::Barrier::wait`].
    #[inline(always)]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        self.0.wait()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
