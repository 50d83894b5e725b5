//! A strand while the engine runs it.

use crate::clock::{Clock, Snapshot};
use crate::hole::HoleId;
use crate::locking::{Firm, Here};
use crate::lockset::{Holding, LockSet, Signatures};
use std::rc::Rc;

/// One access, as the detectors keep it: a pointer to its record, and when it was.
#[derive(Debug, Clone)]
pub(crate) struct Acc {
    pub(crate) strand: u32,
    /// Index of its record in the strand.
    pub(crate) at: u32,
    /// The strand's epoch.
    pub(crate) epoch: u32,
    /// Its place in the order in which the engine met all accesses.
    pub(crate) met: u32,
    /// Of a write: how many writes of the value it replaced happen before it, if no others had been met.
    pub(crate) stamp: Option<u32>,
    /// What the strand knew and held.
    pub(crate) stance: Rc<Stance>,
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

    /// The hole points that happen before it.
    pub(crate) fn holes(&self) -> HoleId {
        self.stance.holes
    }

    /// The locks held.
    pub(crate) fn locks(&self) -> &LockSet {
        &self.stance.locks
    }

    /// What the strand knew.
    pub(crate) fn knew(&self) -> &Snapshot {
        &self.stance.now
    }
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
    /// How many holes it has come through in which it may have read or written what it had read before.
    pub(crate) stretch: u32,
    stance: Option<Rc<Stance>>,
}

/// What a strand knows and holds, while it makes one access after the other.
#[derive(Debug)]
pub(crate) struct Stance {
    pub(crate) now: Snapshot,
    pub(crate) holes: HoleId,
    pub(crate) locks: Rc<LockSet>,
    /// The numbers of the set, here as well since they are looked at each time.
    pub(crate) signature: u32,
    pub(crate) set: u32,
    /// Whether it may hold other locks than those that are known.
    pub(crate) unsure: bool,
    /// What it knows that it has not from locks, and the turn that it knows it for.
    firm: (Snapshot, u32),
}

impl Stance {
    /// The place of an access of the strand.
    pub(crate) fn here(&self, strand: u32, at: u32) -> Here<'_> {
        Here { strand, at, holes: self.holes, unsure: self.unsure, firm: (&self.firm.0, self.firm.1) }
    }
}

impl StrandState {
    /// A strand that has not begun, one of `strands`, and that comes after these holes.
    pub(crate) fn new(strand: u32, strands: usize, holes: HoleId) -> Self {
        Self {
            clock: Clock::new(strand, strands),
            firm: Firm::new(strand, strands),
            holes,
            locks: Holding::default(),
            at: 0,
            lane: 0,
            edge: 0,
            point: 0,
            ask: 0,
            tell: 0,
            entered: false,
            stretch: 0,
            stance: None,
        }
    }

    /// The place of the next record of the strand, which has this number.
    pub(crate) fn here(&self, strand: u32) -> Here<'_> {
        Here { strand, at: self.at, holes: self.holes, unsure: self.locks.is_unsure(), firm: self.firm.now() }
    }

    /// What the strand knows and holds now.
    pub(crate) fn stance(&mut self, signatures: &mut Signatures) -> Rc<Stance> {
        let locks = self.locks.set(signatures);
        let (now, holes, (firm, turn)) = (self.clock.now(), self.holes, self.firm.now());
        let same = |known: &&Rc<Stance>| {
            Rc::ptr_eq(&known.locks, &locks)
                && known.now.is(now)
                && known.holes == holes
                && known.firm.1 == turn
                && known.firm.0.is(firm)
        };
        if let Some(known) = self.stance.as_ref().filter(same) {
            return Rc::clone(known);
        }
        let (signature, set, unsure) = (locks.signature, locks.number, self.locks.is_unsure());
        let (now, firm) = (now.clone(), (firm.clone(), turn));
        let stance = Rc::new(Stance { now, holes, locks, signature, set, unsure, firm });
        self.stance = Some(Rc::clone(&stance));
        stance
    }
}
