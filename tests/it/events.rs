//! Each tracking method records what its kind's documentation says, with the caller's own place in the source.

use crate::support::{LONG, Seen, client, events};
use std::sync::atomic::Ordering;
use std::time::Duration;
use trackside::{Access, Name, Value};
use trackside_wire::Kind;

/// What an event must be: line, kind, name, `a`, `b`.
type Row = (u32, Kind, Option<&'static str>, &'static str, &'static str);

#[track_caller]
fn assert_rows(seen: &[Seen], rows: &[Row]) {
    for (seen, row) in seen.iter().zip(rows) {
        assert_eq!((seen.line, seen.kind, seen.name.as_deref(), seen.a.as_str(), seen.b.as_str()), *row);
        assert_eq!(seen.file, file!());
    }
    assert_eq!(seen.len(), rows.len());
}

#[test]
fn state_changes() {
    let (client, memory) = client();
    let start = line!();
    client.track_state_change("x", Value::NIL, 5, Access::Read);
    client.track_state_change("x", 5, 6, Access::Write);
    client.track_state_change("x", Value::NIL, u64::MAX, Access::AtomicRead);
    client.track_state_change("x", i64::MIN, -1, Access::AtomicWrite);
    client.track_state_change("x", 1.5, f32::MIN_POSITIVE, Access::AtomicRmw);
    client.track_read("x", "text");
    client.track_write("x", true, None::<u8>);
    client.flush(LONG).unwrap();
    let x = Some("x");
    let rows = [
        (start + 1, Kind::Read, x, "null", "5"),
        (start + 2, Kind::Write, x, "5", "6"),
        (start + 3, Kind::AtomicRead, x, "null", "18446744073709551615"),
        (start + 4, Kind::AtomicWrite, x, "-9223372036854775808", "-1"),
        (start + 5, Kind::AtomicRmw, x, "1.5", "0.000000000000000000000000000000000000011754943508222875"),
        (start + 6, Kind::Read, x, "null", "\"text\""),
        (start + 7, Kind::Write, x, "true", "null"),
    ];
    assert_rows(&events(&memory), &rows);
}

#[test]
fn all_other_kinds() {
    let (client, memory) = client();
    let ms = Duration::from_millis(3);
    let start = line!();
    client.track_function_call("transfer", "bank", 7);
    client.track_function_return("transfer", "ok");
    client.track_http_request("GET", "/accounts", Value::NIL, "body");
    client.track_http_response(204, "headers", Value::NIL, ms);
    let task = client.track_async_spawn("worker");
    let guard = client.enter(task);
    drop(guard);
    client.track_async_await(task);
    client.track_lock_acquire("ledger", "RwLock-Read");
    client.track_lock_release("ledger", "RwLock-Read");
    client.track_memory_fence(Ordering::AcqRel);
    client.track_database_query("main", "select 1", ms);
    client.track_database_result(42);
    client.track_error("Overdrawn", "account 7", &["a.rs:1", "b.rs:2"]);
    client.track_error("Overdrawn", "account 7", &[]);
    client.track_custom("checkpoint", Value::of(&("seven", 7, [None, Some(1.5)])));
    client.flush(LONG).unwrap();
    let ledger = Some("ledger");
    let id: &'static str = task.id().to_string().leak();
    let rows = [
        (start + 1, Kind::FunctionCall, Some("transfer"), "\"bank\"", "7"),
        (start + 2, Kind::FunctionReturn, Some("transfer"), "\"ok\"", "null"),
        (start + 3, Kind::HttpRequest, Some("GET"), "\"/accounts\"", "[null, \"body\"]"),
        (start + 4, Kind::HttpResponse, None, "204", "[\"headers\", null, 3000000]"),
        (start + 5, Kind::AsyncSpawn, Some("worker"), id, "null"),
        (start + 6, Kind::TaskBegin, None, id, "null"),
        (start + 6, Kind::TaskEnd, None, id, "null"),
        (start + 8, Kind::AsyncAwait, None, id, "null"),
        (start + 9, Kind::LockAcquire, ledger, "null", "[null, \"RwLock-Read\"]"),
        (start + 10, Kind::LockRelease, ledger, "null", "[null, \"RwLock-Read\"]"),
        (start + 11, Kind::MemoryFence, None, "\"AcqRel\"", "null"),
        (start + 12, Kind::DatabaseQuery, None, "\"select 1\"", "[\"main\", 3000000]"),
        (start + 13, Kind::DatabaseResult, None, "42", "null"),
        (start + 14, Kind::Error, Some("Overdrawn"), "\"account 7\"", "[\"a.rs:1\", \"b.rs:2\"]"),
        (start + 15, Kind::Error, Some("Overdrawn"), "\"account 7\"", "null"),
        (start + 16, Kind::Custom, Some("checkpoint"), "[\"seven\", 7, [null, 1.5]]", "null"),
    ];
    assert_rows(&events(&memory), &rows);
}

#[test]
fn every_memory_ordering_has_its_name() {
    let (client, memory) = client();
    use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    let orderings = [Relaxed, Acquire, Release, AcqRel, SeqCst];
    orderings.into_iter().for_each(|ordering| client.track_memory_fence(ordering));
    client.flush(LONG).unwrap();
    let names: Vec<_> = events(&memory).into_iter().map(|seen| seen.a).collect();
    assert_eq!(names, orderings.map(|ordering| format!("\"{ordering:?}\"")));
}

#[test]
fn a_function_guard_tells_the_duration() {
    let (client, memory) = client();
    let before = std::time::Instant::now();
    let guard = client.start_function("transfer", 7);
    let line = line!() - 1;
    let inner = std::time::Instant::now();
    // Long enough to be told from the resolution of any clock, short enough not to matter.
    while inner.elapsed() < Duration::from_millis(2) {}
    let least = inner.elapsed();
    drop(guard);
    let most = before.elapsed();
    client.flush(LONG).unwrap();
    let seen = events(&memory);
    let [call, back] = &seen[..] else { panic!("two events: {seen:?}") };
    assert_eq!((call.kind, call.a.as_str(), call.b.as_str(), call.line), (Kind::FunctionCall, "null", "7", line));
    assert_eq!((back.kind, back.a.as_str(), back.line), (Kind::FunctionReturn, "null", line));
    let took = Duration::from_nanos(back.b.parse().unwrap());
    // The two clocks may differ a little: a tenth is generous.
    assert!(took > least * 9 / 10 && took < most * 11 / 10, "{least:?} < {took:?} < {most:?}");
}

#[test]
fn events_of_one_thread_are_in_order_and_under_its_name() {
    let (client, memory) = client();
    let record = || (0..1000).for_each(|number| client.track_read("n", number));
    std::thread::scope(|scope| {
        for name in ["one", "other"] {
            std::thread::Builder::new().name(name.into()).spawn_scoped(scope, record).unwrap();
        }
    });
    client.flush(LONG).unwrap();
    let seen = events(&memory);
    for name in ["one", "other"] {
        let own: Vec<_> = seen.iter().filter(|seen| seen.thread == name).collect();
        assert_eq!(own.len(), 1000);
        assert!(own.iter().enumerate().all(|(at, seen)| seen.step == at as u64 && seen.b == at.to_string()));
        assert!(own.iter().all(|seen| seen.strand == own[0].strand));
    }
}

#[test]
fn times_are_of_today_and_in_order() {
    let (client, memory) = client();
    let unix = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let before = unix();
    (0..100).for_each(|number| client.track_read("n", number));
    client.flush(LONG).unwrap();
    let after = unix();
    let batches = memory.batches();
    let batch = trackside_wire::Batch::decode(&batches[0].bytes).unwrap();
    let times: Vec<_> = batch.events().map(|event| u128::from(batch.header.base_unix_ns + event.time_ns)).collect();
    assert!(times.is_sorted());
    // The system's clock may be corrected meanwhile: a second is generous.
    let slack = 1_000_000_000;
    assert!(times[0] + slack > before && times[99] < after + slack, "{before} {times:?} {after}");
}

#[test]
fn the_header_says_who_sent_it() {
    let memory = trackside::MemoryTransport::new();
    let builder = crate::support::builder(&memory).service("bank").instance("bank-1").environment("test");
    let client = builder.tag("zone", "a").tag("version", "").build().unwrap();
    client.track_read("n", 1);
    client.flush(LONG).unwrap();
    let batches = memory.batches();
    let header = trackside_wire::Batch::decode(&batches[0].bytes).unwrap().header;
    assert_eq!((header.service, header.instance, header.environment), ("bank", "bank-1", "test"));
    assert_eq!(header.tags, [("zone", "a"), ("version", "")]);
    assert_eq!((header.pid, header.batch, header.recorded), (std::process::id(), 0, 1));
}

#[test]
fn borrowed_names_and_values_go_with_static_ones() {
    let (client, memory) = client();
    let (name, old, new) = (String::from("name"), String::from("old"), String::from("new"));
    client.track_write("static", &old, &new);
    client.track_write(&name, "old", Value::of(&new));
    client.track_write(Name::dynamic(&name[1..]), &old[1..], "new");
    client.track_custom("static", Value::of(&[&old, &new]));
    client.flush(LONG).unwrap();
    let seen: Vec<_> = events(&memory).into_iter().map(|seen| (seen.name.unwrap(), seen.a, seen.b)).collect();
    let expected = [
        ("static", "\"old\"", "\"new\""),
        ("name", "\"old\"", "\"new\""),
        ("ame", "\"ld\"", "\"new\""),
        ("static", "[\"old\", \"new\"]", "null"),
    ];
    assert_eq!(seen, expected.map(|(name, a, b)| (name.into(), a.into(), b.into())));
}
