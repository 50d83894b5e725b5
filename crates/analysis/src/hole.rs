//! Holes in the record, and which moments come after which holes.
//!
//! A *hole point* is a place in a strand where synchronisation may be missing: events were lost before it, or what it
//! waited for is not in the record. Any path of happens-before that the record fails to show ends, for its last
//! missing part, at a hole point, and goes on from there by synchronisation that is known. So "a does not happen
//! before b" is beyond doubt when each hole point known to happen before b is also known to happen before a.
//!
//! A run that did not record everything (see `partial`) has hole points everywhere; its strands begin with more of them
//! than are told apart.
//!
//! Each strand carries the set of hole points that happen before now, as a count per strand; sets are numbered, so
//! that carrying and comparing one costs a word.

use crate::intern::Map;

/// The number of a set of hole points. Equal numbers are equal sets, but see [`HoleId::MANY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct HoleId(u32);

impl HoleId {
    /// No hole.
    pub(crate) const NONE: HoleId = HoleId(0);
    /// More holes than are told apart: not even equal to itself.
    pub(crate) const MANY: HoleId = HoleId(u32::MAX);
}

/// How many strands with holes one set tells apart.
const SET_MAX: usize = 64;

/// How many different sets are told apart of those that one run's strands meet: what one run loses must not use up what
/// is needed to judge another.
const SETS_MAX: usize = 1 << 14;

/// Why a place is a hole point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The sender says that it lost this many events just before.
    Lost(u64),
    /// This many events before it are not in any batch there is.
    Missing(u64),
    /// A task begins or ends, a lock is acquired or a call is taken, and its other half is not in the record.
    NoPartner(&'static str),
    /// A call returned that this many strands had taken: which of them answered is not known.
    Answers(u32),
    /// The record contradicts itself: the strand waits for what comes after it.
    Contradiction,
}

/// A hole point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HolePoint {
    pub(crate) strand: u32,
    pub(crate) step: u64,
    pub(crate) cause: Cause,
}

type Set = Box<[(u32, u32)]>;

/// All hole points, and the sets of them that occur.
#[derive(Debug)]
pub(crate) struct Holes {
    points: Vec<HolePoint>,
    /// Per strand, which of the points are its own.
    own: Map<u32, Vec<u32>>,
    sets: Vec<Set>,
    numbers: Map<Set, u32>,
    unions: Map<(u32, u32), HoleId>,
    /// The run whose strand is under way, and how many sets were made under each.
    run: u32,
    made: Map<u32, usize>,
}

impl Default for Holes {
    fn default() -> Self {
        let empty = Set::default();
        let numbers = [(empty.clone(), 0)].into_iter().collect();
        Self {
            points: Vec::new(),
            own: Map::default(),
            sets: vec![empty],
            numbers,
            unions: Map::default(),
            run: 0,
            made: Map::default(),
        }
    }
}

impl Holes {
    /// A strand of this run goes on.
    pub(crate) fn enter(&mut self, run: u32) {
        self.run = run;
    }

    /// Records a hole point of a strand that came after the holes `before`; returns what it comes after now.
    pub(crate) fn add(&mut self, before: HoleId, point: HolePoint) -> HoleId {
        let own = self.own.entry(point.strand).or_default();
        own.push(self.points.len() as u32);
        let count = own.len() as u32;
        self.points.push(point);
        let single = self.number(Box::new([(point.strand, count)]));
        self.union(before, single)
    }

    /// The hole points in either set.
    pub(crate) fn union(&mut self, a: HoleId, b: HoleId) -> HoleId {
        if a == b || b == HoleId::NONE {
            return a;
        }
        if a == HoleId::NONE {
            return b;
        }
        if a == HoleId::MANY || b == HoleId::MANY {
            return HoleId::MANY;
        }
        let key = (a.0.min(b.0), a.0.max(b.0));
        if let Some(union) = self.unions.get(&key) {
            return *union;
        }
        let set = merge(&self.sets[a.0 as usize], &self.sets[b.0 as usize]);
        let union = self.number(set);
        self.unions.insert(key, union);
        union
    }

    /// Whether a hole point happens before one of the two moments and not before the other, so that their order is
    /// in doubt. The point is one example; there is none when the sets are too large to tell.
    pub(crate) fn doubt(&self, a: HoleId, b: HoleId) -> Option<Option<HolePoint>> {
        if a == HoleId::MANY || b == HoleId::MANY {
            return Some(None);
        }
        if a == b {
            return None;
        }
        let (a, b) = (&self.sets[a.0 as usize], &self.sets[b.0 as usize]);
        let one_sided = a.iter().find(|entry| !b.contains(entry)).or_else(|| b.iter().find(|entry| !a.contains(entry)));
        let (strand, count) = *one_sided?;
        let point = self.own.get(&strand).and_then(|own| own.get(count as usize - 1));
        Some(point.map(|point| self.points[*point as usize]))
    }

    /// All hole points, in the order in which the analysis met them.
    pub(crate) fn points(&self) -> &[HolePoint] {
        &self.points
    }

    fn number(&mut self, set: Set) -> HoleId {
        if let Some(number) = self.numbers.get(&set) {
            return HoleId(*number);
        }
        let made = self.made.entry(self.run).or_default();
        if set.len() > SET_MAX || *made >= SETS_MAX {
            return HoleId::MANY;
        }
        *made += 1;
        let number = self.sets.len() as u32;
        self.sets.push(set.clone());
        self.numbers.insert(set, number);
        HoleId(number)
    }
}

/// Both are sorted by strand; of a strand in both, the higher count holds.
fn merge(a: &[(u32, u32)], b: &[(u32, u32)]) -> Set {
    let mut merged: Vec<(u32, u32)> = a.iter().chain(b).copied().collect();
    merged.sort_unstable_by_key(|(strand, count)| (*strand, std::cmp::Reverse(*count)));
    merged.dedup_by_key(|(strand, _)| *strand);
    merged.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(strand: u32, step: u64) -> HolePoint {
        HolePoint { strand, step, cause: Cause::Lost(1) }
    }

    #[test]
    fn sets_with_the_same_holes_leave_no_doubt() {
        let mut holes = Holes::default();
        let one = holes.add(HoleId::NONE, point(1, 5));
        let two = holes.add(HoleId::NONE, point(2, 6));
        let (ab, ba) = (holes.union(one, two), holes.union(two, one));
        assert!(holes.doubt(ab, ba).is_none());
        assert_eq!(holes.doubt(one, ab).unwrap().unwrap().step, 6);
        assert_eq!(holes.doubt(HoleId::NONE, one).unwrap().unwrap().step, 5);
    }

    #[test]
    fn too_many_holes_are_always_in_doubt() {
        let mut holes = Holes::default();
        let mut all = HoleId::NONE;
        for strand in 0..=SET_MAX as u32 {
            all = holes.add(all, point(strand, 1));
        }
        assert_eq!(all, HoleId::MANY);
        assert!(holes.doubt(all, all).is_some());
    }
}
