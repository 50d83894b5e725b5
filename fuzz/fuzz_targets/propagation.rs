//! Headers of strangers: whatever they are, reading them ends, within its bounds. What was read can be sent on, and
//! arrives the same.
//!
//! The input is a request of lines, whose first character says which header it is; see `header`. A longer run:
//! `cargo +nightly fuzz run propagation -- -max_total_time=3600 -max_len=16384`.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use trackside::propagation::{Instance, MAX_CLOCK_BYTES, Origin, Outgoing, Received, TraceState, VectorClock};
use trackside::propagation::{RACEWAY_CLOCK, TRACEPARENT, TRACESTATE};
use trackside::{SpanId, TraceId};

fuzz_target!(|bytes: &[u8]| {
    let headers: Vec<(&str, Vec<u8>)> = bytes.split(|byte| *byte == b'\n').filter_map(header).collect();
    let received = Received::parse(&headers);
    check(&received);
    let (service, name) = headers.first().map_or((&b""[..], &b""[..]), |(_, value)| value.split_at(value.len() / 2));
    let instance = Instance::new(&String::from_utf8_lossy(service), &String::from_utf8_lossy(name));
    let origin = received.clone().origin(&instance);
    assert!(received.trace.is_none_or(|trace| trace == origin.trace));
    assert!(received.span.is_none_or(|span| span == origin.span));
    assert!(origin.clock.iter().any(|(component, _)| component == instance.component()));
    assert!(received.clock.iter().eq(origin.clock.iter().take(received.clock.len())));
    send_on(&origin, &instance);
    for text in headers.iter().map(|(_, value)| String::from_utf8_lossy(value)) {
        assert!(text.parse::<TraceId>().is_err() || text.to_lowercase().replace('-', "").len() == 32);
        assert!(text.parse::<SpanId>().is_err() || text.len() == 16);
    }
});

/// One line of the input. What base64 covers is out of a fuzzer's reach, so a clock can be given in the clear.
fn header(line: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let (kind, value) = line.split_first()?;
    match kind {
        b'p' => Some((TRACEPARENT, value.to_vec())),
        b's' => Some((TRACESTATE, value.to_vec())),
        b'c' => Some((RACEWAY_CLOCK, value.to_vec())),
        b'j' => Some((RACEWAY_CLOCK, format!("v1;{}", URL_SAFE_NO_PAD.encode(value)).into_bytes())),
        _ => None,
    }
}

fn check(received: &Received) {
    assert!(received.clock.len() < VectorClock::MAX_COMPONENTS);
    for (component, count) in received.clock.iter() {
        assert!(
            (1..=VectorClock::MAX_COMPONENT_BYTES).contains(&component.len()) && !component.contains(char::is_control)
        );
        assert!(count <= VectorClock::MAX_OBSERVED);
        assert_eq!(
            received.clock.iter().filter(|(other, _)| *other == component).count(),
            1,
            "{component} occurs twice"
        );
    }
    let state = received.tracestate.as_ref().map_or("", TraceState::as_str);
    assert!(state.len() <= TraceState::MAX_BYTES && is_visible(state));
    let any_id = received.trace.is_some() || received.span.is_some() || received.upstream.is_some();
    assert!(received.distributed || !any_id && received.clock.is_empty());
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A context made of it calls somebody, who reads what was sent.
fn send_on(origin: &Origin, instance: &Instance) {
    let sampled = origin.sampled.unwrap_or(true);
    let outgoing = Outgoing::new(origin.trace, origin.span, instance, &origin.clock)
        .tracestate(origin.tracestate.as_ref())
        .sampled(sampled);
    let headers = outgoing.headers();
    assert!(headers.iter().all(|(_, value)| is_visible(value)));
    assert!(headers.get(RACEWAY_CLOCK).is_some_and(|clock| clock.len() <= MAX_CLOCK_BYTES));
    let carrier: Vec<_> = headers.clone().into_iter().collect();
    let again = Received::parse(&carrier);
    check(&again);
    assert_eq!((again.trace, again.span), (Some(origin.trace), Some(headers.child())));
    assert_eq!((again.upstream, again.sampled, again.distributed), (Some(origin.span), Some(sampled), true));
    assert_eq!(again.tracestate, origin.tracestate);
    assert_eq!(again.clock.len() + headers.components_left_out(), origin.clock.len());
    let mut sent = origin.clock.iter();
    assert!(again.clock.iter().all(|entry| sent.any(|other| other == entry)), "a component, its count or its place");
    assert!(again.clock.iter().any(|(component, _)| component == instance.component()), "our own was left out");
}
