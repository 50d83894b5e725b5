//! From a recording thread to a collector's answer over HTTP on this machine, and back: throughput of many events, and
//! how long one takes that is flushed at once.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;
use trackside::{Client, Overflow};
use trackside_collector::Collector;

const EVENTS: u64 = 100_000;
const PATIENCE: Duration = Duration::from_secs(60);

criterion_main!(benches);
criterion_group!(benches, recorded_to_acknowledged);

fn recorded_to_acknowledged(criterion: &mut Criterion) {
    // What is old goes, so that the length of a run is no question of memory.
    let collector = Collector::builder().evict_oldest(true).start().expect("a free port on the loopback interface");
    let client = Client::builder(collector.url())
        .service("bench")
        // An event dropped would be an event not paid for.
        .overflow(Overflow::Block { timeout: PATIENCE })
        .build()
        .expect("the configuration is valid");

    let mut group = criterion.benchmark_group("end to end");
    group.sample_size(10);
    for events in [1, EVENTS] {
        group.throughput(Throughput::Elements(events));
        group.bench_function(format!("{events} events, flushed"), |bencher| {
            bencher.iter(|| {
                (0..events).for_each(|i| client.track_write("counter", i, i + 1));
                client.flush(PATIENCE).expect("the collector answers");
            });
        });
    }
    let stats = client.shutdown(PATIENCE);
    assert_eq!(stats.recorded, stats.delivered, "{stats}");
}
