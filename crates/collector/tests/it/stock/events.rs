//! What the stock SDKs send, written by hand.

use crate::client::{Answer, try_post};
use serde_json::{Value, json};
use trackside_collector::Collector;

/// One context of the Go SDK, such as a request: each event's parent is the one before it, and the clock counts them.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    service: &'static str,
    trace: u128,
    thread: String,
    span: u64,
    upstream: Option<u64>,
    clock: Vec<(String, u64)>,
    last: Option<String>,
    next: u128,
}

impl Context {
    /// A request that came without headers.
    pub(crate) fn new(service: &'static str, trace: u128, number: u128) -> Self {
        let thread = uuid(0xfeed << 64 | trace << 32 | number);
        let span = (trace as u64) << 32 | number as u64;
        let clock = vec![(format!("{service}#{service}-1"), 0)];
        Self { service, trace, thread, span, upstream: None, clock, last: None, next: trace << 32 | number << 16 }
    }

    /// What another service runs for this one, which makes the headers now.
    pub(crate) fn call(&mut self, service: &'static str, number: u128) -> Self {
        self.clock[0].1 += 1;
        let mut callee = Self::new(service, self.trace, number);
        callee.upstream = Some(self.span);
        callee.clock.extend(self.clock.clone());
        callee
    }

    /// Hangs the next event on another one.
    pub(crate) fn after(mut self, event: &Value) -> Self {
        self.last = Some(event["id"].as_str().unwrap().to_owned());
        self
    }

    pub(crate) fn on_thread(mut self, thread: &str) -> Self {
        self.thread = thread.into();
        self
    }

    pub(crate) fn event(&mut self, kind: Value) -> Value {
        self.clock[0].1 += 1;
        self.next += 1;
        let id = uuid(self.next);
        let parent = self.last.replace(id.clone());
        let second = self.next & 0xffff;
        json!({
            "id": id,
            "trace_id": uuid(self.trace),
            "parent_id": parent,
            "timestamp": format!("2026-01-02T03:04:05.{second:09}Z"),
            "kind": kind,
            "metadata": {
                "thread_id": self.thread,
                "process_id": 4321,
                "service_name": self.service,
                "environment": "test",
                "tags": {"sdk_language": "go"},
                "duration_ns": null,
                "instance_id": format!("{}-1", self.service),
                "distributed_span_id": format!("{:016x}", self.span),
                "upstream_span_id": self.upstream.map(|span| format!("{span:016x}")),
            },
            "causality_vector": self.clock,
            "lock_set": [],
        })
    }

    pub(crate) fn read(&mut self, variable: &str, value: i64, line: u32) -> Value {
        self.event(change(variable, "Read", Value::Null, value, line))
    }

    pub(crate) fn write(&mut self, variable: &str, old: i64, new: i64, line: u32) -> Value {
        self.event(change(variable, "Write", old.into(), new, line))
    }

    pub(crate) fn lock(&mut self, kind: &str, lock: &str, lock_type: &str) -> Value {
        self.event(json!({kind: {"lock_id": lock, "lock_type": lock_type, "location": "bank.go:7"}}))
    }
}

fn change(variable: &str, access: &str, old: Value, new: i64, line: u32) -> Value {
    json!({"StateChange": {
        "variable": variable, "old_value": old, "new_value": new, "location": format!("bank.go:{line}"),
        "access_type": access,
    }})
}

pub(crate) fn uuid(bits: u128) -> String {
    let text = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) fn body(events: &[Value]) -> Vec<u8> {
    json!({ "events": events }).to_string().into_bytes()
}

pub(crate) fn try_send(collector: &Collector, events: &[Value]) -> Answer {
    try_post(&collector.url(), &[JSON], &body(events)).unwrap()
}

/// Sends events, all of which have to be taken.
#[track_caller]
pub(crate) fn send(collector: &Collector, events: &[Value]) {
    let answer = try_send(collector, events);
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.text());
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(said, json!({"success": true, "data": format!("Ingested {} events", events.len()), "error": null}));
}
