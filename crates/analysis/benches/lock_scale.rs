//! How long the analysis of a million lock events takes, by how the locks are nested.
//!
//! `cargo bench -p trackside-analysis --bench lock_scale`, or with `-- --test` for a look whether it runs.

#[path = "../tests/it/batches.rs"]
mod batches;
#[expect(dead_code, reason = "of how the tests write programs down, this needs but a part")]
#[path = "../tests/it/program.rs"]
mod program;

use program::Program;
use std::time::Instant;
use trackside_analysis::Analyzer;
use trackside_wire::Batch;

const EVENTS: u64 = 1_000_000;
const STRANDS: u64 = 64;
const LOCKS: u64 = 1_000;

/// Sections of two nested locks, which `pick` chooses from a random number.
fn measure(events: u64, what: &str, pick: impl Fn(u64) -> (u64, u64)) {
    let names: Vec<String> = (0..LOCKS).map(|lock| format!("lock-{lock}")).collect();
    let mut p = Program::new();
    let mut seed: u64 = 1;
    for section in 0..events / 4 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (outer, inner) = pick(seed >> 20);
        let (outer, inner, strand) = (&names[outer as usize], &names[inner as usize], 1 + section % STRANDS);
        let line = (seed >> 60) as u32;
        p.at(line).lock(strand, outer);
        if section % 10 == 0 {
            p.waited((seed >> 40) as i64);
        }
        p.at(line + 1).lock(strand, inner).unlock(strand, inner).unlock(strand, outer);
    }
    let batches = p.batches(10_000);
    drop(p);
    let mut analyzer = Analyzer::new();
    for bytes in &batches {
        analyzer.ingest(&Batch::decode(bytes).expect("a batch"));
    }
    let began = Instant::now();
    let report = analyzer.finish();
    let took = began.elapsed();
    assert_eq!(report.summary.events, events);
    println!(
        "{what}: {took:?}; {} findings; {} orders and {} groups bounded",
        report.findings.len(),
        report.summary.lock_orders_bounded,
        report.summary.lock_cycles_bounded
    );
}

fn main() {
    // Cargo passes `--bench`, and test runs of everything pass `--test`.
    let quick = std::env::args().any(|argument| argument == "--test");
    let events = if quick { EVENTS / 100 } else { EVENTS };
    measure(events, "two locks at a time, of few pairs", |random| (random % 50 * 2, random % 50 * 2 + 1));
    measure(events, "any two locks in one order", |random| {
        let (a, b) = (random % (LOCKS - 1), random / LOCKS % LOCKS);
        (a.min(b), if a == b { a + 1 } else { a.max(b) })
    });
    measure(events, "any two locks in any order", |random| {
        let (a, b) = (random % LOCKS, random / LOCKS % LOCKS);
        (a, if a == b { (a + 1) % LOCKS } else { b })
    });
}
