//! Numbers for locks, and for those who hold them.

use super::pipe;
use super::sync::{AtomicU64, Ordering};

/// A number for a lock or another object, unique within the process, that it gets when it is first asked for: what is made in
/// a `const fn` cannot count.
#[derive(Debug)]
pub(crate) struct LazyId(AtomicU64);

impl LazyId {
    /// No number yet.
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The number, from 1.
    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        // Relaxed: the number is all there is.
        match self.0.load(Ordering::Relaxed) {
            0 => self.give(),
            id => id,
        }
    }

    #[cold]
    #[inline(never)]
    fn give(&self) -> u64 {
        let id = pipe::new_lock_id();
        // Of several that come at once, one gives the number to all.
        self.0.compare_exchange(0, id, Ordering::Relaxed, Ordering::Relaxed).err().unwrap_or(id)
    }
}

/// The turns of those who hold a lock that several may hold at once: numbered, from 1, among those recorded for one client.
///
/// In the upper part is a tag of that client, because another one counts from the start.
#[derive(Debug)]
pub(crate) struct SharedTurns(AtomicU64);

/// How many bits the number has. At ten million turns a second they last for a year.
const TURN_BITS: u32 = 48;

impl SharedTurns {
    /// None so far.
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The next turn of those of the client with this key. To be taken while the lock is held: whoever excludes the caller
    /// then has a lower number or will have a higher one. `None` if another client came in between: then the turn is
    /// nobody's.
    #[inline(always)]
    pub(crate) fn take(&self, key: u64) -> Option<u64> {
        let tag = pipe::key_tag(key) << TURN_BITS;
        // Relaxed, all of them: the lock orders the turns that are to be ordered.
        if self.0.load(Ordering::Relaxed) >> TURN_BITS != tag >> TURN_BITS {
            self.begin(tag);
        }
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (before >> TURN_BITS == tag >> TURN_BITS).then_some((before & ((1 << TURN_BITS) - 1)) + 1)
    }

    /// The last turn of those of the client with this key; 0 if there was none.
    #[cfg(feature = "tokio")]
    #[inline(always)]
    pub(crate) fn present(&self, key: u64) -> u64 {
        // Relaxed: who is to find a turn taken has come after who took it, by what the turns are for.
        let now = self.0.load(Ordering::Relaxed);
        if now >> TURN_BITS == pipe::key_tag(key) { now & ((1 << TURN_BITS) - 1) } else { 0 }
    }

    #[cold]
    #[inline(never)]
    fn begin(&self, tag: u64) {
        let other = |now: u64| (now >> TURN_BITS != tag >> TURN_BITS).then_some(tag);
        // If it fails, somebody else has begun.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_number_is_given_once_and_to_one() {
        let (one, other) = (LazyId::new(), LazyId::new());
        let seen: Vec<u64> = thread::scope(|scope| {
            (0..4).map(|_| scope.spawn(|| one.get())).map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(seen, [one.get(); 4]);
        assert_ne!(one.get(), other.get());
    }

    #[test]
    fn each_client_counts_its_own_turns_from_the_start() {
        let turns = SharedTurns::new();
        let [first, second] = [1, 2].map(|number| number << pipe::GENERATION_BITS);
        let take = |key, times| (0..times).map(|_| turns.take(key).unwrap()).collect::<Vec<_>>();
        assert_eq!(take(first, 3), [1, 2, 3]);
        assert_eq!(take(second, 2), [1, 2]);
        assert_eq!(take(first, 1), [1]);
    }
}
