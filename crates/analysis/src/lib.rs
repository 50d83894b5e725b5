//! Finds data races and lost updates in what `trackside` recorded: events in, findings out.
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
//! - a message's send happens before each receive of the same channel and number;
//! - each release of a signal (a barrier, a once, a thread's token) happens before whoever notices its number or a higher
//!   one; number 0 tells of no release;
//! - tracked atomics, as the memory model of C++20 and Rust has it: a write that releases, or a relaxed one after a fence
//!   that does, happens before each load or update that reads of its release sequence and acquires, or has a fence
//!   after it that does. The sequence goes on through updates and ends at the next plain store. The total order of
//!   SeqCst adds no happens-before to that, so it adds none here. The order of an atomic's writes is no happens-before
//!   either, but proves which of them were overwritten unseen (see `overwrites.rs`);
//! - `CallSent` happens before the first event of each entry strand, of any run, with the same trace and span; and the
//!   last `HttpResponse` of that strand before `CallReturned`, if it is the only one.
//!
//! Locks without a count order nothing, but two accesses under a common one, held exclusively by at least one side,
//! are taken to exclude each other. Two atomic accesses never race. What atomics order that are not tracked
//! (`AtomicRead`, `AtomicWrite`, `AtomicRmw`) is not known, so a race between strands of a run that also talk through
//! those, or that fence and track no atomic, is only called likely.
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
//! called confirmed by its values. So do numbers left out of a channel, a signal or a tracked atomic. Without any of
//! these, the record does not tell; nor does it tell who else met at a barrier, where several releases share a number.
//!
//! Timestamps choose which of several true examples is shown, never whether there is a finding. Of the events that
//! synchronisation lets come next, the one with the earliest timestamp does, so that what was done at about the same
//! time meets while it is kept. Hence they choose which *pairs* meet, and with that which pairs of places of a variable
//! are told, how often each was seen, and whether one that values confirm is among them. Each variable that races has
//! its finding whatever they say, and what is said of a pair is true of it. There is one exception: a lost update whose
//! variable has other pairs, all of them acquitted by values, can go untold if its own pair does not meet.
//!
//! In reading order: `analyzer` (batches in), `log` (what is kept of them), `roster` (all strands of all runs), `calls` and
//! `edges` (what each comes after), `numbered`, `objects`, `signals`, `atomics` and `overwrites` (what messages, signals and
//! atomics order, and what is lost of atomics), `steps` and `links` (how that is told while strands go on), `resolve` (the first look), `clock` (vector clocks), `locks` and `schedule` (who may go
//! on), `engine` (from the first event to the last), `detect` (what it does at an access), `variable` and `update` (the two detectors), `evidence` and `tally` (what values prove, of a pair and by
//! counting), `hole` (what is in doubt), `collect`, `explain`, `loss`, `report` and `text` (findings out). `traces`
//! tells who took part in each trace.
//!
//! # What it costs
//!
//! Time and memory are near-linear in the events: each looks at a bounded number of others, and a join of two clocks
//! skips what they share. The exception is a clock's own nature: where thousands of strands meet over several locks,
//! a join costs up to one step for every 16 strands.

mod analyzer;
mod atomics;
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
mod links;
mod locks;
mod lockset;
mod log;
mod loss;
mod numbered;
mod objects;
mod overwrites;
mod report;
mod resolve;
mod roster;
mod schedule;
mod signals;
mod steps;
mod strand;
mod tally;
mod text;
mod traces;
mod update;
mod value;
mod variable;

pub use analyzer::Analyzer;
pub use report::{AccessInfo, AccessKind, Confidence, Finding, FindingKind, Hole, Report, Summary};
pub use traces::{Missing, Orphan, Trace, TraceCall, TraceStrand};
