//! Where locks are taken in a circle: Goodlock (Havelund, 2000), with the conditions of Agarwal, Bensalem, Farchi, Havelund,
//! Nir-Buchbinder, Stoller, Ur and Wang (2010) that leave only cycles whose edges could all be under way at once.
//!
//! A cycle is a list of edges of which each asks for the lock that the next one holds, and no lock is held by two. It counts
//! if one example of each edge can be chosen so that, for each two of them:
//!
//! - they are of two strands, and nothing but locks orders them;
//! - the two strands can hold all their locks at the same time: no *gate* keeps the one out while the other is in;
//!
//! and if each edge really waits for the next: not where both want the lock for reading only.
//!
//! Cycles are looked for within strongly connected components, short ones first, up to [`LONGEST`] locks and up to a number
//! of steps that goes with the number of edges; a component for which this was not enough is counted as bounded.

use crate::hole::Holes;
use crate::intern::Map;
use crate::locking::groups::components;
use crate::locking::moment::Sample;
use crate::locking::orders::Edge;
use std::rc::Rc;

/// How many locks a cycle may have.
const LONGEST: usize = 12;

/// How many steps are made in a component: so many for each of its edges, and this many at most.
const STEPS: u64 = 1 << 10;
const STEPS_MAX: u64 = 1 << 20;

/// How many steps may be made to choose the examples of one cycle.
const CHOICES_MAX: u32 = 1 << 12;

/// A cycle: for each edge its number and the example chosen.
#[derive(Debug)]
pub(crate) struct Cycle<'a> {
    pub(crate) edges: &'a [u32],
    pub(crate) samples: Vec<&'a Sample>,
    /// Whether no hole could order two of the examples, nor hide a lock they held.
    pub(crate) certain: bool,
}

/// How many searches had to be given up, and edges whose examples were too many.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounded {
    pub(crate) components: u64,
    pub(crate) edges: u64,
}

/// Calls `found` for each cycle.
pub(crate) fn cycles(edges: &[Edge], holes: &Holes, mut found: impl FnMut(Cycle<'_>)) -> Bounded {
    let mut locks: Vec<u32> = edges.iter().flat_map(|edge| [edge.key.held, edge.key.asked]).collect();
    locks.sort_unstable();
    locks.dedup();
    let node = |lock: u32| locks.partition_point(|other| *other < lock) as u32;
    let pairs: Vec<(u32, u32)> = edges.iter().map(|edge| (node(edge.key.held), node(edge.key.asked))).collect();
    let component = components(locks.len(), &pairs);
    // Edges that stay within their component, by it.
    let mut inside: Vec<(u32, u32)> = (0..edges.len() as u32)
        .filter_map(|edge| {
            let (from, to) = pairs[edge as usize];
            let own = component[from as usize];
            (own == component[to as usize]).then_some((own, edge))
        })
        .collect();
    inside.sort_unstable();
    let mut bounded = Bounded::default();
    let mut told = vec![false; edges.len()];
    for group in inside.chunk_by(|a, b| a.0 == b.0) {
        let mut search = Search::new(edges, holes, group.iter().map(|(_, edge)| *edge));
        let complete = search.run(&mut |cycle| {
            cycle.edges.iter().for_each(|edge| told[*edge as usize] = true);
            found(cycle);
        });
        bounded.components += u64::from(!complete);
    }
    let cut = |edge: u32| edges[edge as usize].samples.cut && !told[edge as usize];
    bounded.edges = inside.iter().filter(|(_, edge)| cut(*edge)).count() as u64;
    bounded
}

struct Search<'a> {
    edges: &'a [Edge],
    holes: &'a Holes,
    /// The component's edges, by the lock they hold; each list by the lock they ask for.
    from: Map<u32, Rc<[u32]>>,
    /// The locks with edges, ascending.
    locks: Vec<u32>,
    /// What is known of pairs of edges.
    compatible: Map<(u32, u32), bool>,
    path: Vec<u32>,
    steps: u64,
    /// Whether a longer path would have been possible.
    open: bool,
    /// Whether the examples of some cycle could not be looked through.
    unchosen: bool,
}

impl<'a> Search<'a> {
    fn new(edges: &'a [Edge], holes: &'a Holes, group: impl Iterator<Item = u32>) -> Self {
        let mut group: Vec<u32> = group.collect();
        let count = group.len() as u64;
        let order = |edge: &u32| (edges[*edge as usize].key.held, edges[*edge as usize].key.asked, *edge);
        group.sort_unstable_by_key(order);
        let lists = group.chunk_by(|a, b| order(a).0 == order(b).0).map(|own| (order(&own[0]).0, Rc::from(own)));
        let from: Map<u32, Rc<[u32]>> = lists.collect();
        let mut locks: Vec<u32> = from.keys().copied().collect();
        locks.sort_unstable();
        let steps = (STEPS * count).min(STEPS_MAX);
        let (compatible, path) = Default::default();
        Self { edges, holes, from, locks, compatible, path, steps, open: false, unchosen: false }
    }

    /// Finds all cycles, short ones first. False if it had to give up.
    fn run(&mut self, found: &mut impl FnMut(Cycle<'_>)) -> bool {
        let mut length = 2;
        loop {
            self.open = false;
            // Each cycle is found at its lowest lock.
            for start in self.locks.clone() {
                self.extend(start, start, length, found);
            }
            if !self.open || self.steps == 0 || length == LONGEST {
                return !self.open && self.steps > 0 && !self.unchosen;
            }
            length += 1;
        }
    }

    fn extend(&mut self, start: u32, lock: u32, length: usize, found: &mut impl FnMut(Cycle<'_>)) {
        let last = self.path.len() + 1 == length;
        let Some(edges) = self.from.get(&lock).cloned() else { return };
        let all = self.edges;
        let asks = |edge: &u32| all[*edge as usize].key.asked;
        // Each cycle is found at its lowest lock: those that ask for a lower one come first, and are passed over.
        let begin = edges.partition_point(|edge| asks(edge) < start);
        let end = edges.partition_point(|edge| asks(edge) <= start);
        if last {
            for edge in &edges[begin..end] {
                if !self.step() {
                    return;
                }
                if self.fits(*edge) && self.waits(*edge, self.path.first().copied().unwrap_or(*edge)) {
                    self.path.push(*edge);
                    self.tell(found);
                    self.path.pop();
                }
            }
        }
        for edge in &edges[end..] {
            // Whether a longer path is possible, the next round finds out; only the longest has none.
            if last && (self.open || length < LONGEST) {
                self.open = true;
                return;
            }
            if !self.step() {
                return;
            }
            let asked = asks(edge);
            let visited = self.path.iter().any(|before| self.edges[*before as usize].key.held == asked);
            if visited || !self.fits(*edge) {
                continue;
            }
            if last {
                self.open = true;
                return;
            }
            self.path.push(*edge);
            self.extend(start, asked, length, found);
            self.path.pop();
        }
    }

    /// Goes on by a step, if one is left.
    fn step(&mut self) -> bool {
        let left = self.steps > 0;
        self.steps = self.steps.saturating_sub(1);
        left
    }

    /// Whether the edge can go on the path.
    fn fits(&mut self, edge: u32) -> bool {
        let waits = self.path.last().is_none_or(|last| self.waits(*last, edge));
        waits && (0..self.path.len()).all(|at| self.is_compatible(self.path[at], edge))
    }

    /// Whether who asks on the one edge waits for who holds on the other.
    fn waits(&self, asks: u32, holds: u32) -> bool {
        !(self.edges[asks as usize].key.asked_shared && self.edges[holds as usize].key.held_shared)
    }

    /// Whether the two edges can be under way at the same time.
    fn is_compatible(&mut self, a: u32, b: u32) -> bool {
        let edges = self.edges;
        *self.compatible.entry((a.min(b), a.max(b))).or_insert_with(|| {
            let (a, b) = (&edges[a as usize], &edges[b as usize]);
            !a.locks.excludes(&b.locks) && a.samples.meeting(&b.samples).is_some()
        })
    }

    /// Tells the path, which is a cycle, if examples can be chosen: such that no hole is in the way, if possible.
    fn tell(&mut self, found: &mut impl FnMut(Cycle<'_>)) {
        for certain in [true, false] {
            let (mut chosen, mut steps) = (Vec::new(), CHOICES_MAX);
            if self.choose(certain, &mut chosen, &mut steps) {
                found(Cycle { edges: &self.path, samples: chosen, certain });
                return;
            }
            self.unchosen |= steps == 0 && !certain;
        }
    }

    fn choose(&self, certain: bool, chosen: &mut Vec<&'a Sample>, steps: &mut u32) -> bool {
        let Some(edge) = self.path.get(chosen.len()) else { return true };
        for sample in &self.edges[*edge as usize].samples.kept {
            if *steps == 0 {
                return false;
            }
            *steps -= 1;
            let is_certain = |other: &&Sample| self.holes.doubt(sample.holes, other.holes).is_none();
            if (certain && (sample.unsure || !chosen.iter().all(is_certain)))
                || !chosen.iter().all(|other| sample.can_meet(other))
            {
                continue;
            }
            chosen.push(sample);
            if self.choose(certain, chosen, steps) {
                return true;
            }
            chosen.pop();
        }
        false
    }
}
