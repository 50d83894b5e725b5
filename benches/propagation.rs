//! What it costs to read and to write a request's headers. Those of strangers must not cost much more than honest ones:
//! the last group is to stay below a millisecond, whatever the length.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use trackside::propagation::{Instance, Outgoing, RACEWAY_CLOCK, Received, TRACEPARENT, TRACESTATE};
use trackside::propagation::{SpanId, TraceId, VectorClock};

criterion_main!(benches);
criterion_group!(benches, ids, honest, hostile);

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("random id");
    group.bench_function("trace", |bencher| bencher.iter(TraceId::random));
    group.bench_function("span", |bencher| bencher.iter(SpanId::random));
}

fn honest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("headers");
    let instance = Instance::new("bank", "bank-7f9c4d-x2x");
    for components in [1, 8, 32] {
        let mut clock: VectorClock = (1..components).map(|at| (format!("service-{at}#host-{at}"), at)).collect();
        clock.advance(instance.component());
        let outgoing = Outgoing::new(TraceId::random(), SpanId::random(), &instance, &clock);
        let headers = outgoing.headers().with([("accept", "*/*"), ("host", "localhost"), (TRACESTATE, "a=b,c=d")]);
        group.bench_function(format!("write, {components} components"), |bencher| bencher.iter(|| outgoing.headers()));
        group.bench_function(format!("read, {components} components"), |bencher| {
            bencher.iter(|| Received::parse(black_box(&headers)));
        });
    }
    let none = [("accept", "*/*"), ("host", "localhost")];
    group.bench_function("read, none", |bencher| bencher.iter(|| Received::parse(black_box(&none))));
    let parent = [("accept", "*/*"), ("host", "localhost"), (TRACEPARENT, PARENT)];
    group.bench_function("read, traceparent", |bencher| bencher.iter(|| Received::parse(black_box(&parent))));
}

fn hostile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hostile headers");
    let mut read = |name: &str, headers: Vec<(&str, String)>| {
        group.bench_function(name, |bencher| bencher.iter(|| Received::parse(black_box(&headers))));
    };
    const MIB: usize = 1 << 20;
    const READ: usize = 8 << 10;
    for (len, name) in [(READ, "8 KiB"), (MIB, "1 MiB")] {
        read(&format!("{name} of hyphens"), vec![(TRACEPARENT, "-".repeat(len))]);
        read(&format!("{name} of zeros"), vec![(RACEWAY_CLOCK, format!("v1;{}", "0".repeat(len - 3)))]);
        // In base64, four characters for three: `{"clock":[[[[[[...` and `{"clock":[["a",1],["a",1],...`.
        read(&format!("{name} of brackets"), vec![(RACEWAY_CLOCK, repeated("eyJjbG9jayI6", "W1tb", len))]);
        read(&format!("{name} of entries"), vec![(RACEWAY_CLOCK, repeated("eyJjbG9jayI6WyAg", "WyJhIiwxXSwg", len))]);
        read(&format!("{name} of members"), vec![(TRACESTATE, "a=b,".repeat(len / 4))]);
    }
    let distinct: Vec<(String, u64)> = (0..63).map(|at| (format!("{at:02}"), 1)).collect();
    let clock: VectorClock = distinct.into_iter().collect();
    let instance = Instance::new("x", "y");
    let outgoing = Outgoing::new(TraceId::random(), SpanId::random(), &instance, &clock);
    read("63 components", outgoing.headers().into_iter().collect());
    for name in [TRACEPARENT, RACEWAY_CLOCK, TRACESTATE] {
        read(&format!("128 of 8 KiB, {name}"), (0..128).map(|_| (name, "a".repeat(READ))).collect());
        let short: Vec<_> = (0..MIB / (name.len() + 1)).map(|_| (name, "-".to_owned())).collect();
        read(&format!("{} short ones, {name}", short.len()), short);
    }
}

fn repeated(start: &str, piece: &str, len: usize) -> String {
    format!("v1;{start}{}", piece.repeat((len - 3 - start.len()) / piece.len()))
}
