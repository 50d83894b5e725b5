//! Finds data races, lost updates and misuse of locks in what `trackside` recorded: events in, findings out.
//!
//! [`Analyzer::ingest`] takes decoded batches in any order, [`Analyzer::finish`] gives the [`Report`], and
//! [`Analyzer::traces`] what there is of each [`Trace`]. Nothing here does
//! I/O, reads a clock or starts a thread, and the same events give the same report in whatever order their batches came.
//!
//! # What orders two events
//!
//! Only synchronisation that was recorded, never a timestamp:
//!
//! - program order: the steps of one strand;
//! - what a lane says that it comes after: the first events of another strand of its run happen before its own first
//!   one. Forks, joins and nested scopes are told this way; an `AsyncAwait` of such a strand needs no `TaskEnd`;
//! - `AsyncSpawn` of a task happens before its `TaskBegin`, its `TaskEnd` before each `AsyncAwait` of it;
//! - the release of a lock's acquisition n happens before each later acquisition of the same lock, where the lock
//!   counts its acquisitions. Shared acquisitions ("RwLock-Read") are not ordered among themselves;
//! - `CallSent` happens before the first event of each entry strand, of any run, with the same trace and span; and the
//!   last `HttpResponse` of that strand before `CallReturned`, if it is the only one.
//!
//! Locks without a count order nothing, but two accesses under a common one, held exclusively by at least one side,
//! are taken to exclude each other. Two atomic accesses never race; an atomic store and load that carry a message
//! order nothing yet, so a race between strands of a run that also talk through atomics is only called likely.
//!
//! That locks were taken in one order says little of the next run. So potential deadlocks, recursive reads and inconsistent
//! locking are judged by all of the above *but* locks (the firm clock, see `locking/moment.rs`): two strands can be somewhere
//! at once if neither comes after the other by that, and no lock that both hold keeps them apart.
//!
//! Runs (processes) are analysed together. Each has its own tasks, locks, numbers of strands and variables; but a variable
//! whose name begins with `shared:`, such as a row of a database, is the same one in all of them.
//!
//! # What is guaranteed
//!
//! Of a record without holes: each data race reported is a pair of accesses that conflict and that nothing recorded
//! orders; and each variable with such a pair has a finding, unless [`Summary::variables_bounded`] counts it. Not each
//! *pair* is found: per variable the last accesses of each strand are kept (see `variable.rs`), after FastTrack
//! (Flanagan & Freund, 2009). So too with lost updates, except that values which contradict the loss acquit a pair; one
//! that is called confirmed did happen, if values were recorded as they were. Where only counting proves it, some of
//! the updates from one value are lost, and [`Finding::lost_at_least`] says how many; the pair shown need not be among
//! them. A finding's count is that of the pairs that were found; the same finding in several runs of a service is told
//! once. A hole in the record can hide races, and can hide the synchronisation that would have ordered two accesses: a
//! finding that a hole could overturn says so in [`Finding::incomplete`].
//!
//! Some things cannot be seen missing. A run or a strand that took a call, and of which no event arrived, looks like one
//! that does not record: most calls are to or from such. Strands that are not sampled record no accesses; so where there
//! may be some, values prove nothing. Numbers of a lock that are left out tell of them (see `locks.rs`): then nothing is
//! called confirmed by its values. Without such a lock, the record does not tell.
//!
//! Of what is wrong with locks, in a record without holes:
//!
//! - each potential deadlock reported is a cycle of acquisitions, of one run, of different strands, that nothing recorded but
//!   the order of locks keeps from being under way at once; and each set of places with such a cycle of up to 12 locks has
//!   its finding, unless [`Summary::lock_orders_bounded`] or [`Summary::lock_cycles_bounded`] counts what was left out, or
//!   a step of it, done by more strands than are kept, is told in another cycle already. A waiting writer that holds a
//!   reader up is only looked for where one strand reads twice. Locks are held by strands: what a thread's own strand holds
//!   while another one runs on it is not seen to be held there;
//! - inconsistent locking is only ever called possible: it takes a lock that two thirds of a variable's accesses hold, three
//!   at least, to be what protects it. What a variable's first strand does before all accesses of others counts for nothing.
//!   An access told does conflict with one under the lock that it could meet, unless something unrecorded orders them.
//!
//! What locks cost ([`Report::locks`]) rests on timestamps, and is as coarse as they are.
//!
//! Timestamps choose which of several true examples is shown, never whether there is a finding. Of the events that
//! synchronisation lets come next, the one with the earliest timestamp does, so that what was done at about the same
//! time meets while it is kept. Hence they choose which *pairs* meet, and with that which pairs of places of a variable
//! are told, how often each was seen, and whether one that values confirm is among them. Each variable that races has
//! its finding whatever they say, and what is said of a pair is true of it. There is one exception: a lost update whose
//! variable has other pairs, all of them acquitted by values, can go untold if its own pair does not meet.
//!
//! In reading order: `analyzer` (batches in), `log` (what is kept of them), `roster` (all strands of all runs), `calls` and
//! `edges` (what each comes after), `resolve` (the first look), `clock` (vector clocks), `locks` and `schedule` (who may go
//! on), `engine` (from the first event to the last), `detect` (what it does at an access), `variable` and `update` (the two detectors), `evidence` and `tally` (what values prove, of a pair and by
//! counting), `hole` (what is in doubt), `collect`, `explain`, `loss`, `report` and `text` (findings out); `locking` (what is wrong with locks, and what they cost: a map of its own). `traces`
//! tells who took part in each trace.
//!
//! # What it costs
//!
//! Time and memory are near-linear in the events: each looks at a bounded number of others, and a join of two clocks
//! skips what they share. The exception is a clock's own nature: where thousands of strands meet over several locks,
//! a join costs up to one step for every 16 strands.

mod analyzer;
mod calls;
mod clock;
mod collect;
mod detect;
mod edges;
mod engine;
mod evidence;
mod explain;
mod hole;
mod intern;
mod locking;
mod locks;
mod lockset;
mod log;
mod loss;
mod report;
mod resolve;
mod roster;
mod schedule;
mod strand;
mod tally;
mod text;
mod traces;
mod update;
mod value;
mod variable;

pub use analyzer::Analyzer;
pub use locking::{Discipline, LockOrder, LockReport, LockSite, LockWaiter, Place, Times, TimesBucket};
pub use report::{AccessInfo, AccessKind, Confidence, Finding, FindingKind, Hole, Report, Summary};
pub use traces::{Missing, Orphan, Trace, TraceCall, TraceStrand};
