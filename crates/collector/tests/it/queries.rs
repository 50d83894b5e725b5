//! The answers to `GET`.

use crate::batch::{batch, file, reads, write};
use crate::client::{get, post, send_raw};
use std::io::{BufRead as _, BufReader, Read as _};
use trackside_collector::Collector;

#[test]
fn findings_come_as_json_and_as_text() {
    let collector = Collector::builder().start().unwrap();
    let url = collector.url();
    let findings = |path: &str| {
        let answer = get(&url, path, &[]);
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap()["findings"].as_array().unwrap().len()
    };
    assert_eq!(findings("/api/findings"), 0);
    post(&url, &batch(1, 0, &[write(0), write(1)])).ack();
    assert!(findings("/api/findings") > 0);
    assert_eq!(findings("/api/findings?format=json"), collector.report().findings.len());

    let text = get(&url, "/api/findings?format=text", &[]);
    assert_eq!((text.status, text.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(text.text(), collector.report().to_string());
    assert_eq!(get(&url, "/api/findings?format=xml", &[]).status, 400);
}

#[test]
fn batches_come_as_a_file() {
    let collector = Collector::builder().start().unwrap();
    let batches = [batch(1, 3, &[reads(0, 0, 10)]), batch(2, 4, &[write(0)])];
    let download = || get(&collector.url(), "/api/batches", &[]);
    assert_eq!(download().body, file(&[]));
    for bytes in &batches {
        post(&collector.url(), bytes).ack();
    }
    let answer = download();
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/octet-stream"));
    assert_eq!((answer.header("x-content-type-options"), answer.header("cache-control")), ("nosniff", "no-store"));
    assert_eq!(answer.body, file(&batches));
    assert_eq!(get(&collector.url(), "/api/batches?all", &[]).status, 400);
}

/// It is told of what is stored, which a batch that came before is not, and in the order in which that happens.
#[test]
fn who_follows_gets_what_comes_and_nothing_else() {
    let collector = Collector::builder().start().unwrap();
    post(&collector.url(), &batch(1, 0, &[write(0)])).ack();
    let address = collector.address();
    let request = format!("GET /api/batches?follow HTTP/1.0\r\nhost: {address}\r\n\r\n");
    let mut followed = BufReader::new(send_raw(address, request.as_bytes()));
    let mut line = String::new();
    // The head is there once nothing can be missed.
    while line != "\r\n" {
        line.clear();
        followed.read_line(&mut line).unwrap();
    }
    let next = [batch(1, 1, &[write(1)]), batch(1, 2, &[write(2)])];
    for bytes in [&next[0], &batch(1, 0, &[write(0)]), &next[1]] {
        post(&collector.url(), bytes).ack();
    }
    let mut came = vec![0; file(&next).len()];
    followed.read_exact(&mut came).unwrap();
    assert_eq!(came, file(&next));
    // It does not keep the collector from stopping.
    collector.shutdown();
}

#[test]
fn stats_say_what_came_and_what_each_run_lost() {
    let collector = Collector::builder().max_bytes(1 << 20).start().unwrap();
    let bytes = [batch(1, 3, &[reads(0, 0, 10)]), batch(2, 4, &[reads(0, 0, 1)])];
    for bytes in [&bytes[0], &bytes[1], &bytes[0]] {
        post(&collector.url(), bytes).ack();
    }
    let answer = get(&collector.url(), "/api/stats", &[]);
    assert_eq!((answer.header("x-content-type-options"), answer.header("cache-control")), ("nosniff", "no-store"));
    let stats: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = serde_json::json!({
        "batches": 2, "events": 11, "duplicates": 10, "bytes": bytes[0].len() + bytes[1].len(),
        "used_bytes": collector.stats().used_bytes, "max_bytes": 1 << 20,
        "refused_full": 0, "refused_rate": 0, "evicted_batches": 0, "rejected": 0,
        "runs": [
            { "run": "000000000000001", "service": "bank", "events": 10, "recorded": 1003, "lost": { "ring_full": 3 } },
            { "run": "000000000000002", "service": "bank", "events": 1, "recorded": 1004, "lost": { "ring_full": 4 } },
        ],
    });
    assert_eq!(stats, expected);
    assert_eq!(serde_json::to_value(collector.stats()).unwrap(), expected);
}

#[test]
fn traces_are_told_of_all_that_is_stored() {
    let collector = Collector::builder().start().unwrap();
    assert_eq!(collector.traces(), []);
    for bytes in [batch(1, 0, &[reads(0, 0, 10), reads(1, 0, 2)]), batch(1, 0, &[reads(0, 0, 10)])] {
        post(&collector.url(), &bytes).ack();
    }
    let traces = collector.traces();
    assert_eq!((traces.len(), traces[0].events, traces[0].strands), (1, 12, 2));
    assert_eq!(
        (traces[0].id.as_str(), &traces[0].processes[..]),
        ("00000000-0000-0000-0000-000000000001", &["bank#bank-1".to_owned()][..])
    );
}

#[test]
fn what_is_not_there_is_not_there() {
    let collector = Collector::builder().start().unwrap();
    assert_eq!(get(&collector.url(), "/health", &[]).text(), "ok\n");
    assert_eq!(get(&collector.url(), "/api", &[]).status, 404);
    assert_eq!(get(&collector.url(), "/api/../etc/passwd", &[]).status, 404);
    assert_eq!(get(&collector.url(), "/events", &[]).status, 405);
}
