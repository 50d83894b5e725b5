//! The answers to `GET`.

use crate::batch::{batch, reads, write};
use crate::client::{get, post};
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
    assert_eq!(get(&collector.url(), "/", &[]).status, 404);
    assert_eq!(get(&collector.url(), "/api/../etc/passwd", &[]).status, 404);
    assert_eq!(get(&collector.url(), "/events", &[]).status, 405);
}

#[test]
fn the_collector_describes_itself_to_who_may_know() {
    let collector = Collector::builder().api_key("sesame").start().unwrap();
    assert_eq!(get(&collector.url(), "/openapi.json", &[]).status, 401);
    let answer = get(&collector.url(), "/openapi.json", &[("x-raceway-key", "sesame")]);
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    // Whatever it names and GET can ask for without knowing more is there.
    let paths = document["paths"].as_object().unwrap();
    let asked = paths.iter().filter(|(path, methods)| methods.get("get").is_some() && !path.contains('{'));
    for (path, _) in asked {
        assert_eq!(get(&collector.url(), path, &[("x-raceway-key", "sesame")]).status, 200, "{path}");
    }
}
