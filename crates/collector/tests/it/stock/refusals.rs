//! What is not taken, and what its sender hears.

use super::events::{Context, JSON, body, send, try_send};
use crate::batch::{batch, reads};
use crate::client::{get, try_post};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write as _;
use std::num::NonZeroU32;
use trackside_collector::Collector;
use trackside_wire::MEDIA_TYPE;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const GZIP: (&str, &str) = ("content-encoding", "gzip");

fn some_events(count: usize) -> Vec<Value> {
    let mut context = Context::new("bank", 1, 1);
    (0..count).map(|_| context.read("n", 1, 10)).collect()
}

#[test]
fn one_event_that_is_not_one_refuses_all_and_is_named_with_its_member() {
    let collector = Collector::builder().start().unwrap();
    let check = |change: fn(&mut Value), place: &str, what: &str| {
        let mut events = some_events(5);
        change(&mut events[3]);
        let answer = try_send(&collector, &events);
        let text = answer.text();
        assert_eq!((answer.status, answer.header("content-type")), (400, "text/plain; charset=utf-8"), "{text}");
        assert!(text.contains(place) && text.contains(what), "{text:?} does not say {place:?} and {what:?}");
        assert_eq!(collector.stats().events, 0);
    };
    check(|event| event["id"] = json!("nope"), "events[3].id", "a UUID");
    check(|event| event["trace_id"] = json!(7), "events[3].trace_id", "a string");
    check(|event| event["parent_id"] = json!("7"), "events[3].parent_id", "a UUID");
    check(|event| event["timestamp"] = json!("2026-01-02"), "events[3].timestamp", "RFC 3339");
    check(|event| event["kind"] = json!({}), "events[3].kind", "");
    check(|event| event["kind"] = json!({"Nonsense": {}}), "events[3].kind", "unknown variant `Nonsense`");
    check(
        |event| event["kind"]["StateChange"]["access_type"] = json!("Peek"),
        "events[3].kind.StateChange.access_type",
        "Peek",
    );
    check(
        |event| drop(event["metadata"].as_object_mut().unwrap().remove("thread_id")),
        "events[3].metadata",
        "`thread_id`",
    );
    check(|event| event["metadata"]["process_id"] = json!(-1), "events[3].metadata.process_id", "u32");
    check(|event| event["metadata"]["tags"] = json!({"a": 1}), "events[3].metadata.tags", "a string");
    check(|event| event["causality_vector"] = json!({"a": 1}), "events[3].causality_vector", "an array");
    check(|event| event["causality_vector"] = json!([["a", -1]]), "events[3].causality_vector", "u64");
    check(|event| event["lock_set"] = Value::Null, "events[3].lock_set", "an array");
    check(|event| *event = json!([]), "events[3]", "");

    for (body, what) in
        [(&b"{"[..], "EOF"), (b"{}", "`events`"), (b"[]", ""), (b"{\"events\":[]} x", "trailing"), (b"", "EOF")]
    {
        let answer = try_post(&collector.url(), &[JSON], body).unwrap();
        assert!(answer.status == 400 && answer.text().contains(what), "{} {}", answer.status, answer.text());
    }
    assert_eq!(collector.stats().rejected, 14 + 5);
    send(&collector, &[]);
    send(&collector, &some_events(5));
}

#[test]
fn values_that_nest_without_end_neither_break_nor_fill_anything() {
    let collector = Collector::builder().start().unwrap();
    for depth in [100, 1_000_000] {
        let mut event =
            Context::new("bank", depth as u128, 1).event(json!({"Custom": {"name": "deep", "data": "HERE"}}));
        event["metadata"]["tags"] = json!({});
        let nested = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let body = String::from_utf8(body(&[event])).unwrap().replace("\"HERE\"", &nested);
        assert_eq!(try_post(&collector.url(), &[JSON], body.as_bytes()).unwrap().status, 200);
    }
    // What is kept of the two is the same, and little.
    let sizes: Vec<usize> = collector.batches().map(|batch| batch.len()).collect();
    assert!(sizes.iter().all(|size| *size < 500), "{sizes:?}");
    // Where an event should be, there is no end to be looked for.
    let lists = "[".repeat(1_000_000);
    for body in [lists.clone(), format!("{{\"events\":{lists}"), format!("{{\"events\":[{{\"kind\":{lists}")] {
        assert_eq!(try_post(&collector.url(), &[JSON], body.as_bytes()).unwrap().status, 400);
    }
}

#[test]
fn gzip_is_taken_in_both_forms() {
    let collector = Collector::builder().start().unwrap();
    let native = gzip(&batch(1, 0, &[reads(0, 0, 10)]));
    assert_eq!(try_post(&collector.url(), &[GZIP], &native).unwrap().ack().stored, 10);
    let posted = gzip(&body(&some_events(5)));
    assert_eq!(try_post(&collector.url(), &[JSON, GZIP], &posted).unwrap().status, 200);
    // As several pieces, which are one body.
    let text = body(&some_events(7));
    let pieces = [gzip(&text[..100]), gzip(&text[100..])].concat();
    assert_eq!(try_post(&collector.url(), &[JSON, ("content-encoding", "X-GZIP")], &pieces).unwrap().status, 200);
    assert_eq!(collector.stats().events, 17);
}

#[test]
fn a_bomb_is_refused_at_the_limit_of_what_may_be_sent() {
    let collector = Collector::builder().max_body_bytes(1 << 20).start().unwrap();
    let zeros = gzip(&vec![b' '; 100 << 20]);
    assert!(zeros.len() < 200_000);
    for media_type in ["application/json", MEDIA_TYPE] {
        let answer = try_post(&collector.url(), &[("content-type", media_type), GZIP], &zeros).unwrap();
        assert_eq!(
            (answer.status, answer.text()),
            (413, "the batch is larger than the 1048576 bytes that are accepted\n")
        );
    }
    assert_eq!(collector.stats().rejected, 2);
    let just = [body(&some_events(1)), vec![b' '; (1 << 20) - body(&some_events(1)).len()]].concat();
    assert_eq!(try_post(&collector.url(), &[JSON, GZIP], &gzip(&just)).unwrap().status, 200);
    let over = [&just[..], b" "].concat();
    assert_eq!(try_post(&collector.url(), &[JSON, GZIP], &gzip(&over)).unwrap().status, 413);
}

#[test]
fn what_is_not_gzip_is_not_taken_for_it() {
    let collector = Collector::builder().start().unwrap();
    let whole = gzip(&body(&some_events(3)));
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for bytes in [&body(&some_events(3))[..], &whole[..whole.len() - 1], &flipped, b""] {
        let answer = try_post(&collector.url(), &[JSON, GZIP], bytes).unwrap();
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    for coding in ["br", "deflate", "gzip, gzip", ""] {
        let answer = try_post(&collector.url(), &[JSON, ("content-encoding", coding)], &whole).unwrap();
        assert_eq!((answer.status, answer.header("accept-encoding")), (415, "gzip"), "{coding}");
    }
    assert_eq!(collector.stats().events, 0);
}

#[test]
fn who_shows_no_key_hears_it_in_the_stock_servers_words() {
    let collector = Collector::builder().api_key("sesame").start().unwrap();
    let answer = try_send(&collector, &some_events(1));
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, said), (401, json!({"success": false, "data": null, "error": "Unauthorized"})));
    for header in [("authorization", "Bearer sesame"), ("x-raceway-key", "sesame")] {
        assert_eq!(try_post(&collector.url(), &[JSON, header], &body(&some_events(1))).unwrap().status, 200);
    }
}

#[test]
fn who_comes_too_often_is_told_when_to_come_again() {
    let collector = Collector::builder().max_requests_per_second(NonZeroU32::new(3).unwrap()).start().unwrap();
    let answers: Vec<_> = std::iter::repeat_with(|| try_send(&collector, &some_events(1))).take(50).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(answers.len() - refused.len() >= 3 && !refused.is_empty());
    for answer in &refused {
        let said: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (429, "1"));
        assert_eq!(said, json!({"success": false, "data": null, "error": "Too Many Requests"}));
    }
    assert_eq!(collector.stats().refused_rate, refused.len() as u64);
    // Native clients and readers are counted as well; whoever asks whether the collector is there is not.
    let statuses: Vec<u16> = (0..50).map(|_| get(&collector.url(), "/api/stats", &[]).status).collect();
    assert!(statuses.contains(&429));
    assert!((0..50).all(|_| get(&collector.url(), "/health", &[]).status == 200));
}

#[test]
fn a_full_store_is_never_answered_with_success() {
    let collector = Collector::builder().max_bytes(60_000).start().unwrap();
    let mut contexts: Vec<Context> = (0..200).map(|number| Context::new("bank", 1 + number, 1)).collect();
    let mut taken = 0;
    let refused = contexts.iter_mut().find_map(|context| {
        let events: Vec<Value> = (0..10).map(|_| context.read("n", 1, 10)).collect();
        let answer = try_send(&collector, &events);
        taken += if answer.status == 200 { 10 } else { 0 };
        (answer.status != 200).then_some((events, answer))
    });
    let (events, answer) = refused.unwrap();
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, answer.header("retry-after"), &said["success"]), (503, "5", &json!(false)));
    assert_eq!((collector.stats().events, collector.report().summary.events), (taken, taken));
    assert!(taken > 0);
    // What was refused is news when it comes again.
    collector.clear();
    send(&collector, &events);
    let report = collector.report();
    assert_eq!((report.summary.events, report.summary.holes), (10, 0), "{report}");
}
