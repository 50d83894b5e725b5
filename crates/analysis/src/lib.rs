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
//! That locks were taken in one order says little of the next run. So potential deadlocks, recursive reads and inconsistent
//! locking are judged by all of the above *but* locks (the firm clock, see `locking/moment.rs`): two strands can be somewhere
//! at once if neither comes after the other by that, and no lock that both hold keeps them apart.
//!
//! Runs (processes) are analysed together. Each has its own tasks, locks, numbers of strands and variables; but a variable
//! whose name begins with `shared:`, such as a row of a database, is the same one in all of them.
//!
//! # What is guaranteed
//!
//! Of a record without holes, and of all that happened: each data race reported is a pair of accesses that conflict and
//! that nothing recorded orders; and each variable with such a pair has a finding, unless [`Summary::variables_bounded`] counts it. Not each
//! *pair* is found: per variable the last accesses of each strand are kept (see `variable.rs`), after FastTrack
//! (Flanagan & Freund, 2009). So too with lost updates, except that values which contradict the loss acquit a pair; one
//! that is called confirmed did happen, if values were recorded as they were. Where only counting proves it, some of
//! the updates from one value are lost, and [`Finding::lost_at_least`] says how many; the pair shown need not be among
//! them. A finding's count is that of the pairs that were found; the same finding in several runs of a service is told
//! once. A hole in the record can hide races, and can hide the synchronisation that would have ordered two accesses: a
//! finding that a hole could overturn says so in [`Finding::incomplete`].
//!
//! What was not recorded leaves no hole, but the batches tell of it, and nothing that it could overturn is confirmed:
//!
//! - *Contexts that are not sampled.* One of them may have written a variable, so values prove nothing. It may have carried
//!   order, too: taken a lock or a message from one strand, and been joined by another, or run within it. Most such paths
//!   leave a trace where they end, a number left out or a half without its other half. Joining one does not, since it has
//!   no steps that could be waited for. So each finding of the run says that it is incomplete, data races included.
//! - *Kinds of events that were off* for some or all of a run. Any kind that orders events may be what ordered two
//!   accesses, at whatever moment, for the record does not say when it was off; each finding of the run then says which
//!   kinds those are. Without some of the accesses, values prove nothing, and a lost update may not be one: the strand may
//!   have read again. Of data races, that says nothing. Kinds that no finding rests on, such as function calls, may be off
//!   as they please.
//! - Doubt goes on with the synchronisation that is known, from service to service. A service that had no part in what
//!   came before two accesses casts none on them. See `partial.rs`.
//!
//! [`Summary::unsampled`] and [`Summary::kinds_off`] tell of both. Numbers of a lock that are left out tell, too, of strands
//! that take part and do not record (see `locks.rs`), whatever the batches say: then nothing is called confirmed by its
//! values.
//!
//! Some things cannot be seen missing. A run or a strand that took a call, and of which no event arrived, looks like one
//! that does not record, unless a run says that it was off: most calls are to or from such. A lock that records into
//! another client, or none, looks like one that is not tracked. Numbers left out of a channel, a signal or a tracked atomic
//! tell as those of a lock do; who else met at a barrier, where several releases share a number, the record does not tell.
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
//! `edges` (what each comes after), `numbered`, `objects`, `signals`, `atomics` and `overwrites` (what messages, signals and
//! atomics order, and what is lost of atomics), `steps` and `links` (how that is told while strands go on), `resolve` (the first look), `clock` (vector clocks), `locks` and `schedule` (who may go
//! on), `engine` (from the first event to the last), `detect` (what it does at an access), `variable` and `update` (the two detectors), `evidence` and `tally` (what values prove, of a pair and by
//! counting), `hole` and `partial` (what is in doubt), `collect`, `explain`, `loss`, `report` and `text` (findings out);
//! `locking` (what is wrong with locks, and what they cost: a map of its own). `traces`
//! tells who took part in each trace, `views` counts what is in a record.
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
mod handover;
mod hole;
mod intern;
mod links;
mod locking;
mod locks;
mod lockset;
mod log;
mod loss;
mod numbered;
mod objects;
mod overwrites;
mod partial;
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
mod views;

pub use analyzer::Analyzer;
pub use locking::{Discipline, LockOrder, LockReport, LockSite, LockWaiter, Place, Times, TimesBucket};
pub use report::{AccessInfo, AccessKind, Confidence, Finding, FindingKind, Hole, Report, Summary};
pub use traces::{Missing, Orphan, Trace, TraceCall, TraceStrand};
pub use views::{Census, ServiceCalls, ServiceTally, TraceTally, VariableTally, service_calls};
