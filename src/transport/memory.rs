use super::{Outcome, SealedBatch, Transport};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A transport that keeps what it is sent, and fails on demand: for tests.
///
/// Clones share one store, so a test keeps one clone and gives the other away.
#[derive(Debug, Clone, Default)]
pub struct MemoryTransport {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    stored: Vec<SealedBatch>,
    script: VecDeque<Scripted>,
    attempts: u64,
}

#[derive(Debug)]
struct Scripted {
    outcome: Outcome,
    store: bool,
}

impl MemoryTransport {
    /// An empty store that takes every batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an attempt to the script: it stores the batch only if `outcome` is [`Outcome::Delivered`]. Once the script
    /// has run out, every batch is stored and delivered.
    pub fn then(&self, outcome: Outcome) {
        let store = outcome == Outcome::Delivered;
        self.lock().script.push_back(Scripted { outcome, store });
    }

    /// Adds an attempt to the script that stores the batch and then ends with `outcome`: an acknowledgement that got
    /// lost on its way.
    pub fn then_store_and(&self, outcome: Outcome) {
        self.lock().script.push_back(Scripted { outcome, store: true });
    }

    /// The batches stored so far, in the order they came; one that was stored twice is there twice.
    pub fn batches(&self) -> Vec<SealedBatch> {
        self.lock().stored.clone()
    }

    /// Takes the batches stored so far out.
    pub fn take_batches(&self) -> Vec<SealedBatch> {
        std::mem::take(&mut self.lock().stored)
    }

    /// How many attempts were made, failed ones included.
    pub fn attempts(&self) -> u64 {
        self.lock().attempts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of ours panics while it holds the lock, so a poisoned state is still a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for MemoryTransport {
    fn send(&mut self, batch: &SealedBatch, _timeout: Duration) -> Outcome {
        let mut state = self.lock();
        state.attempts += 1;
        let next = state.script.pop_front().unwrap_or(Scripted { outcome: Outcome::Delivered, store: true });
        if next.store {
            state.stored.push(batch.clone());
        }
        next.outcome
    }

    fn destination(&self) -> String {
        "memory".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Cause;
    use crate::transport::testing::batch;

    #[test]
    fn a_script_runs_once_and_then_everything_is_stored() {
        let handle = MemoryTransport::new();
        let mut transport = handle.clone();
        let failure = Outcome::Retry { after: None, cause: Cause::new("no") };
        handle.then(failure.clone());
        handle.then_store_and(failure.clone());
        let batch = batch(7, 3);
        assert_eq!(transport.send(&batch, Duration::ZERO), failure);
        assert_eq!(handle.batches().len(), 0);
        assert_eq!(transport.send(&batch, Duration::ZERO), failure);
        assert_eq!(transport.send(&batch, Duration::ZERO), Outcome::Delivered);
        assert_eq!(handle.take_batches().len(), 2);
        assert_eq!(handle.attempts(), 3);
        assert!(handle.batches().is_empty());
    }
}
