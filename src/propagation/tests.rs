use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use std::collections::BTreeMap;

const TRACE: &str = "0af76519-16cd-43dd-8448-eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Cases of the vectors in which we are stricter than Raceway's other SDKs, and why. None, so far: they differ on input
/// that the vectors do not have (see `stricter_than_the_others`).
const STRICTER: &[(&str, &str)] = &[];

#[derive(serde::Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    headers: BTreeMap<String, String>,
    service: String,
    instance: String,
    expect: Expected,
}

#[derive(serde::Deserialize)]
struct Expected {
    clock: Vec<(String, u64)>,
    distributed: bool,
    parent_span_id: Option<String>,
    span_id: String,
    trace_id: String,
    tracestate: Option<String>,
}

#[test]
fn vectors_of_the_other_sdks() {
    let vectors: Vectors = serde_json::from_str(include_str!("trace_context.json")).expect("the file is well-formed");
    assert!(vectors.cases.len() >= 16);
    for case in vectors.cases.iter().filter(|case| !STRICTER.iter().any(|(name, _)| *name == case.name)) {
        let (name, expect) = (&case.name, &case.expect);
        let received = Received::parse(&case.headers);
        assert_eq!(received.span.is_none(), expect.span_id == "RANDOM", "{name}");
        assert_eq!(received.trace.is_none(), expect.trace_id == "RANDOM", "{name}");
        let origin = received.clone().origin(&Instance::new(&case.service, &case.instance));
        let again = received.origin(&Instance::new(&case.service, &case.instance));
        for (found, other, expect) in [
            (origin.span.to_string(), again.span.to_string(), &expect.span_id),
            (origin.trace.to_string(), again.trace.to_string(), &expect.trace_id),
        ] {
            if expect == "RANDOM" {
                assert_ne!(found, other, "{name}");
            } else {
                assert_eq!(&found, expect, "{name}");
            }
        }
        assert_eq!(origin.upstream.map(|span| span.to_string()), expect.parent_span_id, "{name}");
        let expect_clock = expect.clock.iter().map(|(component, count)| (component.as_str(), *count));
        assert!(origin.clock.iter().eq(expect_clock), "{name}: {:?}", origin.clock);
        assert_eq!(origin.tracestate.as_ref().map(TraceState::as_str), expect.tracestate.as_deref(), "{name}");
        assert_eq!(origin.distributed, expect.distributed, "{name}");
    }
}

/// What a `raceway-clock` with this JSON yields.
fn clock_of(json: &str) -> Received {
    Received::parse(&[(RACEWAY_CLOCK, format!("v1;{}", URL_SAFE_NO_PAD.encode(json)))])
}

fn entries(clock: &VectorClock) -> Vec<(&str, u64)> {
    clock.iter().collect()
}

#[test]
fn stricter_than_the_others() {
    // They take version ff, ids of zeros and flags that are none; they refuse a version that we do not know yet.
    for parent in [PARENT.replacen("00", "ff", 1), PARENT.replacen("b7ad6b7169203331", &"0".repeat(16), 1)] {
        assert_eq!(Received::parse(&[(TRACEPARENT, parent)]), Received::default());
    }
    assert!(Received::parse(&[(TRACEPARENT, PARENT.replacen("00", "01", 1) + "-more")]).distributed);
    // They pass on ids that are none.
    let received = clock_of(
        r#"{"trace_id":"abc","span_id":"0000000000000000","parent_span_id":"bbbbbbbbbbbbbbbb","clock":[["up#1",5]]}"#,
    );
    assert_eq!((received.trace, received.span, received.distributed), (None, None, true));
    assert_eq!(received.upstream, "bbbbbbbbbbbbbbbb".parse().ok());
    assert_eq!(entries(&received.clock), [("up#1", 5)]);
    // They keep duplicates, and any count.
    let received = clock_of(r#"{"clock":[["a",5],["b",1],["a",3],["a",7],["b",18446744073709551615]]}"#);
    assert_eq!(entries(&received.clock), [("a", 7), ("b", VectorClock::MAX_OBSERVED)]);
    // One of them fails where there is no object.
    for json in ["null", "[]", "7", "\"v1\"", "", "{", "{}x", "{\"clock\":[}"] {
        assert_eq!(clock_of(json), Received::default(), "{json}");
    }
}

#[test]
fn odd_members_do_not_cost_the_rest() {
    let odd = [
        "null",
        "true",
        "-1",
        "1.5",
        "1e300",
        "18446744073709551616",
        "\"abc\"",
        "[]",
        "{}",
        "[[[]]]",
        "{\"a\":{\"a\":1}}",
        "{\"$serde_json::private::Number\":[{}]}",
    ];
    for value in odd {
        let received = clock_of(&format!(
            r#"{{"clock":[["up#1",5],{value},["odd",{value}],[{value},7],["a",1,{value}],["b"],["last",6]],
                "span_id":{value},"unknown":{value},"trace_id":"{TRACE}","parent_span_id":{value}}}"#
        ));
        let text = entries(&received.clock).contains(&("abc", 7));
        let expect: &[(&str, u64)] =
            if text { &[("up#1", 5), ("abc", 7), ("last", 6)] } else { &[("up#1", 5), ("last", 6)] };
        assert_eq!(entries(&received.clock), expect, "{value}");
        assert_eq!(text, value == "\"abc\"");
        assert_eq!((received.trace, received.span, received.upstream), (TRACE.parse().ok(), None, None), "{value}");
        let received = clock_of(&format!(r#"{{"clock":{value},"span_id":"aaaaaaaaaaaaaaaa"}}"#));
        assert!(received.clock.is_empty() && received.span.is_some(), "{value}");
    }
    // The same member twice: a clock does not go backwards by it, and an id is not lost.
    let received =
        clock_of(r#"{"clock":[["a",5]],"span_id":"aaaaaaaaaaaaaaaa","clock":[["a",3],["b",1]],"span_id":7}"#);
    assert_eq!(entries(&received.clock), [("a", 5), ("b", 1)]);
    assert_eq!(received.span, "aaaaaaaaaaaaaaaa".parse().ok());
}

#[test]
fn other_forms_of_base64() {
    let json = format!(r#"{{"trace_id":"{TRACE}","clock":[["??>>~~ü",5]]}}"#);
    let [plain, url] = [STANDARD.encode(&json), URL_SAFE_NO_PAD.encode(&json)];
    assert_ne!(plain, url);
    for text in [plain.clone(), plain.trim_end_matches('=').into(), url.clone(), format!("{url}  ")] {
        let received = Received::parse(&[(RACEWAY_CLOCK, format!("v1;{text}"))]);
        assert_eq!(entries(&received.clock), [("??>>~~ü", 5)], "{text}");
    }
    for header in [format!("V1;{url}"), format!(" v1;{url}"), format!("v1; {url}"), url.clone(), format!("v1;{url}\0")]
    {
        assert_eq!(Received::parse(&[(RACEWAY_CLOCK, header)]), Received::default());
    }
}

#[test]
fn headers_that_occur_twice() {
    let clock = format!("v1;{}", URL_SAFE_NO_PAD.encode(r#"{"clock":[["up#1",5]]}"#));
    let once = vec![(TRACEPARENT, PARENT), (RACEWAY_CLOCK, &clock)];
    let received = Received::parse(&once);
    assert_eq!((received.trace, entries(&received.clock)), (TRACE.parse().ok(), vec![("up#1", 5)]));
    for twice in [("Traceparent", PARENT), ("traceparent", "")] {
        let received = Received::parse(&[once.clone(), vec![twice]].concat());
        assert_eq!((received.trace, received.sampled, received.clock.len()), (None, None, 1));
    }
    let received = Received::parse(&[once, vec![("RACEWAY-CLOCK", &clock)]].concat());
    assert_eq!((received.trace, received.clock.len()), (TRACE.parse().ok(), 0));
}

/// Counts how many values are looked at.
struct Counted(&'static str, usize, std::cell::Cell<usize>);

impl Extract for Counted {
    fn values_of<'a>(&'a self, _: &'a str) -> impl Iterator<Item = &'a [u8]> {
        std::iter::repeat_n(self.0.as_bytes(), self.1).inspect(|_| self.2.set(self.2.get() + 1))
    }
}

#[test]
fn no_more_is_looked_at_than_counts() {
    for value in [PARENT, "", "v1;e30", "a=b", "\0"] {
        let carrier = Counted(value, 1_000_000, 0.into());
        let received = Received::parse(&carrier);
        assert!(!received.distributed);
        assert!(carrier.2.get() <= 2 + 2 + 32, "{}", carrier.2.get());
    }
    // A long header is not read, whatever is in it.
    for (len, read) in [(MAX_HEADER_BYTES, true), (MAX_HEADER_BYTES + 1, false)] {
        let parent = format!("{PARENT}{}", " ".repeat(len - PARENT.len()));
        assert_eq!(Received::parse(&[(TRACEPARENT, parent)]).distributed, read);
        let clock = format!("v1;e30{}", " ".repeat(len - 6));
        assert_eq!(Received::parse(&[(RACEWAY_CLOCK, clock)]).distributed, read);
        let state = format!("a=b{}", " ".repeat(len - 3));
        assert_eq!(Received::parse(&[(TRACESTATE, state)]).tracestate.is_some(), read);
    }
}

#[test]
fn long_clocks_are_cut_to_what_fits() {
    let instance = Instance::new(&"\"".repeat(300), &"\\".repeat(300));
    for (name, count) in [("\"", 64), ("ü", 64), ("c", 8)] {
        let mut clock: VectorClock = (0..count).map(|at| (format!("{at}{}", name.repeat(120)), u64::MAX)).collect();
        clock.add(instance.component());
        let headers = Outgoing::new(TraceId::random(), SpanId::random(), &instance, &clock).headers();
        assert!(headers.get(RACEWAY_CLOCK).is_some_and(|value| value.len() <= MAX_CLOCK_BYTES));
        let received = Received::parse(&headers.clone().with::<String, String>([]));
        assert_eq!(received.clock.len() + headers.components_left_out(), clock.len());
        assert_eq!(headers.components_left_out() > 0, count == 64);
        assert!(received.clock.iter().any(|(component, _)| component == instance.component()));
        assert!(received.clock.iter().all(|(component, count)| clock.value(component) == count));
        // As many as fit: each of these takes some 370 bytes at most.
        assert!(headers.components_left_out() == 0 || headers.get(RACEWAY_CLOCK).map_or(0, str::len) > 4096 - 500);
    }
    // A full clock of short names is cut by one, so that the receiver has room for all the others and itself.
    let mut clock: VectorClock = (0..63).map(|at| (at.to_string(), 1)).collect();
    clock.advance("shop#1");
    let headers = Outgoing::new(TraceId::random(), SpanId::random(), &Instance::new("shop", "1"), &clock).headers();
    assert_eq!(headers.components_left_out(), 1);
    let origin = Received::parse(&headers.with::<String, String>([])).origin(&Instance::new("bank", "1"));
    assert_eq!((origin.clock.value("shop#1"), origin.clock.value("61"), origin.clock.value("62")), (1, 1, 0));
    assert_eq!(origin.clock.iter().last(), Some(("bank#1", 0)));
}

#[test]
fn headers_by_name() {
    let (instance, clock) = (Instance::new("shop", "1"), VectorClock::new());
    let outgoing = Outgoing::new(TraceId::random(), SpanId::random(), &instance, &clock);
    assert_eq!(outgoing.headers().child(), outgoing.headers().child());
    let headers = outgoing.headers();
    assert_eq!(headers.get("TraceParent").map(|value| &value[36..52]), Some(&*headers.child().to_string()));
    assert_eq!((headers.get("tracestate"), headers.iter().len()), (None, 2));
    let all = headers.with([("TRACEPARENT", "mine"), ("x", "1"), ("x", "2")]);
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [RACEWAY_CLOCK, "TRACEPARENT", "x", "x"]);
    assert_eq!(all.values_of(TRACEPARENT).collect::<Vec<_>>(), [b"mine"]);
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[track_caller]
fn assert_bounded(received: &Received) {
    assert!(received.clock.len() < VectorClock::MAX_COMPONENTS);
    for (component, count) in received.clock.iter() {
        assert!(
            (1..=VectorClock::MAX_COMPONENT_BYTES).contains(&component.len()) && count <= VectorClock::MAX_OBSERVED
        );
        assert_eq!(received.clock.iter().filter(|(other, _)| *other == component).count(), 1);
    }
    let state = received.tracestate.as_ref().map_or("", TraceState::as_str);
    assert!(state.len() <= TraceState::MAX_BYTES && is_visible(state));
}

/// Pieces of headers, so that random ones get past the first byte now and then.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<Vec<u8>>(),
        "[-0-9a-f]{0,40}".prop_map(String::into_bytes),
        Just(PARENT.into()),
        Just(b"a=b,".to_vec()),
        Just(b"v1;".to_vec()),
        "\\{(\"(clock|trace_id|span_id|x)\":(\\[(\\[\"[a-c]\",[0-9]{1,20}\\],)*\\]|\"[0-9a-f]{16}\"|[0-9]{1,3}),?){0,3}\\}"
            .prop_map(|json| URL_SAFE_NO_PAD.encode(json).into_bytes()),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn noise_does_no_harm(headers in proptest::collection::vec((0..3_usize, noise()), 0..6)) {
        let carrier: Vec<_> =
            headers.into_iter().map(|(name, value)| ([TRACEPARENT, RACEWAY_CLOCK, TRACESTATE][name], value)).collect();
        assert_bounded(&Received::parse(&carrier));
    }

    #[test]
    fn what_is_sent_arrives(
        ids in (1..=u128::MAX, 1..=u64::MAX, 1..=u64::MAX),
        service in ".{0,20}",
        name in any::<String>(),
        sampled: bool,
        state in proptest::option::of("[ -~]{0,40}"),
        clock in proptest::collection::vec((".{0,20}", any::<u64>()), 0..20),
        advances in 0..3_u8,
    ) {
        let instance = Instance::new(&service, &name);
        let mut clock: VectorClock = clock.into_iter().collect();
        for _ in 0..advances {
            clock.advance(instance.component());
        }
        let trace = TraceId::from_u128(ids.0).expect("not zero");
        let [span, child] = [ids.1, ids.2].map(|id| SpanId::from_u64(id).expect("not zero"));
        let state = state.as_deref().and_then(TraceState::new);
        let outgoing =
            Outgoing::new(trace, span, &instance, &clock).child(child).sampled(sampled).tracestate(state.as_ref());
        let mut carrier = BTreeMap::<String, String>::new();
        outgoing.inject(&mut carrier);
        prop_assert!(carrier.values().all(|value| is_visible(value)));
        let received = Received::parse(&carrier);
        assert_bounded(&received);
        prop_assert_eq!(outgoing.headers().components_left_out(), 0);
        prop_assert_eq!(
            received,
            Received {
                trace: Some(trace),
                span: Some(child),
                upstream: Some(span),
                clock,
                tracestate: state,
                sampled: Some(sampled),
                distributed: true,
            }
        );
    }
}
