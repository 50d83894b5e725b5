//! One method for each kind of event. The caller's source location is recorded by `#[track_caller]`.

use super::{Client, Task, TaskGuard};
use crate::clock;
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

    /// A call of a function, without its duration. For the duration, see [`Client::start_function`].
    #[inline]
    #[track_caller]
    pub fn track_function_call<'a>(&self, function: impl Into<Name<'a>>, module: &'a str, args: impl Into<Value<'a>>) {
        self.recorder.record(Kind::FunctionCall, function.into(), module.into(), args.into(), Location::caller());
    }

    /// A return from a function, with what it returned.
    #[inline]
    #[track_caller]
    pub fn track_function_return<'a>(&self, function: impl Into<Name<'a>>, value: impl Into<Value<'a>>) {
        self.recorder.record(Kind::FunctionReturn, function.into(), value.into(), Value::NIL, Location::caller());
    }

    /// A call of a function, and its return with the duration when the guard is dropped, be it by a panic.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport, Value};
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// fn transfer(client: &Client, amount: u64) {
    ///     let _function = client.start_function("transfer", amount);
    ///     // ...
    /// }
    /// # transfer(&client, 5);
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn start_function<'a>(
        &'a self,
        function: impl Into<Name<'a>>,
        args: impl Into<Value<'a>>,
    ) -> FunctionGuard<'a> {
        let (function, site) = (function.into(), Location::caller());
        self.recorder.record(Kind::FunctionCall, function, Value::NIL, args.into(), site);
        FunctionGuard { client: self, function, site, started: clock::ticks() }
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

    /// A lock of any kind was acquired: call it right after. `lock_type` is "Mutex", "RwLock-Read", "RwLock-Write", or
    /// what you like.
    ///
    /// A lock tracked by hand protects what is accessed under it, but tells nothing about order beyond: for that, use
    /// [`crate::TrackedMutex`].
    #[inline]
    #[track_caller]
    pub fn track_lock_acquire<'a>(&self, lock: impl Into<Name<'a>>, lock_type: &'a str) {
        let parts = [Value::NIL, lock_type.into()];
        self.recorder.record_parts(Kind::LockAcquire, lock.into(), Value::NIL, &parts, Location::caller());
    }

    /// A lock of any kind is about to be released: call it right before.
    #[inline]
    #[track_caller]
    pub fn track_lock_release<'a>(&self, lock: impl Into<Name<'a>>, lock_type: &'a str) {
        let parts = [Value::NIL, lock_type.into()];
        self.recorder.record_parts(Kind::LockRelease, lock.into(), Value::NIL, &parts, Location::caller());
    }

    /// A memory fence.
    #[inline]
    #[track_caller]
    pub fn track_memory_fence(&self, ordering: std::sync::atomic::Ordering) {
        use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
        let ordering = match ordering {
            Relaxed => "Relaxed",
            Acquire => "Acquire",
            Release => "Release",
            AcqRel => "AcqRel",
            _ => "SeqCst",
        };
        self.recorder.record(Kind::MemoryFence, Name::NONE, ordering.into(), Value::NIL, Location::caller());
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

/// Records the return of a function when it is dropped. Made by [`Client::start_function`].
#[derive(Debug)]
#[must_use = "the function's return is recorded when this is dropped"]
pub struct FunctionGuard<'a> {
    client: &'a Client,
    function: Name<'a>,
    site: &'static Location<'static>,
    started: u64,
}

impl Drop for FunctionGuard<'_> {
    fn drop(&mut self) {
        let duration = clock::elapsed_ns(self.started);
        self.client.recorder.record(Kind::FunctionReturn, self.function, Value::NIL, duration.into(), self.site);
    }
}
