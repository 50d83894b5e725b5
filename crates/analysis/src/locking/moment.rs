//! Order that owes nothing to locks, and a few examples of what happened often.
//!
//! That one critical section came before another one of the same lock is an accident of this run: next time it may be the
//! other way round. So what *could* have happened at the same time is asked of a second clock, the *firm* one, which learns
//! what the other one learns, but nothing from locks.

use crate::clock::{Clock, Snapshot};
use crate::hole::HoleId;
use crate::intern::Map;
use std::hash::Hash;

/// How many examples of one thing are kept: the first ones, and the last ones.
const KEPT: usize = 16;

/// A strand's firm clock.
#[derive(Debug)]
pub(crate) struct Firm {
    clock: Clock,
    /// Goes up whenever the clock does: moments of one turn are before and after the same moments of others.
    turn: u32,
}

impl Firm {
    /// The clock of a strand that knows of nobody.
    pub(crate) fn new(strand: u32, strands: usize) -> Self {
        Self { clock: Clock::new(strand, strands), turn: 0 }
    }

    /// Ends the strand's epoch, as [`Clock::release`].
    pub(crate) fn release(&mut self) -> Snapshot {
        self.turn = self.turn.saturating_add(1);
        self.clock.release()
    }

    /// From now on comes after the moment `from`, as [`Clock::acquire`].
    pub(crate) fn acquire(&mut self, from: &Snapshot) {
        self.learning().acquire(from);
    }

    /// What the strand knows now, and the turn that it knows it for.
    pub(crate) fn now(&self) -> (&Snapshot, u32) {
        (self.clock.now(), self.turn)
    }

    /// The clock, to learn something that is not a lock's.
    pub(crate) fn learning(&mut self) -> &mut Clock {
        self.turn = self.turn.saturating_add(1);
        &mut self.clock
    }
}

/// Where a strand is, as far as an example tells of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Here<'a> {
    pub(crate) strand: u32,
    /// Index of its record.
    pub(crate) at: u32,
    /// The hole points that happen before it.
    pub(crate) holes: HoleId,
    /// Whether the strand may hold other locks than those that are known.
    pub(crate) unsure: bool,
    /// What it knows that it has not from locks, and the turn that it knows it for.
    pub(crate) firm: (&'a Snapshot, u32),
}

/// Something that a strand did, as an example.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) strand: u32,
    /// Index of its record.
    pub(crate) at: u32,
    /// Index of the record of the acquisition that it goes back to, if there is one.
    pub(crate) taken: Option<u32>,
    /// The hole points that happen before it.
    pub(crate) holes: HoleId,
    /// Whether the strand may have held other locks than those that are known.
    pub(crate) unsure: bool,
    knew: Snapshot,
}

impl Sample {
    fn new(here: &Here<'_>, taken: Option<u32>) -> Self {
        let Here { strand, at, holes, unsure, firm: (knew, _) } = *here;
        Self { strand, at, taken, holes, unsure, knew: knew.clone() }
    }

    /// Whether nothing but locks can keep the two from happening at the same time. Two moments of one strand cannot meet:
    /// the later one knows the earlier one's epoch.
    pub(crate) fn can_meet(&self, other: &Sample) -> bool {
        !self.knew.knows(other.strand, other.knew.epoch()) && !other.knew.knows(self.strand, self.knew.epoch())
    }
}

/// How often something happened, with examples: one of each turn of each strand.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) count: u64,
    pub(crate) kept: Vec<Sample>,
    /// The strand and the turn of each: apart, since they are looked through each time.
    turns: Vec<(u32, u32)>,
    /// Which of the last ones has to go next.
    next: usize,
    /// Whether one has gone.
    pub(crate) cut: bool,
}

impl Samples {
    /// It happened again, to a strand that is there.
    pub(crate) fn add(&mut self, here: &Here<'_>, taken: Option<u32>) {
        self.count += 1;
        let turn = (here.strand, here.firm.1);
        if self.turns.contains(&turn) {
            return;
        }
        let sample = Sample::new(here, taken);
        if self.kept.len() < KEPT {
            self.turns.push(turn);
            self.kept.push(sample);
            return;
        }
        self.cut = true;
        let oldest = KEPT / 2 + self.next;
        (self.turns[oldest], self.kept[oldest]) = (turn, sample);
        self.next = (self.next + 1) % (KEPT / 2);
    }

    /// An example that can meet one of the others, and that one.
    pub(crate) fn meeting<'a>(&'a self, other: &'a Samples) -> Option<(&'a Sample, &'a Sample)> {
        let meets = |one: &'a Sample| other.kept.iter().find(|two| one.can_meet(two)).map(|two| (one, two));
        self.kept.iter().find_map(meets)
    }
}

/// Different things that happened, each as often as it did, as far as there is room for them.
#[derive(Debug)]
pub(crate) struct Met<K> {
    pub(crate) all: Vec<(K, Samples)>,
    numbers: Map<K, usize>,
    /// How many times something happened for which there was no room.
    pub(crate) dropped: u64,
}

/// How many different things of one sort are kept.
const MET_MAX: usize = 1 << 12;

impl<K> Default for Met<K> {
    fn default() -> Self {
        Self { all: Vec::new(), numbers: Map::default(), dropped: 0 }
    }
}

impl<K: Copy + Eq + Hash> Met<K> {
    /// It happened to a strand that is there.
    pub(crate) fn add(&mut self, what: K, here: &Here<'_>, taken: Option<u32>) {
        let next = self.all.len();
        let number = self.numbers.get(&what).copied().unwrap_or(next);
        if number == MET_MAX {
            self.dropped += 1;
            return;
        }
        if number == next {
            self.numbers.insert(what, number);
            self.all.push((what, Samples::default()));
        }
        self.all[number].1.add(here, taken);
    }
}
