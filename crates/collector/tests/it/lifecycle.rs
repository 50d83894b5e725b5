//! Starting and stopping.

use crate::batch::{batch, reads};
use crate::client::{post, send_raw};
use std::net::TcpStream;
use std::time::Duration;
use trackside_collector::{Collector, StartError};

#[test]
fn a_stopped_collector_listens_no_more() {
    let collector = Collector::builder().start().unwrap();
    let address = collector.address();
    collector.shutdown();
    assert!(TcpStream::connect(address).is_err());
    // The port is free again, at once.
    let again = Collector::builder().listen(address).start().unwrap();
    assert_eq!(again.address(), address);
}

#[test]
fn idle_and_half_finished_requests_do_not_hold_up_the_end() {
    let collector = Collector::builder().start().unwrap();
    let _idle = send_raw(collector.address(), b"");
    let _half =
        send_raw(collector.address(), b"POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n1");
    post(&collector.url(), &batch(1, 0, &[reads(0, 0, 1)])).ack();
    drop(collector);
}

#[tokio::test]
async fn it_starts_and_stops_inside_an_async_runtime() {
    let collector = Collector::builder().start().unwrap();
    assert!(collector.report().findings.is_empty());
    drop(collector);
}

#[test]
fn several_live_side_by_side() {
    let (one, two) = (Collector::builder().start().unwrap(), Collector::builder().start().unwrap());
    post(&one.url(), &batch(1, 0, &[reads(0, 0, 3)])).ack();
    assert_eq!((one.distinct_events(), two.distinct_events()), (3, 0));
}

#[test]
fn limits_at_the_end_of_their_range_are_no_trouble() {
    let largest = Collector::builder().max_bytes(u64::MAX).max_body_bytes(usize::MAX).max_connections(usize::MAX);
    let collector = largest.client_timeout(Duration::MAX).start().unwrap();
    post(&collector.url(), &batch(1, 0, &[reads(0, 0, 1)])).ack();
    let smallest = Collector::builder().max_bytes(0).max_body_bytes(0).max_connections(0);
    let collector = smallest.start().unwrap();
    assert_eq!(post(&collector.url(), &batch(1, 0, &[reads(0, 0, 1)])).status, 413);
}

#[test]
fn an_address_in_use_is_named() {
    let first = Collector::builder().start().unwrap();
    let error = Collector::builder().listen(first.address()).start().unwrap_err();
    assert!(matches!(error, StartError::Listen { address, .. } if address == first.address()));
}

#[test]
fn other_machines_are_only_let_in_with_a_key_or_a_word() {
    let all = || Collector::builder().listen("0.0.0.0:0".parse().unwrap());
    assert!(matches!(all().start(), Err(StartError::Unprotected { .. })));
    assert!(matches!(all().api_key("").start(), Err(StartError::ApiKey)));
    assert!(matches!(all().api_key("two words").start(), Err(StartError::ApiKey)));
    let collector = all().api_key("sesame").start().unwrap();
    assert!(collector.url().starts_with("http://127.0.0.1:"));
    let collector = all().allow_remote(true).start().unwrap();
    post(&collector.url(), &batch(1, 0, &[reads(0, 0, 1)])).ack();
}

#[test]
fn the_key_is_in_no_debug_output() {
    let builder = Collector::builder().api_key("canary-4711");
    assert!(!format!("{builder:?}").contains("canary"));
    assert!(!format!("{:?}", builder.start().unwrap()).contains("canary"));
}
