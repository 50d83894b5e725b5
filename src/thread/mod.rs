//! [`std::thread`], with spawns, joins and unparks that are recorded: change the `use`, and what the program does with threads is
//! known to the analysis.
//!
//! What spawns a thread happens before what the thread does, and that before what is done after its `join`, or after the
//! end of its scope. A thread runs in a fork of the context of whoever spawns it (see [`Context::fork`](crate::Context::fork)),
//! of whatever client; outside of any context, in one of the background trace of the client that tracked locks record
//! into (see [`Builder::record_locks`](crate::Builder::record_locks)). Where there is neither, these are std's threads and
//! nothing more. Threads behave as std's in any case, panics and errors included.
//!
//! What was done before a thread is unparked happens before what it does after the [`park`] that returns for that. It takes
//! a [`Thread`] of this module to unpark it and this module's `park` to wait; what std's own do is not recorded.
//!
//! Without the feature `tracked` this is std's module, and contexts do not go along with a spawn.
//!
//! # Examples
//!
//! ```
//! use trackside::{Client, MemoryTransport, thread};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
//! client.track_write("total", 0, 1);
//! let worker = thread::spawn({
//!     let client = client.clone();
//!     move || client.track_write("total", 1, 2)
//! });
//! worker.join().expect("it does not panic");
//! // No race: each write knows of the one before.
//! client.track_write("total", 2, 3);
//! # Ok(())
//! # }
//! ```

#![expect(clippy::disallowed_types, reason = "the types of the ring's facade, for counters; clippy sees through it")]

mod builder;
mod park;
mod scope;
#[cfg(unix)]
mod unix;

pub use crate::ring::scope::Scope;
pub use builder::Builder;
#[expect(deprecated, reason = "std has them still, and who uses them is told by std's own words")]
pub use park::park_timeout_ms;
pub use park::{Thread, current, park, park_timeout};
pub use scope::{ScopedJoinHandle, scope};
#[expect(deprecated, reason = "as above")]
pub use std::thread::sleep_ms;
pub use std::thread::{AccessError, LocalKey, Result, ThreadId, available_parallelism, panicking, sleep, yield_now};

use crate::context::{Awaited, Branch};
use park::Token;
use std::panic::Location;

/// As [`std::thread::spawn`].
///
/// # Panics
/// If the system does not create a thread: see [`Builder::spawn`].
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (branch, awaited) = Branch::here(UNNAMED, Location::caller());
    let token = Token::of_new_thread();
    let thread = std::thread::spawn(token.clone().around(move || branch.run_thread(f)));
    JoinHandle { handle: token.of(thread.thread()), thread, awaited }
}

/// What the fork of a thread without a name is called.
const UNNAMED: &str = "thread";

/// As [`std::thread::JoinHandle`]. Made by [`spawn`] and [`Builder::spawn`].
pub struct JoinHandle<T> {
    thread: std::thread::JoinHandle<T>,
    handle: Thread,
    awaited: Awaited,
}

impl<T> JoinHandle<T> {
    /// The thread's handle.
    pub fn thread(&self) -> &Thread {
        &self.handle
    }

    /// Waits for the thread's end. All that it did happens before what the calling thread does next, which is recorded as
    /// a task awaited.
    ///
    /// # Errors
    /// If the thread panicked; the error is what it panicked with.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let result = self.thread.join();
        self.awaited.join(Location::caller());
        result
    }

    /// Whether the thread has come to its end. That orders nothing: see [`JoinHandle::join`].
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

impl<T> std::fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.thread.fmt(f)
    }
}
