//! The integers.

#![expect(clippy::disallowed_types, reason = "to wrap std's atomics is what this is for")]

use super::Ordering;
use super::common::{common, updates};
use super::numbered::{Numbered, Word};
use crate::operation::Sort;
use std::fmt;
use std::panic::Location;

macro_rules! integer {
    ($($atomic:ident, $value:ident, $sort:ident as $wide:ty;)*) => {$(
        #[doc = concat!("[`std::sync::atomic::", stringify!($atomic), "`], whose operations are recorded.")]
        ///
        /// See the [module](crate::sync::atomic).
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering};")]
        ///
        #[doc = concat!("static COUNT: ", stringify!($atomic), " = ", stringify!($atomic), "::new(1);")]
        ///
        /// assert_eq!(COUNT.fetch_add(2, Ordering::Relaxed), 1);
        /// assert_eq!(COUNT.load(Ordering::Relaxed), 3);
        /// ```
        pub struct $atomic {
            numbered: Numbered,
            inner: std::sync::atomic::$atomic,
        }

        impl Word for $value {
            const SORT: Sort = Sort::$sort;

            #[inline(always)]
            fn word(self) -> u64 {
                (self as $wide) as u64
            }
        }

        common!($atomic, $value, default 0, examples "1", "2", "");

        updates! {
            $atomic, $value, by $value, examples "",
            fetch_add, "the sum, and wraps around", $value::wrapping_add, "5" with "3" is "8";
            fetch_sub, "the difference, and wraps around", $value::wrapping_sub, "5" with "3" is "2";
            fetch_and, "the bitwise and", |old, value| old & value, "5" with "3" is "1";
            fetch_nand, "the complement of the bitwise and", |old, value| !(old & value), "5" with "3" is "!1";
            fetch_or, "the bitwise or", |old, value| old | value, "5" with "3" is "7";
            fetch_xor, "the bitwise exclusive or", |old, value| old ^ value, "5" with "3" is "6";
            fetch_max, "the larger of the two", Ord::max, "5" with "7" is "7";
            fetch_min, "the smaller of the two", Ord::min, "5" with "3" is "3";
        }
    )*};
}

integer! {
    AtomicI8, i8, Signed as i64;
    AtomicI16, i16, Signed as i64;
    AtomicI32, i32, Signed as i64;
    AtomicI64, i64, Signed as i64;
    AtomicIsize, isize, Signed as i64;
    AtomicU8, u8, Unsigned as u64;
    AtomicU16, u16, Unsigned as u64;
    AtomicU32, u32, Unsigned as u64;
    AtomicU64, u64, Unsigned as u64;
    AtomicUsize, usize, Unsigned as u64;
}
