//! `recorded = delivered + pending + lost`, to the last event, with everything against it: rings too small, a receiver
//! that fails every third request, threads that come and go. What the client calls delivered, the collector holds.
//!
//! The full numbers are those of an optimised build; a debug build takes a tenth to a fifth, to stay within
//! seconds.

use crate::support::{LONG, assert_balanced, events, scaled};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use trackside::{Builder, Client, MemoryTransport, Overflow, Stats};
use trackside_collector::{Collector, Fault};

const THREADS: u64 = 8;

/// A collector that fails every third request in this way, and counts in `failed` how often it did.
fn collector_counting(fault: Fault, failed: &Arc<AtomicU64>) -> Collector {
    let failed = failed.clone();
    let hook = move |request| {
        let fails = request % 3 == 2;
        failed.fetch_add(u64::from(fails), Ordering::Relaxed);
        fails.then_some(fault)
    };
    Collector::builder().max_bytes(1 << 30).fault(hook).start().unwrap()
}

fn collector(fault: Fault) -> Collector {
    collector_counting(fault, &Arc::default())
}

fn builder(collector: &Collector) -> Builder {
    Client::builder(collector.url()).service("books").record_locks(false).ring_bytes(64 << 10)
}

/// Records `each` events on each of [`THREADS`] threads.
fn record(client: &Client, each: u64) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in 0..each {
                    client.track_write("n", thread, number);
                }
            });
        }
    });
}

/// Eight threads that record as fast as they can into rings too small, towards a receiver that fails in this way.
#[track_caller]
fn check(fault: Fault) {
    let each = scaled(1_000_000, 100_000);
    let failed = Arc::default();
    let collector = collector_counting(fault, &failed);
    // Batches small enough that there are many requests to fail.
    let client = builder(&collector).batch_events(2_000).build().unwrap();
    record(&client, each);
    let stats = client.shutdown(LONG);
    assert_settled(&stats, THREADS * each, &collector);
    let of_rings: Vec<_> = stats.lost.by_reason().map(|(reason, _)| reason).collect();
    assert!(of_rings.iter().all(|reason| *reason == "ring_full"), "{stats}");
    assert!(stats.lost.ring_full > 0, "the rings were to be too small: {stats}");
    // The transport makes up for a closed connection by itself, so the client's count of failures may be 0.
    assert!(failed.load(Ordering::Relaxed) >= 3, "the receiver was to fail: {stats:?}");
}

#[track_caller]
fn assert_settled(stats: &Stats, recorded: u64, collector: &Collector) {
    assert_balanced(stats);
    assert_eq!((stats.recorded, stats.pending), (recorded, 0), "{stats}");
    assert_eq!(stats.delivered, collector.distinct_events(), "{stats}, {:?}", collector.stats());
}

#[test]
fn a_receiver_that_refuses_every_third_request() {
    check(Fault::Status(500));
}

#[test]
fn a_receiver_that_closes_every_third_connection() {
    check(Fault::Close);
}

#[test]
fn a_receiver_that_stores_every_third_batch_and_says_it_did_not() {
    check(Fault::StoreThenStatus(503));
}

#[test]
fn a_receiver_that_stores_every_third_batch_and_closes() {
    check(Fault::StoreThenClose);
}

#[test]
fn batches_that_were_stored_unacknowledged_come_again_and_count_once() {
    // Small batches, so that there are many requests to fail.
    let collector = collector(Fault::StoreThenStatus(503));
    let client = builder(&collector).batch_events(1000).build().unwrap();
    for round in 0..10 {
        (0..1000).for_each(|number| client.track_read("n", round * 1000 + number));
        client.flush(LONG).unwrap();
    }
    let stats = client.shutdown(LONG);
    assert_settled(&stats, 10_000, &collector);
    assert_eq!(stats.delivered, 10_000);
    let received = collector.stats();
    assert!(received.duplicates >= 1000, "a third of the batches was to come twice: {received:?}");
}

#[test]
fn threads_that_wait_for_room_lose_nothing() {
    let each = scaled(200_000, 20_000);
    let collector = collector(Fault::Status(500));
    let client = builder(&collector).overflow(Overflow::Block { timeout: LONG }).build().unwrap();
    record(&client, each);
    let stats = client.shutdown(LONG);
    assert_settled(&stats, THREADS * each, &collector);
    assert_eq!((stats.delivered, stats.lost.total()), (THREADS * each, 0), "{stats}");
}

#[test]
fn a_receiver_that_keeps_up_loses_nothing_to_the_backlog() {
    // Larger rings than the other tests have, so that one look at them all finds more than one batch.
    let each = scaled(1_000_000, 50_000);
    let memory = MemoryTransport::new();
    let builder = crate::support::builder(&memory).overflow(Overflow::Block { timeout: LONG });
    let client = builder.batch_events(10_000).backlog_bytes(4 << 20).build().unwrap();
    record(&client, each);
    let stats = client.shutdown(LONG);
    assert_balanced(&stats);
    assert_eq!((stats.delivered, stats.lost.total()), (THREADS * each, 0), "{stats}");
}

#[test]
fn ten_thousand_short_threads() {
    const EVENTS: u64 = 10;
    let threads = scaled(10_000, 2_000);
    let collector = collector(Fault::Status(500));
    let client = builder(&collector).build().unwrap();
    for _ in 0..threads / THREADS {
        record(&client, EVENTS);
    }
    let stats = client.shutdown(LONG);
    assert_settled(&stats, threads * EVENTS, &collector);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    // Eight at a time. A ring can be used again once the flusher has emptied it, which a thread's end wakes it for; while
    // it sends, or gets no processor, rings add up. If nothing woke it, each thread would have one of its own.
    assert!((stats.rings as u64) < threads / 4, "{} rings for {THREADS} threads at a time", stats.rings);
}

#[test]
fn what_arrives_and_what_is_told_lost_add_up_at_the_receiver() {
    // The holes that the batches tell of are just the events that are missing.
    let memory = MemoryTransport::new();
    let (client, mut flusher) = {
        let builder = crate::support::builder(&memory).ring_bytes(64 << 10).flush_interval(Duration::from_millis(1));
        builder.build_manual().unwrap()
    };
    for round in 0..20_u64 {
        let events = if round % 2 == 0 { 10_000 } else { 10 };
        (0..events).for_each(|number| client.track_write("n", round, number));
        while !flusher.step() {}
        if round % 5 == 4 {
            client.stats();
        }
    }
    drop(flusher);
    let stats = client.stats();
    assert_balanced(&stats);
    let seen = events(&memory);
    assert_eq!((stats.recorded, seen.len() as u64), (10 * 10_010, stats.delivered));
    assert!(stats.lost.ring_full > 50_000);

    let batches = memory.batches();
    let decoded: Vec<_> = batches.iter().map(|batch| trackside_wire::Batch::decode(&batch.bytes).unwrap()).collect();
    let last = &decoded.last().unwrap().header;
    let told: u64 = last.lost.iter().map(|(_, count)| count).sum();
    assert_eq!((last.recorded, told), (stats.recorded, stats.lost.total()));
    let holes: u64 = decoded.iter().flat_map(|batch| &batch.lanes).map(|lane| lane.lost_before).sum();
    assert_eq!(holes, stats.lost.ring_full);
    // Steps and sequence numbers are skipped for what was lost, and used once.
    assert!(seen.windows(2).all(|pair| pair[0].step < pair[1].step && pair[0].id.seq < pair[1].id.seq));
    assert_eq!(seen.last().unwrap().step + 1, stats.recorded);
}

#[test]
fn the_books_balance_whenever_they_are_read() {
    let memory = MemoryTransport::new();
    let client = crate::support::builder(&memory).ring_bytes(64 << 10).build().unwrap();
    let (recorded, reads) = (AtomicU64::new(0), scaled(10_000, 1_000));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while recorded.load(Ordering::Relaxed) != u64::MAX {
                    client.track_read("n", 1);
                }
            });
        }
        let mut last = Stats::default();
        for _ in 0..reads {
            let stats = client.stats();
            assert_balanced(&stats);
            assert!(stats.recorded >= last.recorded && stats.delivered >= last.delivered, "{last} then {stats}");
            last = stats;
        }
        recorded.store(u64::MAX, Ordering::Relaxed);
    });
    let stats = client.shutdown(LONG);
    assert_balanced(&stats);
    assert_eq!((stats.pending, events(&memory).len() as u64), (0, stats.delivered));
}

/// How many events called "signal" the collector holds.
fn signals(collector: &Collector) -> usize {
    let is_signal =
        |batch: &trackside_wire::Batch<'_>, name: Option<u32>| name.is_some_and(|name| batch.string(name) == "signal");
    let count = |bytes: &[u8]| {
        let batch = trackside_wire::Batch::decode(bytes).unwrap();
        batch.events().filter(|event| is_signal(&batch, event.name)).count()
    };
    collector.batches().map(|bytes| count(&bytes)).sum()
}

#[test]
fn a_flush_settles_the_books_while_others_record() {
    let collector = Collector::builder().max_bytes(1 << 30).start().unwrap();
    let client = builder(&collector).build().unwrap();
    let (done, mut flushed) = (AtomicU64::new(0), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while done.load(Ordering::Relaxed) == 0 {
                client.track_read("noise", 1);
            }
        });
        for round in 1..=10 {
            client.track_read("signal", round);
            flushed.push(client.flush(LONG).map(|()| signals(&collector)));
        }
        done.store(1, Ordering::Relaxed);
    });
    // This thread's events, at least, are there.
    assert_eq!(flushed, (1..=10).map(Ok).collect::<Vec<_>>());
    let stats = client.shutdown(LONG);
    assert_balanced(&stats);
    assert_eq!(stats.delivered, collector.distinct_events());
}
