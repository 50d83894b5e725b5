//! Functions: their calls and returns, by hand, by a guard, or around a closure or future.

use super::Client;
use crate::clock;
use crate::recorder::{Recorder, TRACKED};
use crate::value::{Name, Value};
use pin_project_lite::pin_project;
use std::borrow::Borrow;
use std::panic::Location;
use std::pin::Pin;
use std::task::{self, Poll};
use trackside_wire::Kind;

/// What stands for the value returned where a function ended without returning.
const PANICKED: &str = "<panicked>";
/// The same for a future that was dropped before it was done.
const DROPPED: &str = "<dropped>";

/// Tracking functions. Most need none of this: what tells races are accesses and locks.
impl Client {
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

    /// A call of a function, and its return with the duration when the guard is dropped.
    ///
    /// If it is dropped by a panic, the text `<panicked>` is recorded as the value returned. For a value that really is
    /// returned, see [`FunctionGuard::returns`].
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
        let unwinding = std::thread::panicking();
        FunctionGuard { call: Call::begin(&self.recorder, function.into(), args.into(), Location::caller()), unwinding }
    }

    /// Calls `body`, and records the call before, and the return with the duration after. Returns what `body` returns.
    ///
    /// If `body` panics, the panic goes on to the caller, and the text `<panicked>` is recorded as the value returned.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// let receipt = client.track_function("process_payment", 50, || format!("paid {}", 50));
    /// assert_eq!(receipt, "paid 50");
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn track_function<'a, T>(
        &self,
        function: impl Into<Name<'a>>,
        args: impl Into<Value<'a>>,
        body: impl FnOnce() -> T,
    ) -> T {
        let mut call = Call::begin(&self.recorder, function.into(), args.into(), Location::caller());
        call.otherwise = Some(PANICKED);
        let returned = body();
        call.otherwise = None;
        returned
    }

    /// Wraps `future`: records the call when it is first polled, and the return when it is
    /// done, with the duration from the one to the other, whatever it waited for meanwhile.
    ///
    /// If it is dropped after it was begun and before it is done, the return is recorded with the text `<dropped>` as the
    /// value returned; if it panics, with `<panicked>`. If it is never polled, nothing is recorded.
    ///
    /// It needs no allocation, and can be sent to another thread if `future` can. It may outlive the client: what is
    /// recorded then is counted as lost, `after_shutdown`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// async fn reserve(client: &Client, order: u64) -> bool {
    ///     client.track_future("reserve", order, async { order < 100 }).await
    /// }
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # assert!(runtime.block_on(reserve(&client, 17)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn track_future<'a, F: Future>(
        &self,
        function: impl Into<Name<'a>>,
        args: impl Into<Value<'a>>,
        future: F,
    ) -> TrackedFuture<'a, F> {
        // No client: a future that waits for ever must not keep it from being shut down.
        let recorder = self.recorder.clone();
        let stage = Stage::New { recorder, function: function.into(), args: args.into(), site: Location::caller() };
        TrackedFuture { future, stage }
    }
}

pin_project! {
    /// A future that records when it is begun and when it ends. Made by [`Client::track_future`].
    #[must_use = "futures do nothing unless you await or poll them"]
    #[derive(Debug)]
    pub struct TrackedFuture<'a, F> {
        #[pin]
        future: F,
        // Dropped after the future, what it records when it is dropped included.
        stage: Stage<'a>,
    }
}

#[derive(Debug)]
enum Stage<'a> {
    New { recorder: Recorder, function: Name<'a>, args: Value<'a>, site: &'static Location<'static> },
    Running(Call<'a, Recorder>),
    Done,
}

impl<F: Future> Future for TrackedFuture<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Stage::New { .. } = this.stage
            && let Stage::New { recorder, function, args, site } = std::mem::replace(this.stage, Stage::Done)
        {
            *this.stage = Stage::Running(Call::begin(recorder, function, args, site));
        }
        this.stage.otherwise(Some(PANICKED));
        let polled = this.future.poll(context);
        this.stage.otherwise(Some(DROPPED));
        if polled.is_ready() {
            this.stage.otherwise(None);
            *this.stage = Stage::Done;
        }
        polled
    }
}

impl Stage<'_> {
    fn otherwise(&mut self, value: Option<&'static str>) {
        if let Stage::Running(call) = self {
            call.otherwise = value;
        }
    }
}

/// Records the return of a function when it is dropped. Made by [`Client::start_function`].
#[derive(Debug)]
#[must_use = "the function's return is recorded when this is dropped"]
pub struct FunctionGuard<'a> {
    call: Call<'a, &'a Recorder>,
    /// Whether the thread was panicking already.
    unwinding: bool,
}

impl FunctionGuard<'_> {
    /// Records the return now, with the value that the function returns.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// fn fee(client: &Client, amount: u64) -> u64 {
    ///     let function = client.start_function("fee", amount);
    ///     let fee = amount / 100;
    ///     function.returns(fee);
    ///     fee
    /// }
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// # assert_eq!(fee(&client, 500), 5);
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[inline]
    pub fn returns<'v>(mut self, value: impl Into<Value<'v>>) {
        self.call.end(value.into());
    }
}

impl Drop for FunctionGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if std::thread::panicking() && !self.unwinding {
            self.call.otherwise = Some(PANICKED);
        }
    }
}

/// A call that was recorded, and whose return is not.
#[derive(Debug)]
struct Call<'a, R: Borrow<Recorder>> {
    recorder: R,
    function: Name<'a>,
    site: &'static Location<'static>,
    started: u64,
    /// What is recorded as the value returned when this is dropped.
    otherwise: Option<&'static str>,
    ended: bool,
}

impl<'a, R: Borrow<Recorder>> Call<'a, R> {
    #[inline]
    fn begin(recorder: R, function: Name<'a>, args: Value<'a>, site: &'static Location<'static>) -> Self {
        recorder.borrow().record(Kind::FunctionCall, function, Value::NIL, args, site);
        Self {
            recorder,
            function,
            site,
            started: if TRACKED { clock::ticks() } else { 0 },
            otherwise: None,
            ended: false,
        }
    }

    #[inline]
    fn end(&mut self, value: Value<'_>) {
        let duration = if TRACKED { clock::elapsed_ns(self.started) } else { 0 };
        self.recorder.borrow().record(Kind::FunctionReturn, self.function, value, duration.into(), self.site);
        // After it: should a value panic while it is serialised, the return is still to be recorded.
        self.ended = true;
    }
}

impl<R: Borrow<Recorder>> Drop for Call<'_, R> {
    #[inline]
    fn drop(&mut self) {
        if !self.ended {
            self.end(self.otherwise.into());
        }
    }
}
