use super::batches::Source;
use bytes::Bytes;
use std::collections::HashMap;
use std::ops::Range;
use trackside_wire::RunId;

/// What units take up in memory beside their batches' bytes, rounded up.
pub(super) const UNIT_CHARGE: u64 = 384;
pub(super) const RUN_IN_UNIT_CHARGE: u64 = 64;
pub(super) const SKIP_CHARGE: u64 = 32;

/// What is given up as a whole: a batch in memory, or a segment on disk.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) place: Place,
    /// How many batches of each run it holds that are stored.
    pub(super) runs: HashMap<RunId, u64>,
    pub(super) batches: u64,
    /// The bytes of these batches.
    pub(super) bytes: u64,
    /// When the latest of them was received.
    pub(super) newest_ms: u64,
}

#[derive(Debug)]
pub(super) enum Place {
    Memory(Bytes),
    Disk(Segment),
}

/// What is known of a segment.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// The number in its file's name.
    pub(super) number: u64,
    /// The number in its header: another one, if somebody has renamed the file.
    pub(super) salt: u64,
    /// Behind the last record that is stored.
    pub(super) end: u64,
    /// The size of the file.
    pub(super) size: u64,
    /// Stretches before `end` that hold no stored batch: damage, and what is stored elsewhere as well. In order, with
    /// something between any two.
    pub(super) skipped: Vec<Range<u64>>,
}

impl Unit {
    pub(super) fn in_memory(bytes: Bytes) -> Self {
        Self::new(Place::Memory(bytes))
    }

    pub(super) fn on_disk(segment: Segment) -> Self {
        Self::new(Place::Disk(segment))
    }

    fn new(place: Place) -> Self {
        Self { place, runs: HashMap::new(), batches: 0, bytes: 0, newest_ms: 0 }
    }

    /// Takes in that a batch of so many bytes has been stored in here.
    pub(super) fn hold(&mut self, run: RunId, bytes: u64, received_ms: u64) {
        *self.runs.entry(run).or_default() += 1;
        self.batches += 1;
        self.bytes += bytes;
        self.newest_ms = self.newest_ms.max(received_ms);
    }

    /// What it takes up in memory.
    pub(super) fn charge(&self) -> u64 {
        let runs = self.runs.len() as u64 * RUN_IN_UNIT_CHARGE;
        UNIT_CHARGE
            + match &self.place {
                // One batch is of one run, which its own charge has room for.
                Place::Memory(bytes) => bytes.len() as u64,
                Place::Disk(segment) => runs + segment.skipped.len() as u64 * SKIP_CHARGE,
            }
    }

    /// What it takes up on disk.
    pub(super) fn size(&self) -> u64 {
        self.segment().map_or(0, |segment| segment.size)
    }

    pub(super) fn segment(&self) -> Option<&Segment> {
        match &self.place {
            Place::Memory(_) => None,
            Place::Disk(segment) => Some(segment),
        }
    }

    pub(super) fn source(&self) -> Source {
        match &self.place {
            Place::Memory(bytes) => Source::Memory(bytes.clone()),
            Place::Disk(segment) => Source::Segment(segment.clone()),
        }
    }
}

impl Segment {
    /// Leaves out `range`, which is behind everything that was left out before.
    pub(super) fn skip(&mut self, range: Range<u64>) {
        match self.skipped.last_mut().filter(|last| last.end == range.start) {
            Some(last) => last.end = range.end,
            None => self.skipped.push(range),
        }
    }

    pub(super) fn skips(&self, at: u64) -> bool {
        let behind = self.skipped.partition_point(|range| range.start <= at);
        behind > 0 && self.skipped[behind - 1].contains(&at)
    }
}
