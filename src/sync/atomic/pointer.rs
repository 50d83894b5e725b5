//! The pointer.

use super::Ordering;
use super::common::common;
use super::numbered::{Numbered, Word};
use crate::operation::Sort;
use std::fmt;
use std::panic::Location;

/// [`std::sync::atomic::AtomicPtr`], whose operations are recorded. The record tells a pointer by its address.
///
/// See the [module](crate::sync::atomic).
///
/// # Examples
///
/// ```
/// use std::ptr;
/// use trackside::sync::atomic::{AtomicPtr, Ordering};
///
/// let mut value = 5;
/// let atomic = AtomicPtr::new(ptr::null_mut());
/// atomic.store(&raw mut value, Ordering::Release);
/// assert_eq!(atomic.swap(ptr::null_mut(), Ordering::AcqRel), &raw mut value);
/// ```
pub struct AtomicPtr<T> {
    numbered: Numbered,
    inner: std::sync::atomic::AtomicPtr<T>,
}

impl<T> Word for *mut T {
    const SORT: Sort = Sort::Unsigned;

    #[inline(always)]
    fn word(self) -> u64 {
        self.addr() as u64
    }
}

common!(AtomicPtr<T>, *mut T, default std::ptr::null_mut(), examples "one", "two",
    "let [one, two] = [1, 2].map(|number: usize| std::ptr::without_provenance_mut::<u8>(number));");

impl<T> fmt::Pointer for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.inner, f)
    }
}
