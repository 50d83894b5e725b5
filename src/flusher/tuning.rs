use crate::ring::sync::Arc;
use arc_swap::ArcSwap;
use std::time::Duration;

/// What the flusher goes by and may be changed while it runs: a whole one takes the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tuning {
    pub(crate) flush_interval: Duration,
    pub(crate) batch_events: usize,
    pub(crate) batch_bytes: usize,
    /// Whether each submission is told of.
    pub(crate) debug: bool,
    /// How many keys there were before the one in force: another number says that there is another key.
    pub(crate) keys: u64,
}

/// Shared between whoever changes it and the flusher, which looks at each step.
pub(crate) type SharedTuning = Arc<ArcSwap<Tuning>>;
