//! Where random ids come from.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::process;
use std::time::Instant;

/// What a thread draws from. Nothing in it has a destructor, so it works even while the thread ends.
struct Source {
    seed: RandomState,
    drawn: Cell<u64>,
}

thread_local! {
    static SOURCE: Source = Source { seed: RandomState::new(), drawn: Cell::new(0) };
}

/// 128 bits that nobody else draws, except by a chance that can be neglected. Unique, not secret.
///
/// The seed is std's for hash maps, which the system's source of randomness made; the hash is keyed with it, and takes in
/// a count, so a thread does not repeat itself. A forked child has its parent's seed and count: its process id tells it
/// from its parent and its siblings, and the time from one that had the same process id before.
pub(super) fn draw() -> [u64; 2] {
    SOURCE.with(|source| {
        let drawn = source.drawn.get();
        source.drawn.set(drawn.wrapping_add(1));
        let draw = (drawn, process::id(), Instant::now());
        [source.seed.hash_one((0_u8, draw)), source.seed.hash_one((1_u8, draw))]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn threads_do_not_draw_the_same() {
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| [(); 1000].map(|()| draw()))).collect();
        let drawn: Vec<[u64; 2]> = threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
        let words: HashSet<u64> = drawn.iter().flatten().copied().collect();
        assert_eq!(words.len(), 2 * drawn.len());
        // Each bit is set in about half of them.
        for bit in 0..64 {
            let set = words.iter().filter(|word| *word >> bit & 1 == 1).count();
            assert!((3000..5000).contains(&set), "bit {bit} is set in {set} of {}", words.len());
        }
    }
}
