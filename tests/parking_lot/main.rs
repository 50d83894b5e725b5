//! `trackside::parking_lot` is the crate of that name in all that it promises; and what it records is what happened.

#[path = "../it/support/events.rs"]
mod events;
mod findings;
mod record;
mod same;

use events::{Seen, events};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use trackside::{Client, MemoryTransport};

/// Far more than anything here takes: a bound on hanging, not an expectation.
const LONG: Duration = Duration::from_secs(60);

/// Locks record into the client that was built last: one test at a time.
fn turn() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is recorded while `work` is done, of which nothing may be lost.
fn recorded(work: impl FnOnce(&Client)) -> MemoryTransport {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let client = Client::builder_to(memory.clone()).service("parking_lot").ring_bytes(16 << 20).build().unwrap();
    work(&client);
    let stats = client.shutdown(LONG);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    memory
}

/// As [`recorded`], event by event.
fn seen(work: impl FnOnce(&Client)) -> Vec<Seen> {
    events(&recorded(work))
}
