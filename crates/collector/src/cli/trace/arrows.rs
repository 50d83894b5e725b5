//! The two ends of arrows, which come in any order.

use super::writer::Moment;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// What two ends have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Link {
    /// The process; nothing if the ends may be in two.
    pub(super) pid: Option<u32>,
    /// The kind of link, which is what the arrow is called.
    pub(super) cat: &'static str,
    pub(super) object: Vec<u8>,
    pub(super) number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    From,
    To,
}

/// One end, until the other one comes: of those that wait longest, some are forgotten.
#[derive(Debug, Default)]
pub(super) struct Arrows {
    waiting: HashMap<Link, (End, Moment, bool)>,
    /// The same, oldest first; and some that do not wait any more.
    oldest: VecDeque<Link>,
    forgotten: u64,
}

impl Arrows {
    /// How many may wait.
    pub(super) const MOST: usize = 1 << 18;

    /// Takes in an end; `shared` says that others may hold what it is about too. Returns the arrow that this completes, if it
    /// is one: two strands that share something do not wait for each other, and one does not wait for itself.
    pub(super) fn meet(&mut self, link: Link, end: End, at: Moment, shared: bool) -> Option<(Moment, Moment)> {
        match self.waiting.remove(&link) {
            Some((other, there, also_shared)) if other != end => {
                let is_one = !(shared && also_shared) && (at.pid, at.tid) != (there.pid, there.tid);
                is_one.then_some(if end == End::To { (there, at) } else { (at, there) })
            }
            // The same end once more: several may notice one signal. The latest one waits.
            known => {
                if known.is_none() {
                    self.oldest.push_back(link.clone());
                }
                self.waiting.insert(link, (end, at, shared));
                self.bound();
                None
            }
        }
    }

    /// How many ends were forgotten.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn bound(&mut self) {
        while self.waiting.len() > Self::MOST || self.oldest.len() > 4 * Self::MOST {
            let Some(link) = self.oldest.pop_front() else { return };
            self.forgotten += u64::from(self.waiting.remove(&link).is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(number: u64) -> Link {
        Link { pid: Some(1), cat: "lock", object: vec![7], number }
    }

    #[test]
    fn ends_meet_in_whatever_order_they_come() {
        let (a, b) = (Moment { pid: 1, tid: 1, ns: 10 }, Moment { pid: 1, tid: 2, ns: 20 });
        let mut arrows = Arrows::default();
        assert_eq!(arrows.meet(link(1), End::From, a, false), None);
        assert_eq!(arrows.meet(link(2), End::To, b, false), None);
        assert_eq!(arrows.meet(link(1), End::To, b, false), Some((a, b)));
        assert_eq!(arrows.meet(link(2), End::From, a, false), Some((a, b)));
        assert_eq!(arrows.meet(link(1), End::To, b, false), None);
        assert_eq!((arrows.meet(link(3), End::From, a, true), arrows.meet(link(3), End::To, b, true)), (None, None));
        assert_eq!((arrows.meet(link(4), End::From, a, false), arrows.meet(link(4), End::To, a, false)), (None, None));
    }

    #[test]
    fn what_never_comes_takes_bounded_memory() {
        let (at, mut arrows) = (Moment { pid: 1, tid: 1, ns: 0 }, Arrows::default());
        for number in 0..Arrows::MOST as u64 + 100 {
            assert_eq!(arrows.meet(link(number), End::From, at, false), None);
        }
        assert_eq!((arrows.waiting.len(), arrows.forgotten()), (Arrows::MOST, 100));
    }
}
