//! What is kept of the batches: per run, per strand, a list of small records.

use crate::intern::{Interner, Map};
use crate::value::Val;
use std::collections::{BTreeMap, BTreeSet};
use trackside_wire::{Access, RunId};

/// Stands for a name or site that an event does not have.
pub(crate) const NONE: u32 = u32::MAX;

/// All that was ingested.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) names: Names,
    pub(crate) runs: BTreeMap<RunId, RunLog>,
}

/// The numbered texts, values and places that records point to.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) texts: Interner<str>,
    pub(crate) values: Interner<[u8]>,
    pub(crate) sites: Vec<SiteId>,
    pub(crate) site_numbers: Map<SiteId, u32>,
}

/// A place in the source; the file is a text's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SiteId {
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Names {
    /// The number of a place.
    pub(crate) fn site(&mut self, site: SiteId) -> u32 {
        *self.site_numbers.entry(site).or_insert_with(|| {
            self.sites.push(site);
            self.sites.len() as u32 - 1
        })
    }

    /// The text with this number; empty for [`NONE`].
    pub(crate) fn text(&self, number: u32) -> &str {
        self.texts.get(number).unwrap_or("")
    }
}

/// The events of one run of one client.
#[derive(Debug, Default)]
pub(crate) struct RunLog {
    pub(crate) meta: RunMeta,
    pub(crate) batches: BTreeSet<u64>,
    pub(crate) strands: BTreeMap<u64, StrandLog>,
}

impl RunLog {
    /// How many events the settled strands hold.
    pub(crate) fn len(&self) -> u64 {
        self.strands.values().map(|strand| strand.records.len() as u64).sum()
    }

    /// How many batches are missing between the first and the last.
    pub(crate) fn batches_missing(&self) -> u64 {
        let (Some(first), Some(last)) = (self.batches.first(), self.batches.last()) else { return 0 };
        (last - first).saturating_add(1).saturating_sub(self.batches.len() as u64)
    }

    /// How many events the run says it lost.
    pub(crate) fn lost(&self) -> u64 {
        self.meta.lost.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How many events were recorded, were not lost, and are not here.
    pub(crate) fn not_arrived(&self) -> u64 {
        self.meta.recorded.saturating_sub(self.lost()).saturating_sub(self.len())
    }

    /// Whether every event that was recorded is here, as far as the settled strands tell.
    pub(crate) fn is_whole(&self, first_step: u64) -> bool {
        let follows = |pair: &[Record]| pair[1].step <= pair[0].step.saturating_add(1);
        let whole = |strand: &StrandLog| {
            strand.lanes.iter().all(|lane| lane.lost_before == 0)
                && strand.records.first().is_none_or(|record| record.step <= first_step)
                && strand.records.windows(2).all(follows)
        };
        self.lost() == 0 && self.batches_missing() == 0 && self.not_arrived() == 0 && self.strands.values().all(whole)
    }
}

/// What the newest batch of a run says of it.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunMeta {
    pub(crate) batch: u64,
    pub(crate) recorded: u64,
    pub(crate) lost: BTreeMap<String, u64>,
    pub(crate) service: String,
    pub(crate) pid: u32,
}

/// The events of one strand: in any order at first, by step and without duplicates after [`StrandLog::settle`].
#[derive(Debug, Default)]
pub(crate) struct StrandLog {
    pub(crate) records: Vec<Record>,
    pub(crate) lanes: Vec<LaneStart>,
}

/// Where a lane begins, and what it says of what came before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneStart {
    pub(crate) step: u64,
    pub(crate) lost_before: u64,
    pub(crate) held: Vec<u64>,
    /// The name of the thread, if it has one.
    pub(crate) thread: Option<String>,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    pub(crate) step: u64,
    pub(crate) ring: u16,
    pub(crate) seq: u64,
    pub(crate) op: Op,
    /// Name of the variable or lock; only kept for those.
    pub(crate) name: u32,
    pub(crate) site: u32,
    pub(crate) time_unix_ns: u64,
}

/// What an event means to the analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Op {
    /// Nothing; it only fills its step.
    Other,
    /// A variable is accessed. A read has its value in `new`.
    Access { kind: AccessOp, old: Val, new: Val },
    /// A task is about to be started.
    Spawn(Val),
    /// A task begins on this strand.
    Begin(Val),
    /// A task has ended on this strand.
    End(Val),
    /// The end of a task was waited for.
    Await(Val),
    /// A lock was acquired.
    Acquire(LockOp),
    /// A lock was released.
    Release(LockOp),
    /// A memory fence.
    Fence,
}

/// How a variable is accessed; `Access` of the wire format, with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccessOp {
    pub(crate) write: bool,
    pub(crate) read: bool,
    pub(crate) atomic: bool,
}

impl From<Access> for AccessOp {
    fn from(access: Access) -> Self {
        Self {
            write: access.is_write(),
            read: !access.is_write() || access == Access::AtomicRmw,
            atomic: access.is_atomic(),
        }
    }
}

/// A lock operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LockOp {
    /// The lock's id; [`Val::Unknown`] when it is known by its name alone.
    pub(crate) id: Val,
    /// The acquisition's number on the lock.
    pub(crate) seq: Option<u64>,
    /// Whether others may hold the lock too.
    pub(crate) shared: bool,
}

impl StrandLog {
    /// Sorts by step and drops what came twice. Returns how many records that were.
    pub(crate) fn settle(&mut self) -> u64 {
        let before = self.records.len();
        self.records.sort_unstable();
        self.records.dedup_by_key(|record| (record.step, record.ring, record.seq));
        self.lanes.sort_unstable();
        self.lanes.dedup();
        (before - self.records.len()) as u64
    }
}
