//! The JSON of the stock Raceway SDKs, made into native batches: what is stored, and what is analysed, is one format.
//!
//! # What becomes of an event
//!
//! | in the JSON | in the batch |
//! |---|---|
//! | service, instance, environment and process id | a *run*; its number is a hash of the four |
//! | `thread_id`, with `trace_id` and span | a *strand*; threads that serve several requests have one for each |
//! | `id` | the event's number in its run, a hash; so an event that comes twice is the same one, whenever that is |
//! | `LockAcquire`, `LockRelease` | themselves; the lock is known by its name, and exclusion is what it gives |
//! | `lock_set` | where it names a lock that no event of the strand acquired: an acquisition, and a release once it is gone |
//! | `location` | a place; one without a line has line 0 |
//!
//! # What happens before what
//!
//! - *Thread ids.* What one thread did, it did in the order in which it arrived; within one request, in the order of the
//!   clock's own component, if that says otherwise.
//! - *Parents.* An event comes after its parent, if that is known: it came before, in this process.
//! - *Clocks.* The stock SDKs count the events and calls of one *context* in the component of its process, starting anew with
//!   each context. So of two contexts of one process, clocks that compare say nothing, and they are not compared. What they
//!   do say: a context that began with headers has in its clock how far its caller had come. That, found by trace and span,
//!   orders it behind what the caller did before the call, and not behind what it did after: see [`calls`].
//! - *Locks* order nothing, since acquisitions are not numbered; they exclude.
//!
//! The stock SDKs cannot record messages, signals, and which strand a task is; the batch says so, as it does of kinds that
//! were switched off, and findings that could be overturned by that say it too.
//!
//! Events of our own SDK, which speaks JSON to whoever does not take batches, are recognised by their ids, and get back
//! whatever the JSON still has of what they were: see [`own`].
//!
//! # What has to be remembered
//!
//! Steps count on from one request to the next, and parents are looked up. This is kept within bounds
//! ([`Remembered`](remembered::Remembered)), and changes only when a batch is stored. After a start it is read from what
//! is stored, run by run, when an event of the run comes.
//!
//! Known limits: a process that is started again with the same instance, environment and process id is taken for the same
//! one. A thread that was silent while tens of thousands of others came is taken for a new one. Requests of one process
//! that overtake each other are ordered as they arrive.

mod batch;
mod calls;
mod convert;
mod hash;
mod lines;
mod making;
mod own;
mod recover;
mod remembered;
mod row;
mod schema;
mod text;
mod value;

pub(crate) use convert::Converter;
pub(crate) use schema::Posted;
