//! Clients that are slow, rude, or not the ones they seem to be.

use crate::batch::{batch, reads};
use crate::client::{get, post, read_to_close, send_raw, try_post};
use std::time::Duration;
use trackside_collector::{Collector, CollectorBuilder};
use trackside_wire::MEDIA_TYPE;

/// So short that a test that waits for it is quick. On a machine that is busy it may pass for a good client, too: those
/// try again.
fn impatient() -> CollectorBuilder {
    Collector::builder().client_timeout(Duration::from_millis(100))
}

fn head(length: usize) -> String {
    format!(
        "POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {length}\r\n\r\n"
    )
}

#[track_caller]
fn works(collector: &Collector) {
    let before = collector.stats().events;
    let bytes = batch(99, before, &[reads(0, before, 1)]);
    while !try_post(&collector.url(), &[], &bytes).is_ok_and(|answer| answer.status == 200) {}
    assert_eq!(collector.stats().events, before + 1);
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let collector = impatient().start().unwrap();
    let bytes = batch(1, 0, &[reads(0, 0, 100)]);
    let half = [head(bytes.len()).as_bytes(), &bytes[..bytes.len() / 2]].concat();
    let mut answers = std::iter::repeat_with(|| read_to_close(send_raw(collector.address(), &half)));
    // None at all where even the head was late.
    let answer = answers.find(|answer| !answer.is_empty()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!((collector.stats().batches, collector.stats().rejected), (0, 1));
    works(&collector);
}

#[test]
fn a_head_that_does_not_come_is_given_up() {
    let collector = impatient().start().unwrap();
    for start in ["", "POST /eve", "POST /events HTTP/1.1\r\nhost: localhost\r\nx-slow"] {
        let answer = read_to_close(send_raw(collector.address(), start.as_bytes()));
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    works(&collector);
}

#[test]
fn a_head_without_end_is_refused() {
    let collector = Collector::builder().start().unwrap();
    let endless = format!("GET /health HTTP/1.1\r\nhost: localhost\r\nx-long: {}", "a".repeat(60_000));
    let answer = read_to_close(send_raw(collector.address(), endless.as_bytes()));
    // Nothing where the reset, for what was left unread, overtakes the answer.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    works(&collector);
}

#[test]
fn idle_connections_make_room_in_the_end() {
    let collector = impatient().max_connections(2).start().unwrap();
    let idle: Vec<_> = (0..6).map(|_| send_raw(collector.address(), b"")).collect();
    works(&collector);
    drop(idle);
}

#[test]
fn a_client_that_goes_away_in_the_middle_leaves_nothing() {
    let collector = Collector::builder().start().unwrap();
    let bytes = batch(1, 0, &[reads(0, 0, 100)]);
    let request = [head(bytes.len()).as_bytes(), &bytes].concat();
    for cut in (0..request.len()).step_by(7) {
        drop(send_raw(collector.address(), &request[..cut]));
    }
    works(&collector);
    assert_eq!(collector.stats().batches, 1);
}

#[test]
fn bodies_share_a_budget() {
    let collector = Collector::builder().max_body_bytes(100_000).start().unwrap();
    // Four of the largest may be under way. That their bytes have arrived shows when a fifth body is refused.
    let slow: Vec<_> =
        (0..5).map(|_| send_raw(collector.address(), &[head(100_000).as_bytes(), &[0; 95_000]].concat())).collect();
    let status = loop {
        let answer = post(&collector.url(), &vec![0; 50_000]);
        if answer.status != 400 {
            break (answer.status, answer.header("retry-after").to_owned());
        }
    };
    assert_eq!(status, (503, "1".to_owned()));
    drop(slow);
    // Their shares come back when the collector has noticed that they are gone.
    while post(&collector.url(), &vec![0; 50_000]).status == 503 {}
    works(&collector);
}

#[test]
fn a_request_for_another_host_is_not_ours() {
    let collector = Collector::builder().allow_host("collector.internal").start().unwrap();
    let status = |host: &str| {
        let request = format!("GET /api/stats HTTP/1.1\r\n{host}connection: close\r\n\r\n");
        let answer = read_to_close(send_raw(collector.address(), request.as_bytes()));
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status("host: evil.example\r\n"), "421");
    assert_eq!(status(&format!("host: evil.example:{}\r\n", collector.address().port())), "421");
    assert_eq!(status("host: localhost\r\nhost: evil.example\r\n"), "421");
    assert_eq!(status(""), "421");
    assert_eq!(status("host: localhost\r\n"), "200");
    assert_eq!(status("host: collector.internal:80\r\n"), "200");
}

#[test]
fn a_page_on_another_site_gets_no_permission() {
    let collector = Collector::builder().start().unwrap();
    let answer = get(&collector.url(), "/api/findings", &[("origin", "http://evil.example")]);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
