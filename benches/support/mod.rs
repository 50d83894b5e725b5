//! What the benchmarks share: a client that the benchmark drives by hand.

use std::time::Duration;
use trackside::{Builder, Client, ManualFlusher, Outcome, SealedBatch, Transport};

/// Events between two drains. Their words stay far below half a ring, so that no measured event finds the flusher woken.
pub(crate) const ROUND: u64 = 1000;

/// As long as an account's name in a real program.
pub(crate) const DYNAMIC_NAME: &str = "accounts.0123456789.balance.euro";

/// Takes every batch and looks at none: delivery is not what is measured.
#[derive(Debug)]
pub(crate) struct Nowhere;

impl Transport for Nowhere {
    fn send(&mut self, _: &SealedBatch, _: Duration) -> Outcome {
        Outcome::Delivered
    }

    fn destination(&self) -> String {
        "nowhere".into()
    }
}

/// A client without a flusher thread, so that one thread records and drains, and nothing runs beside it.
pub(crate) fn client() -> (Client, ManualFlusher) {
    client_with(|builder| builder)
}

/// As [`client`], set up as the benchmark wants.
pub(crate) fn client_with(set_up: impl FnOnce(Builder) -> Builder) -> (Client, ManualFlusher) {
    set_up(Client::builder_to(Nowhere).service("bench"))
        .flush_interval(Duration::from_secs(3600))
        .build_manual()
        .expect("the configuration is valid")
}
