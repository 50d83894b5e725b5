//! What has been accepted, in memory, within a cap.
//!
//! A batch is *stored* when it brings an event that is not known yet, or is empty and bears a new number (its header
//! still tells of losses). Anything else is a *duplicate*: acknowledged, since its events are stored, but not kept.
//! Which events are known rests on event ids alone. A batch number that comes twice with different events is stored
//! twice: an event may never be acknowledged without being stored.
//!
//! **The cap** counts the stored batches' bytes, and an estimate of the index over them. A batch that might not fit is
//! refused whole, before anything is changed. With `evict_oldest`, the oldest batches make room; ids stay
//! known as long as another batch of the same run is stored, so a late retry of an evicted batch is still a duplicate.

use crate::intervals::IntervalSet;
use crate::received::{Received, Summary};
use crate::stats::{CollectorStats, RunStats};
use bytes::Bytes;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use trackside_wire::{Ack, RunId};

/// What things take up in memory, rounded up: a stored batch beside its bytes, and the parts of the index.
const BATCH_CHARGE: u64 = 128;
const RUN_CHARGE: u64 = 1024 + Summary::MAX_BYTES;
const RING_CHARGE: u64 = 256;
const INTERVAL_CHARGE: u64 = 64;

/// How much to hold, and what to do when that is reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    pub(crate) max_bytes: u64,
    pub(crate) evict_oldest: bool,
}

/// Why a batch is not stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// There is no room now.
    Full,
    /// There never will be room: it takes more than the whole cap.
    TooLarge,
}

#[derive(Debug)]
pub(crate) struct Store {
    capacity: Capacity,
    /// Oldest first.
    batches: VecDeque<Stored>,
    runs: BTreeMap<RunId, Run>,
    /// The counters; the rest of it is filled in when asked for.
    stats: CollectorStats,
}

#[derive(Debug)]
struct Stored {
    run: RunId,
    bytes: Bytes,
}

/// A run of which at least one batch is stored.
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

impl Store {
    pub(crate) fn new(capacity: Capacity) -> Self {
        let stats = CollectorStats { max_bytes: capacity.max_bytes, ..CollectorStats::default() };
        Self { capacity, batches: VecDeque::new(), runs: BTreeMap::new(), stats }
    }

    /// Stores a batch, or recognises it as a duplicate.
    pub(crate) fn ingest(&mut self, received: Received) -> Result<Ack, StoreError> {
        let Received { run: id, batch, events, .. } = received;
        if self.runs.get(&id).is_some_and(|run| run.knows(&received)) {
            self.stats.duplicates += events;
            self.runs.entry(id).or_default().note(received.summary);
            return Ok(Ack { run: id, batch, stored: 0, duplicates: events });
        }
        self.make_room(&received)?;
        self.batches.push_back(Stored { run: id, bytes: received.bytes.clone() });
        self.stats.bytes += received.bytes.len() as u64;
        self.stats.used_bytes += batch_charge(&received.bytes);
        self.stats.used_bytes -= self.runs.get(&id).map_or(0, Run::charge);

        let run = self.runs.entry(id).or_default();
        run.stored += 1;
        let stored = run.learn(received);
        self.stats.used_bytes += run.charge();
        self.stats.events += stored;
        self.stats.duplicates += events - stored;
        Ok(Ack { run: id, batch, stored, duplicates: events - stored })
    }

    /// Forgets everything, counters included.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// Counts a request that was turned away before it came here.
    pub(crate) fn count_rejected(&mut self) {
        self.stats.rejected += 1;
    }

    /// The stored batches, oldest first. Cheap: no bytes are copied.
    pub(crate) fn batches(&self) -> Vec<Bytes> {
        self.batches.iter().map(|stored| stored.bytes.clone()).collect()
    }

    pub(crate) fn stats(&self) -> CollectorStats {
        let runs = self.runs.iter().map(|(id, run)| run.stats(*id)).collect();
        CollectorStats { batches: self.batches.len() as u64, runs, ..self.stats.clone() }
    }

    fn make_room(&mut self, received: &Received) -> Result<(), StoreError> {
        // No interval is joined, every ring is new, and so is the run: it cannot take more.
        let spans = received.spans.len() as u64;
        let most = batch_charge(&received.bytes) + RUN_CHARGE + spans * RING_CHARGE + (spans + 1) * INTERVAL_CHARGE;
        if most > self.capacity.max_bytes {
            return Err(StoreError::TooLarge);
        }
        while self.stats.used_bytes + most > self.capacity.max_bytes {
            if !(self.capacity.evict_oldest && self.evict()) {
                self.stats.refused_full += 1;
                return Err(StoreError::Full);
            }
        }
        Ok(())
    }

    fn evict(&mut self) -> bool {
        let Some(Stored { run: id, bytes }) = self.batches.pop_front() else { return false };
        self.stats.evicted_batches += 1;
        self.stats.bytes -= bytes.len() as u64;
        self.stats.used_bytes -= batch_charge(&bytes);
        if let Entry::Occupied(mut run) = self.runs.entry(id) {
            run.get_mut().stored -= 1;
            if run.get().stored == 0 {
                self.stats.used_bytes -= run.remove().charge();
            }
        }
        true
    }
}

fn batch_charge(bytes: &Bytes) -> u64 {
    bytes.len() as u64 + BATCH_CHARGE
}

impl Run {
    fn knows(&self, received: &Received) -> bool {
        if received.spans.is_empty() {
            return self.numbers.contains_all(&number(received.batch));
        }
        let known = |ring, span| self.rings.get(ring).is_some_and(|set| set.contains_all(span));
        received.spans.iter().all(|(ring, span)| known(ring, span))
    }

    /// Takes a batch into the index and returns how many of its events are new.
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

    /// What the run's index counts against the cap.
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

#[cfg(test)]
mod tests;
