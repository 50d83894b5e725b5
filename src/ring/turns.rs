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

/// How many later clients there may be for one that is still recorded for.
const FEW: u16 = 0xff;

impl SharedTurns {
    /// None so far.
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The next turn of those of the client with this key. To be taken while the lock is held: whoever excludes the caller
    /// then has a lower number or will have a higher one. `None` if turns of a later client have been taken already, as when
    /// that was built just now: then the turn is nobody's.
    #[inline(always)]
    pub(crate) fn take(&self, key: u64) -> Option<u64> {
        let tag = pipe::key_tag(key);
        // Relaxed, all of them: the lock orders the turns that are to be ordered.
        if self.0.load(Ordering::Relaxed) >> TURN_BITS != tag && !self.begin(tag) {
            return None;
        }
        // Should a later client begin just now, it finds one of its numbers missing: as if that had been lost.
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (before >> TURN_BITS == tag).then_some((before & ((1 << TURN_BITS) - 1)) + 1)
    }

    /// The last turn of those of the client with this key; 0 if there was none.
    #[cfg(feature = "tokio")]
    #[inline(always)]
    pub(crate) fn present(&self, key: u64) -> u64 {
        // Relaxed: who is to find a turn taken has come after who took it, by what the turns are for.
        let now = self.0.load(Ordering::Relaxed);
        if now >> TURN_BITS == pipe::key_tag(key) { now & ((1 << TURN_BITS) - 1) } else { 0 }
    }

    /// Counts from the start for the client with this tag, unless that is counted for already. `false` if a later one is:
    /// going back to an earlier client would give its numbers twice.
    #[cold]
    #[inline(never)]
    fn begin(&self, tag: u64) -> bool {
        let now = |turns: u64| turns >> TURN_BITS;
        // Tags wrap. While somebody is on his way here, few clients are built; while a lock is not used, it may be many.
        let is_earlier = |turns: u64| turns != 0 && now(turns).wrapping_sub(tag) as u16 <= FEW;
        let other = |turns: u64| (!is_earlier(turns)).then_some(tag << TURN_BITS);
        match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, other) {
            Ok(_) => true,
            Err(turns) => now(turns) == tag,
        }
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
    }

    /// A reader that has looked for the client before there was a new one is overtaken by one that has looked since.
    #[test]
    fn no_number_is_given_twice_to_a_client_that_is_not_the_latest_any_more() {
        let turns = SharedTurns::new();
        let [first, second] = [1, 2].map(|number| number << pipe::GENERATION_BITS);
        assert_eq!([first, second, first, second].map(|key| turns.take(key)), [Some(1), Some(1), None, Some(2)]);
    }

    #[test]
    fn later_clients_are_later_where_their_tags_wrap() {
        let turns = SharedTurns::new();
        let take = |number: u64| turns.take(number << pipe::GENERATION_BITS);
        for number in [0x9000, 0xfffe, 0xffff, 0x1_0001, 0x1_0002, 0x1_f000] {
            assert_eq!([take(number), take(number), take(number - 1)], [Some(1), Some(2), None], "{number:x}");
        }
    }
}
