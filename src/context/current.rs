//! What the calling thread runs as now.

use super::strand::Strand;
use super::{Context, recorded_name, stack};
use crate::propagation::{Headers, Outgoing, SpanId, TraceId};
use crate::recorder::Recorder;
use crate::ring::sync::Arc;
use crate::value::{Name, Value};
use std::borrow::Cow;
use std::panic::Location;
use trackside_wire::{Kind, ThreadId};

/// The context that is attached to the calling thread, to be looked at, forked, or sent along with a call. Made by
/// [`Context::current`].
#[derive(Debug)]
pub struct Current {
    id: stack::Id,
    recorder: Recorder,
    shared: Arc<super::strand::Shared>,
    /// It tells of this thread.
    _not_send: std::marker::PhantomData<*const ()>,
}

impl Current {
    pub(super) fn any() -> Option<Self> {
        stack::with_any(|strand| Self::of(strand))
    }

    /// The innermost context of this client.
    pub(crate) fn of_client(recorder: &Recorder) -> Option<Self> {
        stack::with_innermost(recorder.pipe().key(), |strand| strand.map(|strand| Self::of(strand)))?
    }

    fn of(strand: &Strand) -> Self {
        let (recorder, shared) = (strand.recorder.clone(), strand.shared.clone());
        Self { id: strand.id(), recorder, shared, _not_send: std::marker::PhantomData }
    }

    /// The trace it belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.shared.trace
    }

    /// Its span, if it belongs to a request.
    pub fn span_id(&self) -> Option<SpanId> {
        self.shared.span
    }

    /// The span of the caller, if there is one and it has said so.
    pub fn upstream_span_id(&self) -> Option<SpanId> {
        self.shared.upstream
    }

    /// As [`Context::thread_id`].
    pub fn thread_id(&self) -> ThreadId {
        super::strand::thread_id(&self.recorder, self.id.1)
    }

    /// Whether its events are recorded. If not, only errors are.
    pub fn is_sampled(&self) -> bool {
        self.shared.sampled
    }

    /// A context for work that goes on beside this one, in the same trace and span: a thread, a task. `name` says what it
    /// is, for people.
    ///
    /// What the calling thread did so far happens before what is done in the fork. It is recorded as a task spawned here.
    #[track_caller]
    pub fn fork(&self, name: impl Into<Cow<'static, str>>) -> Context {
        self.fork_at(name.into(), Location::caller())
    }

    fn fork_at(&self, name: Cow<'static, str>, site: &'static Location<'static>) -> Context {
        let strand = |strand: &mut Strand| Strand::fork(strand, strand.count());
        let forked = stack::with_strand(self.id, strand);
        // It is not attached any more: a sibling, of which it is not known what came before.
        let forked = forked.unwrap_or_else(|| Strand::sibling(&self.recorder, &self.shared));
        spawn(forked, name, site)
    }

    /// [`Current::fork`] for work that outlives the request: what `context.WithoutCancel` is for in Go. In Rust, a fork
    /// outlives what it was forked from anyway.
    #[track_caller]
    pub fn detach(&self) -> Context {
        self.fork("detached")
    }

    /// The headers for one call to another service: `traceparent`, `raceway-clock` and, if there is one, `tracestate`.
    ///
    /// They carry a new span, which the service takes over. Call this once for each request: two services that were sent
    /// the same headers could not be told apart. It is recorded, as what happens before whatever the service then does.
    #[track_caller]
    pub fn propagation_headers(&self) -> Headers {
        self.call(Location::caller())
    }

    pub(crate) fn call(&self, site: &'static Location<'static>) -> Headers {
        let child = SpanId::random();
        let count = |strand: &mut Strand| (strand.count(), strand.clock_at(strand.count() + 1), strand.span());
        let Some((before, clock, span)) = stack::with_strand(self.id, count) else {
            // Detached meanwhile: what the strand had come to is not known here.
            let (clock, span) = (self.shared.clock.clone(), self.shared.span.unwrap_or(child));
            return self.headers(child, span, &clock);
        };
        self.recorder.record(Kind::CallSent, Name::NONE, child.as_u64().into(), Value::NIL, site);
        stack::with_strand(self.id, |strand| {
            // Each request has a count of its own, recorded or not.
            if strand.count() == before {
                strand.count_on();
            }
        });
        self.headers(child, span, &clock)
    }

    fn headers(&self, child: SpanId, span: SpanId, clock: &crate::propagation::VectorClock) -> Headers {
        Outgoing::new(self.shared.trace, span, self.recorder.instance(), clock)
            .child(child)
            .tracestate(self.shared.tracestate.as_ref())
            .sampled(self.shared.sampled)
            .headers()
    }
}

/// A strand of what the calling thread runs as for this client: a fork of its context, or, outside of any, a strand of the
/// background trace.
pub(crate) fn fork_here(recorder: &Recorder, name: Cow<'static, str>, site: &'static Location<'static>) -> Context {
    let forked =
        stack::with_innermost(recorder.pipe().key(), |strand| strand.map(|strand| strand.fork(strand.count())));
    spawn(forked.flatten().unwrap_or_else(|| Strand::background(recorder.clone())), name, site)
}

/// A strand of what the calling thread runs as: a fork of its context, of whatever client, or, outside of any, a strand of
/// the client that tracked locks record into, if there is one.
pub(super) fn fork_any(name: Cow<'static, str>, site: &'static Location<'static>) -> Option<Context> {
    match Current::any() {
        Some(current) => Some(current.fork_at(name, site)),
        None => Recorder::of_default().map(|recorder| fork_here(&recorder, name, site)),
    }
}

/// Tells that a strand is about to begin.
pub(super) fn spawn(mut forked: Box<Strand>, name: Cow<'static, str>, site: &'static Location<'static>) -> Context {
    let number = forked.progress.number();
    forked.recorder.record(Kind::AsyncSpawn, recorded_name(&name), number.into(), Value::NIL, site);
    forked.rename(name);
    forked.progress.follow(&stack::so_far(&forked.recorder));
    Context(forked)
}
