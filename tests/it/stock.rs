//! Against a stock Raceway server: it is recognised by its answer, gets everything in its own JSON, in order and once, and
//! the books say what has become of each event.

use crate::support::stock::schema::{self, Event, Kind};
use crate::support::stock::{Fault, State, Stock};
use crate::support::{LONG, assert_balanced, scaled};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trackside::{Access, Builder, Cause, Client, Form, Outcome, SealedBatch, Stats, Transport, Value, Warning};
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

fn is_poison(event: &Event) -> bool {
    matches!(&event.kind, Kind::StateChange { new_value, .. } if new_value.as_u64() == Some(6_173))
}

#[test]
fn one_poisoned_event_costs_itself_and_few_requests() {
    for poison_is_unnamed in [false, true] {
        let server = Stock::start(State { poison: Some(is_poison), poison_is_unnamed, ..State::default() });
        let client = client(&server);
        (0..10_000).for_each(|number| client.track_read("n", number));
        let stats = client.shutdown(LONG);
        assert_eq!((stats.recorded, stats.delivered, stats.lost.rejected), (10_000, 9_999, 1), "{stats}");
        assert_balanced(&stats);
        let stored = server.stored();
        assert!(numbers(&stored).into_iter().eq((0..10_000).filter(|number| *number != 6_173)));
        assert_each_once(&stored);
        longest_path(&stored);
        let requests = server.state().requests.len();
        assert!(requests <= 30, "{requests} requests");
    }
}

#[test]
fn what_a_full_queue_drops_is_counted_and_not_sent_again() {
    let server = Stock::start(State { queue: Some((4_000, 2_000.0)), ..State::default() });
    let client = client(&server);
    (0..10_000).for_each(|number| client.track_read("n", number));
    let stats = client.shutdown(LONG);
    let stored = server.stored();
    assert_balanced(&stats);
    assert_eq!((stats.recorded, stats.delivered), (10_000, stored.len() as u64), "{stats}");
    assert_eq!(stats.lost.receiver_full, 10_000 - stats.delivered, "{stats}");
    assert_each_once(&stored);
    let requests = server.state().requests.clone();
    // After the first overflow, requests come no faster than the server takes them: none, or hardly any, overflows again.
    let full = requests.iter().filter(|request| request.status == 206).count();
    assert!((1..=2).contains(&full) && stats.delivered > 7_000, "{full} times, {stats}");
    let first = requests.iter().position(|request| request.status == 206).unwrap();
    let wait = requests.get(first + 1).map(|next| next.at - requests[first].at);
    assert!(wait.is_none_or(|wait| wait >= Duration::from_millis(500)), "{wait:?}");
}

/// Sends ten batches of ten events, of which one is met by this fault. Returns the books and the warnings.
fn meet(fault: Fault) -> (Stats, Stock) {
    // Well after the native one, which is not understood.
    let fault = move |request| (request == 5).then_some(fault);
    let server = Stock::start(State { fault: Some(Box::new(fault)), ..State::default() });
    let client = client(&server);
    for round in 0..10 {
        (0..10).for_each(|number| client.track_read("n", round * 10 + number));
        client.flush(LONG).unwrap();
    }
    let stats = client.shutdown(LONG);
    assert_balanced(&stats);
    assert_eq!((stats.recorded, stats.pending), (100, 0), "{stats}");
    let stored = server.stored();
    assert_each_once(&stored);
    assert!(numbers(&stored).is_sorted());
    assert_eq!(stats.lost.total(), stats.lost.unconfirmed, "{stats}");
    (stats, server)
}

#[test]
fn what_may_have_arrived_is_not_sent_again() {
    for fault in [
        Fault::CloseUnstored,
        Fault::StoreThenClose,
        Fault::StoreThenHalfAnswer,
        Fault::StoreThenAnswer(500, "crashed"),
        Fault::StoreThenAnswer(502, ""),
        Fault::StoreThenAnswer(504, ""),
        Fault::StoreThenAnswer(200, "<html>"),
        Fault::StoreThenAnswer(200, r#"{"success":true,"data":"Ingested 9 events","error":null}"#),
        Fault::StoreThenAnswer(204, ""),
    ] {
        let (stats, server) = meet(fault);
        assert_eq!((stats.delivered, stats.lost.unconfirmed), (90, 10), "{fault:?}: {stats}");
        let stored = server.stored();
        assert_eq!(stored.len(), if fault == Fault::CloseUnstored { 90 } else { 100 }, "{fault:?}");
        longest_path(&stored);
    }
}

#[test]
fn what_cannot_have_arrived_is_sent_again() {
    for fault in [Fault::Status(503), Fault::Status(429), Fault::Status(408), Fault::Status(404), Fault::Status(302)] {
        let (stats, server) = meet(fault);
        assert_eq!((stats.delivered, server.stored().len()), (100, 100), "{fault:?}: {stats}");
    }
}

#[test]
fn a_connection_cut_at_any_point_stores_nothing_twice() {
    for fault in [Fault::CloseAtOnce, Fault::CloseAfterHead, Fault::CloseInBody(0), Fault::CloseInBody(100)] {
        let (stats, server) = meet(fault);
        assert_eq!(stats.delivered, server.stored().len() as u64, "{fault:?}: {stats}");
    }
    // Long bodies, of which the first ones are cut in the middle.
    let fault = |request| (1..5).contains(&request).then_some(Fault::CloseInBody(100_000));
    let server = Stock::start(State { fault: Some(Box::new(fault)), ..State::default() });
    let client = builder(&server).overflow(trackside::Overflow::Block { timeout: LONG }).build().unwrap();
    let long = "x".repeat(1_000);
    (0..10_000).for_each(|_| client.track_custom("long", &long));
    let stats = client.shutdown(LONG);
    let stored = server.stored();
    assert_each_once(&stored);
    assert_eq!((stats.recorded, stats.delivered), (10_000, stored.len() as u64), "{stats}");
    assert_eq!(stats.lost.total(), stats.lost.unconfirmed, "{stats}");
    assert!(stats.delivered > 5_000, "{stats}");
}

#[test]
fn a_server_that_was_never_there_costs_nothing_but_time() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Client::builder(format!("http://{address}")).service("shop").record_locks(false).build().unwrap();
    client.track_read("n", 1);
    assert!(client.flush(Duration::from_millis(100)).is_err());
    let stats = client.shutdown(Duration::from_millis(100));
    assert_eq!((stats.lost.shutdown_timeout, stats.lost.unconfirmed), (1, 0), "{stats}");
}

#[test]
fn a_smaller_limit_is_found() {
    let server = Stock::start(State { limit: Some(100_000), ..State::default() });
    let client = client(&server);
    (0..5_000).for_each(|number| client.track_read("n", number));
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.lost.total()), (5_000, 0), "{stats}");
    assert!(numbers(&server.stored()).into_iter().eq(0..5_000));
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

/// Takes JSON only, and panics with the third request in its hands.
#[derive(Debug, Clone, Default)]
struct Panicking(Arc<Mutex<Vec<SealedBatch>>>);

impl Transport for Panicking {
    fn send(&mut self, batch: &SealedBatch, _: Duration) -> Outcome {
        if batch.form == Form::Native {
            return Outcome::Unsupported(Cause::new("JSON, please"));
        }
        let seen = {
            let mut seen = self.0.lock().unwrap();
            seen.push(batch.clone());
            seen.len()
        };
        assert_ne!(seen, 3, "a fault of the transport's, on purpose");
        Outcome::Delivered
    }

    fn destination(&self) -> String {
        "nowhere".to_owned()
    }
}

#[test]
fn a_transport_that_panics_with_json_in_hand_does_not_get_it_again() {
    let transport = Panicking::default();
    let client = Client::builder_to(transport.clone()).service("shop").record_locks(false).build().unwrap();
    for number in 0..5 {
        client.track_read("n", number);
        client.flush(LONG).unwrap();
    }
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.lost.unconfirmed), (4, 1), "{stats}");
    let seen = transport.0.lock().unwrap();
    let events: Vec<Event> = seen.iter().flat_map(|batch| schema::read(&batch.bytes).unwrap()).collect();
    assert_eq!(numbers(&events), [0, 1, 2, 3, 4]);
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
