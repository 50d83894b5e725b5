//! What is wrong with locks, and what they cost.
//!
//! In reading order: `moment` (order that owes nothing to locks, and examples of things that happened often), `watch` (what
//! the engine lets this see), `orders` (which lock was asked for while which was held), `groups` and `cycles` (where that
//! goes round), `discipline` (which lock protects a variable, and who forgot it), `awaits` (what tasks hold while they wait), `contention` (who waited for whom), `stuck` (who waits for ever),
//! `findings`, `label` and `words` (from numbers to words), `report` (what users see), `text` and `costs` (how they see it).

mod awaits;
mod contention;
mod costs;
mod cycles;
mod discipline;
mod findings;
mod groups;
mod label;
mod moment;
mod orders;
mod report;
mod stuck;
mod text;
mod watch;
mod words;

pub(crate) use costs::write_locks;
pub(crate) use moment::{Firm, Here};
pub use report::{Discipline, LockOrder, LockReport, LockSite, LockWaiter, Place, Times, TimesBucket};
pub(crate) use text::write_lock_finding;
pub(crate) use watch::Watch;
