//! The truth value.

#![expect(clippy::disallowed_types, reason = "to wrap std's atomics is what this is for")]

use super::Ordering;
use super::common::{common, updates};
use super::numbered::{Numbered, Word};
use crate::operation::Sort;
use std::fmt;
use std::panic::Location;

/// [`std::sync::atomic::AtomicBool`], whose operations are recorded.
///
/// See the [module](crate::sync::atomic).
///
/// # Examples
///
/// ```
/// use trackside::sync::atomic::{AtomicBool, Ordering};
///
/// static STOP: AtomicBool = AtomicBool::named("stop", false);
///
/// STOP.store(true, Ordering::Release);
/// assert!(STOP.load(Ordering::Acquire));
/// ```
pub struct AtomicBool {
    numbered: Numbered,
    inner: std::sync::atomic::AtomicBool,
}

impl Word for bool {
    const SORT: Sort = Sort::Bool;

    #[inline(always)]
    fn word(self) -> u64 {
        u64::from(self)
    }
}

common!(AtomicBool, bool, default false, examples "false", "true", "");

updates! {
    AtomicBool, bool, by bool, examples "",
    fetch_and, "true if both are", |old, value| old & value, "true" with "false" is "false";
    fetch_nand, "false if both are true", |old, value| !(old & value), "true" with "false" is "true";
    fetch_or, "true if one of the two is", |old, value| old | value, "true" with "false" is "true";
    fetch_xor, "true if one of the two is and the other is not", |old, value| old ^ value, "true" with "false" is "true";
}

impl AtomicBool {
    /// The value becomes the other one. Returns the value before.
    ///
    /// # Examples
    ///
    /// ```
    /// use trackside::sync::atomic::{AtomicBool, Ordering};
    ///
    /// let atomic = AtomicBool::new(true);
    /// assert_eq!(atomic.fetch_not(Ordering::AcqRel), true);
    /// assert_eq!(atomic.into_inner(), false);
    /// ```
    #[inline]
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.numbered.update(order, Location::caller(), || self.inner.fetch_not(order), |old| !old)
    }
}
