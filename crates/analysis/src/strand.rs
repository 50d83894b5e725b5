//! A strand while the engine runs it.

use crate::clock::{Clock, Snapshot};
use crate::hole::HoleId;
use crate::intern::Map;
use crate::locking::Firm;
use crate::lockset::{Holding, LockSet};
use std::rc::Rc;

/// One access, as the detectors keep it: a pointer to its record, and when it was.
#[derive(Debug, Clone)]
pub(crate) struct Acc {
    pub(crate) strand: u32,
    /// Index of its record in the strand.
    pub(crate) at: u32,
    /// The strand's epoch.
    pub(crate) epoch: u32,
    /// The hole points that happen before it.
    pub(crate) holes: HoleId,
    pub(crate) locks: Rc<LockSet>,
    /// Its place in the order in which the engine met all accesses.
    pub(crate) met: u32,
    /// Of a write: how many writes of the value it replaced happen before it, if no others had been met.
    pub(crate) stamp: Option<u32>,
}

impl Acc {
    /// Whether it is the same event.
    pub(crate) fn is(&self, other: &Acc) -> bool {
        self.strand == other.strand && self.at == other.at
    }

    /// Whether it happens before the moment.
    pub(crate) fn before(&self, moment: &Snapshot) -> bool {
        moment.knows(self.strand, self.epoch)
    }
}

/// A read that a later write of the same strand may depend on.
#[derive(Debug, Clone)]
pub(crate) struct ReadAt {
    pub(crate) acc: Acc,
    /// What the strand knew when it read.
    pub(crate) knew: Snapshot,
}

/// The state of a strand.
#[derive(Debug)]
pub(crate) struct StrandState {
    pub(crate) clock: Clock,
    /// The same without what locks order.
    pub(crate) firm: Firm,
    pub(crate) holes: HoleId,
    pub(crate) locks: Holding,
    /// Index of the next record.
    pub(crate) at: u32,
    /// Index of the next lane.
    pub(crate) lane: usize,
    /// Index of the next edge into the strand.
    pub(crate) edge: usize,
    /// Index of the next of its points that others want to know of.
    pub(crate) point: usize,
    /// Index of the next thing that it notices of others, and of the next that it tells.
    pub(crate) ask: usize,
    pub(crate) tell: usize,
    /// Whether the hole before the next record has been seen to.
    pub(crate) entered: bool,
    /// Per variable, the last read that no write followed yet.
    pub(crate) reads: Map<u32, ReadAt>,
}

impl StrandState {
    /// A strand that has not begun, one of `strands`.
    pub(crate) fn new(strand: u32, strands: usize) -> Self {
        Self {
            clock: Clock::new(strand, strands),
            firm: Firm::new(strand, strands),
            holes: HoleId::NONE,
            locks: Holding::default(),
            at: 0,
            lane: 0,
            edge: 0,
            point: 0,
            ask: 0,
            tell: 0,
            entered: false,
            reads: Map::default(),
        }
    }
}
