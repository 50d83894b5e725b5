//! `trackside export`: what was recorded as a trace that browsers' tools show, such as <https://ui.perfetto.dev>.
//!
//! A process is a run, a thread is a strand. What has a beginning and an end is a span: holds of locks, waits for them, calls,
//! requests, queries. The rest is a moment. Arrows go from what releases to what acquires: `arrows` finds their two ends,
//! `spans` the two ends of spans, `convert` knows what each event means for them, and `writer` writes.

mod arrows;
mod command;
mod convert;
mod spans;
mod writer;

pub(super) use command::Export;
