//! The twin of `numbered.rs` where the feature `tracked` is off: nothing is kept beside an atomic, and an operation is
//! what it is.

use crate::operation::Sort;
use std::panic::Location;
use std::sync::atomic::Ordering;

/// What a word of an atomic would be to the record.
pub(super) trait Word: Copy {
    #[expect(dead_code, reason = "said once, for both twins")]
    const SORT: Sort;

    #[expect(dead_code, reason = "said once, for both twins")]
    fn word(self) -> u64;
}

/// Beside a std atomic.
#[derive(Debug)]
pub(super) struct Numbered;

/// An operation's place in the source.
pub(super) type Site = &'static Location<'static>;

impl Numbered {
    pub(super) const fn at(_place: Site) -> Self {
        Self
    }

    pub(super) const fn named(_name: &'static str) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) fn load<T: Word>(&self, _ordering: Ordering, _site: Site, load: impl Fn() -> T) -> T {
        load()
    }

    #[inline(always)]
    pub(super) fn store<T: Word>(&self, _value: T, _ordering: Ordering, _site: Site, store: impl FnOnce()) {
        store();
    }

    #[inline(always)]
    pub(super) fn update<T: Word>(
        &self,
        _ordering: Ordering,
        _site: Site,
        update: impl FnOnce() -> T,
        _new: impl FnOnce(T) -> T,
    ) -> T {
        update()
    }

    #[inline(always)]
    pub(super) fn exchange<T: Word>(
        &self,
        _new: T,
        _orderings: [Ordering; 2],
        _site: Site,
        exchange: impl FnOnce() -> Result<T, T>,
    ) -> Result<T, T> {
        exchange()
    }
}

#[inline(always)]
pub(super) fn fence(_ordering: Ordering, _site: Site, fence: impl FnOnce()) {
    fence();
}
