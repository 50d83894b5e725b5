//! Native batches to the JSON of the stock Raceway server, for receivers that take nothing else.
//!
//! A batch is converted in parts, each a request's body, because JSON takes some twenty times the room and the server
//! takes 2 MiB. What a native reader derives for itself has to be spelled out here: each event's parent, its vector
//! clock, the locks its strand holds. So the converter remembers strands from one request to the next; and since an
//! event whose parent the server has not got is never shown, it remembers only what it has been told has arrived. See
//! [`Converter::settle`].
//!
//! Causality: a strand's clock as the batch tells it, with the component of this instance (`service#instance`) advanced
//! by the strand's steps. Locks: those of the strand's own `LockAcquire` and `LockRelease` events; from its acquisition
//! to its release, both included, a lock is in each event's set.

mod chain;
mod event;
mod locks;
mod strands;
#[cfg(test)]
mod tests;
mod text;

use chain::Chain;
use event::{EventJson, KindJson, Metadata, Vector, duration_ns};
use locks::LockNames;
use std::ops::Range;
use strands::Strands;
use text::{Timestamp, Uuid};
use trackside_wire::{Batch, Event, EventId, Kind, RunId};

/// A body is closed once it has this many bytes. Below what the server takes by more than half: the next event still
/// fits, whatever it is, proxies that take 1 MiB by default let it pass, and a request that may or may not have arrived
/// costs no more than this.
const BODY_ENOUGH: usize = 1_000_000;

/// What has become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The server has its events.
    Stored,
    /// It has some, or all, or none of them, and they are not sent again.
    Passed,
    /// It has none of them, and what is sent next is made anew.
    Void,
}

/// A body.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) bytes: Vec<u8>,
    /// How many events it holds.
    pub(crate) events: u64,
}

/// Converts the batches of one run, in order.
#[derive(Debug)]
pub(crate) struct Converter {
    strands: Strands,
    names: LockNames,
}

impl Converter {
    pub(crate) fn new() -> Self {
        Self { strands: Strands::new(), names: LockNames::new() }
    }

    /// Converts the events of a native batch from `range.start` on: as many of `range` as go into one body. Nothing if
    /// these bytes are no batch with such events.
    ///
    /// What was converted before and not settled counts as [`Fate::Void`].
    pub(crate) fn convert(&mut self, batch: &[u8], range: Range<u64>) -> Option<Converted> {
        self.strands.forget();
        let batch = Batch::decode(batch).ok()?;
        let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
        if start >= end || end > batch.len() {
            return None;
        }
        let own = format!("{}#{}", batch.header.service, batch.header.instance);
        let (mut bytes, mut events) = (Vec::with_capacity(BODY_ENOUGH / 8), 0);
        bytes.extend_from_slice(b"{\"events\":[");
        for event in batch.events().take(end).skip(start) {
            if events > 0 {
                bytes.push(b',');
            }
            self.event(&mut bytes, &batch, &own, &event)?;
            events += 1;
            if bytes.len() >= BODY_ENOUGH {
                break;
            }
        }
        bytes.extend_from_slice(b"]}");
        Some(Converted { bytes, events })
    }

    /// Takes note of what has become of the body that was converted last.
    pub(crate) fn settle(&mut self, fate: Fate) {
        match fate {
            Fate::Stored => self.strands.stored(),
            Fate::Passed => self.strands.passed(),
            Fate::Void => self.strands.forget(),
        }
    }

    /// Appends one event. `own` is the clock component of this instance.
    fn event(&mut self, out: &mut Vec<u8>, batch: &Batch<'_>, own: &str, event: &Event<'_>) -> Option<()> {
        let lane = batch.lanes.get(event.lane as usize)?;
        let strand = batch.strands.get(lane.strand as usize)?;
        let run = event.id.run;
        let lock = match event.kind {
            Kind::LockAcquire | Kind::LockRelease => {
                let name = event.name.map_or("", |name| batch.string(name));
                Some(self.names.name(event.a.as_u64(), name))
            }
            _ => None,
        };
        let line = self.strands.touch(strand.number);
        line.arrive(strand, lane, event.step, &self.names);
        if let (Kind::LockAcquire, Some(lock)) = (event.kind, &lock) {
            line.acquire(lock.clone());
        }
        let lock_set = line.lock_set();
        if let (Kind::LockRelease, Some(lock)) = (event.kind, &lock) {
            line.release(lock);
        }
        let json = EventJson {
            id: Uuid(event.id.to_u128()),
            trace_id: Uuid(strand.trace),
            parent_id: self.hang(strand.number, event).map(|parent| Uuid(parent.id(run).to_u128())),
            timestamp: Timestamp(batch.header.base_unix_ns.saturating_add(event.time_ns)),
            kind: KindJson::new(batch, event, lock.as_deref().unwrap_or("")),
            metadata: Metadata::new(&batch.header, strand, duration_ns(event)),
            causality_vector: Vector { batch, strand, own, step: event.step },
            lock_set: &lock_set,
        };
        serde_json::to_writer(out, &json).ok()
    }

    /// Puts the event into its strand's chain, and returns its parent.
    fn hang(&mut self, strand: u64, event: &Event<'_>) -> Option<chain::Link> {
        let (ring, seq, step) = (event.id.ring, event.id.seq, event.step);
        if let Some(chain) = &mut self.strands.touch(strand).chain {
            let parent = chain.parent();
            chain.push(ring, seq, step);
            return Some(parent);
        }
        let origin = self.strands.origin(strand);
        self.strands.touch(strand).chain = Some(Chain::new(ring, seq, step, origin));
        origin.map(|origin| origin.parent)
    }
}

impl chain::Link {
    fn id(&self, run: RunId) -> EventId {
        EventId { run, ring: self.ring, seq: self.seq }
    }
}
