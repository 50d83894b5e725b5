//! What the flusher pays for an event: drain, replay, encode, seal. Delivery is to nowhere.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::{DYNAMIC_NAME, ROUND, client};
use trackside::{Client, Name, Value};

criterion_main!(benches);
criterion_group!(benches, steps);

fn steps(criterion: &mut Criterion) {
    step(criterion, "static name, two integers", |client, i| client.track_write("counter", i, i + 1));
    step(criterion, "dynamic name, two integers", |client, i| {
        client.track_write(Name::dynamic(black_box(DYNAMIC_NAME)), i, i + 1);
    });
    let names: Vec<String> = (0..100).map(|number| format!("accounts.{number}.balance")).collect();
    step(criterion, "100 dynamic names, two integers", |client, i| {
        client.track_write(&names[i as usize % names.len()], i, i + 1);
    });
    step(criterion, "static name, two texts", |client, _| client.track_write("state", "pending", "done"));
    step(criterion, "static name, a serialised value", |client, i| client.track_custom("order", Value::of(&[i; 3])));
}

/// One step of the flusher after a round of events.
fn step(criterion: &mut Criterion, name: &str, record: impl Fn(&Client, u64)) {
    let (client, mut flusher) = client();
    let mut group = criterion.benchmark_group("drain and encode");
    group.throughput(Throughput::Elements(ROUND));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|steps| {
            let mut time = Duration::ZERO;
            for _ in 0..steps {
                (0..ROUND).for_each(|i| record(&client, i));
                let start = Instant::now();
                flusher.step();
                time += start.elapsed();
            }
            time
        });
    });
    assert_eq!(client.stats().lost.total(), 0);
}
