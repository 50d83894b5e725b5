//! `trackside export --chrome-trace`.

use crate::command::{run, saved, unsaved};
use crate::formats::HOSTILE;
use crate::recording::{Recording, V};
use serde_json::Value;
use std::collections::BTreeMap;
use trackside_wire::Kind;

/// The events of what is written, all of whose arrows have two ends.
#[track_caller]
fn exported(name: &str, bytes: &[u8], code: i32) -> (Vec<Value>, String) {
    let (text, stderr) = run(&["export", "--chrome-trace", &saved(name, bytes)], code);
    let trace: Value = serde_json::from_str(&text).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().clone();
    let mut ends: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] == "s" || event["ph"] == "f") {
        ends.entry(event["id"].as_u64().unwrap()).or_default().push(event["ph"].as_str().unwrap());
        // Each end is within a span of its thread.
        let ts = event["ts"].as_f64().unwrap();
        let around = |span: &&Value| {
            let number = |key: &str| span[key].as_f64().unwrap();
            span["ph"] == "X"
                && span["tid"] == event["tid"]
                && (number("ts")..number("ts") + number("dur")).contains(&ts)
        };
        assert!(events.iter().any(|span| around(&span)), "{event} is in no span");
    }
    assert!(ends.values().all(|ends| *ends == ["s", "f"]), "{ends:?}");
    assert_nested(&events);
    (events, stderr)
}

/// Spans of one thread are one within the other, or apart: else it is not said how they are drawn.
#[track_caller]
fn assert_nested(events: &[Value]) {
    let ns = |span: &Value, key: &str| (span[key].as_f64().unwrap() * 1000.0).round() as u64;
    let all = events.iter().filter(|event| event["ph"] == "X");
    let mut all: Vec<_> = all.map(|span| (span["tid"].as_u64(), ns(span, "ts"), ns(span, "dur"))).collect();
    all.sort_by_key(|(tid, start, len)| (*tid, *start, u64::MAX - len));
    let mut around: Vec<(Option<u64>, u64)> = Vec::new();
    for (tid, start, len) in all {
        around.retain(|(of, end)| *of == tid && *end > start);
        assert!(around.iter().all(|(_, end)| start + len <= *end), "{start} + {len} is not within {around:?}");
        around.push((tid, start + len));
    }
}

/// The arrows of a kind, as the threads they go from and to.
fn arrows(events: &[Value], cat: &str) -> Vec<(u64, u64)> {
    let ends = |ph: &'static str| events.iter().filter(move |event| event["ph"] == ph && event["cat"] == cat);
    let tid = |event: &Value| event["tid"].as_u64().unwrap();
    ends("s").zip(ends("f")).map(|(from, to)| (tid(from), tid(to))).collect()
}

fn spans<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["ph"] == "X" && event["name"] == name).collect()
}

#[test]
fn holds_are_spans_and_arrows_go_from_release_to_acquire() {
    let recording = Recording::new(1)
        .acquire(0, "ledger", 3, 1)
        .write(0, 10, "alice")
        .release(0, "ledger", 3, 1)
        .acquire(1, "ledger", 3, 2)
        .release(1, "ledger", 3, 2)
        .acquire(1, "ledger", 3, 3)
        .release(1, "ledger", 3, 3);
    let (events, stderr) = exported("holds", &recording.bytes(), 0);
    assert_eq!(stderr, "");
    let holds = spans(&events, "holds ledger");
    assert_eq!(holds.iter().map(|hold| hold["dur"].as_f64().unwrap()).collect::<Vec<_>>(), [2.0, 1.0, 1.0]);
    assert_eq!(holds[0]["args"]["at"], "src/bank.rs:7");
    // Not to oneself.
    assert_eq!(arrows(&events, "lock"), [(1, 2)]);
    let accesses: Vec<&Value> = events.iter().filter(|event| event["ph"] == "i").collect();
    assert_eq!((accesses.len(), &accesses[0]["name"]), (1, &Value::from("write alice")));
    let names: Vec<&Value> =
        events.iter().filter(|event| event["ph"] == "M").map(|event| &event["args"]["name"]).collect();
    assert_eq!(names[0], "bank/bank-1 (pid 7)");
}

#[test]
fn locks_that_are_given_back_in_another_order_are_drawn_apart() {
    let recording = Recording::new(1)
        .acquire(0, "a", 1, 1)
        .acquire(0, "b", 2, 1)
        .release(0, "a", 1, 1)
        .acquire(1, "a", 1, 2)
        .release(0, "b", 2, 1);
    let (events, _) = exported("apart", &recording.bytes(), 0);
    let of = |ph: &str| events.iter().filter(|event| event["ph"] == ph && event["name"] == "holds a").count();
    assert_eq!((of("b"), of("e")), (1, 1));
    assert_eq!(spans(&events, "holds b").len(), 1);
    assert_eq!(spans(&events, "holds a")[0]["args"]["unfinished"], true, "the other strand's");
    assert_eq!(arrows(&events, "lock"), [(1, 2)]);
}

#[test]
fn a_clock_that_is_set_back_turns_nothing_round() {
    let waited = V::List(vec![V::Int(3), V::Text("Mutex"), V::Int(1 << 40)]);
    let recording = Recording::new(1)
        .acquire(0, "a", 1, 1)
        .release(0, "a", 1, 1)
        .at(9000)
        .acquire(0, "a", 1, 2)
        .at(8500)
        .release(0, "a", 1, 2)
        .at(9400)
        .event(0, Kind::LockAcquire, 3, "a", V::Int(1), waited)
        .at(9700);
    let (events, _) = exported("back", &recording.bytes(), 0);
    let length = |name: &str| spans(&events, name).iter().map(|span| span["dur"].as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!((length("holds a"), length("waits for a")), (vec![9.0, 0.4, 0.001], vec![0.3]));
}

#[test]
fn calls_requests_messages_and_tasks() {
    let numbered = |number: u64| V::List(vec![V::Int(number), V::Text("mpsc")]);
    let recording = Recording::new(1)
        .event(0, Kind::HttpRequest, 1, "GET", V::Text("/x"), V::Nil)
        .event(0, Kind::FunctionCall, 2, "pay", V::Nil, V::Nil)
        .event(0, Kind::AsyncSpawn, 3, "job", V::Int(5), V::Nil)
        .event(0, Kind::MessageSent, 4, "jobs", V::Int(9), numbered(1))
        .event(5, Kind::MessageReceived, 5, "jobs", V::Int(9), numbered(1))
        .event(0, Kind::FunctionReturn, 2, "pay", V::Nil, V::Nil)
        .event(0, Kind::HttpResponse, 6, "", V::Int(200), V::Nil)
        .event(0, Kind::AsyncAwait, 9, "job", V::Int(5), V::Int(2))
        .event(5, Kind::MessageReceived, 5, "jobs", V::Int(9), numbered(2));
    let (events, _) = exported("calls", &recording.bytes(), 0);
    let dur = |name: &str| spans(&events, name).iter().map(|span| span["dur"].as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!((dur("GET \"/x\""), dur("pay")), (vec![6.0], vec![4.0]));
    assert_eq!((arrows(&events, "message"), arrows(&events, "spawn")), (vec![(1, 2)], vec![(1, 2)]));
    assert_eq!(arrows(&events, "join"), [(2, 1)], "from its last event, though that came later");
}

#[test]
fn it_is_closed_wherever_the_input_is_torn_or_damaged() {
    let whole = Recording::new(1).acquire(0, "a", 1, 1).write(0, 3, HOSTILE).service(HOSTILE).bytes();
    let (events, _) = exported("whole", &whole, 0);
    let two = [&whole[..], &whole[8..]].concat();
    for cut in [8, 9, 12, whole.len() - 1, whole.len() + 1, two.len() - 1] {
        let (part, stderr) = exported("torn-export", &two[..cut], 0);
        assert_eq!(part.len(), if cut < whole.len() { 0 } else { events.len() }, "{cut}");
        assert_eq!(stderr.is_empty(), cut == 8, "{cut}: {stderr}");
    }
    let damaged = [&whole[..], &[3, 0, 0, 0, 0xc1, 0xc1, 0xc1]].concat();
    let (part, stderr) = exported("damaged-export", &damaged, 2);
    assert_eq!(part.len(), events.len());
    assert!(stderr.starts_with("error: "), "{stderr}");
    exported("no-file", b"no such file", 2);
}

#[test]
fn it_goes_where_it_is_told() {
    let (path, output) = (saved("to", &Recording::new(1).write(0, 3, "x").bytes()), unsaved("trace.json"));
    let (stdout, _) = run(&["export", &path, "--chrome-trace", "-o", &output], 0);
    assert_eq!(stdout, "");
    assert!(serde_json::from_slice::<Value>(&std::fs::read(&output).unwrap()).is_ok());
    let (_, stderr) = run(&["export", &path, "--chrome-trace", "-o", "no/such/directory/x"], 2);
    assert!(stderr.contains("cannot write to no/such/directory/x"), "{stderr}");
    let (_, stderr) = run(&["export", &path], 2);
    assert!(stderr.contains("--chrome-trace"), "{stderr}");
}
