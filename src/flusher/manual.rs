use super::{Flusher, Retired};
use crate::ring::pipe::Pipe;
use crate::ring::sync::{Arc, lock};
use std::time::Instant;

/// A flusher without a thread, made by [`crate::Builder::build_manual`].
///
/// When it is dropped, the client stops: what is undelivered then is lost, and counted.
#[derive(Debug)]
pub struct ManualFlusher {
    pipe: Arc<Pipe>,
    flusher: Option<Flusher>,
    retired: Retired,
}

impl ManualFlusher {
    /// Without a flusher, nothing is ever left to be delivered.
    pub(crate) fn new(pipe: Arc<Pipe>, flusher: Option<Flusher>, retired: Retired) -> Self {
        Self { pipe, flusher, retired }
    }

    /// One round: takes everything out of the rings, seals what is due, makes at most one attempt to deliver a batch.
    /// Returns whether nothing is left to be delivered.
    pub fn step(&mut self) -> bool {
        self.flusher.as_mut().is_none_or(|flusher| flusher.step(Instant::now()).idle)
    }
}

impl Drop for ManualFlusher {
    fn drop(&mut self) {
        self.pipe.close();
        if let Some(mut flusher) = self.flusher.take() {
            flusher.give_up();
            *lock(&self.retired) = Some(flusher);
        }
        self.pipe.signal.stopped();
    }
}
