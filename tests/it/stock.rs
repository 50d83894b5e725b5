//! Against a stock Raceway server: it is recognised by its answer, gets everything in its own JSON, in order and once, and
//! the books say what has become of each event.

mod collector;
mod contexts;
mod losses;

use crate::support::stock::schema::{Event, Kind};
use crate::support::stock::{State, Stock};
use crate::support::{LONG, scaled};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trackside::{Access, Builder, Client, Value, Warning};
use trackside_collector::{Collector, Fault as CollectorFault};

fn builder(server: &Stock) -> Builder {
    Client::builder(server.url()).service("shop").instance("shop-1").environment("test").record_locks(false)
}

fn client(server: &Stock) -> Client {
    builder(server).build().unwrap()
}

const JSON: &str = "application/json";
const NATIVE: &str = "application/vnd.trackside.v1+msgpack";

fn media_types(server: &Stock) -> Vec<String> {
    server.state().requests.iter().map(|request| request.media_type.clone()).collect()
}

/// The values of the variable `n`, in the order in which they were stored.
fn numbers(stored: &[Event]) -> Vec<u64> {
    let number = |event: &Event| match &event.kind {
        Kind::StateChange { variable, new_value, .. } if variable == "n" => new_value.as_u64(),
        _ => None,
    };
    stored.iter().filter_map(number).collect()
}

#[track_caller]
fn assert_each_once(stored: &[Event]) {
    let ids: BTreeSet<&str> = stored.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), stored.len(), "an event was stored twice");
}

/// Asserts that each parent was stored before its child, and returns the length of the longest path from a root.
#[track_caller]
fn longest_path(stored: &[Event]) -> u32 {
    let mut depths: HashMap<&str, u32> = HashMap::new();
    for event in stored {
        let depth = event.parent_id.as_deref().map_or(1, |parent| depths.get(parent).expect("a stored parent") + 1);
        depths.insert(&event.id, depth);
    }
    depths.into_values().max().unwrap_or(0)
}

#[test]
fn a_stock_server_is_recognised_and_gets_everything() {
    for ignores_media_type in [false, true] {
        let server = Stock::start(State { ignores_media_type, ..State::default() });
        let warnings = Arc::new(Mutex::new(Vec::<Warning>::new()));
        let told = warnings.clone();
        let client = builder(&server).on_warning(move |warning| told.lock().unwrap().push(warning.clone()));
        let client = client.build().unwrap();
        (0..5_000).for_each(|number| client.track_read("n", number));
        client.flush(LONG).unwrap();
        client.track_read("n", 5_000);
        let stats = client.shutdown(LONG);
        assert_eq!((stats.recorded, stats.delivered, stats.lost.total()), (5_001, 5_001, 0), "{stats}");
        let stored = server.stored();
        assert!(numbers(&stored).into_iter().eq(0..=5_000));
        assert_each_once(&stored);
        let types = media_types(&server);
        // The first one is cut off if the server closes on it early; then it is announced, and refused at once.
        let native = types.iter().take_while(|media_type| **media_type == NATIVE).count();
        assert!((1..=2).contains(&native), "{types:?}");
        assert!(types.len() > 4 && types[native..].iter().all(|media_type| media_type == JSON), "{types:?}");
        // To be refused for the form is no trouble; only to be cut off is.
        let warnings = warnings.lock().unwrap();
        assert!(warnings.len() < native, "{warnings:?}");
    }
}

#[test]
fn all_kinds_are_accepted() {
    let server = Stock::start(State::default());
    let client = builder(&server).tag("team", "core").build().unwrap();
    for access in [Access::Read, Access::Write, Access::AtomicRead, Access::AtomicWrite, Access::AtomicRmw] {
        client.track_state_change("v", f64::NAN, Value::NIL, access);
    }
    client.track_function_call("f", "module", f64::INFINITY);
    client.track_function_return("f", u64::MAX);
    drop(client.start_function("timed", Value::NIL));
    let headers = BTreeMap::from([("x-injected", "a\r\nb: c"), ("accept", "*/*")]);
    client.track_http_request("GET", "/", Value::of(&headers), Value::of(&[1, 2]));
    client.track_http_response(200, Value::NIL, "ok", Duration::from_micros(1_234_567));
    let task = client.track_async_spawn("worker");
    drop(client.enter(task));
    client.track_async_await(task);
    client.track_lock_acquire("lock", "RwLock-Write");
    client.track_lock_release("lock", "RwLock-Write");
    for ordering in [Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel, Ordering::SeqCst] {
        client.track_memory_fence(ordering);
    }
    client.track_database_query("SELECT 1", "ledger", Duration::from_millis(3));
    client.track_database_result(1);
    client.track_error("Broken", "what", &[]);
    client.track_error("Broken", "what", &["main", "start"]);
    client.track_custom("own", Value::of(&BTreeMap::from([(1, "one")])));
    client.track_custom("long", &"x".repeat(5_000));
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.lost.total()), (stats.recorded, 0), "{stats}");
    let stored = server.stored();
    assert_eq!(stored.len() as u64, stats.recorded);
    let kinds: BTreeSet<String> = stored
        .iter()
        .map(|event| format!("{:?}", event.kind).split([' ', '{']).next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(kinds.len(), 13, "{kinds:?}");
    for event in &stored {
        let metadata = &event.metadata;
        assert_eq!((metadata.service_name.as_str(), metadata.environment.as_str()), ("shop", "test"));
        assert_eq!((metadata.process_id, metadata.instance_id.as_deref()), (std::process::id(), Some("shop-1")));
        let tags: Vec<_> = metadata.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(tags, [("sdk_language", "rust"), ("team", "core")]);
    }
    let ids: Vec<&str> = stored
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::AsyncSpawn { task_id, .. } => Some(task_id.as_str()),
            Kind::AsyncAwait { future_id, .. } => Some(future_id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!((ids.len(), ids[0]), (2, ids[1]));
    let clocks: Vec<_> = stored.iter().map(|event| event.causality_vector.clone()).collect();
    let expect: Vec<_> = (1..=clocks.len() as u64).map(|at| vec![("shop#shop-1".to_owned(), at)]).collect();
    assert_eq!(clocks, expect, "each event is one step of its strand's clock");
}

#[test]
fn an_answer_before_the_end_of_a_long_batch_is_understood() {
    // The server closes on a body it does not read, and the first batch is longer than what the system takes over: the
    // connection breaks while it is written.
    let server = Stock::start(State::default());
    let client = builder(&server).batch_bytes(32 << 20).overflow(trackside::Overflow::Block { timeout: LONG });
    let client = client.flush_interval(LONG).build().unwrap();
    let long = "x".repeat(1_000);
    (0..20_000).for_each(|_| client.track_custom("long", &long));
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.lost.total()), (20_000, 0), "{stats}");
    assert_eq!(server.stored().len(), 20_000);
}

#[test]
fn bodies_stay_below_the_limit_and_paths_below_what_kills_the_server() {
    let events = scaled(100_000, 20_000);
    let server = Stock::start(State::default());
    let client = builder(&server).overflow(trackside::Overflow::Block { timeout: LONG }).build().unwrap();
    (0..events).for_each(|number| client.track_read("n", number));
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.lost.total()), (events, 0), "{stats}");
    let stored = server.stored();
    assert!(numbers(&stored).into_iter().eq(0..events));
    assert_each_once(&stored);
    let longest = longest_path(&stored);
    assert!((400..=1_000).contains(&longest), "{longest}");
    let longest_body = server.state().requests.iter().map(|request| request.length).max().unwrap();
    assert!(longest_body < 1_100_000, "{longest_body}");
}

#[test]
fn locks_are_in_the_set_while_they_are_held() {
    let server = Stock::start(State::default());
    let client = client(&server);
    client.track_read("n", 0);
    client.track_lock_acquire("ledger", "Mutex");
    client.flush(LONG).unwrap();
    client.track_read("n", 1);
    client.track_lock_acquire("audit", "Mutex");
    client.track_read("n", 2);
    client.track_lock_release("ledger", "Mutex");
    client.track_read("n", 3);
    client.track_lock_release("audit", "Mutex");
    client.track_read("n", 4);
    client.shutdown(LONG);
    let stored = server.stored();
    let sets: Vec<_> = stored
        .iter()
        .filter(|event| matches!(event.kind, Kind::StateChange { .. }))
        .map(|event| event.lock_set.join(" "))
        .collect();
    assert_eq!(sets, ["", "ledger", "ledger audit", "audit", ""]);
}

#[test]
fn thread_ids_are_unique_over_threads_and_clients() {
    let server = Stock::start(State::default());
    let clients = [client(&server), client(&server)];
    std::thread::scope(|scope| {
        for client in &clients {
            (0..2).for_each(|_| drop(scope.spawn(move || (0..3).for_each(|number| client.track_read("n", number)))));
        }
    });
    for client in &clients {
        client.shutdown(LONG);
    }
    let mut threads: BTreeMap<String, u32> = BTreeMap::new();
    for event in server.stored() {
        *threads.entry(event.metadata.thread_id).or_default() += 1;
    }
    assert_eq!(threads.values().collect::<Vec<_>>(), [&3; 4], "{threads:?}");
    let prefix = format!("rust-{}-", std::process::id());
    assert!(threads.keys().all(|thread| thread.starts_with(&prefix)), "{threads:?}");
}

#[test]
fn the_key_is_sent_and_a_wrong_one_holds_the_events_back() {
    let server = Stock::start(State { key: Some("right".into()), ..State::default() });
    let with = |key: &str| builder(&server).api_key(key).build().unwrap();
    let (right, wrong) = (with("right"), with("wrong"));
    right.track_read("n", 1);
    wrong.track_read("n", 2);
    right.flush(LONG).unwrap();
    assert!(wrong.flush(Duration::from_millis(200)).is_err());
    assert_eq!(wrong.shutdown(Duration::from_millis(100)).lost.shutdown_timeout, 1);
    assert_eq!(right.shutdown(LONG).delivered, 1);
    assert_eq!(numbers(&server.stored()), [1]);
}

#[test]
fn a_collector_of_ours_is_never_spoken_to_in_json() {
    for status in [415, 400, 422] {
        let fault = move |request| (request == 1).then_some(CollectorFault::Status(status));
        let collector = Collector::builder().fault(fault).start().unwrap();
        let client = Client::builder(collector.url()).service("shop").record_locks(false).build().unwrap();
        for number in 0..3 {
            client.track_read("n", number);
            client.flush(LONG).unwrap();
        }
        let stats = client.shutdown(LONG);
        assert_eq!((stats.delivered, stats.lost.rejected), (2, 1), "{status}: {stats}");
        assert_eq!(collector.distinct_events(), 2);
    }
}
