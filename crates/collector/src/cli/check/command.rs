use super::baseline::Baseline;
use super::{github, sarif};
use crate::cli::failure::Failure;
use crate::cli::input::Inputs;
use crate::cli::output::{ending_in_newline, report_to_stdout, to_stderr, to_stdout};
use crate::cli::{Outcome, root};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use trackside_analysis::{Confidence, Report};

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    inputs: Inputs,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Leave out the findings in this file, which --write-baseline has made. A finding is known by its kind, its variable,
    /// and the file and what is done there of both sides; not by its lines, so it may move. A second one alike is new.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the findings into this file, beside those of --baseline, and exit with 0: from now on they are accepted.
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// How sure a finding has to be for the exit code to be 1. All are printed.
    #[arg(long, value_enum, value_name = "HOW SURE", default_value_t = Sure::Possible)]
    fail_on: Sure,
    /// The directory that paths are told from, if they are below it.
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: the whole report.
    Json,
    /// For code hosts and editors: SARIF 2.1.0.
    Sarif,
    /// For the log of a GitHub workflow: commands that mark the lines.
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sure {
    /// What was recorded proves it.
    Confirmed,
    /// That, and where something that would prove it was not recorded.
    Likely,
    /// All findings.
    Possible,
}

impl Check {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        // First, so that a typing error does not cost an analysis.
        let mut baseline = self.baseline.as_deref().map(Baseline::read).transpose()?;
        let mut report = self.inputs.analyse()?;
        root::rebase(&mut report, &self.root);
        if let Some(baseline) = &baseline {
            let (accepted, stale) = baseline.filter(&mut report.findings);
            if accepted + stale > 0 {
                to_stderr(&format!("accepted by the baseline: {accepted}; in the baseline and not met: {stale}"));
            }
        }
        self.format.print(&report)?;
        if let Some(path) = &self.write_baseline {
            let mut all = baseline.take().unwrap_or_default();
            all.accept(&report.findings);
            all.write(path)?;
            to_stderr(&format!("accepted from now on, by {}: {}", path.display(), report.findings.len()));
            return Ok(Outcome::Clean);
        }
        let fails = report.findings.iter().any(|finding| self.fail_on.includes(finding.confidence));
        Ok(if fails { Outcome::Findings } else { Outcome::Clean })
    }
}

impl Sure {
    fn includes(self, confidence: Confidence) -> bool {
        match self {
            Sure::Confirmed => confidence >= Confidence::Confirmed,
            Sure::Likely => confidence >= Confidence::Likely,
            Sure::Possible => true,
        }
    }
}

impl Format {
    fn print(self, report: &Report) -> Result<(), Failure> {
        match self {
            Format::Text => report_to_stdout(&ending_in_newline(report.to_string())),
            Format::Json => to_stdout(&json(report)?),
            Format::Sarif => to_stdout(&json(&sarif::render(report))?),
            Format::Github => to_stdout(&github::render(report)),
        }
    }
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map(ending_in_newline).map_err(|error| Failure {
        what: "cannot write the report as JSON".into(),
        source: Some(error.into()),
        advice: "this is a bug in trackside; --format text may still work",
    })
}
