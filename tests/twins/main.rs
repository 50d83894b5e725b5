//! One program, compiled with the feature `tracked` and without it: the same source, the same behaviour. What differs is
//! whether anything is recorded, and what the types are made of (`off`).
//!
//! ```text
//! cargo test --test twins
//! cargo test --test twins --no-default-features
//! cargo test --test twins --no-default-features --features parking_lot,tokio
//! ```

mod client;
#[cfg(not(feature = "tracked"))]
mod off;
#[cfg(feature = "parking_lot")]
#[path = "../parking_lot/same.rs"]
mod parking_lot_locks;
mod std_sync;
mod std_thread;
#[cfg(feature = "tokio")]
mod tokio_tasks;

#[cfg(feature = "parking_lot")]
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether this build records.
const TRACKED: bool = cfg!(feature = "tracked");

/// What `parking_lot_locks` does one test at a time.
#[cfg(feature = "parking_lot")]
fn turn() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}
