//! One method for each kind of event that has no file of its own. The caller's source location is recorded by `#[track_caller]`.

use super::{Client, Task, TaskGuard};
use crate::operation;
use crate::value::{Name, Value};
use std::panic::Location;
use std::time::Duration;
use trackside_wire::{Access, Kind};

/// Tracking: each method records one event and returns at once.
///
/// On a thread's first event, a ring is set up for it, which allocates. From then on, recording never allocates, locks
/// or waits (unless [`crate::Overflow::Block`] was asked for). If the event cannot be recorded, it is counted under the
/// reason: see [`crate::Lost`].
impl Client {
    /// A read or write of a shared variable: the value before it, and the value after it.
    ///
    /// For a read, `old` is usually [`Value::NIL`] and `new` the value that was read.
    ///
    /// Call it right after the access it describes, and within the critical section if there is one.
    ///
    /// A variable belongs to its process: what another process calls by the same name is another one. Only a name that
    /// begins with `shared:` stands for the same thing in all processes, such as a row of a database, or a file. For a
    /// variable that is accessed at many places, see [`crate::Variable`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Access, Client, MemoryTransport, Value};
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// client.track_state_change("counter", Value::NIL, 5, Access::Read);
    /// client.track_state_change("counter", 5, 6, Access::Write);
    /// let name = format!("accounts.{}.balance", "alice");
    /// client.track_state_change(&name, 100, 50, Access::AtomicRmw);
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[inline(always)]
    #[track_caller]
    pub fn track_state_change<'a>(
        &self,
        variable: impl Into<Name<'a>>,
        old: impl Into<Value<'a>>,
        new: impl Into<Value<'a>>,
        access: Access,
    ) {
        self.recorder.record(access.kind(), variable.into(), old.into(), new.into(), Location::caller());
    }

    /// A plain read of a shared variable: [`Client::track_state_change`] in short.
    #[inline(always)]
    #[track_caller]
    pub fn track_read<'a>(&self, variable: impl Into<Name<'a>>, value: impl Into<Value<'a>>) {
        self.recorder.record(Kind::Read, variable.into(), Value::NIL, value.into(), Location::caller());
    }

    /// A plain write of a shared variable: [`Client::track_state_change`] in short.
    #[inline(always)]
    #[track_caller]
    pub fn track_write<'a>(&self, variable: impl Into<Name<'a>>, old: impl Into<Value<'a>>, new: impl Into<Value<'a>>) {
        self.recorder.record(Kind::Write, variable.into(), old.into(), new.into(), Location::caller());
    }

    /// An HTTP request, received or about to be sent. Do not pass headers that hold secrets.
    #[inline]
    #[track_caller]
    pub fn track_http_request<'a>(
        &self,
        method: impl Into<Name<'a>>,
        url: &'a str,
        headers: impl Into<Value<'a>>,
        body: impl Into<Value<'a>>,
    ) {
        let parts = [headers.into(), body.into()];
        self.recorder.record_parts(Kind::HttpRequest, method.into(), url.into(), &parts, Location::caller());
    }

    /// An HTTP response, and how long it took.
    #[inline]
    #[track_caller]
    pub fn track_http_response<'a>(
        &self,
        status: u16,
        headers: impl Into<Value<'a>>,
        body: impl Into<Value<'a>>,
        duration: Duration,
    ) {
        let parts = [headers.into(), body.into(), nanos(duration).into()];
        self.recorder.record_parts(Kind::HttpResponse, Name::NONE, status.into(), &parts, Location::caller());
    }

    /// A task is about to be started: a thread, a job, a future. What this strand did before happens before what the
    /// task does.
    #[inline]
    #[track_caller]
    pub fn track_async_spawn<'a>(&self, name: impl Into<Name<'a>>) -> Task {
        let task = Task::new(self.recorder.next_number());
        self.recorder.record(Kind::AsyncSpawn, name.into(), task.id().into(), Value::NIL, Location::caller());
        task
    }

    /// The task begins on this thread, and ends when the guard is dropped.
    #[inline]
    #[track_caller]
    pub fn enter(&self, task: Task) -> TaskGuard<'_> {
        TaskGuard::new(self, task, Location::caller())
    }

    /// The task has been waited for, and has ended. What it did happens before what this strand does next.
    #[inline]
    #[track_caller]
    pub fn track_async_await(&self, task: Task) {
        self.recorder.record(Kind::AsyncAwait, Name::NONE, task.id().into(), Value::NIL, Location::caller());
    }

    /// Something was put into a queue: a channel, a list of jobs, a message broker. Call it right before, so that nobody
    /// takes out what was not yet recorded as put in.
    ///
    /// A queue is safe to be used by many at once, so this is recorded as an atomic read-modify-write of a variable
    /// called `queue`, from nothing to `item`: it never races. It also tells the analysis that a message may have been
    /// passed here. It does not tell which one: what is to be known of the order between who put it in and who takes it
    /// out is told by a [`Task`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// let (jobs, todo) = std::sync::mpsc::channel();
    /// client.track_enqueue("jobs", 17);
    /// jobs.send(17)?;
    ///
    /// let job = todo.recv()?;
    /// client.track_dequeue("jobs", job);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn track_enqueue<'a>(&self, queue: impl Into<Name<'a>>, item: impl Into<Value<'a>>) {
        self.recorder.record(Kind::AtomicRmw, queue.into(), Value::NIL, item.into(), Location::caller());
    }

    /// Something was taken out of a queue: call it right after. See [`Client::track_enqueue`].
    #[inline]
    #[track_caller]
    pub fn track_dequeue<'a>(&self, queue: impl Into<Name<'a>>, item: impl Into<Value<'a>>) {
        self.recorder.record(Kind::AtomicRmw, queue.into(), item.into(), Value::NIL, Location::caller());
    }

    /// A memory fence.
    #[inline]
    #[track_caller]
    pub fn track_memory_fence(&self, ordering: std::sync::atomic::Ordering) {
        let ordering = operation::name(ordering).into();
        self.recorder.record(Kind::MemoryFence, Name::NONE, ordering, Value::NIL, Location::caller());
    }

    /// A database query, and how long it took. Do not pass a query that holds secrets.
    #[inline]
    #[track_caller]
    pub fn track_database_query<'a>(&self, database: &'a str, query: &'a str, duration: Duration) {
        let parts = [database.into(), nanos(duration).into()];
        self.recorder.record_parts(Kind::DatabaseQuery, Name::NONE, query.into(), &parts, Location::caller());
    }

    /// What a database query changed.
    #[inline]
    #[track_caller]
    pub fn track_database_result(&self, rows_affected: u64) {
        self.recorder.record(Kind::DatabaseResult, Name::NONE, rows_affected.into(), Value::NIL, Location::caller());
    }

    /// An event of your own.
    #[inline]
    #[track_caller]
    pub fn track_custom<'a>(&self, name: impl Into<Name<'a>>, data: impl Into<Value<'a>>) {
        self.recorder.record(Kind::Custom, name.into(), data.into(), Value::NIL, Location::caller());
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
