//! What it takes to analyse logs of one to ten million events, and what memory: each size in a process of its own.
//!
//! `cargo bench -p trackside-analysis --bench scale` prints a line for each. `SCALE=1,2` chooses the millions, `-- --test` runs
//! small ones to see that it works. Times are those on the processor, so that they say something on a busy machine too,
//! where the system tells (`/proc/self/schedstat`); memory is how much the peak of the resident set grew. The log is made batch
//! by batch beside, which is in neither.

#![expect(clippy::print_stdout, reason = "it is what this is for")]

mod log;

use log::{Log, Setup};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use trackside_analysis::Analyzer;
use trackside_wire::Batch;

/// Says to a process which log is its own.
const OWN: &str = "TRACKSIDE_SCALE_OWN";

fn main() {
    if let Ok(own) = std::env::var(OWN) {
        return measure(&own);
    }
    let unit: u64 = if std::env::args().any(|argument| argument == "--test") { 20_000 } else { 1_000_000 };
    let sizes = std::env::var("SCALE").unwrap_or_else(|_| "1,2,4,8,10".to_owned());
    let sizes: Vec<u64> = sizes.split(',').map(|size| unit * size.trim().parse::<u64>().expect("a number")).collect();
    println!("64 strands, 10,000 variables, 1,251 locks");
    sizes.iter().for_each(|events| run("service", *events));
    println!("one trace, told by itself");
    run("trace", unit);
    println!("one variable, a tenth as many strands as events, nothing that orders them");
    [unit / 4, unit / 2, unit].iter().for_each(|events| run("hot", *events));
}

/// Runs a log in a process of its own, which prints what it takes.
fn run(what: &str, events: u64) {
    let program = std::env::current_exe().expect("this program");
    let status = Command::new(program).env(OWN, format!("{what} {events}")).status().expect("a process");
    assert!(status.success(), "{what} {events}: {status}");
}

fn measure(own: &str) {
    let (what, events) = own.split_once(' ').expect("what, and how many events");
    let events: u64 = events.parse().expect("a number");
    let setup = match what {
        "hot" => Setup { events, strands: events / 10, variables: 1, locks: false },
        _ => Setup { events, strands: 64, variables: 10_000, locks: true },
    };
    let mut log = Log::new(setup);
    let mut analyzer = Analyzer::new();
    let (mut ingest, before) = (Duration::ZERO, memory("VmRSS"));
    for bytes in log.by_ref() {
        let began = Clock::now();
        analyzer.ingest(&Batch::decode(&bytes).expect("a batch"));
        ingest += began.elapsed();
    }
    let kept = memory("VmRSS").saturating_sub(before);
    let began = Clock::now();
    let traces = if what == "trace" { analyzer.traces() } else { Vec::new() };
    let told = began.elapsed();
    let began = Clock::now();
    let report = analyzer.finish();
    let finish = began.elapsed();
    let peak = memory("VmHWM").saturating_sub(before);
    assert_eq!(report.summary.events, events, "all of them were analysed");
    assert_eq!(report.summary.variables_bounded, u64::from(what == "hot"), "and what is left out is told");
    let all = ingest + told + finish;
    let per_second = events as f64 / all.as_secs_f64() / 1e6;
    let pairs = log.pairs();
    println!(
        "  {what} {events:>9}: {:>7.3} s to take in, {:>7.3} s to analyse: {per_second:.2} million events/s; {} findings",
        ingest.as_secs_f64(),
        finish.as_secs_f64(),
        report.findings.len(),
    );
    println!(
        "    peak {} MB, of which the log {} MB, {} bytes an event; {pairs} pairs of strand and variable, {} bytes each beside it",
        peak / 1_000_000,
        kept / 1_000_000,
        kept / events,
        peak.saturating_sub(kept) / pairs.max(1),
    );
    if what == "trace" {
        assert_eq!(traces.iter().map(|trace| trace.events).sum::<u64>(), events);
        println!("    {:.3} s for its {} strands", told.as_secs_f64(), traces[0].strands);
    }
}

/// A clock that stands still while others are on the processor.
struct Clock(Result<Duration, Instant>);

impl Clock {
    fn now() -> Self {
        Self(on_processor().ok_or_else(Instant::now))
    }

    fn elapsed(&self) -> Duration {
        match self.0 {
            Ok(began) => on_processor().unwrap_or(began) - began,
            Err(began) => began.elapsed(),
        }
    }
}

fn on_processor() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/schedstat").ok()?;
    stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// A field of this process' memory, in bytes; 0 where the system does not tell.
fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
