//! The ring beside rtrb, which is the queue of its kind that others use: events of five words in and out again, by
//! turns on one thread, so that what is compared is their code and not the caches' traffic.
//!
//! rtrb is used in both ways that suit: one element for each event, and five words written as a chunk. The ring's frames
//! can differ in length, as those of events do; rtrb's elements cannot.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ring::frame::{HEAD_WORDS, Head, Name};
use ring::registry::Registry;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::panic::Location;

#[expect(
    dead_code,
    unused_imports,
    clippy::disallowed_types,
    reason = "files of the ring are included as they are, for it has no public face; the SDK uses the rest of them"
)]
#[path = "../src/ring"]
mod ring {
    pub(crate) mod draft;
    pub(crate) mod frame;
    pub(crate) mod registry;
    pub(crate) mod spsc;
    pub(crate) mod sync;
}

/// Words of a state change with a static name and two integers, and of such a queue as the SDK's default.
const WORDS: usize = 5;
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1 << 16).unwrap();

/// Events in before they are taken out again.
const ROUND: u64 = 1000;

criterion_main!(benches);
criterion_group!(benches, in_and_out);

fn in_and_out(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events of five words, in and out");
    group.throughput(Throughput::Elements(ROUND));
    group.bench_function("ring, frames", |bencher| {
        let (mut event, mut drain) = frames();
        bencher.iter(|| {
            (0..ROUND).for_each(&mut event);
            drain()
        });
    });
    group.bench_function("rtrb, elements", |bencher| {
        let (mut producer, mut consumer) = rtrb::RingBuffer::<[u64; WORDS]>::new(CAPACITY.get() / WORDS);
        bencher.iter(|| {
            for i in 0..ROUND {
                let _ = black_box(producer.push(black_box([1, 2, 3, i, i + 1])));
            }
            let mut sum: u64 = 0;
            while let Ok(words) = consumer.pop() {
                sum = sum.wrapping_add(words[WORDS - 1]);
            }
            sum
        });
    });
    group.bench_function("rtrb, words in chunks", |bencher| {
        let (mut producer, mut consumer) = rtrb::RingBuffer::<u64>::new(CAPACITY.get());
        bencher.iter(|| {
            for i in 0..ROUND {
                if let Ok(chunk) = producer.write_chunk_uninit(WORDS) {
                    chunk.fill_from_iter(black_box([1, 2, 3, i, i + 1]));
                }
            }
            let mut sum: u64 = 0;
            while let Ok(chunk) = consumer.read_chunk(WORDS) {
                sum = sum.wrapping_add(chunk.into_iter().last().unwrap_or(0));
            }
            sum
        });
    });
}

/// What records an event into a ring, and what takes all out.
fn frames() -> (impl FnMut(u64), impl FnMut() -> u64) {
    let registry = Registry::new(CAPACITY, 1);
    let mut producer = registry.lease().expect("the first ring");
    let mut consumers = Vec::new();
    registry.adopt(&mut consumers);
    let mut consumer = consumers.pop().expect("the ring's other end");
    let mut scratch = Vec::new();
    let head = Head { kind: 1, tags: 9, site: Some(Location::caller().into()), name: Name::Static("counter") };
    const PAYLOAD: usize = WORDS - HEAD_WORDS;
    let event = move |i| {
        if !producer.has_room(PAYLOAD) && !producer.make_room(PAYLOAD, &[]) {
            return;
        }
        if let Some(mut slot) = producer.reserve(&head, PAYLOAD) {
            let [first, second, third] = black_box([3, i, i + 1]);
            slot.put(first);
            slot.put(second);
            slot.put(third);
            slot.commit();
        }
    };
    let drain = move || {
        let mut sum: u64 = 0;
        consumer.drain(&mut scratch, |_, payload| {
            sum = sum.wrapping_add(payload.last().copied().unwrap_or(0));
            true
        });
        sum
    };
    (event, drain)
}
