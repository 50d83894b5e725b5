//! Which event is whose parent.
//!
//! Inside a trace, the stock server knows no order but that of the parents, and its page dies of a path of some 3,000
//! events. So an event's parent is the strand's event before it, and a strand's first event has the last one that its
//! strand was forked behind; but no path from a root is longer than 1,000 events, however long a strand lives and
//! however deep forks nest:
//!
//! - The first [`TRUNK`] events of a strand are one path: what a program sets up before its threads start stays ordered
//!   before all that they do. What follows hangs in blocks of [`BLOCK`] events on the trunk's end, each block a path.
//! - A strand forked so deep that this no longer fits hangs on its parent's trunk, or its first event, or on the root.
//!
//! What is lost: between blocks of one strand there is no order for the server, other than that of the trunk before both.
//! Within the strand that is harmless, since it takes no two events of one thread for a race. But a strand forked in one
//! block is not ordered behind the blocks before it, and may be shown as racing with what its parent did there. The other
//! choice, a path that grows, kills the server. Joins are lost as well: an event has one parent only, and its own strand's
//! is worth more than that of a strand that was waited for, because all that it did itself hangs on it.

use std::collections::VecDeque;

/// The most events on a path from a root.
#[cfg(test)]
pub(super) const PATH_MAX: u32 = FIRST_MAX + TRUNK + BLOCK;

/// How many steps from a root a strand's first event may be.
const FIRST_MAX: u32 = 500;

/// How many events of a strand are a path that all its later events hang on.
const TRUNK: u32 = 128;

/// How many events then are a path of their own.
const BLOCK: u32 = 372;

/// How many unbroken runs of a strand's events are remembered, for strands that were forked a while ago.
const RUNS: usize = 8;

/// An event that the server has, and how many steps it is from its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) ring: u16,
    pub(super) seq: u64,
    pub(super) step: u64,
    pub(super) depth: u32,
}

/// The events of one strand that the server has: as many as it takes to find parents.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    root: Link,
    first: Link,
    /// The last event of the trunk; the last event of all while that still grows.
    trunk: Link,
    last: Link,
    /// The latest events, as runs without a gap in ring, step and depth: each its first event, and how many there are.
    runs: VecDeque<(Link, u64)>,
}

impl Chain {
    /// The strand's first event, and the chain of the strand it hangs on, if it does.
    pub(super) fn new(ring: u16, seq: u64, step: u64, origin: Option<Origin>) -> Self {
        let depth = origin.map_or(0, |origin| origin.parent.depth + 1);
        let first = Link { ring, seq, step, depth };
        let root = origin.map_or(first, |origin| origin.root);
        Self { root, first, trunk: first, last: first, runs: VecDeque::from([(first, 1)]) }
    }

    /// What the strand's next event hangs on.
    pub(super) fn parent(&self) -> Link {
        if self.last.depth < self.trunk.depth + BLOCK { self.last } else { self.trunk }
    }

    /// Adds the strand's next event, whose parent is [`Chain::parent`].
    pub(super) fn push(&mut self, ring: u16, seq: u64, step: u64) {
        let link = Link { ring, seq, step, depth: self.parent().depth + 1 };
        if link.depth < self.first.depth + TRUNK && self.trunk == self.last {
            self.trunk = link;
        }
        self.last = link;
        match self.runs.back_mut() {
            Some((start, len)) if link == at(start, *len) => *len += 1,
            _ => {
                if self.runs.len() == RUNS {
                    self.runs.pop_front();
                }
                self.runs.push_back((link, 1));
            }
        }
    }

    /// What the first event of a strand hangs on that was forked behind the first `steps` events of this one; nothing
    /// if none of them is known to the server.
    pub(super) fn fork(&self, steps: u64) -> Option<Origin> {
        let recent = self.runs.iter().rev().find_map(|(start, len)| {
            let behind = steps.checked_sub(start.step)?.min(*len).checked_sub(1)?;
            Some(at(start, behind))
        });
        let candidates = [recent, Some(self.trunk), Some(self.first), Some(self.root)];
        let mut known = candidates.into_iter().flatten();
        // The root may be another strand's, whose steps count differently; it is before this strand's first event.
        let before = |link: &Link| link.step < steps || *link == self.root;
        if self.first.step >= steps {
            return None;
        }
        let parent = known.find(|link| before(link) && link.depth < FIRST_MAX)?;
        Some(Origin { parent, root: self.root })
    }
}

/// Where a strand comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// What its first event hangs on.
    pub(super) parent: Link,
    root: Link,
}

/// The event `behind` others in an unbroken run.
fn at(start: &Link, behind: u64) -> Link {
    Link {
        ring: start.ring,
        seq: start.seq.wrapping_add(behind),
        step: start.step.wrapping_add(behind),
        depth: start.depth.saturating_add(u32::try_from(behind).unwrap_or(u32::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A strand with this many events out of ring 1, with sequence numbers like their steps.
    fn strand(events: u64, origin: Option<Origin>) -> Chain {
        let mut chain = Chain::new(1, 0, 0, origin);
        (1..events).for_each(|step| chain.push(1, step, step));
        chain
    }

    #[test]
    fn a_short_strand_is_one_path() {
        let mut chain = strand(1, None);
        for step in 1..u64::from(TRUNK + BLOCK) {
            assert_eq!(chain.parent().step, step - 1);
            chain.push(1, step, step);
        }
        assert_eq!(chain.parent().step, u64::from(TRUNK) - 1);
    }

    #[test]
    fn a_long_strand_hangs_in_blocks_on_its_trunk() {
        let mut chain = strand(1, None);
        let mut cuts = 0;
        for step in 1..100_000 {
            let parent = chain.parent();
            assert!(parent.depth + 1 < TRUNK + BLOCK);
            if parent.step != step - 1 {
                assert_eq!(parent.step, u64::from(TRUNK) - 1);
                cuts += 1;
            }
            chain.push(1, step, step);
        }
        assert_eq!(cuts, (100_000 - u64::from(TRUNK)) / u64::from(BLOCK));
    }

    #[test]
    fn a_fork_hangs_on_the_last_event_before_it() {
        let mut chain = strand(10, None);
        // Another ring, and then a hole.
        chain.push(2, 70, 10);
        chain.push(2, 80, 20);
        for (steps, expect) in
            [(1, Some(0)), (10, Some(9)), (11, Some(10)), (20, Some(10)), (21, Some(20)), (99, Some(20))]
        {
            let origin = chain.fork(steps).unwrap();
            assert_eq!(Some(origin.parent.step), expect, "{steps}");
            assert_eq!(
                origin.parent.seq,
                match origin.parent.step {
                    10 => 70,
                    20 => 80,
                    step => step,
                }
            );
        }
        assert_eq!(chain.fork(0), None);
        // Further back than what is remembered: the trunk's end, which is before it, or else the first event.
        let long = strand(100_000, None);
        assert_eq!(long.fork(1000).unwrap().parent, long.trunk);
        assert_eq!(long.fork(100).unwrap().parent, long.first);
    }

    #[test]
    fn no_path_is_too_long_however_deep_forks_nest() {
        let mut origin = None;
        let mut deepest = 0;
        for generation in 0..2_000_u64 {
            let chain = strand(1 + generation * 37 % 1_500, origin);
            for run in &chain.runs {
                deepest = deepest.max(run.0.depth + run.1 as u32);
            }
            assert!(chain.first.depth <= FIRST_MAX);
            origin = chain.fork(u64::MAX);
            assert!(origin.is_some());
        }
        assert!(deepest <= PATH_MAX && deepest > 900, "{deepest}");
    }
}
