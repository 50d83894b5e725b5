//! What each drop-in of `trackside::sync`, `trackside::thread` and the features costs beside what it stands in for: alone on
//! its thread, and with two and four threads at it.
//!
//! Criterion measures one after the other, which is for comparing a version with the next. Then everything is measured in
//! turn, round after round, and the median of the ratios of each round is told, with precise and with coarse timestamps: on
//! a machine one is not alone on, that is the number that means something.
//!
//! `cargo bench --bench locks`, with `--features parking_lot,tokio` for theirs too. With `-- ratios`, which is in no name of
//! Criterion's, the ratios alone; with `-- --test` for a look whether it runs. What locks cost beside those of other
//! libraries is in `benches/peers`.

#[path = "locks/cases.rs"]
mod cases;
#[cfg(all(feature = "parking_lot", feature = "tokio"))]
#[path = "locks/of_features.rs"]
mod of_features;
#[cfg(not(all(feature = "parking_lot", feature = "tokio")))]
#[path = "locks/none.rs"]
mod of_features;
#[path = "locks/run.rs"]
mod run;
#[path = "support/statistics.rs"]
mod statistics;
#[expect(dead_code, reason = "what the benchmarks share is not all for all of them")]
mod support;

use criterion::Criterion;
use run::{Case, Run};
use statistics::{part, sorted};
use std::time::Duration;
use support::{client, client_with};
use trackside::{ManualFlusher, Timestamps};

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    let mut cases = cases::all();
    cases.extend(of_features::all());

    let (_client, mut flusher) = client();
    let mut criterion = Criterion::default().configure_from_args();
    for case in &cases {
        let mut group = criterion.benchmark_group(&case.name);
        for (what, run) in [("original", &case.original), ("trackside", &case.ours)] {
            group.bench_function(what, |bencher| bencher.iter_custom(|n| in_rounds(run, case.round, n, &mut flusher)));
        }
    }
    criterion.final_summary();

    let rounds = if quick { 2 } else { 300 };
    let coarse = Timestamps::Coarse { resolution: Duration::from_millis(1) };
    for (name, timestamps) in [("precise", Timestamps::Precise), ("coarse", coarse)] {
        let (_client, mut flusher) = client_with(|builder| builder.timestamps(timestamps));
        println!("\n{name} timestamps, {rounds} rounds\n");
        print_ratios(&cases, rounds, &mut flusher);
    }
}

/// So many operations, the rings being emptied between rounds, which is not timed.
fn in_rounds(run: &Run, round: u64, operations: u64, flusher: &mut ManualFlusher) -> Duration {
    let (mut time, mut left) = (Duration::ZERO, operations);
    while left > 0 {
        time += run(left.min(round));
        flusher.step();
        left -= left.min(round);
    }
    time
}

fn print_ratios(cases: &[Case], rounds: usize, flusher: &mut ManualFlusher) {
    let mut nanos = vec![Vec::with_capacity(rounds); cases.len()];
    for _ in 0..rounds {
        for (case, all) in cases.iter().zip(&mut nanos) {
            let each = |time: Duration| time.as_nanos() as f64 / case.round as f64;
            let original = each((case.original)(case.round));
            all.push((original, each((case.ours)(case.round))));
            flusher.step();
        }
    }
    println!("| operation | original, ns | trackside, ns | ratio, median | in nine of ten rounds |");
    println!("|---|--:|--:|--:|--:|");
    for (case, all) in cases.iter().zip(&nanos) {
        let [original, ours] = [sorted(all.iter().map(|both| both.0)), sorted(all.iter().map(|both| both.1))];
        let ratios = sorted(all.iter().map(|both| both.1 / both.0));
        let (low, median, high) = (part(&ratios, 5), part(&ratios, 50), part(&ratios, 95));
        let (original, ours) = (part(&original, 50), part(&ours, 50));
        println!("| {} | {original:.1} | {ours:.1} | {median:.2} | {low:.2} to {high:.2} |", case.name);
    }
}
