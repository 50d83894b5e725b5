//! The numbers of an atomic's writes: which write stands where in the modification order, and which one a load has read.
//!
//! A sequence lock around operations that are atomic by themselves. The lock is there for the numbers alone: the value
//! would be right without it, and whoever cannot get the lock soon enough goes *astray*, operates without it, and leaves
//! word that he did.
//!
//! ```text
//! state: | number of the last write: 53 | operations astray: 10 | busy: 1 |
//! ```
//!
//! - A **write** sets the busy bit, operates, and adds one to the number as it clears the bit: that is its own number.
//! - A **load** looks at the state, loads, and looks again. Where the state was and is the same, and nobody was at work, the
//!   value is that of the write with this number. Where that does not help, the load takes the lock as well.
//! - **Astray** goes an operation whose patience is at its end. A signal handler has none if its thread may hold a lock
//!   itself. It counts itself in, operates, and counts itself out as it adds one to the number. Whoever had the lock in
//!   the meantime cannot tell which of the two came first, so neither is given a place: two numbers that stand in no record,
//!   and so nothing that is said of the order is wrong.
//!
//! Who has the lock waits for nobody, so a chain of waiting ends with somebody who runs; and who waits does so for a
//! bounded time. An operation is never kept from happening.
//!
//! Numbers are given while somebody records, in *periods*. What was written between two periods has no number; so in each
//! of them an atomic is another one, with an id of its own and its numbers counted anew: a load in the new one is never taken
//! to have read what was written in the old one.

use super::sync::{AtomicU64, Backoff, Ordering, fence};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Version {
    /// Changed by read-modify-writes only, so that whatever Release is in it is acquired by all who come later.
    state: AtomicU64,
    /// Under which id the numbers are told, 0 at first. Written by who holds the lock.
    id: AtomicU64,
    /// The number that counts as 0 under this id. Written along with it.
    base: AtomicU64,
}

/// A write, or the one that was read: number `number` of the atomic known as `id`. Number 0 is the value that it had before
/// any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: u64,
    pub(crate) number: u64,
}

/// What numbers are given by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Ids below this are of an earlier period.
    pub(crate) period: u64,
    /// How often to wait for somebody else before going astray.
    pub(crate) patience: u32,
    /// Makes an id, higher than all before it.
    pub(crate) new_id: fn() -> u64,
}

const BUSY: u64 = 1;
const STRAY: u64 = 1 << 1;
const NUMBER_SHIFT: u32 = 11;
const NUMBER: u64 = 1 << NUMBER_SHIFT;
/// All of the strays. More than these at once would be taken for writes, whose numbers are then missing.
const STRAYS: u64 = NUMBER - STRAY;

impl Version {
    /// Of an atomic that nobody has written to. The parts must be 0; they are passed in because this is to be const,
    /// which making them is not everywhere.
    pub(crate) const fn new(state: AtomicU64, id: AtomicU64, base: AtomicU64) -> Self {
        Self { state, id, base }
    }

    /// Loads without the lock, and says what was read. `None` if a write came in between, or the period is a new one: then
    /// another look may help, and [`Version::operate`] will.
    #[inline(always)]
    pub(crate) fn glance<R>(&self, period: u64, load: impl FnOnce() -> R) -> Option<(R, Place)> {
        // Acquire: pairs with the Release in `unlock`, so that neither value nor id are older than the number.
        let before = self.state.load(Ordering::Acquire);
        let (id, base) = (self.id.load(Ordering::Relaxed), self.base.load(Ordering::Relaxed));
        if before & (BUSY | STRAYS) != 0 || id < period {
            return None;
        }
        let value = load();
        // Acquire: pairs with the fences in `locked` and `astray`. If anything above was read from somebody who came after
        // the first look, then what he did to the state before is seen by the second.
        fence(Ordering::Acquire);
        let after = self.state.load(Ordering::Relaxed);
        (after == before).then(|| (value, Place { id, number: (before >> NUMBER_SHIFT).wrapping_sub(base) }))
    }

    /// Does an operation, which says whether it wrote, and returns its place: for one that did not write, that of the write
    /// that it read. `None` where there was another that was astray.
    #[inline(always)]
    pub(crate) fn operate<R>(&self, terms: Terms, operation: impl FnOnce() -> (R, bool)) -> (R, Option<Place>) {
        match self.lock(terms.patience) {
            Some(before) => self.locked(before, terms, operation),
            None => (self.astray(operation), None),
        }
    }

    /// Sets the busy bit, and returns what the state was. No load comes before the read-modify-write: see `spsc` for why.
    #[inline(always)]
    fn lock(&self, patience: u32) -> Option<u64> {
        // Acquire: pairs with the Release in `unlock`, so that what is read under the lock is the latest.
        let before = self.state.fetch_or(BUSY, Ordering::Acquire);
        if before & BUSY == 0 { Some(before) } else { self.wait_for_lock(patience) }
    }

    #[cold]
    #[inline(never)]
    fn wait_for_lock(&self, patience: u32) -> Option<u64> {
        let backoff = Backoff::new();
        for _ in 0..patience {
            backoff.snooze();
            // As in `lock`.
            let before = self.state.fetch_or(BUSY, Ordering::Acquire);
            if before & BUSY == 0 {
                return Some(before);
            }
        }
        None
    }

    #[inline(always)]
    fn locked<R>(&self, before: u64, terms: Terms, operation: impl FnOnce() -> (R, bool)) -> (R, Option<Place>) {
        // Release: pairs with the fence in `glance`. Whoever reads what follows sees the busy bit.
        fence(Ordering::Release);
        let number = before >> NUMBER_SHIFT;
        // An id of its own for the new period takes a number, by which loads notice that something has changed.
        let renewed = self.id.load(Ordering::Relaxed) < terms.period;
        if renewed {
            self.id.store((terms.new_id)(), Ordering::Relaxed);
            self.base.store(number + 1, Ordering::Relaxed);
        }
        let (result, wrote) = operation();
        let given = u64::from(renewed) + u64::from(wrote);
        let (id, base) = (self.id.load(Ordering::Relaxed), self.base.load(Ordering::Relaxed));
        let undisturbed = self.unlock(before, given);
        (result, undisturbed.then(|| Place { id, number: (number + given).wrapping_sub(base) }))
    }

    /// Clears the busy bit and gives so many numbers. Returns whether nobody was astray since `before`.
    #[inline(always)]
    fn unlock(&self, before: u64, given: u64) -> bool {
        let step = (given << NUMBER_SHIFT).wrapping_sub(BUSY);
        // Release: pairs with the Acquire in `lock` and in `glance`.
        let last = self.state.fetch_add(step, Ordering::Release);
        before & STRAYS == 0 && last == before | BUSY
    }

    /// Operates without the lock.
    #[cold]
    #[inline(never)]
    fn astray<R>(&self, operation: impl FnOnce() -> (R, bool)) -> R {
        self.count_stray(STRAY);
        // Release: pairs with the fence in `glance`. Whoever reads what follows sees that somebody is astray.
        fence(Ordering::Release);
        let (result, wrote) = operation();
        self.count_stray(if wrote { NUMBER - STRAY } else { STRAY.wrapping_neg() });
        result
    }

    fn count_stray(&self, step: u64) {
        // AcqRel: the operation comes after those whose numbers have been given, and before those whose will be.
        self.state.fetch_add(step, Ordering::AcqRel);
    }
}
