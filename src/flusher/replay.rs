//! What a ring's stream means: the strand in force, the numbers of its events, the gaps.
//!
//! The ring is a log of deltas. Sequence numbers, steps and lanes are not in it: they follow from the order of its
//! frames, and are worked out here.

use super::batch::{OpenBatch, StrandInfo};
use crate::record::{ATTACH, Arg, Name, Record, Words, decode};
use crate::ring::frame::{GAP, Head};
use trackside_wire::Lane;

/// One ring's stream, as far as it has been read.
#[derive(Debug)]
pub(crate) struct Replay {
    ring: u16,
    trace: u128,
    /// The sequence number of the next event.
    seq: u64,
    strand: u64,
    /// The step, within the strand, of the next event.
    step: u64,
    thread: Box<str>,
    /// Events lost since the last one that was read.
    lost: u64,
    held: Vec<u64>,
    /// The lane that the next event belongs to, and the serial number of the batch that has it.
    lane: Option<(u64, u32)>,
}

/// What a frame turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// An event, now in the batch; so many of its texts had been cut.
    Event { truncated: u64 },
    /// An event that cannot be read.
    Malformed,
    /// Not an event.
    Control,
}

impl Replay {
    pub(crate) fn new(ring: u16, trace: u128) -> Self {
        Self { ring, trace, seq: 0, strand: 0, step: 0, thread: "".into(), lost: 0, held: Vec::new(), lane: None }
    }

    /// Takes the stream's next frame, and adds it to `batch` (whose serial number is `serial`) if it is an event.
    #[inline]
    pub(crate) fn frame(&mut self, batch: &mut OpenBatch, serial: u64, head: &Head, payload: &[u64]) -> Replayed {
        if head.kind == GAP {
            self.gap(payload);
            return Replayed::Control;
        }
        let Some(record) = decode(head, payload) else { return self.malformed() };
        if head.kind == ATTACH {
            self.attach(&record);
            return Replayed::Control;
        }
        if !crate::encode::is_event(head.kind) {
            return self.malformed();
        }
        let lane = match self.lane {
            Some((of, lane)) if of == serial => lane,
            _ => self.open_lane(batch, serial),
        };
        let truncated = batch.add(lane, &record);
        self.seq += 1;
        self.step += 1;
        Replayed::Event { truncated }
    }

    #[cold]
    fn open_lane(&mut self, batch: &mut OpenBatch, serial: u64) -> u32 {
        let strand = batch.add_strand(&StrandInfo {
            number: self.strand,
            trace: self.trace,
            span: 0,
            upstream: 0,
            entry: false,
            name: "",
            clock: &[],
        });
        let lane = Lane {
            ring: self.ring,
            first_seq: self.seq,
            strand,
            first_step: self.step,
            lost_before: std::mem::take(&mut self.lost),
            thread: None,
            held: std::mem::take(&mut self.held),
            after: Vec::new(),
        };
        let index = batch.add_lane(lane, &self.thread);
        self.lane = Some((serial, index));
        index
    }

    #[cold]
    fn gap(&mut self, payload: &[u64]) {
        let (count, held) = payload.split_first().map_or((0, payload), |(count, held)| (*count, held));
        self.skip(count);
        self.held = held.to_vec();
    }

    #[cold]
    fn malformed(&mut self) -> Replayed {
        self.skip(1);
        Replayed::Malformed
    }

    /// Lost events keep their numbers, so that a reader sees where they are missing.
    fn skip(&mut self, count: u64) {
        self.seq += count;
        self.step += count;
        self.lost += count;
        self.lane = None;
    }

    #[cold]
    fn attach(&mut self, record: &Record<Words<'_>>) {
        let mut name = Vec::new();
        if let Name::Copied(text) = record.name {
            text.copy_to(&mut name);
        }
        self.thread = String::from_utf8_lossy(&name).into();
        self.strand = if let Arg::UInt(strand) = record.a { strand } else { 0 };
        self.step = 0;
        self.lost = 0;
        self.held.clear();
        self.lane = None;
    }
}
