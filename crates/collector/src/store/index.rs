use super::intervals::IntervalSet;
use crate::received::{Received, Summary};
use crate::stats::RunStats;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use trackside_wire::{EventId, RunId};

/// What the parts of the index take up in memory, rounded up.
pub(super) const RUN_CHARGE: u64 = 1024 + Summary::MAX_BYTES;
pub(super) const RING_CHARGE: u64 = 256;
pub(super) const INTERVAL_CHARGE: u64 = 64;

/// Which events are known, of each run of which at least one batch is stored.
#[derive(Debug, Default)]
pub(super) struct Index {
    runs: BTreeMap<RunId, Run>,
    charge: u64,
}

#[derive(Debug, Default)]
struct Run {
    /// The sequence numbers known, by ring.
    rings: HashMap<u16, IntervalSet>,
    numbers: IntervalSet,
    summary: Summary,
    events: u64,
    /// How many of its batches are stored.
    stored: u64,
    /// How many intervals there are in `rings` and `numbers`.
    intervals: usize,
}

impl Index {
    /// Whether the batch brings nothing new.
    pub(super) fn knows(&self, received: &Received) -> bool {
        self.runs.get(&received.run).is_some_and(|run| run.knows(received))
    }

    /// Whether the event is in a batch that was stored, of a run of which something is stored still.
    pub(super) fn knows_event(&self, id: EventId) -> bool {
        let ring = self.runs.get(&id.run).and_then(|run| run.rings.get(&id.ring));
        ring.is_some_and(|set| set.contains_all(&(id.seq..id.seq.saturating_add(1))))
    }

    /// Whether something of the run is stored.
    pub(super) fn knows_run(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// How much the index may grow by learning the batch: no interval is joined, every ring is new, and so is the run.
    pub(super) fn most(received: &Received) -> u64 {
        let spans = received.spans.len() as u64;
        RUN_CHARGE + spans * RING_CHARGE + (spans + 1) * INTERVAL_CHARGE
    }

    /// Takes in a batch that has been stored, and returns how many of its events are new.
    pub(super) fn learn(&mut self, received: Received) -> u64 {
        let run = self.runs.entry(received.run).or_default();
        self.charge -= if run.stored == 0 { 0 } else { run.charge() };
        run.stored += 1;
        let new = run.learn(received);
        self.charge += run.charge();
        new
    }

    /// Takes note of what a duplicate says about its run.
    pub(super) fn note(&mut self, received: Received) {
        if let Some(run) = self.runs.get_mut(&received.run) {
            run.note(received.summary);
        }
    }

    /// `batches` of a run are no longer stored. A run of which none is left is forgotten.
    pub(super) fn forget(&mut self, id: RunId, batches: u64) {
        if let Entry::Occupied(mut run) = self.runs.entry(id) {
            run.get_mut().stored -= batches;
            if run.get().stored == 0 {
                self.charge -= run.remove().charge();
            }
        }
    }

    /// What it counts against a cap on memory.
    pub(super) fn charge(&self) -> u64 {
        self.charge
    }

    pub(super) fn stats(&self) -> Vec<RunStats> {
        self.runs.iter().map(|(id, run)| run.stats(*id)).collect()
    }

    #[cfg(test)]
    pub(super) fn recounted_charge(&self) -> u64 {
        self.runs.values().map(Run::charge).sum()
    }
}

impl Run {
    fn knows(&self, received: &Received) -> bool {
        if received.spans.is_empty() {
            return self.numbers.contains_all(&number(received.batch));
        }
        let known = |ring, span| self.rings.get(ring).is_some_and(|set| set.contains_all(span));
        received.spans.iter().all(|(ring, span)| known(ring, span))
    }

    fn learn(&mut self, received: Received) -> u64 {
        self.note(received.summary);
        insert(&mut self.numbers, &mut self.intervals, number(received.batch));
        let mut new = 0;
        for (ring, span) in received.spans {
            new += insert(self.rings.entry(ring).or_default(), &mut self.intervals, span);
        }
        self.events += new;
        new
    }

    fn charge(&self) -> u64 {
        RUN_CHARGE + self.rings.len() as u64 * RING_CHARGE + self.intervals as u64 * INTERVAL_CHARGE
    }

    /// Keeps the latest of the summaries: `recorded` only ever grows.
    fn note(&mut self, summary: Summary) {
        if summary.recorded >= self.summary.recorded {
            self.summary = summary;
        }
    }

    fn stats(&self, id: RunId) -> RunStats {
        let Summary { service, recorded, lost } = &self.summary;
        RunStats {
            run: id.to_string(),
            service: service.clone(),
            events: self.events,
            recorded: *recorded,
            lost: lost.clone(),
        }
    }
}

/// Inserts into one set of a run, and keeps the run's count of intervals right.
fn insert(set: &mut IntervalSet, intervals: &mut usize, range: Range<u64>) -> u64 {
    *intervals -= set.intervals();
    let new = set.insert(range);
    *intervals += set.intervals();
    new
}

/// The last batch number shares its place with the one before: an interval's end must be a number, too. No client
/// gets there.
fn number(batch: u64) -> Range<u64> {
    let start = batch.min(u64::MAX - 1);
    start..start + 1
}
