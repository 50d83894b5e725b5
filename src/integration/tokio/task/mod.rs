//! [`tokio::task`], with spawns and joins that are recorded (feature `tokio`): change the `use`, and what the program does
//! with tasks is known to the analysis.
//!
//! What spawns a task happens before what the task does, and that before what is done by whoever awaits its handle. A
//! task runs in a fork of the context of whoever spawns it (see [`Context::fork`](crate::Context::fork)), of whatever
//! client; outside of any context, in one of the background trace of the client that tracked locks record into (see
//! [`Builder::record_locks`](crate::Builder::record_locks)). It stays in it on whatever worker it is polled, and also
//! while it is dropped, when it is aborted. Where there is neither context nor such a client, these are tokio's tasks and
//! nothing more.
//!
//! Other executors' tasks, and those spawned by a `Handle` of tokio's, get their context by hand:
//! [`InContext::in_context`](crate::InContext::in_context).
//!
//! Without the feature `tracked` these are tokio's, and contexts do not go along with a spawn.
//!
//! # Examples
//!
//! ```
//! use trackside::tokio::task;
//! use trackside::{Client, MemoryTransport};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
//! let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! runtime.block_on(async {
//!     client.track_write("total", 0, 1);
//!     let recorder = client.clone();
//!     let deposit = task::spawn(async move { recorder.track_write("total", 1, 2) });
//!     deposit.await.expect("it does not panic");
//!     // No race: each write knows of the one before.
//!     client.track_write("total", 2, 3);
//! });
//! # Ok(())
//! # }
//! ```

mod join_set;

pub use join_set::JoinSet;
pub use tokio::task::{
    AbortHandle, Id, JoinError, LocalEnterGuard, LocalKey, LocalSet, Unconstrained, consume_budget, coop, futures, id,
    try_id, unconstrained, yield_now,
};

use crate::context::{Awaited, Branch};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// As [`tokio::task::spawn`].
///
/// # Panics
/// Outside of a tokio runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let site = Location::caller();
    let (branch, awaited) = Branch::here(TASK, site);
    JoinHandle { task: tokio::task::spawn(branch.run_future(future)), awaited, site }
}

/// As [`tokio::task::spawn_local`].
///
/// # Panics
/// Outside of a [`LocalSet`] or a local runtime.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let site = Location::caller();
    let (branch, awaited) = Branch::here(TASK, site);
    JoinHandle { task: tokio::task::spawn_local(branch.run_future(future)), awaited, site }
}

/// As [`tokio::task::spawn_blocking`].
///
/// # Panics
/// Outside of a tokio runtime.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let site = Location::caller();
    let (branch, awaited) = Branch::here(BLOCKING, site);
    JoinHandle { task: tokio::task::spawn_blocking(move || branch.run_job(f)), awaited, site }
}

/// What the forks of tasks are called.
const TASK: &str = "task";
const BLOCKING: &str = "blocking task";

/// As [`tokio::task::JoinHandle`]. Made by [`spawn`], [`spawn_local`] and [`spawn_blocking`].
///
/// Once it is ready, all that the task did happens before what is done next in the context that awaited it, which is
/// recorded as a task awaited, at the place where it was spawned: a future does not get to know where it is awaited.
#[derive(Debug)]
pub struct JoinHandle<T> {
    task: tokio::task::JoinHandle<T>,
    awaited: Awaited,
    site: &'static Location<'static>,
}

impl<T> JoinHandle<T> {
    /// Aborts the task: see [`tokio::task::JoinHandle::abort`].
    pub fn abort(&self) {
        self.task.abort();
    }

    /// To abort it by, without the right to await it.
    pub fn abort_handle(&self) -> AbortHandle {
        self.task.abort_handle()
    }

    /// Whether the task has come to its end. That orders nothing: await the handle.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.task.id()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.task).poll(context);
        if polled.is_ready() {
            self.awaited.join(self.site);
        }
        polled
    }
}
