//! What a stock server's reader may ask for.

use super::events::{Context, send, uuid};
use crate::batch::{batch_on, reads};
use crate::client::{get, post};
use serde_json::{Value, json};
use trackside_collector::Collector;

#[track_caller]
fn ask(collector: &Collector, path: &str) -> Value {
    let answer = get(&collector.url(), path, &[]);
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.text());
    let mut said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&said["success"], &said["error"]), (&json!(true), &Value::Null));
    said["data"].take()
}

/// Two requests to `web`, each of which calls `bank` twice; `bank` writes one balance, and nothing orders that.
fn shop() -> Collector {
    let collector = Collector::builder().start().unwrap();
    for trace in [1, 2] {
        let mut web = Context::new("web", trace, 1);
        let mut events = vec![web.read("cart", 1, 10)];
        for number in [2, 3] {
            let mut bank = web.call("bank", number);
            events.push(bank.write("balance", 0, 1, 20));
        }
        events.push(web.read("cart", 1, 11));
        send(&collector, &events);
    }
    collector
}

#[test]
fn traces_come_in_pages_with_the_latest_first() {
    let collector = shop();
    let all = ask(&collector, "/api/traces");
    assert_eq!(
        (&all["total_traces"], &all["page"], &all["page_size"], &all["total_pages"]),
        (&json!(2), &json!(1), &json!(20), &json!(1))
    );
    // Four events that were sent, and one for each of the two calls.
    let first = &all["traces"][0];
    assert_eq!((&first["event_count"], &first["service_count"]), (&json!(6), &json!(2)));
    assert_eq!(first["services"], json!(["bank", "web"]));
    assert!(first["last_timestamp"].as_str() > first["first_timestamp"].as_str());
    assert!(all["traces"][0]["last_timestamp"].as_str() >= all["traces"][1]["last_timestamp"].as_str());

    let pages: Vec<Value> =
        [1, 2, 3].map(|page| ask(&collector, &format!("/api/traces?page={page}&page_size=1"))).into();
    let ids: Vec<&Value> =
        pages.iter().flat_map(|page| page["traces"].as_array().unwrap()).map(|trace| &trace["trace_id"]).collect();
    assert_eq!(ids, [&all["traces"][0]["trace_id"], &all["traces"][1]["trace_id"]]);
    assert!(ids.contains(&&json!(uuid(1))) && pages[0]["total_pages"] == 2);
    assert_eq!(ask(&collector, "/api/traces?min_events=7")["total_traces"], 0);
    assert_eq!(ask(&collector, "/api/traces?page=18446744073709551615&page_size=99")["traces"], json!([]));
    let bad = get(&collector.url(), "/api/traces?page=x", &[]);
    assert_eq!(
        (bad.status, serde_json::from_slice::<Value>(&bad.body).unwrap()["success"].clone()),
        (400, json!(false))
    );
}

#[test]
fn services_are_told_with_whom_they_call_and_who_calls_them() {
    let collector = shop();
    let services = ask(&collector, "/api/services");
    assert_eq!(services["total_services"], 2);
    assert_eq!(services["services"][0], json!({"name": "bank", "event_count": 4, "trace_count": 2}));
    assert_eq!(ask(&collector, "/api/services/bank/traces")["total_traces"], 2);
    assert_eq!(ask(&collector, "/api/services/nobody/traces")["total_traces"], 0);
    let call = json!({"from": "web", "to": "bank", "total_calls": 4, "trace_count": 2});
    assert_eq!(
        ask(&collector, "/api/services/web/dependencies"),
        json!({"service_name": "web", "calls_to": [call], "called_by": []})
    );
    assert_eq!(ask(&collector, "/api/services/bank/dependencies")["called_by"], json!([call]));
    assert_eq!(get(&collector.url(), "/api/services/nobody/dependencies", &[]).status, 404);
    assert_eq!(get(&collector.url(), "/api/services/..%2f..%2fetc%2fpasswd/dependencies", &[]).status, 404);
    let edges = ask(&collector, "/api/distributed/edges");
    let edge = json!({"from_service": "web", "to_service": "bank", "call_count": 4, "link_type": "call"});
    assert_eq!(edges, json!({"total_edges": 1, "edges": [edge], "truncated": false}));
}

#[test]
fn races_are_those_of_the_report() {
    let collector = shop();
    let (report, global) = (collector.report(), ask(&collector, "/api/analyze/global"));
    assert_eq!((&global["total_traces"], &global["total_events"]), (&json!(2), &json!(report.summary.events)));
    assert!(!report.findings.is_empty() && global["potential_races"] == report.findings.len());
    let detail = &global["race_details"][0];
    assert_eq!((&detail["variable"], &detail["event1_location"]), (&json!("balance"), &json!("bank.go:20")));
    let traces = [uuid(1), uuid(2)];
    assert!(traces.iter().any(|trace| detail["trace1_id"] == **trace), "{detail}");
    let races = ask(&collector, "/api/distributed/global-races");
    assert_eq!(races["total_races"], 1);
    let expected = json!({
        "variable": "balance", "trace_count": 2, "access_count": 4, "access_types": ["Write"], "thread_count": 4,
        "severity": "Warning", "trace_ids": traces, "truncated": false,
    });
    assert_eq!(races["races"][0], expected);
}

#[test]
fn a_hot_variable_and_many_others_make_no_large_answer() {
    let collector = Collector::builder().start().unwrap();
    for at in 0..10 {
        post(&collector.url(), &batch_on("hot", 1, at, &[reads(0, at * 10_000, 10_000)])).ack();
    }
    for at in 0..50 {
        post(&collector.url(), &batch_on(&format!("variable {at}"), 2, at, &[reads(0, at * 3, 3)])).ack();
    }
    let hotspots = ask(&collector, "/api/distributed/hotspots");
    let hot =
        json!({"variable": "hot", "access_count": 100_000, "trace_count": 1, "services": ["bank"], "truncated": false});
    assert_eq!((&hotspots["top_variables"][0], hotspots["top_variables"].as_array().unwrap().len()), (&hot, 10));
    for path in
        ["/api/traces", "/api/services", "/api/distributed/hotspots", "/api/analyze/global", "/api/distributed/edges"]
    {
        assert!(get(&collector.url(), path, &[]).body.len() < 3000, "{path}");
    }
}
