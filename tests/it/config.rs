//! What `build()` refuses: every refusal names the field, what is wrong with it, and the remedy. And the key, which shows
//! nowhere.

use crate::support::LONG;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trackside::{BuildError, Builder, Client, MemoryTransport, Overflow};
use trackside_collector::Collector;

const URL: &str = "http://127.0.0.1:1";

/// Asserts that a change to a valid builder is refused, for this field, with a message that has these words in it.
#[track_caller]
fn refused(change: impl FnOnce(Builder) -> Builder, field: &str, words: &str) {
    let builder = Client::builder(URL).service("config").record_locks(false);
    assert_refused(change(builder), field, words);
}

#[track_caller]
fn assert_refused(builder: Builder, field: &str, words: &str) {
    let error = builder.build().expect_err("a refusal");
    let text = error.to_string();
    let BuildError::Invalid { field: named, problem, remedy } = &error else { panic!("{error:?}") };
    assert_eq!(*named, field, "{text}");
    assert!(text.contains(words), "{text:?} without {words:?}");
    assert!(!problem.is_empty() && !remedy.is_empty() && text == format!("{field}: {problem}; {remedy}"), "{text}");
    assert!(std::error::Error::source(&error).is_none());
}

#[test]
fn urls() {
    let cases = [
        ("", "give one such as http://"),
        ("localhost", "give one such as http://"),
        ("localhost:8080", "give one such as http://"),
        ("/path", "give one such as http://"),
        ("http://", "give one such as http://"),
        ("http:///events", "give one such as http://"),
        ("ftp://localhost", "give one such as http://"),
        ("http://localhost:99999999", "give one such as http://"),
        ("http://local host", "give one such as http://"),
        ("http://localhost\r\nX: y", "give one such as http://"),
        ("http://user:secret@localhost", "pass the key by api_key"),
        ("http://localhost?key=secret", "only scheme, host, port and path"),
        ("http://localhost/#secret", "only scheme, host, port and path"),
        ("https://localhost", "without TLS"),
    ];
    for (url, words) in cases {
        if cfg!(feature = "tls") && url.starts_with("https") {
            continue;
        }
        let builder = Client::builder(url).service("config").record_locks(false);
        assert_refused(builder, "url", words);
        let text = Client::builder(url).record_locks(false).build().expect_err("a refusal").to_string();
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn texts() {
    let long = "x".repeat(257);
    refused(|builder| builder.service(""), "service", "it is empty");
    refused(|builder| builder.service(&long), "service", "257 bytes");
    refused(|builder| builder.environment(""), "environment", "it is empty");
    refused(|builder| builder.environment(&long), "environment", "1 to 256");
    refused(|builder| builder.instance(""), "instance", "it is empty");
    refused(|builder| builder.instance(&long), "instance", "1 to 256");
    refused(|builder| builder.tag("", "value"), "tag", "it is empty");
    refused(|builder| builder.tag(&long, "value"), "tag", "1 to 256");
    refused(|builder| builder.tag("key", &long), "tag", "at most 256");
    let tagged = |builder: Builder| (0..65).fold(builder, |builder, n| builder.tag(format!("{n}"), ""));
    refused(tagged, "tag", "at most 64");
}

#[test]
fn sizes() {
    let (max, kib, gib) = (usize::MAX, 1 << 10, 1 << 30);
    for size in [0, 1_000_001, max] {
        refused(|builder| builder.batch_events(size), "batch_events", "1 to 1,000,000");
    }
    for size in [0, 64 * kib - 1, 64 * kib * kib + 1, max] {
        refused(|builder| builder.batch_bytes(size), "batch_bytes", "64 KiB to 64 MiB");
    }
    for size in [0, 1, 64 * kib - 1, gib + 1, max] {
        refused(|builder| builder.ring_bytes(size), "ring_bytes", "64 KiB to 1 GiB");
    }
    for size in [0, 512 * kib - 1] {
        refused(|builder| builder.ring_memory(size), "ring_memory", "at least the size of one ring");
    }
    // Rounded up, the ring is larger than it was asked for.
    refused(|builder| builder.ring_bytes(65 * kib).ring_memory(66 * kib), "ring_memory", "one ring");
    for size in [0, 2 * kib * kib - 1, 64 * gib + 1, max] {
        refused(|builder| builder.backlog_bytes(size), "backlog_bytes", "twice batch_bytes");
    }
}

#[test]
fn times() {
    let (zero, max) = (Duration::ZERO, Duration::MAX);
    let hour = Duration::from_secs(3600) + Duration::from_nanos(1);
    for time in [zero, Duration::from_micros(999), hour, max] {
        refused(|builder| builder.flush_interval(time), "flush_interval", "1 ms to 1 hour");
        refused(|builder| builder.connect_timeout(time), "connect_timeout", "1 ms to 1 hour");
        refused(|builder| builder.send_timeout(time), "send_timeout", "1 ms to 1 hour");
        refused(|builder| builder.response_timeout(time), "response_timeout", "1 ms to 1 hour");
    }
    for time in [hour, max] {
        refused(|builder| builder.max_idle_age(time), "max_idle_age", "at most 1 hour");
        refused(|builder| builder.drop_timeout(time), "drop_timeout", "at most 1 hour");
        refused(|builder| builder.overflow(Overflow::Block { timeout: time }), "overflow", "at most 1 hour");
    }
    for time in [zero, Duration::from_millis(999), Duration::from_secs(31 * 24 * 3600), max] {
        refused(|builder| builder.retry_for(time), "retry_for", "1 s to 30 days");
    }
}

#[test]
fn keys() {
    let cases = ["", "with\nnewline", "with\0nul", "with\u{7f}delete", "wíth", "with\ttab", &"x".repeat(5000)];
    for key in cases {
        refused(|builder| builder.api_key(key), "api_key", "visible ASCII");
    }
    let remote = || Client::builder("http://collector.example").record_locks(false).api_key("key");
    assert_refused(remote(), "api_key", "api_key_over_http");
    assert!(remote().api_key_over_http(true).drop_timeout(Duration::ZERO).build().is_ok());
}

#[test]
fn what_is_at_a_limit_is_accepted() {
    let text = "x".repeat(256);
    let hour = Duration::from_secs(3600);
    let least = |builder: Builder| {
        let builder = builder.batch_events(1).batch_bytes(64 << 10).ring_bytes(64 << 10).ring_memory(64 << 10);
        let builder = builder.backlog_bytes(128 << 10).flush_interval(Duration::from_millis(1));
        builder.drop_timeout(Duration::ZERO).max_idle_age(Duration::ZERO).retry_for(Duration::from_secs(1))
    };
    let most = |builder: Builder| {
        let builder = builder.service(&text).environment(&text).instance(&text).batch_events(1_000_000);
        let builder = (0..64).fold(builder, |builder, n| builder.tag(format!("{n:0>256}"), &text));
        let builder = builder.batch_bytes(64 << 20).backlog_bytes(64 << 30).flush_interval(hour).drop_timeout(hour);
        builder.connect_timeout(hour).send_timeout(hour).response_timeout(hour).max_idle_age(hour)
    };
    for (change, batches) in [(&least as &dyn Fn(Builder) -> Builder, 10), (&most, 1)] {
        let memory = MemoryTransport::new();
        let client = change(Client::builder_to(memory.clone()).record_locks(false)).build().unwrap();
        (0..10).for_each(|number| client.track_read("n", number));
        client.flush(LONG).unwrap();
        assert_eq!(crate::support::events(&memory).len(), 10);
        assert_eq!(memory.batches().len(), batches);
    }
    // A ring of a whole GiB is only asked for, not touched.
    let client =
        Client::builder_to(MemoryTransport::new()).record_locks(false).ring_bytes(1 << 30).ring_memory(1 << 30);
    let client = client.build().unwrap();
    client.track_read("n", 1);
    client.flush(LONG).unwrap();
}

#[test]
fn a_file_that_cannot_be_made() {
    let builder = Client::builder_to_file("/nowhere/at/all/trackside").record_locks(false);
    let error = builder.build().expect_err("no such folder");
    assert!(matches!(error, BuildError::File(_)) && std::error::Error::source(&error).is_some(), "{error:?}");
}

#[test]
fn a_client_that_was_refused_leaves_the_tracked_locks_alone() {
    let seen = crate::mutex::in_default_client(|_| {
        Client::builder("nonsense").build().expect_err("a refusal");
        drop(trackside::TrackedMutex::new(()).lock());
    });
    assert_eq!(seen.len(), 2);
}

/// Keeps everything that is logged by anybody in this process.
struct Log(Mutex<String>);

static LOG: Log = Log(Mutex::new(String::new()));

impl log::Log for Log {
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
fn the_key_shows_nowhere() {
    const CANARY: &str = "canary-5dbe21";
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let said = Arc::new(Mutex::new(String::new()));
    let say = |text: String| said.lock().unwrap().push_str(&text);

    // Refused, accepted, and turned down by the receiver; with a callback, and with the log in its place.
    let wanting = Collector::builder().api_key("another").start().unwrap();
    let taking = Collector::builder().api_key(CANARY).start().unwrap();
    for url in [wanting.url(), taking.url(), URL.into(), "http://collector.example".into(), format!("x:{CANARY}")] {
        for callback in [true, false] {
            let mut builder = Client::builder(&url).record_locks(false).api_key(CANARY);
            if callback {
                let told = said.clone();
                builder = builder.on_warning(move |warning| {
                    told.lock().unwrap().push_str(&format!("{warning} {warning:?}"));
                });
            }
            say(format!("{builder:?}"));
            match builder.build() {
                Ok(client) => {
                    client.track_read("n", 1);
                    say(format!("{client:?} {:#?} {}", client, client.destination()));
                    say(format!("{:?}", client.flush(Duration::from_millis(300))));
                    say(format!("{:?}", client.shutdown(Duration::from_millis(300))));
                }
                Err(error) => say(format!("{error} {error:?}")),
            }
        }
    }
    let bad = Client::builder(URL).record_locks(false).api_key(format!("{CANARY}\n")).build().expect_err("a refusal");
    say(format!("{bad} {bad:?}"));

    assert_eq!(taking.distinct_events(), 2, "the right key was sent");
    let (said, logged) = (said.lock().unwrap(), LOG.0.lock().unwrap());
    assert!(said.contains("cannot deliver"), "{said}");
    assert!(logged.contains("cannot deliver"), "warnings go to the log by default: {logged}");
    assert!(!said.contains(CANARY), "{said}");
    assert!(!logged.contains(CANARY), "{logged}");
}
