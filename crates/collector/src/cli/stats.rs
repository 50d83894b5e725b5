//! `trackside stats`.

use super::Outcome;
use super::events::kind_name;
use super::failure::Failure;
use super::input::Inputs;
use super::output::{to_stdout, visible};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use trackside_wire::{Batch, Kind};

#[derive(Debug, Args)]
pub(super) struct Stats {
    #[command(flatten)]
    inputs: Inputs,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What there is of a run, and what it says of itself.
#[derive(Debug, Default, Serialize)]
struct Run {
    service: String,
    instance: String,
    pid: u32,
    batches: u64,
    /// Events that are here.
    events: u64,
    /// Events that the run says it had recorded when its latest batch was sealed, lost ones included.
    recorded: u64,
    lost: BTreeMap<String, u64>,
    /// Recorded, not lost, and not here.
    not_here: u64,
    unsampled: u64,
    kinds: BTreeMap<String, u64>,
    /// Kinds that were not recorded at some moment.
    off: BTreeSet<String>,
}

impl Stats {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let mut runs: BTreeMap<String, Run> = BTreeMap::new();
        let mut latest: BTreeMap<String, u64> = BTreeMap::new();
        self.inputs.each(|batch| {
            let id = batch.header.run.to_string();
            let run = runs.entry(id.clone()).or_default();
            run.count(batch);
            let seen = latest.entry(id).or_default();
            if run.batches == 1 || *seen <= batch.header.batch {
                *seen = batch.header.batch;
                run.describe(batch);
            }
            Ok(())
        })?;
        for run in runs.values_mut() {
            let lost = run.lost.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
            run.not_here = run.recorded.saturating_sub(lost).saturating_sub(run.events);
        }
        to_stdout(&match self.format {
            Format::Text => text(&runs),
            Format::Json => json(&runs)?,
        })?;
        Ok(Outcome::Clean)
    }
}

impl Run {
    fn count(&mut self, batch: &Batch<'_>) {
        self.batches += 1;
        self.events += batch.len() as u64;
        for event in batch.events() {
            *self.kinds.entry(kind_name(event.kind)).or_default() += 1;
        }
    }

    /// Takes over what a batch's header says: it counts from the start of the run.
    fn describe(&mut self, batch: &Batch<'_>) {
        let header = &batch.header;
        (self.service, self.instance) = (header.service.to_owned(), header.instance.to_owned());
        (self.pid, self.recorded, self.unsampled) = (header.pid, header.recorded, header.unsampled);
        self.lost = header.lost.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect();
        let off = Kind::ALL.iter().filter(|kind| header.off.contains(**kind));
        self.off = off.map(|kind| kind_name(*kind)).collect();
    }
}

fn text(runs: &BTreeMap<String, Run>) -> String {
    let mut text = String::new();
    for (id, run) in runs {
        let _ = writeln!(
            text,
            "{}/{}  pid {}  run {id}\n  {} events in {} batches, of {} recorded",
            visible(&run.service),
            visible(&run.instance),
            run.pid,
            run.events,
            run.batches,
            run.recorded
        );
        for (reason, count) in &run.lost {
            let _ = writeln!(text, "  lost, {}: {count}", visible(reason));
        }
        for (what, count) in [("not here", run.not_here), ("contexts not sampled", run.unsampled)] {
            if count > 0 {
                let _ = writeln!(text, "  {what}: {count}");
            }
        }
        if !run.off.is_empty() {
            let off: Vec<&str> = run.off.iter().map(String::as_str).collect();
            let _ = writeln!(text, "  not recorded all the time: {}", off.join(", "));
        }
        let width = run.kinds.keys().map(String::len).max().unwrap_or(0);
        for (kind, count) in &run.kinds {
            let _ = writeln!(text, "    {kind:width$}  {count}");
        }
    }
    if runs.is_empty() { "nothing was recorded\n".to_owned() } else { text }
}

fn json(runs: &BTreeMap<String, Run>) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(&serde_json::json!({ "runs": runs }));
    text.map(|text| text + "\n").map_err(|error| Failure {
        what: "cannot write the counts as JSON".into(),
        source: Some(error.into()),
        advice: "this is a bug in trackside; --format text may still work",
    })
}
