//! What the headers of an incoming request say.

use super::carrier::Extract;
use super::clock_header::Payload;
use super::id::{SpanId, TraceId};
use super::instance::Instance;
use super::traceparent::Traceparent;
use super::tracestate::TraceState;
use super::vector_clock::VectorClock;
use super::{RACEWAY_CLOCK, TRACEPARENT, TRACESTATE};

/// A header longer than this is not looked at.
pub const MAX_HEADER_BYTES: usize = 8 << 10;

/// What the headers of an incoming request say, as far as it makes sense.
///
/// # Examples
///
/// ```
/// use trackside::propagation::Received;
///
/// let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
/// let received = Received::parse(&headers);
/// assert_eq!(received.trace, "0af76519-16cd-43dd-8448-eb211c80319c".parse().ok());
/// assert_eq!(received.sampled, Some(true));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The trace that the request belongs to.
    pub trace: Option<TraceId>,
    /// The span that the caller chose for what we do for it.
    pub span: Option<SpanId>,
    /// The caller's own span.
    pub upstream: Option<SpanId>,
    /// What the caller knew of others, and of itself, when it sent the request.
    pub clock: VectorClock,
    /// What other tracing systems sent along.
    pub tracestate: Option<TraceState>,
    /// Whether the caller records the trace, if it says so.
    pub sampled: Option<bool>,
    /// Whether the caller takes part in tracing: there was a well-formed `traceparent` or `raceway-clock`.
    pub distributed: bool,
}

impl Received {
    /// Reads the three headers. Never fails: what is malformed is left out.
    ///
    /// - Where `traceparent` and `raceway-clock` say different things, `raceway-clock` is right, member by member. A
    ///   member of it that is malformed is left out, and the others count.
    /// - `traceparent` is read by the rules of W3C Trace Context: no version ff, no ids of zeros, exactly four parts in
    ///   version 00, more in later ones.
    /// - A `traceparent` or `raceway-clock` that occurs twice says nothing; several `tracestate` are one list.
    /// - A header longer than [`MAX_HEADER_BYTES`] is not there.
    pub fn parse<C: Extract + ?Sized>(carrier: &C) -> Self {
        let mut received = Self::default();
        if let Some(parent) = single(carrier, TRACEPARENT).and_then(Traceparent::parse) {
            received.trace = Some(parent.trace);
            received.span = Some(parent.span);
            received.sampled = Some(parent.sampled);
            received.distributed = true;
        }
        if let Some(payload) = single(carrier, RACEWAY_CLOCK).and_then(Payload::parse) {
            received.trace = payload.trace.or(received.trace);
            received.span = payload.span.or(received.span);
            received.upstream = payload.upstream;
            received.clock = payload.clock;
            received.distributed = true;
        }
        let short = |value: &&[u8]| value.len() <= MAX_HEADER_BYTES;
        received.tracestate = TraceState::combine(carrier.values_of(TRACESTATE).filter(short));
        received
    }

    /// What is known of a request of which only the trace is known.
    pub(crate) fn of_trace(trace: TraceId) -> Self {
        Self { trace: Some(trace), ..Self::default() }
    }

    /// What a context made from the request begins with: ids where there were none, and our own component in the clock.
    pub fn origin(self, instance: &Instance) -> Origin {
        let Self { trace, span, upstream, mut clock, tracestate, sampled, distributed } = self;
        clock.add(instance.component());
        Origin {
            trace: trace.unwrap_or_else(TraceId::random),
            span: span.unwrap_or_else(SpanId::random),
            upstream,
            clock,
            tracestate,
            sampled,
            distributed,
        }
    }
}

/// What a context begins with. [`Received::default`]'s is that of a new trace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The trace, the caller's or a new one.
    pub trace: TraceId,
    /// The span, as the caller chose it, or a new one.
    pub span: SpanId,
    /// The caller's own span.
    pub upstream: Option<SpanId>,
    /// What is known at the beginning. Our own component is in it, with 0 if the caller did not know of us.
    pub clock: VectorClock,
    /// What other tracing systems sent along.
    pub tracestate: Option<TraceState>,
    /// Whether the caller records the trace, if it says so.
    pub sampled: Option<bool>,
    /// Whether the trace came from a caller.
    pub distributed: bool,
}

/// The value of a header that may occur once.
fn single<'a, C: Extract + ?Sized>(carrier: &'a C, name: &'a str) -> Option<&'a [u8]> {
    let mut values = carrier.values_of(name);
    let value = values.next()?;
    let alone = values.next().is_none();
    (alone && value.len() <= MAX_HEADER_BYTES).then_some(value)
}
