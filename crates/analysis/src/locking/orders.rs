//! Which lock was asked for while which was held: the edges of the lock-order graph (Havelund, 2000).
//!
//! Edges are told apart by everything that makes a difference to a cycle or to what is told of it: the two locks, the two
//! places, how the locks are taken, and all locks that are held meanwhile. Each is counted, and keeps a few examples. So a
//! hot path costs a look-up, and memory goes with the number of *different* edges.
//!
//! There is no edge into a lock that was taken by an attempt that would have given up, nor into one that the strand holds
//! already; a second read of one is a finding of its own, so this keeps those too.

use crate::intern::Map;
use crate::locking::moment::{Here, Met, Samples};
use crate::lockset::LockSet;
use std::rc::Rc;

/// How many edges of one run are kept.
const EDGES_MAX: u32 = 1 << 18;

/// What tells edges apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EdgeKey {
    /// The lock that is held, where that was taken, and whether others may hold it too.
    pub(crate) held: u32,
    pub(crate) held_site: u32,
    pub(crate) held_shared: bool,
    /// The lock that is asked for, likewise.
    pub(crate) asked: u32,
    pub(crate) asked_site: u32,
    pub(crate) asked_shared: bool,
    /// The number of the set of all locks held.
    set: u32,
}

/// An edge of the lock-order graph.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) key: EdgeKey,
    /// All locks held, `held` among them.
    pub(crate) locks: Rc<LockSet>,
    pub(crate) samples: Samples,
}

/// An acquisition, as it is being made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) strand: u32,
    pub(crate) run: u32,
    pub(crate) lock: u32,
    pub(crate) site: u32,
    pub(crate) shared: bool,
}

/// A lock, where it was read first and where again.
pub(crate) type Again = (u32, u32, u32);

/// All edges, of all runs.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    pub(crate) edges: Vec<Edge>,
    numbers: Map<EdgeKey, u32>,
    /// How many edges each run has.
    made: Map<u32, u32>,
    /// How many times an edge was met for which there was no room.
    pub(crate) dropped: u64,
    /// Second reads of a lock by a strand that reads it already.
    pub(crate) again: Met<Again>,
    /// By the lock: who took it exclusively.
    pub(crate) writers: Vec<Samples>,
}

impl Orders {
    /// Edges between so many locks.
    pub(crate) fn new(locks: usize) -> Self {
        Self { writers: (0..locks).map(|_| Samples::default()).collect(), ..Self::default() }
    }

    /// A strand asks for a lock, while it holds `locks`. `site_of` tells the place of one of its records.
    pub(crate) fn ask(&mut self, asked: &Asked, here: &Here<'_>, locks: &Rc<LockSet>, site_of: impl Fn(u32) -> u32) {
        let Asked { run, lock, site, shared, .. } = *asked;
        let taken_at = |taken: Option<(Option<u64>, u32)>| taken.map(|(_, at)| at);
        let place = |taken: Option<u32>| taken.map_or(crate::log::NONE, &site_of);
        if let Some(held) = locks.held.iter().find(|held| held.lock == lock) {
            let taken = taken_at(held.taken);
            if shared && held.shared {
                self.again.add((lock, place(taken), site), here, taken);
            }
            return;
        }
        let mut before = None;
        for held in &locks.held {
            // Of a lock that is held twice, one will do; the set has the exclusive acquisition first.
            if before.replace(held.lock) == Some(held.lock) {
                continue;
            }
            let taken = taken_at(held.taken);
            let key = EdgeKey {
                held: held.lock,
                held_site: place(taken),
                held_shared: held.shared,
                asked: lock,
                asked_site: site,
                asked_shared: shared,
                set: locks.number,
            };
            if let Some(edge) = self.edge(run, key, locks) {
                edge.samples.add(here, taken);
            }
        }
    }

    fn edge(&mut self, run: u32, key: EdgeKey, locks: &Rc<LockSet>) -> Option<&mut Edge> {
        let number = match self.numbers.get(&key) {
            Some(number) => *number,
            None => {
                let made = self.made.entry(run).or_default();
                if *made == EDGES_MAX {
                    self.dropped += 1;
                    return None;
                }
                *made += 1;
                let number = self.edges.len() as u32;
                self.numbers.insert(key, number);
                self.edges.push(Edge { key, locks: Rc::clone(locks), samples: Samples::default() });
                number
            }
        };
        self.edges.get_mut(number as usize)
    }
}
