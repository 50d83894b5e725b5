use super::server::{Server, Step, answer, header};
use super::*;
use crate::transport::testing::{RUN, batch};
use Step::{Flood, Hang, Read, ReadHead, Send};
use std::sync::Mutex;
use trackside_wire::{Ack, MEDIA_TYPE};

const CANARY: &str = "canary-4f9d2c71b6e8";
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);

fn ack(batch: &SealedBatch) -> Vec<u8> {
    let ack = Ack { run: RUN, batch: batch.number, stored: batch.events, duplicates: 0 };
    answer(200, "", &ack.encode())
}

fn transport(server: &Server) -> HttpTransport {
    let api_key = Some(ApiKey::new(CANARY));
    HttpTransport::new(HttpOptions { api_key, ..HttpOptions::new(&server.url) }).unwrap()
}

/// What comes of one batch against one connection; no outcome may show the key.
fn one(script: Vec<Step>, timeout: Duration) -> Outcome {
    let server = Server::start(vec![script]);
    let mut transport = transport(&server);
    let outcome = transport.send(&batch(1, 3), timeout);
    assert!(!format!("{outcome:?}{transport:?}").contains(CANARY));
    outcome
}

fn answered(bytes: Vec<u8>) -> Outcome {
    one(vec![Read, Send(bytes)], LONG)
}

#[track_caller]
fn is_retry(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Retry { .. } | Outcome::Cut(_)), "{outcome:?}");
}

#[track_caller]
fn cause_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Retry { cause, .. } => cause.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_goes_out_whole_and_connections_are_kept() {
    let (first, second) = (batch(1, 3), batch(2, 5));
    let server = Server::start(vec![vec![Read, Send(ack(&first)), Read, Send(ack(&second))]]);
    let mut transport = transport(&server);
    assert_eq!(transport.destination(), format!("{}/events", server.url));
    assert_eq!(transport.send(&first, LONG), Outcome::Delivered);
    assert_eq!(transport.send(&second, LONG), Outcome::Delivered);
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(requests[0].body, first.bytes);
    assert_eq!(requests[1].body, second.bytes);
    let head = &requests[0].head;
    assert!(head.starts_with("POST /events HTTP/1.1\r\n"), "{head}");
    let bearer = format!("Bearer {CANARY}");
    for (name, value) in [
        ("content-type", MEDIA_TYPE),
        ("accept", MEDIA_TYPE),
        ("authorization", &bearer),
        ("x-raceway-key", CANARY),
        ("user-agent", concat!("trackside/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(header(head, name), Some(value), "{name}");
        assert_eq!(head.to_ascii_lowercase().matches(&format!("\r\n{name}:")).count(), 1, "{name}");
    }
    assert_eq!(header(head, "expect"), None);
}

#[test]
fn without_a_key_none_is_sent() {
    let sent = batch(1, 3);
    let server = Server::start(vec![vec![Read, Send(ack(&sent))]]);
    let mut transport = HttpTransport::new(HttpOptions::new(&server.url)).unwrap();
    assert_eq!(transport.send(&sent, LONG), Outcome::Delivered);
    let head = &server.requests()[0].head;
    assert_eq!((header(head, "authorization"), header(head, "x-raceway-key")), (None, None));
}

#[test]
fn the_next_request_has_the_key_of_its_time() {
    let sent: Vec<_> = (1..=4).map(|number| batch(number, 3)).collect();
    let answer = |number: usize| [Read, Send(ack(&sent[number]))];
    let two = [answer(0), answer(1)].concat();
    let server = Server::start(vec![two, answer(2).to_vec(), answer(3).to_vec()]);
    let mut transport = transport(&server);
    let keys = transport.keys();
    assert_eq!(transport.send(&sent[0], LONG), Outcome::Delivered);
    // Checked is not yet in force.
    let next = keys.check(Some(&ApiKey::new("another-key"))).unwrap();
    assert_eq!(transport.send(&sent[1], LONG), Outcome::Delivered);
    keys.put(next);
    assert_eq!(transport.send(&sent[2], LONG), Outcome::Delivered);
    keys.put(keys.check(None).unwrap());
    assert_eq!(transport.send(&sent[3], LONG), Outcome::Delivered);
    let requests = server.requests();
    let bearers: Vec<_> = requests.iter().map(|request| header(&request.head, "authorization")).collect();
    let canary = format!("Bearer {CANARY}");
    assert_eq!(bearers, [Some(&*canary), Some(&*canary), Some("Bearer another-key"), None]);
    assert!(requests[3].head.find("key").is_none(), "no placeholder stays behind: {}", requests[3].head);
}

#[test]
fn a_key_that_may_not_be_sent_is_refused_later_too() {
    let options = |key_over_http| HttpOptions { key_over_http, ..HttpOptions::new("http://collector.internal") };
    for (allowed, expect) in [(false, Some(HttpError::KeyInTheClear)), (true, None)] {
        let keys = HttpTransport::new(options(allowed)).unwrap().keys();
        assert_eq!(keys.check(Some(&ApiKey::new("k"))).err(), expect);
        assert_eq!(keys.check(Some(&ApiKey::new(""))).err(), Some(HttpError::InvalidKey));
        assert!(keys.check(None).is_ok());
    }
}

#[test]
fn a_status_and_its_retry_after_come_through() {
    let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:50:37 GMT\r\n";
    for (headers, expect) in [
        ("retry-after: 7\r\n", Some(7)),
        ("retry-after: 1e300\r\n", None),
        ("retry-after: 86400\r\n", Some(300)),
        (date, Some(60)),
        ("", None),
    ] {
        for status in [408, 429, 500, 503] {
            let Outcome::Retry { after, .. } = answered(answer(status, headers, b"busy")) else { panic!("{status}") };
            assert_eq!(after, expect.map(Duration::from_secs), "{status} {headers}");
        }
    }
    for status in [400, 422] {
        assert_eq!(
            answered(answer(status, "", b"bad event\n")),
            Outcome::Rejected(Cause::new(format!("answered {status}: bad event")))
        );
    }
    assert_eq!(answered(answer(415, "", b"")), Outcome::Unsupported(Cause::new("answered 415")));
    let stock = answered(answer(400, "content-type: text/plain\r\n", b"Failed to parse the request body as JSON"));
    assert!(matches!(stock, Outcome::Unsupported(_)), "{stock:?}");
    assert_eq!(answered(answer(413, "", b"")), Outcome::TooLarge(Cause::new("answered 413")));
    let echo = answer(401, "", format!("unknown key {CANARY}").as_bytes());
    let cause = Cause::new(format!("answered 401: unknown key {}", "*".repeat(CANARY.len())));
    assert_eq!(answered(echo), Outcome::Unauthorized(cause));
}

#[test]
fn a_redirect_is_not_followed_and_the_key_stays_here() {
    let sent = batch(1, 3);
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::start(vec![vec![Read, Send(ack(&sent))]]);
        let location = format!("location: {}/events\r\n", elsewhere.url);
        let outcome = answered(answer(status, &location, b"moved"));
        assert_eq!(cause_of(&outcome), format!("answered {status}: redirects are not followed"));
        assert!(elsewhere.requests().is_empty());
    }
}

#[test]
fn a_captive_portal_is_no_receiver() {
    let page = answer(200, "content-type: text/html\r\n", b"<html>Welcome! Please log in.</html>");
    let cause = "answered 200 without a valid acknowledgement: is this a trackside collector?";
    assert_eq!(cause_of(&answered(page)), cause);
    let stock = answer(200, "", br#"{"success":true,"data":"Ingested 3 events","error":null}"#);
    assert_eq!(cause_of(&answered(stock)), cause);
    is_retry(&answered(answer(200, "", &ack(&batch(2, 3)))));
}

#[test]
fn an_answer_cut_at_any_byte_delivers_nothing() {
    let whole = ack(&batch(1, 3));
    for len in 0..whole.len() {
        is_retry(&answered(whole[..len].to_vec()));
    }
    assert_eq!(answered(whole), Outcome::Delivered);
}

#[test]
fn endless_answers_end() {
    let endless_body = [&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"[..]].concat();
    is_retry(&one(vec![Read, Send(endless_body), Flood(b"5\r\nhello\r\n".to_vec())], LONG));
    let giant_header = b"HTTP/1.1 200 OK\r\n".to_vec();
    is_retry(&one(vec![Read, Send(giant_header), Flood(b"x-more: xxxxxxxxxxxxxxxxxxxxxxxx\r\n".to_vec())], LONG));
    let giant_value = b"HTTP/1.1 200 OK\r\nx-more: ".to_vec();
    is_retry(&one(vec![Read, Send(giant_value), Flood(vec![b'x'; 4096])], LONG));
    is_retry(&one(vec![Read, Flood(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())], SHORT));
    is_retry(&one(vec![Read, Flood(vec![0xff; 4096])], LONG));
}

#[test]
fn silence_at_any_point_is_waited_out() {
    let whole = ack(&batch(1, 3));
    for script in [
        vec![Hang],
        vec![ReadHead, Hang],
        vec![Read, Hang],
        vec![Read, Send(whole[..20].to_vec()), Hang],
        vec![Read, Send(whole[..whole.len() - 1].to_vec()), Hang],
    ] {
        is_retry(&one(script, SHORT));
    }
}

#[test]
fn a_receiver_that_does_not_read_is_waited_out() {
    let server = Server::start(vec![vec![ReadHead, Hang]]);
    let outcome = transport(&server).send(&batch(1, 500_000), SHORT);
    assert!(cause_of(&outcome).starts_with("timed out"), "{outcome:?}");
}

#[test]
fn each_timeout_of_the_options_bounds_its_part() {
    let server = Server::start(vec![vec![Read, Hang]]);
    let options = HttpOptions { response_timeout: SHORT, ..HttpOptions::new(&server.url) };
    let outcome = HttpTransport::new(options).unwrap().send(&batch(1, 3), Duration::MAX);
    assert!(cause_of(&outcome).starts_with("timed out"), "{outcome:?}");
}

#[test]
fn nobody_there_is_a_retry() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let outcome = HttpTransport::new(HttpOptions::new(url)).unwrap().send(&batch(1, 3), LONG);
    assert_eq!(cause_of(&outcome), "the connection failed: connection refused");
}

#[test]
fn a_kept_connection_that_breaks_is_replaced_at_once() {
    let (first, second) = (batch(1, 3), batch(2, 5));
    // Broken only after the second request has come: the client could not have known.
    let scripts = vec![vec![Read, Send(ack(&first)), Read], vec![Read, Send(ack(&second))]];
    let server = Server::start(scripts);
    let mut transport = transport(&server);
    assert_eq!(transport.send(&first, LONG), Outcome::Delivered);
    assert_eq!(transport.send(&second, LONG), Outcome::Delivered);
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!(requests[1].body, requests[2].body);
}

#[test]
fn a_connection_closed_while_idle_is_replaced() {
    let (first, second) = (batch(1, 3), batch(2, 5));
    let server = Server::start(vec![vec![Read, Send(ack(&first))], vec![Read, Send(ack(&second))]]);
    let mut transport = transport(&server);
    assert_eq!(transport.send(&first, LONG), Outcome::Delivered);
    assert_eq!(transport.send(&second, LONG), Outcome::Delivered);
}

#[test]
fn a_new_connection_that_breaks_is_left_to_the_backlog() {
    let server = Server::start(vec![vec![Read], vec![Read]]);
    let outcome = transport(&server).send(&batch(1, 3), LONG);
    assert!(matches!(outcome, Outcome::Cut(_)), "{outcome:?}");
    assert_eq!(server.requests().len(), 1);
}

/// A batch in the JSON of a stock server, as far as the transport cares.
fn stock(events: u64) -> SealedBatch {
    SealedBatch { form: Form::Stock, ..batch(1, events) }
}

#[test]
fn json_is_sent_as_such_and_the_answer_counted() {
    let body = br#"{"success":true,"data":"Ingested 3 events","error":null}"#;
    let server = Server::start(vec![vec![Read, Send(answer(200, "content-type: application/json\r\n", body))]]);
    assert_eq!(transport(&server).send(&stock(3), LONG), Outcome::Delivered);
    let requests = server.requests();
    for (name, value) in
        [("content-type", "application/json"), ("accept", "application/json"), ("x-raceway-key", CANARY)]
    {
        assert_eq!(header(&requests[0].head, name), Some(value), "{name}");
    }
    assert_eq!(header(&requests[0].head, "transfer-encoding"), None);
    assert_eq!(requests[0].body, stock(3).bytes);
}

#[test]
fn what_a_stock_server_may_have_got_is_not_sent_again() {
    let kept = || Send(answer(200, "", br#"{"success":true,"data":"Ingested 3 events","error":null}"#));
    let server = Server::start(vec![vec![Read, kept(), Read, kept()], vec![Read], vec![Read, kept()]]);
    let mut transport = transport(&server);
    assert_eq!(transport.send(&stock(3), LONG), Outcome::Delivered);
    // Over a connection of its own, although the first one is still there; and just once.
    let outcome = transport.send(&stock(3), LONG);
    assert!(matches!(outcome, Outcome::Unconfirmed(_)), "{outcome:?}");
    let connections: Vec<_> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 1]);
    for script in [vec![Read, Hang], vec![Read, Send(b"HTTP/1.1 200 OK\r\nconte".to_vec()), Hang]] {
        let server = Server::start(vec![script]);
        let outcome = self::transport(&server).send(&stock(3), SHORT);
        assert!(matches!(outcome, Outcome::Unconfirmed(_)), "{outcome:?}");
    }
}

#[test]
fn json_does_not_go_over_a_connection_that_batches_went_over() {
    let accepted = answer(200, "", br#"{"success":true,"data":"Ingested 3 events","error":null}"#);
    let refused = Send(answer(415, "", b""));
    let first = vec![Read, refused, Read, Send(accepted.clone())];
    let server = Server::start(vec![first, vec![Read, Send(accepted)]]);
    let mut transport = transport(&server);
    assert!(matches!(transport.send(&batch(1, 3), LONG), Outcome::Unsupported(_)));
    assert!(transport.kept);
    assert_eq!(transport.send(&stock(3), LONG), Outcome::Delivered);
    assert!(!transport.kept);
    let connections: Vec<_> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 1]);
}

#[test]
fn what_a_stock_server_cannot_have_got_is_sent_again() {
    // Longer than all buffers on the way: its end is still here when the connection breaks, or the time is up.
    let server = Server::start(vec![vec![ReadHead]]);
    let outcome = transport(&server).send(&stock(500_000), LONG);
    assert!(matches!(outcome, Outcome::Cut(_)), "{outcome:?}");
    let server = Server::start(vec![vec![ReadHead, Hang]]);
    let outcome = transport(&server).send(&stock(500_000), SHORT);
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = HttpTransport::new(HttpOptions::new(format!("http://{nobody}"))).unwrap().send(&stock(3), LONG);
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
}

#[test]
fn a_batch_that_was_cut_off_is_announced_first() {
    let large = batch(1, 100_000);
    let refusal = answer(413, "", b"too large");
    let goes_on = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    let server = Server::start(vec![
        vec![ReadHead],
        vec![ReadHead, Send(refusal)],
        vec![ReadHead],
        vec![ReadHead, Send(goes_on), Hang],
    ]);
    let mut transport = transport(&server);
    let outcome = transport.send(&large, LONG);
    assert!(matches!(outcome, Outcome::Cut(_)), "{outcome:?}");
    assert_eq!(transport.send(&large, LONG), Outcome::TooLarge(Cause::new("answered 413: too large")));
    assert!(matches!(transport.send(&large, LONG), Outcome::Cut(_)));
    is_retry(&transport.send(&large, SHORT));
    let asked: Vec<_> = server.requests().iter().map(|request| header(&request.head, "expect").is_some()).collect();
    assert_eq!(asked, [false, true, false, true]);
}

/// Everything that is logged while these tests run.
struct Captured(Mutex<String>);

static LOG: Captured = Captured(Mutex::new(String::new()));

impl log::Log for Captured {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut text = self.0.lock().unwrap();
        text.push_str(&format!("{} {}\n", record.target(), record.args()));
    }

    fn flush(&self) {}
}

#[test]
fn the_key_is_in_no_log_line() {
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let sent = batch(1, 3);
    let server = Server::start(vec![vec![Read, Send(ack(&sent))], vec![Read, Send(answer(401, "", b"no"))]]);
    let mut transport = transport(&server);
    assert_eq!(transport.send(&sent, LONG), Outcome::Delivered);
    transport.start_afresh();
    assert!(matches!(transport.send(&sent, LONG), Outcome::Unauthorized(_)));
    log::set_max_level(log::LevelFilter::Off);
    let text = LOG.0.lock().unwrap();
    // ureq's dump of the request is there, in rows of 16 characters, so that pieces of the key are looked for.
    assert!(text.contains("ureq_proto") && text.contains("POST"), "{text}");
    for at in 0..CANARY.len() - 7 {
        assert!(!text.contains(&CANARY[at..at + 8]), "{text}");
    }
}
