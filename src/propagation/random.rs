//! Where random ids come from.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::process;
use std::time::Instant;

/// What a thread draws from. Nothing in it has a destructor, so it works even while the thread ends.
#[derive(Clone)]
struct Source {
    /// std's seed for hash maps, which the system's source of randomness made.
    seed: RandomState,
    /// How many draws there were, so that the thread does not repeat itself.
    drawn: Cell<u64>,
}

thread_local! {
    static SOURCE: Source = Source { seed: RandomState::new(), drawn: Cell::new(0) };
}

/// 128 bits that nobody else draws, except by a chance that can be neglected. Unique, not secret.
pub(super) fn draw() -> [u64; 2] {
    SOURCE.with(|source| source.draw(process::id(), Instant::now()))
}

impl Source {
    /// A forked child has its parent's seed and count: its process id tells it from its parent and its siblings, and the
    /// time from one that had the same process id before.
    fn draw(&self, process: u32, now: Instant) -> [u64; 2] {
        let drawn = self.drawn.get();
        self.drawn.set(drawn.wrapping_add(1));
        [0_u8, 1].map(|half| self.seed.hash_one((half, drawn, process, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::time::Duration;

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

    #[test]
    fn forked_children_do_not_draw_the_same() {
        let (parent, now) = (Source { seed: RandomState::new(), drawn: Cell::new(7) }, Instant::now());
        let (child, sibling, later) = (parent.clone(), parent.clone(), parent.clone());
        let mut drawn = HashSet::new();
        for _ in 0..3 {
            drawn.extend(parent.draw(1, now));
            drawn.extend(child.draw(2, now));
            drawn.extend(sibling.draw(3, now));
            drawn.extend(later.draw(2, now + Duration::from_nanos(1)));
        }
        assert_eq!(drawn.len(), 3 * 4 * 2);
    }
}
