//! Where callsites stand in the source: each is made once, kept for as long as the program runs, and found without a lock.

use crate::ring::frame::Place;
use std::sync::OnceLock;
use tracing_core::Metadata;

/// A program has some hundred callsites, or some thousand: few come together in one list.
const LISTS: usize = 1024;

/// Lists that only ever grow at their ends.
static PLACES: [Link; LISTS] = [const { Link::new() }; LISTS];

type Link = OnceLock<Box<Node>>;

struct Node {
    callsite: usize,
    place: Place,
    next: Link,
}

/// Where the callsite with this metadata stands, if that is known.
///
/// The first time, it allocates; there is one place for each callsite, whoever asks. A callsite is known by the address of
/// its metadata, which stay where they are and do not change.
pub(super) fn of(metadata: &'static Metadata<'static>) -> Option<&'static Place> {
    let (file, line) = metadata.file().zip(metadata.line())?;
    let callsite = std::ptr::from_ref(metadata).addr();
    let mut link = &PLACES[list(callsite)];
    loop {
        let node = match link.get() {
            Some(node) => node,
            None => {
                // Made before the link is touched, as an allocator may itself tell `tracing` something. Where another
                // thread was first, the list goes on with its node.
                let node = Node { callsite, place: Place { file, line }, next: Link::new() };
                _ = link.set(Box::new(node));
                link.get()?
            }
        };
        if node.callsite == callsite {
            return Some(&node.place);
        }
        link = &node.next;
    }
}

fn list(callsite: usize) -> usize {
    // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): neighbouring addresses land far apart.
    ((callsite as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % LISTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Barrier;
    use std::thread;
    use tracing_core::field::FieldSet;
    use tracing_core::subscriber::Interest;
    use tracing_core::{Callsite, Kind, Level, identify_callsite};

    struct Nowhere;

    impl Callsite for Nowhere {
        fn set_interest(&self, _interest: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("nobody asks this one")
        }
    }

    fn callsite(file: Option<&'static str>, line: Option<u32>) -> &'static Metadata<'static> {
        let fields = FieldSet::new(&[], identify_callsite!(&Nowhere));
        let metadata = Metadata::new("event", "it", Level::INFO, file, line, None, fields, Kind::EVENT);
        Box::leak(Box::new(metadata))
    }

    #[test]
    fn each_callsite_has_one_place_whoever_asks_first() {
        const THREADS: usize = 4;
        // Three for each list: they meet in lists.
        let callsites: Vec<_> = (1..=3 * LISTS as u32).map(|line| callsite(Some("src/shop.rs"), Some(line))).collect();
        let together = Barrier::new(THREADS);
        let ask = || {
            together.wait();
            callsites.iter().map(|callsite| of(callsite).unwrap()).collect::<Vec<_>>()
        };
        let found: Vec<Vec<&Place>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (line, place) in (1..).zip(&found[0]) {
            assert_eq!((place.file, place.line), ("src/shop.rs", line));
        }
        let addresses = |places: &[&'static Place]| places.iter().map(|place| &raw const **place).collect::<Vec<_>>();
        assert!(found.iter().all(|places| addresses(places) == addresses(&found[0])));
        assert_eq!(addresses(&found[0]).into_iter().collect::<HashSet<_>>().len(), callsites.len());
        // Asked again, it is found.
        assert!(std::ptr::eq(of(callsites[0]).unwrap(), found[0][0]));
    }

    #[test]
    fn half_a_place_is_none() {
        assert_eq!(of(callsite(None, Some(1))), None);
        assert_eq!(of(callsite(Some("src/shop.rs"), None)), None);
    }
}
