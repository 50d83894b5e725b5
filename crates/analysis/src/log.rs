//! What is kept of the batches: per run, per strand, a list of small records.

use crate::intern::{Interner, Map};
use crate::numbered::{AtomicOp, Numbered, ObjectKey, Order};
use crate::partial::Partial;
use crate::value::Val;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use trackside_wire::{Access, RunId};

/// Stands for a name or site that an event does not have.
pub(crate) const NONE: u32 = u32::MAX;

/// All that was ingested.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) names: Names,
    pub(crate) runs: BTreeMap<RunId, RunLog>,
    /// How many events came more than once and were dropped, as far as they were looked for.
    pub(crate) duplicates: u64,
}

impl Log {
    /// Sorts all events and drops what came twice.
    pub(crate) fn settle(&mut self) {
        let strands = self.runs.values_mut().flat_map(|run| run.strands.values_mut());
        self.duplicates += strands.map(StrandLog::settle).sum::<u64>();
    }
}

/// The numbered texts, values and places that records point to.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) texts: Interner<str>,
    pub(crate) values: Interner<[u8]>,
    pub(crate) sites: Vec<SiteId>,
    pub(crate) site_numbers: Map<SiteId, u32>,
    /// Channels, signals and tracked atomics.
    pub(crate) objects: Map<ObjectKey, u32>,
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

    /// The number of a channel, a signal or a tracked atomic.
    pub(crate) fn object(&mut self, key: ObjectKey) -> u32 {
        let next = self.objects.len() as u32;
        *self.objects.entry(key).or_insert(next)
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
    pub(crate) partial: Partial,
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
    pub(crate) fn is_whole(&self) -> bool {
        let whole = |strand: &StrandLog| strand.lanes.iter().all(|lane| lane.lost_before == 0) && strand.skipped() == 0;
        self.lost() == 0 && self.batches_missing() == 0 && self.not_arrived() == 0 && self.strands.values().all(whole)
    }

    /// Whether events are missing that no gap in a settled strand accounts for: a strand's last ones, or a whole strand.
    pub(crate) fn hides_events(&self) -> bool {
        let gaps = self.strands.values().map(|strand| strand.skipped());
        let seen = gaps.fold(self.len(), u64::saturating_add);
        self.meta.recorded > seen
    }
}

/// What the newest batch of a run says of it.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunMeta {
    pub(crate) batch: u64,
    pub(crate) recorded: u64,
    pub(crate) lost: BTreeMap<String, u64>,
    pub(crate) service: String,
    pub(crate) instance: String,
    pub(crate) pid: u32,
}

/// The events of one strand: in any order at first, by step and without duplicates after [`StrandLog::settle`].
#[derive(Debug, Default)]
pub(crate) struct StrandLog {
    pub(crate) info: StrandInfo,
    pub(crate) records: Vec<Record>,
    pub(crate) lanes: Vec<LaneStart>,
    /// For how many nanoseconds acquisitions had to wait, by their steps. Few do, so it is not in the records.
    pub(crate) waits: BTreeMap<u64, u64>,
    /// The circles that were closed here, by the steps of the waits that did it: strands, and the lock that each waits for.
    pub(crate) circles: BTreeMap<u64, Vec<(u64, u64)>>,
}

/// What the batches' tables say of a strand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StrandInfo {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) upstream: u64,
    pub(crate) entry: bool,
    /// The number of its name's text; [`NONE`] for a thread's own strand.
    pub(crate) name: u32,
    /// The components of the clock it began with, as numbers of texts: all the processes that its past reaches back to.
    pub(crate) past: Vec<u32>,
}

impl StrandInfo {
    /// An order that does not depend on which texts came first.
    fn compare(&self, other: &Self, names: &Names) -> Ordering {
        let ids = |info: &Self| (info.trace, info.span, info.upstream, info.entry);
        let text = |number: u32| (number != NONE, names.text(number));
        let past = |info: &Self| info.past.iter().map(|number| names.text(*number).to_owned()).collect::<Vec<_>>();
        ids(self)
            .cmp(&ids(other))
            .then_with(|| text(self.name).cmp(&text(other.name)))
            .then_with(|| past(self).cmp(&past(other)))
    }
}

/// Where a lane begins, and what it says of what came before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneStart {
    pub(crate) step: u64,
    pub(crate) lost_before: u64,
    pub(crate) held: Vec<u64>,
    /// Strands of the run, and how many of their steps come before the lane.
    pub(crate) after: Vec<(u64, u64)>,
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
    Fence(Order),
    /// A message is sent, or a signal released.
    Tell(Numbered),
    /// A message was received, or a signal noticed.
    Notice(Numbered),
    /// A tracked atomic is accessed. A load has its value in `new`.
    Atomic { op: AtomicOp, old: Val, new: Val },
    /// Headers for a call were made, with this span.
    Sent(u64),
    /// The reply to the call with this span has come.
    Returned(u64),
    /// A request was answered.
    Respond,
    /// What the strand holds, it holds across an await.
    Suspend,
    /// A lock is about to be waited for.
    Wait,
}

impl Op {
    /// How a variable or a tracked atomic is accessed, and its values before and after, if one is.
    pub(crate) fn access(&self) -> Option<(AccessOp, Val, Val)> {
        match *self {
            Op::Access { kind, old, new } => Some((kind, old, new)),
            Op::Atomic { op, old, new } => Some((op.access, old, new)),
            _ => None,
        }
    }
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
    /// Whether it is a lock of tasks, whose guards may go from thread to thread.
    pub(crate) travels: bool,
    /// Whether the acquisition would have given up instead of waiting.
    pub(crate) tried: bool,
}

impl StrandLog {
    /// Takes in what another batch says of the strand. Batches of one run agree; if they do not, their order must not
    /// matter nevertheless.
    pub(crate) fn describe(&mut self, info: StrandInfo, names: &Names) {
        if self.records.is_empty() || (self.info != info && self.info.compare(&info, names) == Ordering::Less) {
            self.info = info;
        }
    }

    /// How many steps of the settled records are not there, up to the last one that is.
    pub(crate) fn skipped(&self) -> u64 {
        let first = self.records.first().map_or(0, |first| first.step);
        first.saturating_add(self.skipped_after(0))
    }

    /// How many steps are not there between the record at `at` and the last one.
    pub(crate) fn skipped_after(&self, at: usize) -> u64 {
        let gap = |pair: &[Record]| pair[1].step.saturating_sub(pair[0].step.saturating_add(1));
        let later = self.records.get(at..).unwrap_or(&[]);
        later.windows(2).map(gap).fold(0, u64::saturating_add)
    }

    /// Whether events are missing just before a record, for each of the settled records.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = bool> {
        let mut lossy = self.lanes.iter().filter(|lane| lane.lost_before > 0).map(|lane| lane.step).peekable();
        let mut expected = 0;
        self.records.iter().map(move |record| {
            let mut lost = false;
            while let Some(step) = lossy.next_if(|step| *step <= record.step) {
                lost |= step == record.step;
            }
            let skipped = record.step > expected;
            expected = record.step.saturating_add(1);
            lost || skipped
        })
    }

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
