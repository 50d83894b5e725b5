//! What a collector takes in over HTTP on this machine: native batches of 50,000 events, as the SDK sends them, checked,
//! stored and acknowledged. The senders share the cores with it; they do nothing but copy bytes into a socket.
//!
//! `cargo bench -p trackside-collector --bench ingest`; `TMPDIR` says where the disk is that is measured.

mod support;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use std::time::{Duration, Instant};
use support::{EVENTS, Sender, Template};
use trackside_collector::{Collector, CollectorBuilder, Fsync};

/// Two, so that one batch is on its way while the other is being stored.
const SENDERS: u64 = 2;

criterion_main!(benches);
criterion_group!(benches, stored_over_http, read_at_the_start);

fn stored_over_http(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events stored over HTTP");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(20).measurement_time(Duration::from_secs(10));
    // What is old goes, so that the length of a run is no question of room.
    measure(&mut group, "in memory", Collector::builder().evict_oldest(true));
    for (name, fsync) in [
        ("on disk, never synced", Fsync::Never),
        ("on disk, synced per segment", Fsync::Segment),
        ("on disk, synced per batch", Fsync::Batch),
    ] {
        let directory = support::Temporary::new(&format!("{fsync:?}"));
        measure(&mut group, name, Collector::builder().store(directory.path()).fsync(fsync).max_bytes(2 << 30));
    }
}

/// What a start takes until the collector listens, with so many events on disk that are in the system's cache.
fn read_at_the_start(criterion: &mut Criterion) {
    const BATCHES: u64 = 100;
    let mut group = criterion.benchmark_group("events read at the start");
    group.throughput(Throughput::Elements(BATCHES * EVENTS)).sample_size(10);
    let directory = support::Temporary::new("start");
    let start = || Collector::builder().store(directory.path()).start().expect("a directory of its own");
    let collector = start();
    let mut sender = Sender::new(collector.address(), Template::new(0));
    (0..BATCHES).for_each(|_| sender.send());
    collector.shutdown();
    group.bench_function(format!("{BATCHES} batches"), |bencher| {
        bencher.iter(|| assert_eq!(start().distinct_events(), BATCHES * EVENTS));
    });
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, builder: CollectorBuilder) {
    let collector = builder.start().expect("a free port on the loopback interface");
    let mut senders: Vec<_> = (0..SENDERS).map(|run| Sender::new(collector.address(), Template::new(run))).collect();
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|batches| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                for (at, sender) in (0..).zip(&mut senders) {
                    let share = batches / SENDERS + u64::from(at < batches % SENDERS);
                    scope.spawn(move || (0..share).for_each(|_| sender.send()));
                }
            });
            start.elapsed()
        });
    });
    let sent: u64 = senders.iter().map(|sender| sender.acknowledged).sum();
    let stats = collector.stats();
    assert_eq!((stats.events, stats.duplicates), (sent, 0));
}
