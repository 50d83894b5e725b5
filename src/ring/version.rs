//! The numbers of an atomic's writes: which write stands where in the modification order, and which one a load has read.
//!
//! A sequence lock around operations that are atomic by themselves. The lock is there for the numbers alone: the value
//! would be right without it, and whoever cannot get the lock soon enough goes *astray*, operates without it, and leaves
//! word that he did.
//!
//! The lock is not beside the value, but in a [`Stripe`] that lives for ever, and that atomics share: an operation which
//! writes may be what tells another thread that it can free the atomic's memory, as the last decrement of a count of references
//! does, or a flag on the stack of who waits for it. So a write's number is given before it is done, and **nothing of the
//! atomic is touched once a write may have been seen.** The lock is given back after that.
//!
//! ```text
//! stripe: | changes: 53 | operations astray: 10 | busy: 1 |
//! ```
//!
//! - A **write** sets the busy bit, adds one to the atomic's number, which is its own, operates, and counts a change as it
//!   clears the bit. One that turns out not to write, as an exchange that fails, takes its number back: nobody has been told
//!   anything by it, so the memory is still there.
//! - A **load** looks at the stripe, loads, and looks again. Where the stripe was and is the same, and nobody was at work, the
//!   value is that of the write with the atomic's number. Where that does not help, the load takes the lock as well.
//! - **Astray** goes an operation whose patience is at its end. A signal handler has none if its thread may hold a lock
//!   itself. It counts itself in, adds one to the number, operates, and counts itself out. Whoever had the lock in the
//!   meantime cannot tell which of the two came first, so neither is given a place: two numbers that stand in no record,
//!   and so nothing that is said of the order is wrong.
//!
//! Who has the lock waits for nobody, so a chain of waiting ends with somebody who runs; and who waits does so for a
//! bounded time. An operation is never kept from happening.
//!
//! Numbers are given while somebody records, in *periods*. What was written between two periods has no number; so in each
//! of them an atomic is another one, with an id of its own and its numbers counted anew: a load in the new one is never taken
//! to have read what was written in the old one.

use super::sync::{AtomicU64, Backoff, Ordering, fence};

/// Beside an atomic's value. Zeros are that of an atomic which nobody has written to.
#[derive(Debug)]
pub(crate) struct Version {
    /// That of the last write. Changed while the stripe says that somebody is at work.
    number: AtomicU64,
    /// Under which id the numbers are told, 0 at first. Written by who holds the lock.
    id: AtomicU64,
    /// The number that counts as 0 under this id. Written along with it.
    base: AtomicU64,
}

/// The lock of all atomics that share it.
#[derive(Debug)]
pub(crate) struct Stripe {
    /// Changed by read-modify-writes only, so that whatever Release is in it is acquired by all who come later.
    state: AtomicU64,
}

/// Whether an operation writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    Never,
    Always,
    /// It says so once it is done.
    Perhaps,
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
const CHANGE: u64 = 1 << 11;
/// All of the strays. More than these at once would be taken for a change, of which there is one in any case.
const STRAYS: u64 = CHANGE - STRAY;

impl Version {
    /// Of an atomic that nobody has written to. The parts must be 0; they are passed in because this is to be const,
    /// which making them is not everywhere.
    pub(crate) const fn new(number: AtomicU64, id: AtomicU64, base: AtomicU64) -> Self {
        Self { number, id, base }
    }

    /// Loads without the lock, and says what was read. `None` if a write came in between, or the period is a new one: then
    /// another look may help, and [`Version::operate`] will.
    #[inline(always)]
    pub(crate) fn glance<R>(&self, stripe: &Stripe, period: u64, load: impl FnOnce() -> R) -> Option<(R, Place)> {
        // Acquire: pairs with the Release in `unlock`, so that neither value nor number nor id are older than the state.
        let before = stripe.state.load(Ordering::Acquire);
        let place = self.place();
        if before & (BUSY | STRAYS) != 0 || place.id < period {
            return None;
        }
        let value = load();
        // Acquire: pairs with the fences in `locked` and `astray`. If anything above was read from somebody who came after
        // the first look, then what he did to the state before is seen by the second.
        fence(Ordering::Acquire);
        let after = stripe.state.load(Ordering::Relaxed);
        (after == before).then_some((value, place))
    }

    /// Does an operation, which says whether it wrote, and returns its place: for one that did not write, that of the write
    /// that it read. `None` where there was another that was astray.
    #[inline(always)]
    pub(crate) fn operate<R>(
        &self,
        stripe: &Stripe,
        terms: Terms,
        writes: Writes,
        operation: impl FnOnce() -> (R, bool),
    ) -> (R, Option<Place>) {
        match stripe.lock(terms.patience) {
            Some(before) => self.locked(stripe, before, terms, writes, operation),
            None => (self.astray(stripe, writes, operation), None),
        }
    }

    #[inline(always)]
    fn locked<R>(
        &self,
        stripe: &Stripe,
        before: u64,
        terms: Terms,
        writes: Writes,
        operation: impl FnOnce() -> (R, bool),
    ) -> (R, Option<Place>) {
        // Release: pairs with the fence in `glance`. Whoever reads what follows sees the busy bit.
        fence(Ordering::Release);
        let renewed = self.id.load(Ordering::Relaxed) < terms.period;
        if renewed {
            self.id.store((terms.new_id)(), Ordering::Relaxed);
            self.base.store(self.number.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let mut place = self.place();
        if writes != Writes::Never {
            // Not a store: who is astray counts as well.
            self.number.fetch_add(1, Ordering::Relaxed);
        }
        let (result, wrote) = operation();
        if wrote {
            place.number = place.number.wrapping_add(1);
        } else if writes != Writes::Never {
            self.number.fetch_sub(1, Ordering::Relaxed);
        }
        let undisturbed = stripe.unlock(before, renewed || writes != Writes::Never);
        (result, undisturbed.then_some(place))
    }

    /// Operates without the lock.
    #[cold]
    #[inline(never)]
    fn astray<R>(&self, stripe: &Stripe, writes: Writes, operation: impl FnOnce() -> (R, bool)) -> R {
        stripe.count_stray(STRAY);
        // Release: pairs with the fence in `glance`. Whoever reads what follows sees that somebody is astray.
        fence(Ordering::Release);
        if writes != Writes::Never {
            self.number.fetch_add(1, Ordering::Relaxed);
        }
        let (result, _) = operation();
        // A number that is not needed after all is not taken back: somebody may have begun to count from it.
        stripe.count_stray(CHANGE - STRAY);
        result
    }

    /// That of the last write.
    #[inline(always)]
    fn place(&self) -> Place {
        let number = self.number.load(Ordering::Relaxed).wrapping_sub(self.base.load(Ordering::Relaxed));
        Place { id: self.id.load(Ordering::Relaxed), number }
    }
}

impl Stripe {
    /// One that nobody holds. The part must be 0: see [`Version::new`].
    pub(crate) const fn new(state: AtomicU64) -> Self {
        Self { state }
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

    /// Clears the busy bit, and counts a change if there may have been one. Returns whether nobody was astray since `before`.
    #[inline(always)]
    fn unlock(&self, before: u64, changed: bool) -> bool {
        let step = if changed { CHANGE - BUSY } else { BUSY.wrapping_neg() };
        // Release: pairs with the Acquire in `lock` and in `glance`.
        let last = self.state.fetch_add(step, Ordering::Release);
        before & STRAYS == 0 && last == before | BUSY
    }

    fn count_stray(&self, step: u64) {
        // AcqRel: the operation comes after those whose numbers have been given, and before those whose will be.
        self.state.fetch_add(step, Ordering::AcqRel);
    }

    /// In a forked child, where whoever held the lock, or was astray, is no more.
    pub(crate) fn free(&self) {
        self.state.fetch_and(!(BUSY | STRAYS), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of an atomic whose memory somebody else has put to another use.
    const FREED: u64 = 0xA5A5;

    #[test]
    fn nothing_of_an_atomic_is_touched_or_looked_at_once_its_write_may_have_been_seen() {
        for (writes, astray) in [Writes::Always, Writes::Perhaps].into_iter().flat_map(|w| [(w, false), (w, true)]) {
            let word = || AtomicU64::new(0);
            let (stripe, version) = (Stripe::new(word()), Version::new(word(), word(), word()));
            let terms = Terms { period: 5, patience: 0, new_id: || 7 };
            version.operate(&stripe, terms, Writes::Always, || ((), true));
            if astray {
                stripe.lock(0);
            }
            let words = [&version.number, &version.id, &version.base];
            let ((), place) = version.operate(&stripe, terms, writes, || {
                words.iter().for_each(|word| word.store(FREED, Ordering::Relaxed));
                ((), true)
            });
            assert_eq!(words.map(|word| word.load(Ordering::Relaxed)), [FREED; 3], "{writes:?}");
            assert_eq!(place, (!astray).then_some(Place { id: 7, number: 2 }), "{writes:?}");
        }
    }
}
