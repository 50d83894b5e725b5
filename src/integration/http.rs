//! The header map of the `http` crate, which most HTTP libraries share.

use crate::propagation::{Extract, Inject};
use http::{HeaderMap, HeaderName, HeaderValue};

impl Extract for HeaderMap {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

impl Inject for HeaderMap {
    fn set(&mut self, name: &'static str, value: String) {
        // Ours always are a header; what is none, nobody can set.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::{Instance, Outgoing, Received, SpanId, TraceId, VectorClock};

    #[test]
    fn there_and_back() {
        let (trace, span, shop) = (TraceId::random(), SpanId::random(), Instance::new("shop", "shop-1"));
        let clock: VectorClock = [("shop#shop-1", 5)].into_iter().collect();
        let mut request = HeaderMap::new();
        request.append("Traceparent", HeaderValue::from_static("an old one"));
        request.append("Traceparent", HeaderValue::from_static("and another"));
        Outgoing::new(trace, span, &shop, &clock).inject(&mut request);
        assert_eq!(request.len(), 2);
        let received = Received::parse(&request);
        assert_eq!((received.trace, received.upstream, received.clock), (Some(trace), Some(span), clock));
    }

    #[test]
    fn headers_that_occur_twice() {
        let value = |text: &'static str| HeaderValue::from_static(text);
        let mut request = HeaderMap::new();
        request.append("traceparent", value("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        request.append("tracestate", value("a=b"));
        request.append("tracestate", value("c=d"));
        let once = Received::parse(&request);
        assert_eq!(once.tracestate.map(|state| state.to_string()).as_deref(), Some("a=b,c=d"));
        assert!(once.distributed);
        // Not even one that is no text is overlooked.
        request.append("traceparent", HeaderValue::from_bytes(b"\xff").expect("a header may have such bytes"));
        assert!(!Received::parse(&request).distributed);
    }
}
