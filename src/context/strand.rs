//! A context's strand: what is known of it, and how far it has come.

use crate::attach::{About, pack_clock};
use crate::propagation::{Origin, SpanId, TraceId, TraceState, VectorClock};
use crate::recorder::Recorder;
use crate::ring::pipe::Background;
use crate::ring::stay::Progress;
use crate::ring::sync::Arc;
use std::borrow::Cow;
use trackside_wire::{RunId, ThreadId};

/// What all strands of one request have in common.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) trace: TraceId,
    /// None in the background trace.
    pub(super) span: Option<SpanId>,
    pub(super) upstream: Option<SpanId>,
    pub(super) tracestate: Option<TraceState>,
    pub(super) sampled: bool,
    /// What was known when the request came in.
    pub(super) clock: VectorClock,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Strand {
    pub(super) recorder: Recorder,
    pub(super) shared: Arc<Shared>,
    pub(super) name: Cow<'static, str>,
    /// Whether it is the one that took over its span from a caller.
    entry: bool,
    pub(super) progress: Progress,
    /// The count of its instance's own component in the vector clock, less the events that the strand has recorded.
    base: u64,
    /// The clock it begins with, as its announcement tells it. Made when it is first announced.
    clock: Option<Box<[u64]>>,
    /// How many guards of tasks' locks it may have, while it is not polled.
    pub(super) guards: u32,
    /// How far it had come with the last event that says that it is not polled; 0 before.
    pub(super) suspended: u64,
}

impl Strand {
    /// The first strand of a request.
    pub(super) fn root(recorder: Recorder, origin: Origin) -> Box<Self> {
        let Origin { trace, span, upstream, clock, tracestate, sampled, distributed, .. } = origin;
        let sampled = sampled.unwrap_or_else(|| distributed || recorder.samples(trace));
        if !sampled {
            recorder.count_unsampled();
        }
        let base = clock.value(recorder.instance().component());
        let shared = Shared { trace, span: Some(span), upstream, tracestate, sampled, clock };
        Self::new(recorder, Arc::new(shared), Cow::Borrowed(""), distributed, base)
    }

    /// A strand of the background trace, which is not that of a thread.
    pub(super) fn background(recorder: Recorder) -> Box<Self> {
        let identity = &recorder.pipe().identity;
        let trace = TraceId::from_u128(identity.trace).unwrap_or_else(TraceId::random);
        let sampled = recorder.pipe().background == Background::Recorded;
        let mut clock = VectorClock::new();
        clock.add(recorder.instance().component());
        let shared = Shared { trace, span: None, upstream: None, tracestate: None, sampled, clock };
        Self::new(recorder, Arc::new(shared), Cow::Borrowed(""), false, 0)
    }

    /// Another strand of a request, of which it is not known how far it has come.
    pub(super) fn sibling(recorder: &Recorder, shared: &Arc<Shared>) -> Box<Self> {
        let base = shared.clock.value(recorder.instance().component());
        Self::new(recorder.clone(), shared.clone(), Cow::Borrowed(""), false, base)
    }

    /// Another strand of the same request.
    pub(super) fn fork(&self, base: u64) -> Box<Self> {
        Self::new(self.recorder.clone(), self.shared.clone(), Cow::Borrowed(""), false, base)
    }

    fn new(recorder: Recorder, shared: Arc<Shared>, name: Cow<'static, str>, entry: bool, base: u64) -> Box<Self> {
        let progress = Progress::new(recorder.next_number());
        Box::new(Self { recorder, shared, name, entry, progress, base, clock: None, guards: 0, suspended: 0 })
    }

    /// Whether it is a strand of the client with this key.
    pub(super) fn is_of(&self, key: u64) -> bool {
        self.recorder.pipe().key() == key
    }

    /// What its announcement says of it, and how far it has come.
    pub(super) fn about(&mut self) -> (About<'_>, &mut Progress) {
        let Self { recorder, shared, name, entry, progress, base, clock, .. } = self;
        let own = recorder.instance().component();
        let clock = clock.get_or_insert_with(|| {
            pack_clock(shared.clock.iter().map(|(known, count)| (known, if known == own { *base } else { count })))
        });
        let about = About {
            trace: shared.trace.as_u128(),
            span: shared.span.map_or(0, SpanId::as_u64),
            upstream: shared.upstream.map_or(0, SpanId::as_u64),
            entry: *entry,
            name,
            clock,
        };
        (about, progress)
    }

    /// The count of its instance's own component now.
    pub(super) fn count(&self) -> u64 {
        self.base + self.progress.steps()
    }

    /// Counts on without an event: what was sent has not been recorded.
    pub(super) fn count_on(&mut self) {
        self.base += 1;
        self.clock = None;
    }

    /// The vector clock, with this count of the instance's own component.
    pub(super) fn clock_at(&self, count: u64) -> VectorClock {
        let mut clock = self.shared.clock.clone();
        clock.observe(self.recorder.instance().component(), count);
        clock
    }

    /// Its span; a strand of the background trace has none, and gets one for each call.
    pub(super) fn span(&self) -> SpanId {
        self.shared.span.unwrap_or_else(SpanId::random)
    }

    /// What it is called from now on.
    pub(super) fn rename(&mut self, name: Cow<'static, str>) {
        self.name = name;
    }

    /// The client's key and the strand's number.
    pub(super) fn id(&self) -> super::stack::Id {
        (self.recorder.pipe().key(), self.progress.number())
    }

    pub(super) fn thread_id(&self) -> ThreadId {
        thread_id(&self.recorder, self.progress.number())
    }
}

pub(super) fn thread_id(recorder: &Recorder, strand: u64) -> ThreadId {
    let identity = &recorder.pipe().identity;
    ThreadId { run: RunId::new(identity.run), pid: identity.pid, strand }
}
