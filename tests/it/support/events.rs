//! Batches read back, event by event.

use trackside::MemoryTransport;
use trackside_wire::{Batch, EventId, Kind};

/// One event, read back from a batch, its values as JSON-like text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) name: Option<String>,
    pub(crate) a: String,
    pub(crate) b: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) strand: u64,
    pub(crate) step: u64,
    pub(crate) id: EventId,
    pub(crate) thread: String,
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) upstream: u64,
    pub(crate) entry: bool,
    /// The strand's name.
    pub(crate) strand_name: String,
    pub(crate) clock: Vec<(String, u64)>,
    /// What its lane comes after, if it is the lane's first event.
    pub(crate) after: Vec<(u64, u64)>,
    pub(crate) lost_before: u64,
}

/// All events that `memory` was sent, in the order of the batches.
pub(crate) fn events(memory: &MemoryTransport) -> Vec<Seen> {
    memory.batches().iter().flat_map(|batch| decode(&batch.bytes)).collect()
}

/// All events of one batch.
pub(crate) fn decode(bytes: &[u8]) -> Vec<Seen> {
    let batch = Batch::decode(bytes).expect("a well-formed batch");
    let seen = |event: trackside_wire::Event<'_>| {
        let lane = &batch.lanes[event.lane as usize];
        let strand = &batch.strands[lane.strand as usize];
        let first = event.step == lane.first_step;
        let site = event.site.map(|site| batch.sites[site as usize]);
        Seen {
            kind: event.kind,
            name: event.name.map(|name| batch.string(name).to_owned()),
            a: event.a.to_string(),
            b: event.b.to_string(),
            file: site.map_or("", |site| batch.string(site.file)).to_owned(),
            line: site.map_or(0, |site| site.line),
            column: site.map_or(0, |site| site.column),
            strand: strand.number,
            step: event.step,
            id: event.id,
            thread: lane.thread.map_or("", |thread| batch.string(thread)).to_owned(),
            trace: strand.trace,
            span: strand.span,
            upstream: strand.upstream,
            entry: strand.entry,
            strand_name: strand.name.map_or("", |name| batch.string(name)).to_owned(),
            clock: strand.clock.iter().map(|(name, count)| (batch.string(*name).to_owned(), *count)).collect(),
            after: if first { lane.after.clone() } else { Vec::new() },
            lost_before: if first { lane.lost_before } else { 0 },
        }
    };
    batch.events().map(seen).collect()
}
