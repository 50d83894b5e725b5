//! What locks cost: ours, with precise and with coarse timestamps, beside std's, parking_lot's and tracing-mutex's. Of the
//! latter those that check in release builds, too: alone, where they have nothing to check, and where another lock is held.
//!
//! Everything is measured in turn, round after round, in one run; each figure is a ratio to std's mutex of the same round, and
//! the median over the rounds is told. Ours record into a client whose rings are emptied between rounds.
//!
//! `cargo run --release`, in this folder; with `-- --quick` for a look whether it runs.

#[path = "../../support/counter.rs"]
mod counter;
#[path = "../../support/statistics.rs"]
mod statistics;

use counter::{counter, counter_is_used};
use statistics::{part, sorted};
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
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
    let (locks, mut table) = (Locks::default(), Table::default());
    for _ in 0..rounds {
        table.begin();
        locks.round(&client, &mut flusher, &mut table);
    }
    table.print("uncontended lock + unlock");
    // Threads are begun in each round, so there are fewer.
    let mut table = Table::default();
    for _ in 0..rounds.div_ceil(20) {
        table.begin();
        locks.contended(&mut flusher, &mut table);
    }
    println!();
    table.print("lock + unlock on each of several threads");
}

/// Times of the same operations, in the same order, round after round.
#[derive(Default)]
struct Table {
    rows: Vec<(&'static str, Vec<f64>)>,
    next: usize,
}

/// Where the rows are that all others are compared with.
const CLOCK: usize = 0;
const STD: usize = 1;

impl Table {
    fn begin(&mut self) {
        self.next = 0;
    }

    /// Times an operation, which is the next of the round.
    #[inline(always)]
    fn time(&mut self, name: &'static str, mut operation: impl FnMut(u64)) {
        let start = Instant::now();
        for i in 0..ROUND {
            operation(i);
        }
        self.add(name, start.elapsed());
    }

    /// As [`Table::time`], for an operation that so many threads do at once.
    fn time_of(&mut self, threads: usize, name: &'static str, operation: impl Fn(u64) + Sync) {
        let (operation, barrier) = (&operation, &Barrier::new(threads));
        let work = move || {
            barrier.wait();
            let start = Instant::now();
            for i in 0..ROUND {
                operation(i);
            }
            barrier.wait();
            start.elapsed()
        };
        let time = thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work()
        });
        self.add(name, time);
    }

    fn add(&mut self, name: &'static str, time: Duration) {
        let nanos = time.as_nanos() as f64 / ROUND as f64;
        if self.next == self.rows.len() {
            self.rows.push((name, Vec::new()));
        }
        self.rows[self.next].1.push(nanos);
        self.next += 1;
    }

    fn print(&self, what: &str) {
        println!("| {what} | ns, median | to std's mutex | less std's, in clock reads |");
        println!("|---|--:|--:|--:|");
        let (clock, std) = (&self.rows[CLOCK].1, &self.rows[STD].1);
        for (name, times) in &self.rows {
            let ratio = median(times.iter().zip(std).map(|(time, std)| time / std));
            let more = median(times.iter().zip(std).zip(clock).map(|((time, std), clock)| (time - std) / clock));
            println!("| {name} | {:.2} | {ratio:.2} | {more:.2} |", median(times.iter().copied()));
        }
    }
}

#[derive(Default)]
struct Locks {
    std: Two<std::sync::Mutex<u64>>,
    ours: Two<trackside::sync::Mutex<u64>>,
    parking_lot: Two<parking_lot::Mutex<u64>>,
    tracing_mutex: Two<tracing_mutex::stdsync::tracing::Mutex<u64>>,
    std_rw: std::sync::RwLock<u64>,
    ours_rw: trackside::sync::RwLock<u64>,
    tracing_rw: tracing_mutex::stdsync::tracing::RwLock<u64>,
}

/// Two locks, of which the second is taken inside the first, if both are.
#[derive(Default)]
struct Two<T> {
    outer: T,
    inner: T,
}

impl Locks {
    fn round(&self, client: &Client, flusher: &mut ManualFlusher, table: &mut Table) {
        // As locks are, shared: the compiler may not know that nobody else is there.
        let Self { std, ours, parking_lot, tracing_mutex, std_rw, ours_rw, tracing_rw } = black_box(self);
        table.time("raw read of the counter", |_| _ = black_box(counter()));
        table.time("std Mutex", |i| *std.inner.lock().unwrap() = black_box(i));
        table.time("trackside Mutex", |i| *ours.inner.lock().unwrap() = black_box(i));
        flusher.step();
        table.time("parking_lot Mutex", |i| *parking_lot.inner.lock() = black_box(i));
        table.time("tracing-mutex Mutex", |i| *tracing_mutex.inner.lock().unwrap() = black_box(i));
        table.time("trackside Mutex, one event inside", |i| {
            let mut value = ours.inner.lock().unwrap();
            client.track_write("value", *value, black_box(i));
            *value = i;
        });
        flusher.step();
        self.with_another(flusher, table);
        table.time("std RwLock, read", |_| _ = black_box(*std_rw.read().unwrap()));
        table.time("trackside RwLock, read", |_| _ = black_box(*ours_rw.read().unwrap()));
        flusher.step();
        table.time("tracing-mutex RwLock, read", |_| _ = black_box(*tracing_rw.read().unwrap()));
        table.time("std RwLock, write", |i| *std_rw.write().unwrap() = black_box(i));
        table.time("trackside RwLock, write", |i| *ours_rw.write().unwrap() = black_box(i));
        flusher.step();
        table.time("tracing-mutex RwLock, write", |i| *tracing_rw.write().unwrap() = black_box(i));
    }

    /// Two threads, and four.
    fn contended(&self, flusher: &mut ManualFlusher, table: &mut Table) {
        let Self { std, ours, parking_lot, tracing_mutex, .. } = black_box(self);
        // The rows that all others are compared with, at their places.
        table.time("raw read of the counter", |_| _ = black_box(counter()));
        let names = [
            ["std Mutex, 2", "trackside Mutex, 2", "parking_lot Mutex, 2", "tracing-mutex Mutex, 2"],
            ["std Mutex, 4", "trackside Mutex, 4", "parking_lot Mutex, 4", "tracing-mutex Mutex, 4"],
        ];
        for (threads, names) in [2, 4].into_iter().zip(names) {
            table.time_of(threads, names[0], |i| *std.inner.lock().unwrap() = black_box(i));
            table.time_of(threads, names[1], |i| *ours.inner.lock().unwrap() = black_box(i));
            flusher.step();
            table.time_of(threads, names[2], |i| *parking_lot.inner.lock() = black_box(i));
            table.time_of(threads, names[3], |i| *tracing_mutex.inner.lock().unwrap() = black_box(i));
        }
    }

    /// Where another lock is held, what tells of the order of locks has an order to tell of.
    fn with_another(&self, flusher: &mut ManualFlusher, table: &mut Table) {
        let Self { std, ours, parking_lot, tracing_mutex, .. } = black_box(self);
        {
            let _held = std.outer.lock().unwrap();
            table.time("std Mutex, another held", |i| *std.inner.lock().unwrap() = black_box(i));
            let _held = ours.outer.lock().unwrap();
            table.time("trackside Mutex, another held", |i| *ours.inner.lock().unwrap() = black_box(i));
            let _held = parking_lot.outer.lock();
            table.time("parking_lot Mutex, another held", |i| *parking_lot.inner.lock() = black_box(i));
            let _held = tracing_mutex.outer.lock().unwrap();
            table.time("tracing-mutex Mutex, another held", |i| {
                *tracing_mutex.inner.lock().unwrap() = black_box(i);
            });
        }
        flusher.step();
        table.time("two std Mutexes, nested", |i| {
            let mut outer = std.outer.lock().unwrap();
            *outer = black_box(i);
            *std.inner.lock().unwrap() = black_box(i);
        });
        table.time("two trackside Mutexes, nested", |i| {
            let mut outer = ours.outer.lock().unwrap();
            *outer = black_box(i);
            *ours.inner.lock().unwrap() = black_box(i);
        });
        flusher.step();
        table.time("two parking_lot Mutexes, nested", |i| {
            let mut outer = parking_lot.outer.lock();
            *outer = black_box(i);
            *parking_lot.inner.lock() = black_box(i);
        });
        table.time("two tracing-mutex Mutexes, nested", |i| {
            let mut outer = tracing_mutex.outer.lock().unwrap();
            *outer = black_box(i);
            *tracing_mutex.inner.lock().unwrap() = black_box(i);
        });
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    part(&sorted(values), 50)
}
