//! What the default client takes, for whatever records without a client at hand: a word for each kind of record, so that
//! one load says both whether to record and into whose ring; and the *period* in which numbers are given.
//!
//! All loads are relaxed: a thread that sees an old word records into the old client once more, or not yet into the new one.

use super::pipe::{KINDS, new_lock_id};
use super::sync::{AtomicU64, Ordering, fence};

/// By kind: the default client's key while it takes such records, else 0.
static GATES: [AtomicU64; KINDS] = [const { AtomicU64::new(0) }; KINDS];

/// See [`period`].
static PERIOD: AtomicU64 = AtomicU64::new(0);

/// The key of the client that takes records of this kind, or 0.
#[inline(always)]
pub(crate) fn gate(kind: u8) -> u64 {
    GATES[usize::from(kind) % KINDS].load(Ordering::Relaxed)
}

/// In which period the operations on tracked atomics are numbered; 0 while they are not, because nobody takes anything.
///
/// Periods are numbers out of the same sequence as ids: an id below this was given in an earlier one. A new one begins
/// with each default client, and whenever one takes something again after it took nothing.
///
/// What is under way on another thread while a period begins may still be done as if it had not, without a number, and
/// then is taken for the write before it. To keep that from happening, the operation would have to be more than it is
/// while nobody records.
#[inline(always)]
pub(crate) fn period() -> u64 {
    PERIOD.load(Ordering::Relaxed)
}

/// A client has become the default, in place of any other, and takes these kinds.
pub(super) fn open(key: u64, kinds: u64) {
    PERIOD.store(new_lock_id(), Ordering::Relaxed);
    for (kind, gate) in GATES.iter().enumerate() {
        gate.store(if kinds & (1 << kind) != 0 { key } else { 0 }, Ordering::Relaxed);
    }
    settle();
}

/// The default client takes these kinds from now on; none, if it is the default no more. What another client has taken
/// over meanwhile is left as it is.
pub(super) fn change(key: u64, kinds: u64) {
    for (kind, gate) in GATES.iter().enumerate() {
        let (from, to) = if kinds & (1 << kind) != 0 { (0, key) } else { (key, 0) };
        let _ = gate.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
    }
    settle();
}

/// Brings the period in line with the gates, whoever else changes them at the same time: the last one to do so sees them as
/// they stay.
fn settle() {
    loop {
        // SeqCst: of two who change gates at once, one sees what both have done.
        fence(Ordering::SeqCst);
        let now = period();
        let to = match (GATES.iter().any(|gate| gate.load(Ordering::Relaxed) != 0), now) {
            (true, 0) => new_lock_id(),
            (false, 1..) => 0,
            _ => return,
        };
        let _ = PERIOD.compare_exchange(now, to, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// In a forked child nothing is numbered until it has a client of its own: whoever held an atomic's lock at the fork will
/// not come back. One store, because it runs in a fork handler.
pub(super) fn close_after_fork() {
    PERIOD.store(0, Ordering::Relaxed);
}
