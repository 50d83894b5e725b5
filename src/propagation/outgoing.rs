//! The headers of a request to another service.

use super::carrier::Inject;
use super::clock_header;
use super::id::{SpanId, TraceId};
use super::instance::Instance;
use super::traceparent::Traceparent;
use super::tracestate::TraceState;
use super::vector_clock::VectorClock;
use super::{RACEWAY_CLOCK, TRACEPARENT, TRACESTATE};

/// A request about to be sent to another service.
///
/// Each request has a span of its own, which the service that is called takes over: two that were sent the same headers
/// could not be told apart. So headers are made once per request.
///
/// # Examples
///
/// ```
/// use trackside::propagation::{Instance, Outgoing, SpanId, TraceId, VectorClock};
///
/// let shop = Instance::new("shop", "shop-1");
/// let mut clock = VectorClock::new();
/// clock.advance(shop.component());
/// let outgoing = Outgoing::new(TraceId::random(), SpanId::random(), &shop, &clock).sampled(false);
/// let mut request = vec![("accept", "*/*".to_string())];
/// outgoing.inject(&mut request);
/// assert_eq!(request[1].0, "traceparent");
/// assert!(request[1].1.ends_with("-00"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Outgoing<'a> {
    trace: TraceId,
    span: SpanId,
    child: SpanId,
    instance: &'a Instance,
    clock: &'a VectorClock,
    tracestate: Option<&'a TraceState>,
    sampled: bool,
}

impl<'a> Outgoing<'a> {
    /// A request by `instance`, for which `span` is at work on `trace`. The clock is that after the sending: the caller
    /// has advanced its own component.
    pub fn new(trace: TraceId, span: SpanId, instance: &'a Instance, clock: &'a VectorClock) -> Self {
        Self { trace, span, child: SpanId::random(), instance, clock, tracestate: None, sampled: true }
    }

    /// The span that the called service takes over. Defaults to a random one.
    pub fn child(mut self, span: SpanId) -> Self {
        self.child = span;
        self
    }

    /// What other tracing systems sent along with the request that is being served. Defaults to nothing.
    pub fn tracestate(mut self, state: Option<&'a TraceState>) -> Self {
        self.tracestate = state;
        self
    }

    /// Whether the trace is recorded here. Defaults to yes.
    pub fn sampled(mut self, sampled: bool) -> Self {
        self.sampled = sampled;
        self
    }

    /// The request's headers.
    pub fn headers(&self) -> Headers {
        let parent = Traceparent { trace: self.trace, span: self.child, sampled: self.sampled };
        let (clock, components_left_out) =
            clock_header::write(self.trace, [self.span, self.child], self.instance, self.clock);
        let mut list = vec![(TRACEPARENT, parent.write()), (RACEWAY_CLOCK, clock)];
        list.extend(self.tracestate.map(|state| (TRACESTATE, state.as_str().to_owned())));
        Headers { child: self.child, list, components_left_out }
    }

    /// Sets the request's headers, in place of those of the same names that are there.
    pub fn inject<C: Inject + ?Sized>(&self, carrier: &mut C) {
        self.headers().inject(carrier);
    }
}

/// The headers of one request: `traceparent`, `raceway-clock`, and `tracestate` if there is one.
///
/// The names are in lower case. The values are visible ASCII, and blanks in a `tracestate`; `raceway-clock` is at most
/// [`MAX_CLOCK_BYTES`](super::MAX_CLOCK_BYTES) long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    child: SpanId,
    list: Vec<(&'static str, String)>,
    components_left_out: usize,
}

impl Headers {
    /// The span that the called service takes over.
    pub fn child(&self) -> SpanId {
        self.child
    }

    /// The value of a header, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &str)> {
        self.list.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// How many components of the clock found no room in `raceway-clock`. The instance's own is never among them.
    pub fn components_left_out(&self) -> usize {
        self.components_left_out
    }

    /// Sets them in a request, in place of those of the same names that are there.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::propagation::{Instance, Outgoing, SpanId, TraceId, VectorClock};
    /// # let (instance, clock) = (Instance::new("shop", "shop-1"), VectorClock::new());
    /// # let headers = Outgoing::new(TraceId::random(), SpanId::random(), &instance, &clock).headers();
    /// let mut request = vec![("TraceParent", "an old one".to_string())];
    /// headers.inject(&mut request);
    /// assert_eq!(request.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["traceparent", "raceway-clock"]);
    /// ```
    pub fn inject<C: Inject + ?Sized>(self, carrier: &mut C) {
        self.into_iter().for_each(|(name, value)| carrier.set(name, value));
    }

    /// These headers and others: one of the same name, whatever its case, takes the place of a generated one. The others
    /// are passed on as they are.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::propagation::{Instance, Outgoing, SpanId, TraceId, VectorClock};
    /// # let (instance, clock) = (Instance::new("shop", "shop-1"), VectorClock::new());
    /// # let headers = Outgoing::new(TraceId::random(), SpanId::random(), &instance, &clock).headers();
    /// let headers = headers.with([("Raceway-Clock", "v1;e30"), ("accept", "*/*")]);
    /// assert_eq!(headers.len(), 3);
    /// assert_eq!(headers[1], ("Raceway-Clock".to_string(), "v1;e30".to_string()));
    /// ```
    pub fn with<N: Into<String>, V: Into<String>>(
        self,
        others: impl IntoIterator<Item = (N, V)>,
    ) -> Vec<(String, String)> {
        let others: Vec<(String, String)> =
            others.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let generated = self.into_iter().map(|(name, value)| (name.to_owned(), value));
        let replaced = |name: &str| others.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let mut all: Vec<_> = generated.filter(|(name, _)| !replaced(name)).collect();
        all.extend(others);
        all
    }
}

impl IntoIterator for Headers {
    type Item = (&'static str, String);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}
