//! What threads do not tell by themselves: that one strand was started by another, and waited for by a third. These are
//! the edges by which the analysis knows that what happened before a spawn cannot race with what the spawned thread
//! does.

use super::Client;
use crate::value::{Name, Value};
use std::panic::Location;
use trackside_wire::Kind;

/// A piece of work that one strand starts and another one does: a thread, a job, a future.
///
/// Made by [`Client::track_async_spawn`]. The strand that does the work calls [`Client::enter`]; who waits for its end
/// calls [`Client::track_async_await`].
///
/// # Examples
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = trackside::Client::builder("http://localhost:8080").service("api").build()?;
/// let task = client.track_async_spawn("worker");
/// let worker = std::thread::spawn({
///     let client = client.clone();
///     move || {
///         let _running = client.enter(task);
///         client.track_write("jobs", 0, 1);
///     }
/// });
/// worker.join().ok();
/// client.track_async_await(task);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task(u64);

impl Task {
    pub(crate) fn new(id: u64) -> Self {
        Self(id)
    }

    /// The task's number, unique within its client's run.
    pub fn id(self) -> u64 {
        self.0
    }
}

/// While it lives, the task it was made for runs on this thread. Made by [`Client::enter`].
#[derive(Debug)]
#[must_use = "the task ends when this is dropped"]
pub struct TaskGuard<'a> {
    client: &'a Client,
    task: Task,
    site: &'static Location<'static>,
    /// A strand cannot be left on another thread than it was entered on.
    _not_send: std::marker::PhantomData<*const ()>,
}

impl<'a> TaskGuard<'a> {
    pub(crate) fn new(client: &'a Client, task: Task, site: &'static Location<'static>) -> Self {
        client.recorder.record(Kind::TaskBegin, Name::NONE, task.0.into(), Value::NIL, site);
        Self { client, task, site, _not_send: std::marker::PhantomData }
    }
}

impl Drop for TaskGuard<'_> {
    fn drop(&mut self) {
        self.client.recorder.record(Kind::TaskEnd, Name::NONE, self.task.0.into(), Value::NIL, self.site);
    }
}
