//! What locks cost: ours, with precise and with coarse timestamps, beside std's, parking_lot's and tracing-mutex's.
//!
//! Everything is measured in turn, round after round, in one run; each figure is a ratio to std's mutex of the same round, and
//! the median over the rounds is told. Ours record into a client whose rings are emptied between rounds.
//!
//! `cargo run --release`, in this folder; with `-- --quick` for a look whether it runs.

#[path = "../../support/counter.rs"]
mod counter;

use counter::{counter, counter_is_used};
use std::hint::black_box;
use std::time::{Duration, Instant};
use trackside::{Client, ManualFlusher, Outcome, SealedBatch, Timestamps, Transport};

/// Operations between two looks at the clock. What ours record in one round stays far below half a ring.
const ROUND: u64 = 1000;

#[derive(Debug)]
struct Nowhere;

impl Transport for Nowhere {
    fn send(&mut self, _: &SealedBatch, _: Duration) -> Outcome {
        Outcome::Delivered
    }

    fn destination(&self) -> String {
        "nowhere".into()
    }
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 20 } else { 5000 };
    let coarse = Timestamps::Coarse { resolution: Duration::from_millis(1) };
    for (name, timestamps) in [("precise", Timestamps::Precise), ("coarse", coarse)] {
        println!("\n{name} timestamps, {rounds} rounds of {ROUND}\n");
        measure(timestamps, rounds);
    }
    println!("\ncounter read in place by the SDK: {}", counter_is_used());
}

fn measure(timestamps: Timestamps, rounds: usize) {
    let (client, mut flusher) = Client::builder_to(Nowhere)
        .service("bench")
        .timestamps(timestamps)
        .flush_interval(Duration::from_secs(3600))
        .build_manual()
        .expect("the configuration is valid");
    let locks = Locks::default();
    let mut nanos = vec![Vec::with_capacity(rounds); NAMES.len()];
    for _ in 0..rounds {
        for (all, time) in nanos.iter_mut().zip(locks.round(&client, &mut flusher)) {
            all.push(time.as_nanos() as f64 / ROUND as f64);
        }
    }
    println!("| uncontended lock + unlock | ns, median | to std's mutex | less std's, in clock reads |");
    println!("|---|--:|--:|--:|");
    for (name, times) in NAMES.iter().zip(&nanos) {
        let ratio = median(times.iter().zip(&nanos[STD]).map(|(time, std)| time / std));
        let more = times.iter().zip(&nanos[STD]).zip(&nanos[CLOCK]).map(|((time, std), clock)| (time - std) / clock);
        println!("| {name} | {:.2} | {ratio:.2} | {:.2} |", median(times.iter().copied()), median(more));
    }
}

const CLOCK: usize = 0;
const STD: usize = 1;
const NAMES: [&str; 10] = [
    "raw read of the counter",
    "std Mutex",
    "trackside Mutex",
    "trackside Mutex, one event inside",
    "parking_lot Mutex",
    "tracing-mutex Mutex",
    "std RwLock, read",
    "trackside RwLock, read",
    "std RwLock, write",
    "trackside RwLock, write",
];

#[derive(Default)]
struct Locks {
    std: std::sync::Mutex<u64>,
    ours: trackside::sync::Mutex<u64>,
    parking_lot: parking_lot::Mutex<u64>,
    tracing_mutex: tracing_mutex::stdsync::tracing::Mutex<u64>,
    std_rw: std::sync::RwLock<u64>,
    ours_rw: trackside::sync::RwLock<u64>,
}

impl Locks {
    fn round(&self, client: &Client, flusher: &mut ManualFlusher) -> [Duration; NAMES.len()] {
        // As locks are, shared: the compiler may not know that nobody else is there.
        let Self { std, ours, parking_lot, tracing_mutex, std_rw, ours_rw } = black_box(self);
        let clock = timed(|_| _ = black_box(counter()));
        let std = timed(|i| *std.lock().expect("nobody panics") = black_box(i));
        let tracked = timed(|i| *ours.lock().expect("nobody panics") = black_box(i));
        flusher.step();
        let inside = timed(|i| {
            let mut value = ours.lock().expect("nobody panics");
            client.track_write("value", *value, black_box(i));
            *value = i;
        });
        flusher.step();
        let parking_lot = timed(|i| *parking_lot.lock() = black_box(i));
        let tracing_mutex = timed(|i| *tracing_mutex.lock().expect("nobody panics") = black_box(i));
        let std_read = timed(|_| _ = black_box(*std_rw.read().expect("nobody panics")));
        let our_read = timed(|_| _ = black_box(*ours_rw.read().expect("nobody panics")));
        flusher.step();
        let std_write = timed(|i| *std_rw.write().expect("nobody panics") = black_box(i));
        let our_write = timed(|i| *ours_rw.write().expect("nobody panics") = black_box(i));
        flusher.step();
        [clock, std, tracked, inside, parking_lot, tracing_mutex, std_read, our_read, std_write, our_write]
    }
}

#[inline(always)]
fn timed(mut operation: impl FnMut(u64)) -> Duration {
    let start = Instant::now();
    for i in 0..ROUND {
        operation(i);
    }
    start.elapsed()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

