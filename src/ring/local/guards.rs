//! Whether the strand that the calling thread runs as may hold locks, at the moment at which it ceases to.
//!
//! Of locks that belong to threads, the thread's ring knows which it holds, and as which strand it took them. The guard of a
//! task's lock may be anywhere by then; so those that a strand takes are counted, less those that it gives back. A guard that
//! was sent elsewhere leaves the count too high, and never too low: "may hold" is all that it says.

use super::{look, slot};

/// From now on guards are counted for another strand, which has so many. Returns how many that has for which they were.
pub(crate) fn swap(guards: u32) -> u32 {
    slot().guards.replace(guards)
}

/// The strand has taken a lock whose guard may go from strand to strand.
#[cfg(feature = "tokio")]
#[inline]
pub(crate) fn taken() {
    let guards = &slot().guards;
    guards.set(guards.get().saturating_add(1));
}

/// It has given one back.
#[cfg(feature = "tokio")]
#[inline]
pub(crate) fn dropped() {
    let guards = &slot().guards;
    guards.set(guards.get().saturating_sub(1));
}

/// Whether the strand of the client with this key, for which guards are counted now, may hold a lock. What the thread has
/// drafted is published.
pub(crate) fn may_hold(key: u64, strand: u64) -> bool {
    slot().guards.get() > 0 || look(key, |ring| ring.held.is_of(strand)) == Some(true)
}
