//! Steps by hand: memory transport, invented instants, no thread and no sleep.

use super::*;
use crate::context;
use crate::record::{Arg, Name, Record};
use crate::ring::local;
use crate::ring::pipe::{Background, Identity, Overflow, PipeOptions};
use crate::ring::signal::{Sleeper, Waited};
use crate::transport::{Cause, MemoryTransport, Outcome};
use arc_swap::ArcSwap;
use std::num::NonZeroUsize;
use trackside_wire::{Batch, Kind};

struct Bench {
    pipe: Arc<Pipe>,
    flusher: Flusher,
    memory: MemoryTransport,
    books: SharedBooks,
    start: Instant,
    _sleeper: Sleeper,
}

const INTERVAL: Duration = Duration::from_secs(1);

const TUNING: Tuning =
    Tuning { flush_interval: INTERVAL, batch_events: 1000, batch_bytes: 1 << 20, debug: false, keys: 0 };

fn tune(options: &FlusherOptions, change: impl FnOnce(&mut Tuning)) {
    let mut tuning = **options.tuning.load();
    change(&mut tuning);
    options.tuning.store(Arc::new(tuning));
}

fn bench(change: impl FnOnce(&mut FlusherOptions)) -> Bench {
    crate::clock::calibrate();
    let (pipe, sleeper) = Pipe::new(PipeOptions {
        ring_words: NonZeroUsize::new(8192).unwrap(),
        most_rings: 8,
        overflow: Overflow::DropNewest,
        background: Background::Recorded,
        coarse: false,
        clock: crate::clock::ticks,
        announce: context::announce,
        identity: Identity { run: 7, trace: 9, service: "service".into(), instance: "instance".into(), pid: 42 },
    });
    let mut options = FlusherOptions {
        run: RunId::new(7),
        service: "service".into(),
        instance: "instance".into(),
        environment: "test".into(),
        tags: vec![("team".into(), "core".into())],
        pid: 42,
        tuning: Arc::new(ArcSwap::from_pointee(TUNING)),
        send_timeout: Duration::from_secs(1),
        backlog: BacklogOptions {
            max_bytes: 4 << 20,
            max_age: Duration::from_secs(60),
            backoff_base: Duration::from_millis(100),
            backoff_max: Duration::from_secs(10),
        },
    };
    change(&mut options);
    let (memory, books) = (MemoryTransport::new(), SharedBooks::default());
    let flusher = Flusher::new(pipe.clone(), options, Box::new(memory.clone()), books.clone(), Box::new(|_| {}));
    Bench { pipe, flusher, memory, books, start: Instant::now(), _sleeper: sleeper }
}

fn record_into(pipe: &Arc<Pipe>, name: &'static str, value: u64) {
    let record = Record {
        kind: Kind::Write.code(),
        site: None,
        name: Name::Static(name),
        ticks: crate::clock::ticks(),
        a: Arg::Nil,
        b: Arg::UInt(value),
    };
    if let Some(mut entered) = local::enter(pipe, false) {
        record.write(entered.ring());
    }
}

impl Bench {
    fn record(&self, name: &'static str, value: u64) {
        record_into(&self.pipe, name, value);
    }

    fn step(&mut self, after: Duration) -> Step {
        self.flusher.step(self.start + after)
    }

    fn delivered(&self) -> Vec<u64> {
        let values = |batch: &SealedBatch| -> Vec<u64> {
            let batch = Batch::decode(&batch.bytes).unwrap();
            batch.events().map(|event| event.b.as_u64().unwrap()).collect()
        };
        self.memory.batches().iter().flat_map(values).collect()
    }

    #[track_caller]
    fn check_books(&self) {
        let stats = lock(&self.books).snapshot(&self.pipe);
        assert_eq!(stats.recorded, stats.delivered + stats.pending + stats.lost.total(), "{stats}");
    }
}

fn failure() -> Outcome {
    Outcome::Retry { after: None, cause: Cause::new("not today") }
}

#[test]
fn a_batch_is_sealed_when_it_is_old_enough() {
    let mut bench = bench(|_| {});
    bench.record("x", 1);
    let step = bench.step(Duration::ZERO);
    assert_eq!((step.idle, step.next), (false, bench.start + INTERVAL));
    bench.record("x", 2);
    bench.step(INTERVAL - Duration::from_nanos(1));
    assert!(bench.memory.batches().is_empty());
    assert!(bench.step(INTERVAL).idle);
    assert_eq!(bench.delivered(), [1, 2]);
    bench.check_books();
}

#[test]
fn a_batch_is_sealed_when_it_has_events_enough() {
    let mut bench = bench(|options| tune(options, |tuning| tuning.batch_events = 3));
    (0..7).for_each(|value| bench.record("x", value));
    // One attempt a step.
    for _ in 0..3 {
        bench.step(Duration::ZERO);
    }
    let sizes: Vec<_> = bench.memory.batches().iter().map(|batch| batch.events).collect();
    assert_eq!(sizes, [3, 3]);
    bench.step(INTERVAL);
    assert_eq!(bench.delivered(), [0, 1, 2, 3, 4, 5, 6]);
    bench.check_books();
}

#[test]
fn no_batch_is_longer_than_it_may_be() {
    let limit = 64 << 10;
    let mut bench = bench(|options| {
        tune(options, |tuning| (tuning.batch_bytes, tuning.batch_events) = (limit, 1_000_000));
    });
    for round in 0..40 {
        // Names that are new each time, so that the tables grow as fast as they can.
        for at in 0..100 {
            let name = format!("{round}-{at}-{}", "n".repeat(200));
            let record = Record {
                kind: Kind::Write.code(),
                site: None,
                name: Name::Copied(crate::record::Bytes { bytes: name.as_bytes(), cut: false }),
                ticks: 0,
                a: Arg::Nil,
                b: Arg::UInt(at),
            };
            record.write(local::enter(&bench.pipe, false).unwrap().ring());
        }
        bench.step(Duration::ZERO);
    }
    while !bench.step(INTERVAL).idle {}
    assert_eq!(bench.delivered().len(), 4000);
    for batch in bench.memory.batches() {
        assert!(batch.bytes.len() <= limit, "{} bytes", batch.bytes.len());
    }
    bench.check_books();
}

/// Somebody who waits for a flush, and has asked for it.
fn flush_in_background(bench: &Bench) -> std::thread::JoinHandle<Waited> {
    let (pipe, deadline) = (bench.pipe.clone(), bench.start + Duration::from_secs(600));
    let before = bench.pipe.signal.request().epoch;
    let waiting = std::thread::spawn(move || pipe.signal.flush(deadline));
    while bench.pipe.signal.request().epoch == before {
        std::thread::yield_now();
    }
    waiting
}

#[test]
fn a_flush_is_complete_when_its_events_are_delivered_and_not_before() {
    let mut bench = bench(|_| {});
    bench.record("x", 1);
    let waiting = flush_in_background(&bench);
    bench.memory.then(failure());
    bench.step(Duration::ZERO);
    assert_eq!(bench.flusher.flushing.len(), 1, "the attempt failed: the flush goes on");
    // A later event does not hold the flush up, nor does the flush pass the failed batch by.
    bench.record("x", 2);
    bench.step(Duration::from_secs(20));
    assert_eq!(bench.delivered(), [1]);
    assert!(bench.flusher.flushing.is_empty());
    assert_eq!(waiting.join().unwrap(), Waited::Done);
    bench.check_books();
}

#[test]
fn a_flush_is_not_held_up_by_later_ones() {
    let mut bench = bench(|_| {});
    bench.record("x", 1);
    let first = flush_in_background(&bench);
    bench.memory.then(failure());
    bench.step(Duration::ZERO);
    bench.record("x", 2);
    let second = flush_in_background(&bench);
    // One attempt a step: the first batch goes out, the second is still there.
    bench.step(Duration::from_secs(20));
    assert_eq!(bench.delivered(), [1]);
    assert_eq!(first.join().unwrap(), Waited::Done);
    assert_eq!(bench.flusher.flushing.len(), 1);
    bench.step(Duration::from_secs(20));
    assert_eq!(second.join().unwrap(), Waited::Done);
    bench.check_books();
}

#[test]
fn what_cannot_be_delivered_is_kept_in_order_and_retried() {
    let mut bench = bench(|options| tune(options, |tuning| tuning.batch_events = 2));
    (0..3).for_each(|_| bench.memory.then(failure()));
    (0..6).for_each(|value| bench.record("x", value));
    let mut now = Duration::ZERO;
    for _ in 0..20 {
        bench.step(now);
        bench.check_books();
        now += Duration::from_secs(11);
    }
    assert_eq!(bench.delivered(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(lock(&bench.books).failed_attempts, 3);
}

#[test]
fn a_full_ring_is_told_to_the_reader_as_a_hole_of_the_right_size() {
    let mut bench = bench(|options| tune(options, |tuning| tuning.batch_events = 1_000_000));
    let before = 10_000;
    (0..before).for_each(|value| bench.record("x", value));
    let dropped = bench.pipe.registry.dropped();
    assert!(dropped > 0);
    bench.step(Duration::ZERO);
    bench.record("x", before);
    bench.step(INTERVAL);

    let batches = bench.memory.batches();
    let batch = Batch::decode(&batches[0].bytes).unwrap();
    let kept = before - dropped;
    let [first, second] = &batch.lanes[..] else { panic!("{:?}", batch.lanes) };
    assert_eq!((first.first_seq, first.first_step, first.lost_before), (0, 0, 0));
    assert_eq!((second.first_seq, second.first_step, second.lost_before), (before, before, dropped));
    assert_eq!(batch.len() as u64, kept + 1);
    assert_eq!((batch.header.recorded, &batch.header.lost[..]), (before + 1, &[("ring_full", dropped)][..]));
    bench.check_books();
}

#[test]
fn a_thread_that_exits_leaves_its_events_and_its_ring() {
    let mut bench = bench(|_| {});
    for value in 0..50 {
        std::thread::scope(|scope| {
            let pipe = &bench.pipe;
            scope.spawn(move || record_into(pipe, "x", value)).join().unwrap();
        });
        bench.step(Duration::ZERO);
    }
    bench.step(INTERVAL);
    let delivered = bench.delivered();
    assert_eq!(delivered, (0..50).collect::<Vec<_>>());
    assert!(bench.pipe.registry.rings() <= 3, "{} rings", bench.pipe.registry.rings());

    // One ring after the other served all the threads, and yet no two events have one id, and no two threads one strand.
    let mut ids = std::collections::HashSet::new();
    let mut strands = std::collections::HashSet::new();
    for sealed in bench.memory.batches() {
        let batch = Batch::decode(&sealed.bytes).unwrap();
        strands.extend(batch.strands.iter().map(|strand| strand.number));
        ids.extend(batch.events().map(|event| event.id));
    }
    assert_eq!((ids.len(), strands.len()), (50, 50));
    bench.check_books();
}

#[test]
fn what_comes_after_the_end_is_counted_when_somebody_looks() {
    let mut bench = bench(|_| {});
    bench.record("x", 1);
    bench.memory.then(failure());
    bench.step(INTERVAL);
    bench.step(INTERVAL * 2);
    bench.flusher.give_up();
    bench.record("x", 2);
    bench.flusher.sweep();
    let stats = lock(&bench.books).snapshot(&bench.pipe);
    assert_eq!((stats.recorded, stats.pending, stats.lost.after_shutdown), (2, 0, 1));
    assert_eq!(stats.delivered + stats.lost.shutdown_timeout, 1);
    bench.check_books();
}

#[test]
fn what_is_tuned_counts_from_the_next_step_on() {
    let mut bench = bench(|_| {});
    let tuning = bench.flusher.options.clone();
    bench.record("n", 1);
    assert_eq!(bench.step(Duration::ZERO).next, bench.start + INTERVAL);
    tune(&tuning, |tuning| tuning.flush_interval = INTERVAL / 10);
    assert_eq!(bench.step(Duration::ZERO).next, bench.start + INTERVAL / 10);
    assert_eq!(bench.step(INTERVAL / 10).sealed, 1);

    (0..3).for_each(|number| bench.record("n", number));
    assert_eq!(bench.step(INTERVAL).sealed, 0);
    tune(&tuning, |tuning| tuning.batch_events = 2);
    assert_eq!(bench.step(INTERVAL).sealed, 1, "three are too many by now");
    tune(&tuning, |tuning| tuning.batch_bytes = 1);
    (0..2).for_each(|number| bench.record("n", number));
    assert_eq!(bench.step(INTERVAL).sealed, 2, "no event is too large for a batch of its own");
}

#[test]
fn a_key_is_worth_an_attempt_at_once_if_it_was_the_key() {
    let cause = || Cause::new("made up");
    let mut bench = bench(|_| {});
    let tuning = bench.flusher.options.clone();
    bench.memory.then(Outcome::Unauthorized(cause()));
    bench.memory.then(Outcome::Retry { after: Some(INTERVAL * 9), cause: cause() });
    bench.record("n", 1);
    bench.step(Duration::ZERO);
    let waits = bench.step(INTERVAL);
    assert_eq!((bench.memory.attempts(), waits.next), (1, bench.start + INTERVAL + Duration::from_secs(10)));
    bench.step(INTERVAL);
    assert_eq!(bench.memory.attempts(), 1);
    tune(&tuning, |tuning| tuning.keys = 1);
    bench.step(INTERVAL);
    assert_eq!(bench.memory.attempts(), 2);
    // Now it waits because the receiver has asked for that, which no key changes.
    tune(&tuning, |tuning| tuning.keys = 2);
    bench.step(INTERVAL);
    assert_eq!(bench.memory.attempts(), 2);
}
