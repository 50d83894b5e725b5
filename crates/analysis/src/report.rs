//! What the analysis has to say.

use crate::locking::{Discipline, LockOrder, LockReport};
use crate::log::{RunLog, RunMeta};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The findings, and what they rest on. Displayed as text for a terminal.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The findings: deadlocks that happened, confirmed lost updates, other lost updates, data races, and those about locks; of each kind the most
    /// often seen first.
    pub findings: Vec<Finding>,
    /// What locks cost, those that were waited for longest first; at most 100. Nothing here is a finding.
    pub locks: Vec<LockReport>,
    /// What was looked at, and what was not there to look at.
    pub summary: Summary,
}

/// Something that went wrong, or can go wrong, told once for each pair of places in the source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// Name of the variable. Of what is wrong with locks, but for inconsistent locking: of the locks, in the order of the
    /// cycle.
    pub variable: String,
    /// One access. Of a deadlock: where the first strand waits; of a strand that waits for itself, where it took the lock. Of
    /// a lost update: the write that gets lost. Of inconsistent locking: one without the lock. Of a
    /// potential deadlock: the acquisition that the first strand may wait in. Of a recursive read: the first one. Of a lock
    /// held across an await: the acquisition.
    pub first: AccessInfo,
    /// The other access. Of a deadlock: where the second strand waits, or the only one. Of a lost update: the write that overwrites. Of inconsistent locking: one with the lock. Of a
    /// potential deadlock: the acquisition that the second strand may wait in. Of a recursive read: the second one. Of a
    /// lock held across an await: what its strand did next after the await, or else that it awaited.
    pub second: AccessInfo,
    /// Of a lost update: the read that `second` was computed from, if one was recorded.
    pub read: Option<AccessInfo>,
    /// What happened, in plain English.
    pub explanation: String,
    /// Of a lost update: what was lost, as far as the values say.
    pub lost: Option<String>,
    /// Of a deadlock, or a potential one: its steps, each of a strand of its own; the last one asks for the lock that the first one
    /// holds. Of a recursive read: the one step. Else nothing.
    pub orders: Vec<LockOrder>,
    /// Of inconsistent locking: which lock, and who holds it.
    pub discipline: Option<Discipline>,
    /// Of a lost update that is confirmed by counting alone: how many updates, of those computed from the same value as
    /// the two shown, are lost at least. The two shown are among those, but need not be among the lost.
    pub lost_at_least: Option<u64>,
    /// How many pairs of accesses between these two places were found. The one shown is an example. Of a potential
    /// deadlock: how often the rarest of its steps was met. Of a recursive read: how often it was met. Of a lock held
    /// across an await: how many times it was taken so. Of inconsistent
    /// locking: how many accesses were without the lock.
    pub count: u64,
    /// How sure the finding is.
    pub confidence: Confidence,
    /// Why it is not surer.
    pub reserve: Option<String>,
    /// If a hole in the record could overturn the finding, or something that its runs did not record: which, or what.
    pub incomplete: Option<String>,
    /// What to do about it.
    pub advice: String,
    /// What would make it harmless.
    pub benign_if: String,
}

/// What a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// Strands waited for each other, in a circle, or one for itself: it happened, and a client that watches for it saw it.
    Deadlock,
    /// A write was computed from a value that another write had replaced, or was about to.
    LostUpdate,
    /// Two accesses, at least one a write, at least one not atomic, that nothing orders.
    DataRace,
    /// Strands that each hold a lock and ask for one that the next of them holds, in a circle, and that nothing recorded
    /// keeps from doing so at the same time.
    PotentialDeadlock,
    /// A strand that holds a lock for reading asked to read it once more.
    RecursiveRead,
    /// A task held a lock for which threads wait, such as std's `Mutex`, while it waited for something else.
    HeldAcrossAwait,
    /// A variable was accessed without the lock that most of its accesses hold.
    InconsistentLocking,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Confidence {
    /// The order of events allows it; nothing says that it did harm.
    Possible,
    /// All that was recorded speaks for it, but something that would prove it was not recorded.
    Likely,
    /// What was recorded proves it.
    Confirmed,
}

/// How a variable was accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccessKind {
    /// A plain read.
    Read,
    /// A plain write.
    Write,
    /// An atomic load.
    AtomicRead,
    /// An atomic store.
    AtomicWrite,
    /// An atomic read-modify-write.
    AtomicRmw,
    /// A lock was taken, so that nobody else holds it.
    Acquire,
    /// A lock was taken in a way that lets others hold it too.
    AcquireShared,
    /// A lock was about to be waited for.
    Waiting,
    /// A future was not ready.
    Suspended,
    /// No access: the strand did something else.
    Other,
}

/// One side of a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccessInfo {
    /// How the variable was accessed.
    pub kind: AccessKind,
    /// Source file, if known.
    pub file: Option<String>,
    /// Line in it, from 1.
    pub line: Option<u32>,
    /// Column in it, from 1, if it is known: what a program told `tracing` has only lines.
    pub column: Option<u32>,
    /// The strand, for people: its name or the thread's, and `rust-<pid>-<strand>` in brackets; or that alone.
    pub thread: String,
    /// The strand as `rust-<pid>-<strand>`: a [`ThreadId`](trackside_wire::ThreadId) without the run.
    pub thread_id: String,
    /// Name of the thread, if it had one.
    pub thread_name: Option<String>,
    /// Name of the strand, if it is not a thread's own and has one.
    pub strand_name: Option<String>,
    /// Name of the service.
    pub service: String,
    /// Instance of the service.
    pub instance: String,
    /// The run (process) it belongs to.
    pub run: String,
    /// Id of the event, a UUID.
    pub event_id: String,
    /// Of a write: the value before, as text, if it was recorded.
    pub old: Option<String>,
    /// The value written or read, as text, if it was recorded.
    pub new: Option<String>,
    /// The locks held. Those that others may hold too are marked "(shared)".
    pub locks: Vec<String>,
    /// When, in Unix nanoseconds. For people: no finding rests on it.
    pub time_unix_ns: u64,
    /// Its place in its strand's program order.
    pub step: u64,
}

/// What was looked at, and what was not there to look at.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Events that were analysed, each once.
    pub events: u64,
    /// Events that came more than once, and were dropped.
    pub duplicates: u64,
    /// Strands they belong to.
    pub strands: u64,
    /// Variables they access, counted per run; those that all runs share count once.
    pub variables: u64,
    /// Runs (processes) they come from.
    pub runs: u64,
    /// Batches they came in, each counted once.
    pub batches: u64,
    /// Batches that are missing between the first and the last of a run.
    pub batches_missing: u64,
    /// Events that the runs say they recorded, lost ones included.
    pub recorded: u64,
    /// Events that the runs say were lost, by reason.
    pub lost: BTreeMap<String, u64>,
    /// Events that were recorded, are not called lost, and are not here: late, or their batches were.
    pub not_arrived: u64,
    /// Contexts that record nothing but errors, since they are not sampled.
    pub unsampled: u64,
    /// Kinds of events that were off in some run for some or all of the time, of those that findings rest on. A kind that
    /// is merely not used is not among them.
    pub kinds_off: BTreeSet<String>,
    /// Places where the record has a hole: events are missing, or one half of a pair is.
    pub holes: u64,
    /// The first of them.
    pub first_holes: Vec<Hole>,
    /// Variables that were accessed in too many ways at once for all of them to be kept: races may be missing.
    pub variables_bounded: u64,
    /// Locks that were taken, counted per run.
    pub locks: u64,
    /// Orders in which locks were taken, in places where a deadlock could be, that were met in too many ways for all of
    /// them to be kept: potential deadlocks may be missing.
    pub lock_orders_bounded: u64,
    /// Groups of locks that were taken in too many orders for all cycles to be looked at: likewise.
    pub lock_cycles_bounded: u64,
    /// Variables that were accessed under locks in too many ways to say whether one was forgotten.
    pub disciplines_bounded: u64,
    /// Pairs of accesses that were found but not reported, since there were too many findings.
    pub findings_dropped: u64,
}

/// A place where the record has a hole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// Where it is, as `service/instance`.
    pub place: String,
    /// The strand, as in [`AccessInfo::thread`].
    pub thread: String,
    /// The first step after the hole.
    pub step: u64,
    /// What is missing.
    pub what: String,
}

impl AccessInfo {
    /// The strand, and where it ran: for findings across services.
    pub(crate) fn thread_in_place(&self) -> String {
        format!("{}/{} {}", self.service, self.instance, self.thread)
    }
}

impl Summary {
    /// How many events are missing: the runs say that they were lost, in all.
    pub fn lost_total(&self) -> u64 {
        self.lost.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether anything is missing that could hide a finding.
    pub fn is_complete(&self) -> bool {
        self.lost_total() == 0
            && self.holes == 0
            && self.batches_missing == 0
            && self.not_arrived == 0
            && self.unsampled == 0
            && self.kinds_off.is_empty()
            && self.variables_bounded == 0
            && self.lock_orders_bounded == 0
            && self.lock_cycles_bounded == 0
            && self.disciplines_bounded == 0
            && self.findings_dropped == 0
    }

    pub(crate) fn count_run(&mut self, run: &RunLog) {
        let RunMeta { recorded, lost, .. } = &run.meta;
        self.events += run.len();
        self.strands += run.strands.len() as u64;
        self.batches += run.batches.len() as u64;
        self.batches_missing = self.batches_missing.saturating_add(run.batches_missing());
        self.not_arrived = self.not_arrived.saturating_add(run.not_arrived());
        self.recorded = self.recorded.saturating_add(*recorded);
        self.unsampled = self.unsampled.saturating_add(run.partial.unsampled);
        self.kinds_off.extend(run.partial.off().map(|kind| format!("{kind:?}")));
        for (reason, count) in lost {
            let total = self.lost.entry(reason.clone()).or_default();
            *total = total.saturating_add(*count);
        }
    }
}
