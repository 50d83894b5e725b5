//! What is not a method.

#![expect(clippy::declare_interior_mutable_const, reason = "std has declared them so")]

use super::{AtomicBool, AtomicIsize, AtomicUsize, Ordering, numbered};
use std::panic::Location;

/// [`std::sync::atomic::fence`], recorded as [`Kind::MemoryFence`](crate::Kind::MemoryFence).
///
/// # Panics
/// If the ordering is [`Ordering::Relaxed`].
///
/// # Examples
///
/// ```
/// use trackside::sync::atomic::{AtomicBool, Ordering, fence};
///
/// static READY: AtomicBool = AtomicBool::new(false);
///
/// fence(Ordering::Release);
/// READY.store(true, Ordering::Relaxed);
/// ```
#[inline]
#[track_caller]
pub fn fence(order: Ordering) {
    numbered::fence(order, Location::caller(), || std::sync::atomic::fence(order));
}

/// An [`AtomicBool`] that is `false`.
#[deprecated = "the `new` function is now preferred"]
pub const ATOMIC_BOOL_INIT: AtomicBool = AtomicBool::new(false);

/// An [`AtomicIsize`] that is 0.
#[deprecated = "the `new` function is now preferred"]
pub const ATOMIC_ISIZE_INIT: AtomicIsize = AtomicIsize::new(0);

/// An [`AtomicUsize`] that is 0.
#[deprecated = "the `new` function is now preferred"]
pub const ATOMIC_USIZE_INIT: AtomicUsize = AtomicUsize::new(0);
