//! The crate [`parking_lot`](https://docs.rs/parking_lot/0.12) (feature `parking_lot`): the feature `tracked` is off, and
//! nothing is recorded.

pub use ::parking_lot::*;

/// As [`const_mutex`]: the name is for the record, and there is none.
#[inline(always)]
pub const fn named_mutex<T>(_name: &'static str, val: T) -> Mutex<T> {
    const_mutex(val)
}

/// As [`const_fair_mutex`]: the name is for the record, and there is none.
#[inline(always)]
pub const fn named_fair_mutex<T>(_name: &'static str, val: T) -> FairMutex<T> {
    const_fair_mutex(val)
}

/// As [`const_reentrant_mutex`]: the name is for the record, and there is none.
#[inline(always)]
pub const fn named_reentrant_mutex<T>(_name: &'static str, val: T) -> ReentrantMutex<T> {
    const_reentrant_mutex(val)
}

/// As [`const_rwlock`]: the name is for the record, and there is none.
#[inline(always)]
pub const fn named_rwlock<T>(_name: &'static str, val: T) -> RwLock<T> {
    const_rwlock(val)
}

/// The raw mutex of [`ReentrantMutex`].
pub type RawOutermost = RawMutex;
