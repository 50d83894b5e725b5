//! Settings that change while the client runs: what each does, that it comes to whom it concerns at once, and that a change
//! is made as a whole or not at all.

use crate::mutex::in_default_client;
use crate::support::{LONG, assert_balanced, builder, client, events, scaled, wait_until};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use trackside::{
    Access, Builder, Client, Kind, Kinds, MemoryTransport, Name, ReconfigureError, Settings, TrackedMutex, Value,
};
use trackside_collector::Collector;

const HOUR: Duration = Duration::from_secs(3600);

/// Records by every way there is from an event to a ring; returns how many events that is.
fn record_all_ways(client: &Client) -> u64 {
    client.track_write("static", 1, 2);
    client.track_state_change(Name::dynamic("dynamic"), 1, 2, Access::AtomicRmw);
    client.track_read(&"long".repeat(100), 1);
    client.track_custom("object", Value::of(&[1, 2, 3]));
    client.track_http_request("GET", "/", Value::NIL, Value::NIL);
    client.track_error("Error", "message", &[]);
    drop(client.start_function("function", 1));
    8
}

fn kinds_seen(memory: &MemoryTransport) -> Vec<Kind> {
    memory
        .take_batches()
        .iter()
        .flat_map(|batch| crate::support::events::decode(&batch.bytes))
        .map(|seen| seen.kind)
        .collect()
}

#[test]
fn a_disabled_client_records_and_counts_nothing() {
    let memory = MemoryTransport::new();
    let client = builder(&memory).enabled(false).build().unwrap();
    let record = || {
        record_all_ways(&client);
        thread::scope(|scope| _ = scope.spawn(|| record_all_ways(&client)));
    };
    record();
    client.flush(LONG).unwrap();
    assert_eq!((client.stats().recorded, client.stats().rings, memory.attempts()), (0, 0, 0));

    client.reconfigure(|settings| settings.enabled = true).unwrap();
    let each = record_all_ways(&client);
    client.flush(LONG).unwrap();
    assert_eq!(client.stats().delivered, each);

    // From here on this thread has a ring, of which a disabled client makes no use either.
    client.reconfigure(|settings| settings.enabled = false).unwrap();
    record();
    client.flush(LONG).unwrap();
    assert_eq!(client.stats().recorded, each);

    client.reconfigure(|settings| settings.enabled = true).unwrap();
    record();
    client.flush(LONG).unwrap();
    assert_eq!(client.stats().delivered, 3 * each);

    client.reconfigure(|settings| settings.enabled = false).unwrap();
    let stats = client.shutdown(LONG);
    record();
    assert_eq!(client.stats(), stats, "what was not wanted is not missed after shutdown either");
    assert_balanced(&stats);
    assert_eq!((stats.delivered, stats.lost.total()), (3 * each, 0));
}

#[test]
fn only_the_kinds_asked_for_are_recorded() {
    let memory = MemoryTransport::new();
    let errors = Kinds::only([Kind::Error, Kind::FunctionReturn]);
    let client = builder(&memory).kinds(errors).build().unwrap();
    record_all_ways(&client);
    client.flush(LONG).unwrap();
    assert_eq!(kinds_seen(&memory), [Kind::Error, Kind::FunctionReturn]);

    client.reconfigure(|settings| settings.kinds = settings.kinds.without(Kind::Error).with(Kind::Write)).unwrap();
    record_all_ways(&client);
    client.flush(LONG).unwrap();
    assert_eq!(kinds_seen(&memory), [Kind::Write, Kind::FunctionReturn]);

    // Off and on again, the kinds are those that were asked for.
    client.reconfigure(|settings| settings.enabled = false).unwrap();
    client.reconfigure(|settings| settings.enabled = true).unwrap();
    record_all_ways(&client);
    client.flush(LONG).unwrap();
    assert_eq!(kinds_seen(&memory), [Kind::Write, Kind::FunctionReturn]);
    let stats = client.shutdown(LONG);
    assert_eq!((stats.recorded, stats.delivered), (6, 6));
}

#[test]
fn tracked_locks_go_with_the_kinds_of_lock_events() {
    let seen = in_default_client(|client| {
        let lock = TrackedMutex::new(0);
        let lock_once = || *lock.lock().unwrap() += 1;
        lock_once();
        for change in [
            &(|settings: &mut Settings| settings.enabled = false) as &dyn Fn(&mut Settings),
            &|settings| settings.kinds = Kinds::ALL.without(Kind::LockRelease),
            &|settings| settings.kinds = Kinds::ALL.without(Kind::LockAcquire),
        ] {
            client.reconfigure(change).unwrap();
            lock_once();
            client.reconfigure(|settings| (settings.enabled, settings.kinds) = (true, Kinds::ALL)).unwrap();
        }
        // What is acquired in sight is released in sight, and what is acquired out of sight is not released in sight.
        let guard = lock.lock().unwrap();
        client.reconfigure(|settings| settings.enabled = false).unwrap();
        drop(guard);
        let guard = lock.lock().unwrap();
        client.reconfigure(|settings| settings.enabled = true).unwrap();
        drop(guard);
        lock_once();
        assert_eq!(*lock.lock().unwrap(), 5);
    });
    let kinds: Vec<_> = seen.iter().map(|seen| seen.kind).collect();
    assert_eq!(kinds, [Kind::LockAcquire, Kind::LockRelease].repeat(4));
}

#[test]
fn what_happens_in_the_background_can_be_left_out() {
    let memory = MemoryTransport::new();
    let client = builder(&memory).background(false).build().unwrap();
    client.track_write("outside", 0, 1);
    let request = client.context().attach();
    client.track_read("inside", 1);
    drop(request);
    client.track_write("outside", 0, 1);
    client.track_error("Error", "outside", &[]);
    let stats = client.shutdown(LONG);
    assert_eq!(kinds_seen(&memory), [Kind::Read, Kind::Error], "errors are recorded wherever they happen");
    assert_eq!((stats.recorded, stats.lost.total(), stats.unsampled), (2, 0, 0));
}

#[test]
fn new_traces_are_sampled_at_the_rate_in_force() {
    let memory = MemoryTransport::new();
    // Each request is announced, so that it takes more room than its events.
    let client = builder(&memory).sample_rate(0.0).ring_bytes(8 << 20).build().unwrap();
    let handle_a_request = || {
        let _request = client.context().attach();
        client.track_write("n", 0, 1);
        client.track_error("Error", "message", &[]);
    };
    handle_a_request();
    client.flush(LONG).unwrap();
    assert_eq!(kinds_seen(&memory), [Kind::Error], "errors are recorded whatever the sampling says");
    assert_eq!(client.stats().unsampled, 1);

    client.reconfigure(|settings| settings.sample_rate = 1.0).unwrap();
    (0..100).for_each(|_| handle_a_request());
    client.flush(LONG).unwrap();
    assert_eq!(kinds_seen(&memory).len(), 200);
    assert_eq!(client.stats().unsampled, 1);

    client.reconfigure(|settings| settings.sample_rate = 0.25).unwrap();
    (0..2000).for_each(|_| handle_a_request());
    let stats = client.shutdown(LONG);
    // 1500 on average; eight standard deviations are 155.
    assert!((1345..1655).contains(&(stats.unsampled - 1)), "{}", stats.unsampled);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    assert_eq!(kinds_seen(&memory).len() as u64, 4000 - (stats.unsampled - 1));
    assert_balanced(&stats);
}

#[test]
fn a_shorter_interval_takes_effect_at_once() {
    let memory = MemoryTransport::new();
    let client = builder(&memory).flush_interval(HOUR).build().unwrap();
    client.track_read("n", 1);
    client.reconfigure(|settings| settings.flush_interval = Duration::from_millis(1)).unwrap();
    wait_until("sealed after a millisecond, not an hour", || events(&memory).len() == 1);
    client.reconfigure(|settings| settings.flush_interval = HOUR).unwrap();
    assert_eq!(client.settings().flush_interval, HOUR);
}

#[test]
fn batches_have_the_size_in_force() {
    let memory = MemoryTransport::new();
    let (client, mut flusher) = builder(&memory).flush_interval(HOUR).build_manual().unwrap();
    let record = |number| (0..number).for_each(|n| client.track_read("n", n));
    record(7);
    assert!(!flusher.step());
    assert_eq!(memory.attempts(), 0);
    client.reconfigure(|settings| settings.batch_events = 5).unwrap();
    assert!(flusher.step(), "a batch that is too full by now is sealed");
    record(10);
    flusher.step();
    assert!(flusher.step());
    let sizes: Vec<_> = memory.take_batches().iter().map(|batch| batch.events).collect();
    assert_eq!(sizes, [7, 5, 5]);

    client.reconfigure(|settings| (settings.batch_events, settings.batch_bytes) = (1_000_000, 64 << 10)).unwrap();
    record(10_000);
    while !flusher.step() && memory.batches().len() < 2 {}
    assert!(memory.batches().iter().all(|batch| batch.bytes.len() <= 64 << 10));
}

#[test]
fn bad_settings_are_refused_as_a_whole() {
    #[track_caller]
    fn refused(client: &Client, change: impl FnOnce(&mut Settings), field: &str, words: &str) {
        let before = client.settings();
        let good_and_bad = |settings: &mut Settings| {
            (settings.enabled, settings.flush_interval, settings.debug) = (false, HOUR, true);
            change(settings);
        };
        let error = client.reconfigure(good_and_bad).expect_err("a refusal");
        let text = error.to_string();
        let ReconfigureError::Invalid { field: named, problem, remedy } = &error else { panic!("{error:?}") };
        assert_eq!(*named, field, "{text}");
        assert!(text.contains(words) && text == format!("{field}: {problem}; {remedy}"), "{text:?} without {words:?}");
        assert_eq!(client.settings(), before);
    }

    let (client, memory) = client();
    for rate in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        refused(&client, |settings| settings.sample_rate = rate, "sample_rate", "0.0 (no trace) to 1.0");
    }
    for events in [0, 1_000_001] {
        refused(&client, |settings| settings.batch_events = events, "batch_events", "1 to 1,000,000");
    }
    for bytes in [0, 1, 128 << 20] {
        refused(&client, |settings| settings.batch_bytes = bytes, "batch_bytes", "64 KiB to 64 MiB");
    }
    // Fine by itself, but no backlog of 64 MiB could take it.
    refused(&client, |settings| settings.batch_bytes = 33 << 20, "batch_bytes", "half the backlog_bytes");
    for interval in [Duration::ZERO, Duration::MAX] {
        refused(&client, |settings| settings.flush_interval = interval, "flush_interval", "1 ms to 1 hour");
    }
    client.track_read("n", 1);
    client.flush(LONG).unwrap();
    assert_eq!(events(&memory).len(), 1, "it records as before");

    let near = Client::builder("http://127.0.0.1:1").record_locks(false).drop_timeout(Duration::ZERO).build().unwrap();
    for key in ["", "two words", "wíth"] {
        refused(&near, |settings| settings.api_key = Some(key.into()), "api_key", "visible ASCII");
    }
    let far = |builder: Builder| builder.record_locks(false).drop_timeout(Duration::ZERO).build().unwrap();
    let exposed = far(Client::builder("http://collector.example"));
    refused(&exposed, |settings| settings.api_key = Some("key".into()), "api_key", "api_key_over_http");
    let allowed = far(Client::builder("http://collector.example").api_key_over_http(true));
    allowed.reconfigure(|settings| settings.api_key = Some("key".into())).unwrap();
}

#[test]
fn a_change_that_cannot_be_made_changes_nothing() {
    let (client, _memory) = client();
    let before = client.settings();
    let inner = client.clone();
    client.reconfigure(|_| assert_eq!(inner.reconfigure(|_| ()), Err(ReconfigureError::Nested))).unwrap();
    let panics = AssertUnwindSafe(|| {
        client.reconfigure(|settings| {
            settings.enabled = false;
            panic!("in a change of settings; this is part of a test");
        })
    });
    assert!(catch_unwind(panics).is_err());
    assert_eq!(client.settings(), before);
    client.reconfigure(|settings| settings.sample_rate = 0.5).expect("a panic locks nobody out");
    client.shutdown(LONG);
    assert_eq!(client.reconfigure(|settings| settings.sample_rate = 0.1), Err(ReconfigureError::Stopped));
    assert_eq!(client.settings().sample_rate, 0.5);
}

/// What waited for the key is sent as soon as the key is there, not after the half minute that a client waits otherwise.
#[test]
fn with_the_next_key_what_waited_is_sent_at_once() {
    const SOON: Duration = Duration::from_secs(15);
    let collector = Collector::builder().api_key("next-key-of-ours").start().unwrap();
    let builder = Client::builder(collector.url()).record_locks(false).api_key("last-key-of-ours");
    let client = builder.flush_interval(Duration::from_millis(1)).build().unwrap();
    client.track_read("n", 1);
    wait_until("turned down", || client.stats().failed_attempts > 0);
    client.track_read("n", 2);
    client.reconfigure(|settings| settings.api_key = Some("next-key-of-ours".into())).unwrap();
    client.flush(SOON).unwrap();
    assert_eq!((collector.distinct_events(), client.stats().lost.total()), (2, 0));

    // And none is a key, too: this collector does not want that one.
    client.reconfigure(|settings| settings.api_key = None).unwrap();
    client.track_read("n", 3);
    wait_until("turned down", || client.stats().failed_attempts > 1);
    client.reconfigure(|settings| settings.api_key = Some("next-key-of-ours".into())).unwrap();
    client.flush(SOON).unwrap();
    assert_eq!(collector.distinct_events(), 3);
}

/// Eight threads record and four change settings, while two look: no change is lost, none is seen in part, and no event
/// that was wanted all the time is missing from the books.
#[test]
fn a_hundred_thousand_changes_under_load() {
    const WRITERS: u64 = 8;
    const CHANGERS: u64 = 4;
    // One event more with each; a million are permitted.
    let changes = scaled(999_000, 100_000) / CHANGERS;
    let memory = MemoryTransport::new();
    let client = builder(&memory).batch_events(1).flush_interval(Duration::from_micros(1001)).build().unwrap();
    // What a change keeps in step, a look finds in step.
    let in_step = |settings: &Settings| settings.flush_interval == interval_for(settings.batch_events);
    let (changing, recorded, looks) = (AtomicBool::new(true), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                while changing.load(Relaxed) {
                    client.track_write("n", 0, 1);
                    client.track_custom("at times", 1);
                    recorded.fetch_add(1, Relaxed);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                while changing.load(Relaxed) {
                    let settings = client.settings();
                    assert!(in_step(&settings), "{settings:?}");
                    looks.fetch_add(1, Relaxed);
                }
            });
        }
        let changers = (0..CHANGERS).map(|_| {
            scope.spawn(|| {
                for number in 0..changes {
                    let change = |settings: &mut Settings| {
                        assert!(in_step(settings), "{settings:?}");
                        settings.batch_events += 1;
                        settings.flush_interval = interval_for(settings.batch_events);
                        let without = settings.kinds.without(Kind::Custom);
                        settings.kinds = if number % 2 == 0 { without } else { without.with(Kind::Custom) };
                    };
                    client.reconfigure(change).unwrap();
                    if number % 16 == 0 {
                        let bad = client.reconfigure(|settings| (settings.batch_events, settings.enabled) = (0, false));
                        assert!(bad.is_err());
                    }
                }
            })
        });
        let changers: Vec<_> = changers.collect();
        let ended: Vec<_> = changers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        changing.store(false, Relaxed);
        assert!(ended.iter().all(Result::is_ok), "a changer panicked");
    });
    assert_eq!(client.settings().batch_events as u64, 1 + CHANGERS * changes, "as if one thread had made the changes");
    assert!(looks.load(Relaxed) > 0);

    let stats = client.shutdown(LONG);
    assert_balanced(&stats);
    let seen = events(&memory);
    let writes = seen.iter().filter(|seen| seen.kind == Kind::Write).count() as u64;
    let wanted = recorded.load(Relaxed);
    assert!(writes <= wanted && stats.recorded >= wanted && wanted - writes <= stats.lost.ring_full, "{stats}");
}

fn interval_for(batch_events: usize) -> Duration {
    Duration::from_micros(1000 + batch_events as u64)
}
