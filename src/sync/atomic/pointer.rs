//! The pointer.

use super::Ordering;
use super::common::{common, updates};
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

updates! {
    AtomicPtr<T>, *mut T, by usize, examples "let [two, four, six] = [2, 4, 6].map(std::ptr::without_provenance_mut::<u16>);",
    fetch_ptr_add, "the one that is so many values further on, and wraps around",
        |old, value| old.wrapping_add(value), "two" with "2" is "six";
    fetch_ptr_sub, "the one that is so many values further back, and wraps around",
        |old, value| old.wrapping_sub(value), "six" with "1" is "four";
    fetch_byte_add, "the one that is so many bytes further on, and wraps around",
        |old, value| old.wrapping_byte_add(value), "two" with "2" is "four";
    fetch_byte_sub, "the one that is so many bytes further back, and wraps around",
        |old, value| old.wrapping_byte_sub(value), "six" with "4" is "two";
    fetch_and, "the one whose address is the bitwise and",
        |old, value| old.map_addr(|address| address & value), "six" with "4" is "four";
    fetch_or, "the one whose address is the bitwise or",
        |old, value| old.map_addr(|address| address | value), "two" with "4" is "six";
    fetch_xor, "the one whose address is the bitwise exclusive or",
        |old, value| old.map_addr(|address| address ^ value), "six" with "2" is "four";
}

impl<T> fmt::Pointer for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.inner, f)
    }
}
