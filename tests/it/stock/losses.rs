//! What goes wrong on the way to a stock Raceway server, and what it costs: refusals, a full queue, cut connections.
//! Whatever happens, no event is stored twice, and the books say what has become of each.

use super::{assert_each_once, builder, client, longest_path, numbers};
use crate::support::stock::schema::{self, Event, Kind};
use crate::support::stock::{Fault, State, Stock};
use crate::support::{LONG, assert_balanced};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trackside::{Cause, Client, Form, Outcome, SealedBatch, Stats, Transport};

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
