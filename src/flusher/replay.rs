//! What a ring's stream means: the strand in force, the numbers of its events, the gaps.
//!
//! The ring is a log of deltas. Sequence numbers, steps and lanes are not in it: they follow from the order of its
//! frames, and are worked out here.

use super::batch::{OpenBatch, StrandInfo};
use crate::attach::{ATTACH, Attached};
use crate::lock_record;
use crate::record::decode;
use crate::ring::frame::{GAP, Head};
use crate::ring::stay::Edge;
use trackside_wire::Lane;

/// One ring's stream, as far as it has been read.
#[derive(Debug)]
pub(crate) struct Replay {
    ring: u16,
    /// The sequence number of the next event.
    seq: u64,
    /// Whose events these are.
    whose: Attached,
    /// The step, within the strand, of the next event.
    step: u64,
    /// Events of the strand lost since the last one that was read.
    lost: u64,
    held: Vec<u64>,
    /// What the next event comes after.
    after: Vec<Edge>,
    /// The lane that the next event belongs to, and the serial number of the batch that has it.
    lane: Option<(u64, u32)>,
}

/// What a frame turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// An event, now in the batch; so many of its texts had been cut.
    Event { truncated: u64 },
    /// So many events of a lock, now in the batch.
    Lock { events: u64 },
    /// So many events that cannot be read.
    Malformed { events: u64 },
    /// Not an event.
    Control,
    /// It was not taken: what happened before it is still in another ring.
    TooEarly,
}

/// How far each ring has been read, by its number: how many of its events.
pub(crate) type Positions = Vec<u64>;

impl Replay {
    pub(crate) fn new(ring: u16) -> Self {
        let (whose, after) = (Attached::default(), Vec::new());
        Self { ring, seq: 0, whose, step: 0, lost: 0, held: Vec::new(), after, lane: None }
    }

    /// How many of the ring's events have been read.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Takes the stream's next frame, and adds it to `batch` (whose serial number is `serial`) if it is an event. The
    /// other rings have been read up to `others`; if those are not given, nothing is too early.
    #[inline]
    pub(crate) fn frame(
        &mut self,
        (batch, serial): (&mut OpenBatch, u64),
        others: Option<&Positions>,
        head: &Head,
        payload: &[u64],
    ) -> Replayed {
        if head.kind == GAP {
            self.gap(payload);
            return Replayed::Control;
        }
        if head.kind == ATTACH {
            return self.attach(others, payload);
        }
        if lock_record::is_lock(head.kind) {
            return self.lock((batch, serial), head, payload);
        }
        let Some(record) = decode(head, payload) else { return self.malformed(1) };
        if !crate::encode::is_event(head.kind) {
            return self.malformed(1);
        }
        let lane = self.lane(batch, serial);
        let truncated = batch.add(lane, &record);
        self.seq += 1;
        self.step += 1;
        Replayed::Event { truncated }
    }

    fn lock(&mut self, (batch, serial): (&mut OpenBatch, u64), head: &Head, payload: &[u64]) -> Replayed {
        let events = lock_record::events(head.kind);
        let Some(record) = lock_record::decode(head.kind, payload) else { return self.malformed(events) };
        let lane = self.lane(batch, serial);
        batch.add_lock(lane, head, &record);
        self.seq += events;
        self.step += events;
        Replayed::Lock { events }
    }

    #[inline(always)]
    fn lane(&mut self, batch: &mut OpenBatch, serial: u64) -> u32 {
        match self.lane {
            Some((of, lane)) if of == serial => lane,
            _ => self.open_lane(batch, serial),
        }
    }

    #[cold]
    fn open_lane(&mut self, batch: &mut OpenBatch, serial: u64) -> u32 {
        let Attached { strand, trace, span, upstream, entry, ref name, ref clock, .. } = self.whose;
        let strand = batch.add_strand(&StrandInfo { number: strand, trace, span, upstream, entry, name, clock });
        let lane = Lane {
            ring: self.ring,
            first_seq: self.seq,
            strand,
            first_step: self.step,
            lost_before: std::mem::take(&mut self.lost),
            thread: None,
            held: std::mem::take(&mut self.held),
            after: self.after.drain(..).map(|edge| (edge.strand, edge.steps)).collect(),
        };
        let index = batch.add_lane(lane, &self.whose.thread);
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
    fn malformed(&mut self, events: u64) -> Replayed {
        self.skip(events);
        Replayed::Malformed { events }
    }

    /// Lost events keep their numbers, so that a reader sees where they are missing.
    fn skip(&mut self, count: u64) {
        self.seq += count;
        self.step += count;
        self.lost += count;
        self.lane = None;
    }

    #[cold]
    fn attach(&mut self, others: Option<&Positions>, payload: &[u64]) -> Replayed {
        let Some(attached) = Attached::read(payload) else {
            debug_assert!(false, "a control frame that cannot be read");
            return Replayed::Control;
        };
        let is_read = |(ring, seq): (u16, u64)| {
            ring == self.ring
                || others.is_none_or(|others| others.get(usize::from(ring)).is_some_and(|read| *read >= seq))
        };
        let edges = attached.after.iter().map(|edge| (edge.ring, edge.seq));
        if !edges.chain((attached.last.1 > 0).then_some(attached.last)).all(is_read) {
            return Replayed::TooEarly;
        }
        // What was lost before has been told to the strand that it was taken from. What this strand has lost here, it says.
        if attached.dropped == 0 {
            self.held.clear();
        }
        self.lost = attached.dropped;
        self.seq = attached.seq;
        self.step = attached.first_step;
        self.after.clone_from(&attached.after);
        self.lane = None;
        self.whose = attached;
        Replayed::Control
    }
}
