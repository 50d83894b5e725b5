//! What most tests need: a client that reports to memory, and its batches read back.

#[cfg(target_os = "linux")]
pub(crate) mod blocked;
pub(crate) mod events;
pub(crate) mod order;
pub(crate) mod stock;

pub(crate) use events::{Seen, events};
use std::time::Duration;
use trackside::{Builder, Client, MemoryTransport, Stats};

/// Far more than anything here takes: a bound on hanging, not an expectation.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// `full` in an optimised build, `quick` in a debug build, whose runs are to stay short.
pub(crate) const fn scaled(full: u64, quick: u64) -> u64 {
    if cfg!(debug_assertions) { quick } else { full }
}

/// A builder for `memory` that leaves tracked locks to others.
pub(crate) fn builder(memory: &MemoryTransport) -> Builder {
    Client::builder_to(memory.clone()).service("it").record_locks(false)
}

/// A client that reports to memory, and the memory.
pub(crate) fn client() -> (Client, MemoryTransport) {
    let memory = MemoryTransport::new();
    let client = builder(&memory).build().expect("a valid configuration");
    (client, memory)
}

/// Asserts what the books promise at every moment.
#[track_caller]
pub(crate) fn assert_balanced(stats: &Stats) {
    assert_eq!(stats.recorded, stats.delivered + stats.pending + stats.lost.total(), "{stats}");
    assert_eq!(stats.lost.malformed, 0, "{stats}");
}

/// Waits for something that has no handle to wait on, without a hurry, and gives up after [`LONG`].
#[track_caller]
pub(crate) fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "still not: {what}");
        std::thread::yield_now();
    }
}
