//! A receiver that is down, answers nonsense, or comes late: the program goes on, one warning says so, and the books show
//! it. Nothing but an acknowledgement of the batch counts as delivered.

use crate::support::{LONG, assert_balanced, wait_until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trackside::{Builder, Client, FlushError, Stats, Warning};
use trackside_collector::{Collector, Fault};

/// The warnings that a client has given.
type Warnings = Arc<Mutex<Vec<Warning>>>;

fn builder(url: impl Into<String>) -> (Builder, Warnings) {
    let warnings = Warnings::default();
    let told = warnings.clone();
    let builder = Client::builder(url).service("delivery").record_locks(false);
    (builder.on_warning(move |warning| told.lock().unwrap().push(warning.clone())), warnings)
}

/// A server that answers every request with these bytes and closes the connection. Ends with the process.
fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move |mut stream: TcpStream| -> std::io::Result<()> {
        // The head says how long the body is.
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        std::io::copy(&mut (&stream).take(length), &mut std::io::sink())?;
        stream.write_all(answer)
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that breaks off is its own business.
            let _ = stream.and_then(serve);
        }
    });
    format!("http://{address}")
}

/// Records a hundred events towards `url`, and waits for the first failure; returns the books before and after
/// shutdown, and the one warning.
#[track_caller]
fn fail(url: String) -> (Stats, Stats, Warning) {
    let (builder, warnings) = builder(url);
    let client = builder.build().unwrap();
    (0..100).for_each(|number| client.track_read("n", number));
    let end = client.flush(Duration::from_millis(200));
    assert!(matches!(end, Err(FlushError::TimedOut { .. }) | Ok(())), "{end:?}");
    wait_until("the first failure", || client.stats().failed_attempts > 0);
    // The program goes on.
    (0..100).for_each(|number| client.track_read("n", number));
    let before = client.stats();
    let after = client.shutdown(Duration::from_secs(1));
    for stats in [&before, &after] {
        assert_balanced(stats);
        assert_eq!((stats.delivered, stats.batches, stats.bytes), (0, 0, 0), "{stats:?}");
    }
    assert_eq!((after.recorded, after.pending), (200, 0), "{after}");
    let warnings = warnings.lock().unwrap();
    let [warning] = &warnings[..] else { panic!("one warning, not {warnings:?}") };
    assert_eq!((warning.failed_attempts, warning.destination.ends_with("/events")), (1, true), "{warning:?}");
    (before, after, warning.clone())
}

#[test]
fn a_server_that_is_down_from_the_start() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (before, after, warning) = fail(format!("http://{address}"));
    assert!(before.pending >= 100 && before.lost.total() == 0, "{before}");
    assert_eq!(after.lost.shutdown_timeout, 200, "{after}");
    assert!(warning.to_string().contains(&address.to_string()), "{warning}");
}

#[test]
fn answers_that_acknowledge_nothing() {
    let answers: &[&[u8]] = &[
        b"",
        b"\x00\xff\xfe garbage, not even HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 36\r\n\r\n<html><body>Log in here</body></html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\ncut",
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1e300\r\nContent-Length: 0\r\n\r\n",
    ];
    for answer in answers {
        fail(server(answer));
    }
}

#[test]
fn a_wrong_key_holds_the_events_back() {
    let collector = Collector::builder().api_key("right").start().unwrap();
    let (builder, warnings) = builder(collector.url());
    let client = builder.api_key("wrong").build().unwrap();
    client.track_read("n", 1);
    assert_eq!(client.flush(Duration::from_millis(300)), Err(FlushError::TimedOut { pending: 1 }));
    let stats = client.shutdown(Duration::from_millis(300));
    assert_eq!((stats.delivered, stats.lost.shutdown_timeout, collector.distinct_events()), (0, 1, 0), "{stats}");
    assert_eq!(warnings.lock().unwrap().len(), 1);
}

#[test]
fn a_server_that_recovers_gets_everything() {
    let collector = Collector::builder().fault(|request| (request < 3).then_some(Fault::Status(503))).start().unwrap();
    let (builder, warnings) = builder(collector.url());
    let client = builder.build().unwrap();
    (0..100).for_each(|number| client.track_read("n", number));
    client.flush(LONG).unwrap();
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.failed_attempts, collector.distinct_events()), (100, 3, 100), "{stats}");
    let warnings = warnings.lock().unwrap();
    let told: Vec<_> = warnings.iter().map(|warning| (warning.cause.is_some(), warning.failed_attempts)).collect();
    assert_eq!(told, [(true, 1), (false, 3)]);
}

#[test]
fn a_server_that_starts_late_gets_everything() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (builder, _) = builder(format!("http://{address}"));
    let client = builder.build().unwrap();
    client.track_read("n", 1);
    assert!(client.flush(Duration::from_millis(50)).is_err());
    let collector = Collector::builder().listen(address).start().unwrap();
    client.flush(LONG).unwrap();
    assert_eq!((client.stats().delivered, collector.distinct_events()), (1, 1));
}

#[test]
fn a_backlog_that_is_full_loses_the_oldest_and_counts_them() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (builder, warnings) = builder(format!("http://{address}"));
    let builder =
        builder.batch_bytes(64 << 10).backlog_bytes(128 << 10).overflow(trackside::Overflow::Block { timeout: LONG });
    let client = builder.build().unwrap();
    let recorded = 50_000;
    (0..recorded).for_each(|number| client.track_read("n", number));
    let stats = client.shutdown(Duration::from_millis(300));
    assert_balanced(&stats);
    assert_eq!((stats.recorded, stats.delivered, stats.pending), (recorded, 0, 0), "{stats}");
    let (full, held) = (stats.lost.backlog_full, stats.lost.shutdown_timeout);
    assert!(full > 0 && held > 0 && full + held == recorded, "{stats}");
    assert_eq!(warnings.lock().unwrap().len(), 1);
}

#[test]
fn a_file_holds_what_was_delivered() {
    let path = std::env::temp_dir().join(format!("trackside-it-{}.tracks", std::process::id()));
    // Left behind by a process of the same number that did not end well.
    let _ = std::fs::remove_file(&path);
    let client = Client::builder_to_file(&path).service("delivery").record_locks(false).build().unwrap();
    (0..100).for_each(|number| client.track_read("n", number));
    client.flush(LONG).unwrap();
    (0..100).for_each(|number| client.track_read("n", number));
    let stats = client.shutdown(LONG);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let batches = trackside_wire::FileBatches::new(&bytes).unwrap();
    let events: usize = batches.map(|batch| batch.unwrap().len()).sum();
    assert_eq!((stats.delivered, events), (200, 200), "{stats}");
}
