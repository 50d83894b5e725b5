//! Contexts: which line of execution, of which request, an event belongs to.

#[cfg(feature = "tracked")]
mod branch;
mod current;
mod future;
#[cfg(feature = "tracing")]
mod kin;
mod stack;
mod strand;
#[cfg(all(feature = "tokio", feature = "tracked"))]
mod task;

#[cfg(feature = "tracked")]
pub(crate) use branch::{Awaited, Branch};
pub use current::Current;
pub(crate) use current::fork_here;
pub use future::{InContext, WithContext};
#[cfg(feature = "tracing")]
pub(crate) use kin::{Kin, Moment};
pub(crate) use stack::announce;

use crate::propagation::{Origin, SpanId, TraceId};
use crate::recorder::Recorder;
use crate::ring::stay::Edge;
use crate::value::{Name, NameRepr};
use std::borrow::Cow;
use std::panic::Location;
use strand::Strand;
use trackside_wire::{Kind, ThreadId};

/// One line of execution inside a trace: what a goroutine with its `RacewayContext` is in Raceway's Go SDK.
///
/// A request is served in a context, made from its headers by [`Client::extract`](crate::Client::extract), or anew by
/// [`Client::context`](crate::Client::context). Whatever is recorded while a context is attached to the thread belongs to
/// it: its trace, its span, and a thread id of its own, whatever thread it runs on.
///
/// - [`Context::attach`] attaches it to the calling thread, for a scope.
/// - [`InContext::in_context`] attaches it to a future, whenever and on whatever thread that is polled.
/// - [`Context::fork`] makes a context for work that goes on beside this one: a thread, a task, a job that outlives the
///   request. What was done before happens before what the fork does.
/// - [`Context::finish`] ends it, and lets whoever waited for it know that.
///
/// A context cannot be cloned, and attaching takes it: so no two threads can run as the same one at once, and the order of
/// its events is a fact. It can be sent: through a channel, say, with the job that it belongs to.
///
/// # Examples
///
/// ```
/// use trackside::{Client, Context, MemoryTransport};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
///
/// let request = client.context();
/// let trace = request.trace_id();
/// let attached = request.attach();
/// client.track_write("job.7.status", "new", "queued");
/// let job = Context::current().expect("one is attached").fork("job 7");
/// drop(attached);
///
/// std::thread::spawn({
///     let client = client.clone();
///     move || {
///         assert_eq!(job.trace_id(), trace);
///         let _attached = job.attach();
///         client.track_write("job.7.status", "queued", "done");
///     }
/// })
/// .join()
/// .ok();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a context records nothing until it is attached"]
pub struct Context(Box<Strand>);

impl Context {
    pub(crate) fn from_origin(recorder: Recorder, origin: Origin) -> Self {
        Self(Strand::root(recorder, origin))
    }

    /// The context that is attached to the calling thread: the innermost, if there are several.
    pub fn current() -> Option<Current> {
        Current::any()
    }

    /// Attaches the context to the calling thread, until the result is dropped, or [`Attached::detach`] gives the context
    /// back.
    ///
    /// What this thread did before, in the context that was attached to it or outside of any, happens before what is done
    /// now, and that before what it does afterwards.
    ///
    /// From within code that is called while an event is being recorded, such as a global allocator or a signal handler,
    /// nothing can be recorded, and nothing is attached.
    pub fn attach(mut self) -> Attached {
        self.0.progress.follow(&stack::so_far(&self.0.recorder));
        let place = match stack::push(self.0) {
            Ok(id) => Place::Stack(id),
            Err(strand) => Place::Aside(strand),
        };
        Attached { place, _not_send: std::marker::PhantomData }
    }

    /// Runs `f` with the context attached, and ends it.
    pub fn run<T>(self, f: impl FnOnce() -> T) -> T {
        let _attached = self.attach();
        f()
    }

    /// A context for work that goes on beside this one, in the same trace and span. `name` says what it is, for people.
    ///
    /// What was done so far in this context, and on the calling thread, happens before what is done in the fork. The fork
    /// is recorded as a task spawned by the calling thread.
    #[track_caller]
    pub fn fork(&mut self, name: impl Into<Cow<'static, str>>) -> Context {
        let site = Location::caller();
        let mut forked = current::spawn(self.0.fork(self.0.count()), name.into(), site);
        forked.0.progress.follow(&self.0.progress.so_far());
        forked
    }

    /// Ends the context. The result, in the hands of whoever waited for that, lets him say so: [`Finished::join`].
    pub fn finish(self) -> Finished {
        let Strand { recorder, progress, .. } = *self.0;
        Finished { recorder, number: progress.number(), steps: progress.steps(), last: progress.so_far() }
    }

    /// The trace it belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.0.shared.trace
    }

    /// Its span, if it belongs to a request.
    pub fn span_id(&self) -> Option<SpanId> {
        self.0.shared.span
    }

    /// The span of the caller, if there is one and it has said so.
    pub fn upstream_span_id(&self) -> Option<SpanId> {
        self.0.shared.upstream
    }

    /// The id under which its events are shown as those of one thread.
    pub fn thread_id(&self) -> ThreadId {
        self.0.thread_id()
    }

    /// Whether its events are recorded. If not, only errors are.
    pub fn is_sampled(&self) -> bool {
        self.0.shared.sampled
    }

    /// What it is called in reports: the name given to [`Context::fork`], or by this.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.rename(name.into());
        self
    }
}

/// Detaches its context from the thread when it is dropped, which ends the context. Made by [`Context::attach`].
///
/// Guards may be dropped in any order: the innermost context that is left is the current one.
#[derive(Debug)]
#[must_use = "the context is detached when this is dropped"]
pub struct Attached {
    place: Place,
    /// It is this thread's stack that the context is on.
    _not_send: std::marker::PhantomData<*const ()>,
}

#[derive(Debug)]
enum Place {
    Stack(stack::Id),
    /// It could not be attached.
    Aside(Box<Strand>),
    Nowhere,
}

impl Attached {
    /// Detaches the context from this thread, to be attached to another, or ended by [`Context::finish`].
    ///
    /// Returns `None` from within code that is called while an event is being recorded: then the thread goes on as it is.
    pub fn detach(mut self) -> Option<Context> {
        self.take().map(Context)
    }

    fn take(&mut self) -> Option<Box<Strand>> {
        let strand = match std::mem::replace(&mut self.place, Place::Nowhere) {
            Place::Stack(id) => stack::remove(id)?,
            Place::Aside(strand) => return Some(strand),
            Place::Nowhere => return None,
        };
        stack::follow(&strand.recorder, &strand.progress.so_far());
        Some(strand)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.take();
    }
}

/// A context that has ended. Made by [`Context::finish`].
#[derive(Debug)]
pub struct Finished {
    recorder: Recorder,
    number: u64,
    /// Told with the join: who comes after a strand that recorded nothing does not miss its end.
    steps: u64,
    last: Vec<Edge>,
}

impl Finished {
    /// The calling thread has waited for the end: what was done in the context happens before what it does next. That is
    /// recorded as a task awaited.
    #[track_caller]
    pub fn join(&self) {
        self.join_at(Location::caller());
    }

    fn join_at(&self, site: &'static Location<'static>) {
        stack::follow(&self.recorder, &self.last);
        self.recorder.record(Kind::AsyncAwait, Name::NONE, self.number.into(), self.steps.into(), site);
    }
}

/// A name that is recorded with an event.
#[expect(
    clippy::ptr_arg,
    reason = "a name that lives for ever is recorded as a pointer, and only a Cow knows which does"
)]
fn recorded_name<'a>(name: &'a Cow<'static, str>) -> Name<'a> {
    match name {
        Cow::Borrowed("") => Name::NONE,
        Cow::Borrowed(name) => Name(NameRepr::Static(name)),
        Cow::Owned(name) => Name::dynamic(name),
    }
}
