//! What recording costs, told as ratios to one raw read of the time-stamp counter.
//!
//! Nanoseconds say more about the machine, and about who else is on it, than about the code. So everything is measured
//! in turn, round after round, in one run: each operation's ratio is that to the raw reads of the same round, and the
//! median over the rounds is told. The least times make no ratio: a processor runs faster for moments, and each
//! operation meets other moments. `ci/instructions.sh` has the instruction counts that belong beside it.
//!
//! `cargo bench --bench ratios`, or with `-- --quick` for a look whether it runs.

#[path = "support/counter.rs"]
mod counter;
#[path = "support/statistics.rs"]
mod statistics;
mod support;

use counter::{counter, counter_is_used};
use statistics::{part, sorted};
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::{DYNAMIC_NAME, ROUND, client, client_with};
use trackside::{Access, Client, ManualFlusher, Name, Timestamps, TrackedMutex};

/// Where the raw read is among the operations.
const RAW: usize = 0;

/// What is measured, and how many times a raw read it may cost. The limits are for one thread on a quiet machine.
const OPERATIONS: [(&str, Option<f64>); 11] = [
    ("raw read of the counter, in place", None),
    ("raw read through quanta", None),
    ("state change, static name", Some(1.15)),
    ("state change, 32-byte dynamic name", Some(1.35)),
    ("read, static name", None),
    ("state change, static name, coarse time", Some(0.40)),
    ("state change, 32-byte dynamic name, coarse time", None),
    ("drain + encode, static name", None),
    ("drain + encode, dynamic name", None),
    ("std Mutex, lock + unlock", None),
    ("TrackedMutex, lock + unlock (2 events)", None),
];

fn main() {
    // Cargo passes `--bench`, and test runs of everything pass `--test`.
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let rounds = if quick { 20 } else { 5000 };
    let mut bench = Bench::new();
    let mut nanos: [Vec<f64>; OPERATIONS.len()] = Default::default();
    for _ in 0..rounds {
        for (all, time) in nanos.iter_mut().zip(bench.round()) {
            all.push(time.as_nanos() as f64 / ROUND as f64);
        }
    }

    println!("{rounds} rounds of {ROUND} each; counter read in place by the SDK: {}\n", counter_is_used());
    println!("| operation | ns, median | ns, least | ratio to a raw read, median | in nine of ten rounds | limit |");
    println!("|---|--:|--:|--:|--:|--:|");
    for ((name, limit), times) in OPERATIONS.iter().zip(&nanos) {
        let ratios = sorted(times.iter().zip(&nanos[RAW]).map(|(time, raw)| time / raw));
        let times = sorted(times.iter().copied());
        let limit = limit.map_or("".into(), |limit| format!("{limit:.2}"));
        let (ratio, low, high) = (part(&ratios, 50), part(&ratios, 5), part(&ratios, 95));
        println!(
            "| {name} | {:.2} | {:.2} | {ratio:.2} | {low:.2} to {high:.2} | {limit} |",
            part(&times, 50),
            times[0]
        );
    }
    println!();
    for ((name, _), times) in OPERATIONS.iter().zip(&nanos).filter(|((name, _), _)| name.starts_with("drain")) {
        println!("{name}: {:.1} million events/s", 1e3 / part(&sorted(times.iter().copied()), 50));
    }
    let stats = bench.client.stats();
    println!("{stats}\n{:.1} bytes an event on the wire", stats.bytes as f64 / stats.delivered.max(1) as f64);
}

struct Bench {
    client: Client,
    flusher: ManualFlusher,
    coarse: (Client, ManualFlusher),
    quanta: quanta::Clock,
    name: String,
    plain: Mutex<u64>,
    tracked: TrackedMutex<u64>,
}

impl Bench {
    fn new() -> Self {
        let resolution = Duration::from_millis(1);
        let coarse = client_with(|builder| builder.timestamps(Timestamps::Coarse { resolution }).record_locks(false));
        let (client, flusher) = client();
        Self {
            client,
            flusher,
            coarse,
            quanta: quanta::Clock::new(),
            name: DYNAMIC_NAME.into(),
            plain: Mutex::new(0),
            tracked: TrackedMutex::named("tracked", 0),
        }
    }

    /// Does everything once, in the order of [`OPERATIONS`].
    fn round(&mut self) -> [Duration; OPERATIONS.len()] {
        let Self { client, flusher, coarse: (coarse, coarse_flusher), quanta, plain, tracked, .. } = self;
        // Shared, as locks are: the compiler may not know that nobody else is there.
        let (plain, tracked) = (black_box(&*plain), black_box(&*tracked));
        // Its length, too, is known only when it runs.
        let name = black_box(self.name.as_str());
        let raw = timed(|_| _ = black_box(counter()));
        let through_quanta = timed(|_| _ = black_box(quanta.raw()));
        let fixed = timed(|i| client.track_state_change("counter", black_box(i), black_box(i + 1), Access::Write));
        let drain_fixed = timed_once(|| flusher.step());
        let dynamic = timed(|i| {
            client.track_state_change(Name::dynamic(name), black_box(i), black_box(i + 1), Access::Write);
        });
        let drain_dynamic = timed_once(|| flusher.step());
        let read = timed(|i| client.track_read("counter", black_box(i)));
        flusher.step();
        // A thread's first event for another client takes its ring out of the shelf.
        coarse.track_read("counter", 0);
        let coarse_fixed =
            timed(|i| coarse.track_state_change("counter", black_box(i), black_box(i + 1), Access::Write));
        let coarse_dynamic = timed(|i| {
            coarse.track_state_change(Name::dynamic(name), black_box(i), black_box(i + 1), Access::Write);
        });
        coarse_flusher.step();
        client.track_read("counter", 0);
        let std_lock = timed(|i| *plain.lock().expect("nobody panics") = black_box(i));
        let tracked_lock = timed(|i| *tracked.lock().expect("nobody panics") = black_box(i));
        flusher.step();
        [
            raw,
            through_quanta,
            fixed,
            dynamic,
            read,
            coarse_fixed,
            coarse_dynamic,
            drain_fixed,
            drain_dynamic,
            std_lock,
            tracked_lock,
        ]
    }
}

#[inline(always)]
fn timed(mut operation: impl FnMut(u64)) -> Duration {
    // A loop, because `for_each` would call what it was given through a reference.
    timed_once(|| {
        for i in 0..ROUND {
            operation(i);
        }
    })
}

#[inline(always)]
fn timed_once<T>(operation: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(operation());
    start.elapsed()
}
