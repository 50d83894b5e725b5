//! What the page shows of what is stored.
//!
//! A *snapshot* is one analysis of all that is stored and what else is read off the batches on the way: when each trace
//! was, and which locks are taken under which. It is made in the background, one at a time, and kept until there is a newer
//! one: so the page shows something at once, and says how old it is. What is only looked at one by one (the events around a
//! finding, the events of a trace) is read from the batches again when it is asked for.
//!
//! **Invariant:** a snapshot is bounded, whatever is stored: [`Window`] says of how many bytes of batches it is made.
//!
//! In reading order: `analyses` (when), `snapshot` (what), `survey` and `orders` (read off on the way), `id` (which finding
//! is which), `event` (one event), `timeline` and `arrows` (those around a finding), `waterfall` (those of a trace).

mod analyses;
mod arrows;
mod event;
mod id;
mod orders;
mod snapshot;
mod survey;
mod text;
mod timeline;
mod waterfall;

pub(crate) use analyses::{Analyses, Current, keep_analysing};
pub(crate) use orders::OrderEdge;
pub(crate) use snapshot::{FindingRow, Snapshot, TraceRow, Window};
pub(crate) use timeline::Timeline;
pub(crate) use waterfall::Waterfall;
