//! The twin of `notify.rs` where the feature `tracked` is off.

use std::fmt;
use std::sync::Arc;

pub use crate::ring::apart::Notify;
pub use tokio::sync::futures::{Notified, OwnedNotified};

impl Notify {
    /// As [`tokio::sync::Notify::new`].
    #[inline(always)]
    pub fn new() -> Self {
        Self(tokio::sync::Notify::new())
    }

    /// As [`tokio::sync::Notify::const_new`].
    #[inline(always)]
    pub const fn const_new() -> Self {
        Self(tokio::sync::Notify::const_new())
    }

    /// As [`Notify::new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub fn named(_name: &'static str) -> Self {
        Self::new()
    }

    /// As [`Notify::const_new`]: the name is for the record, and there is none.
    #[inline(always)]
    pub const fn const_named(_name: &'static str) -> Self {
        Self::const_new()
    }

    /// As [`tokio::sync::Notify::notified`].
    #[inline(always)]
    pub fn notified(&self) -> Notified<'_> {
        self.0.notified()
    }

    /// As [`tokio::sync::Notify::notified_owned`].
    #[inline(always)]
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        self.peel().notified_owned()
    }

    /// As [`tokio::sync::Notify::notify_one`].
    #[inline(always)]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// As [`tokio::sync::Notify::notify_last`].
    #[inline(always)]
    pub fn notify_last(&self) {
        self.0.notify_last();
    }

    /// As [`tokio::sync::Notify::notify_waiters`].
    #[inline(always)]
    pub fn notify_waiters(&self) {
        self.0.notify_waiters();
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
