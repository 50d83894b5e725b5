use super::output::{to_stderr, to_stdout};
use super::{Failure, Outcome};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use trackside_analysis::{Analyzer, Report};
use trackside_wire::{FileBatches, FileError};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Files of batches, one or more for each process, in any order; they are analysed together.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How to print what was found.
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

impl Check {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let mut analyzer = Analyzer::new();
        for file in &self.files {
            ingest(&mut analyzer, file)?;
        }
        let report = analyzer.finish();
        to_stdout(&self.format.render(&report)?)?;
        Ok(if report.findings.is_empty() { Outcome::Clean } else { Outcome::Findings })
    }
}

fn ingest(analyzer: &mut Analyzer, file: &Path) -> Result<(), Failure> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| Failure {
        what: format!("cannot read {name}"),
        source: Some(error.into()),
        advice: "give the path of a file that the SDK's file transport has written",
    })?;
    let damaged = |error: FileError| Failure {
        what: format!("cannot use {name}"),
        advice: match error {
            FileError::NotAFile => "give a file that the SDK's file transport has written",
            _ => "check it without this file, or record it again",
        },
        source: Some(error.into()),
    };
    for batch in FileBatches::new(&bytes).map_err(damaged)? {
        match batch {
            Ok(batch) => analyzer.ingest(&batch),
            Err(torn @ FileError::TornTail { .. }) => {
                to_stderr(&format!("warning: {name}: {torn}; its writer was stopped, what came before is used"));
            }
            Err(error) => return Err(damaged(error)),
        }
    }
    Ok(())
}

impl Format {
    fn render(self, report: &Report) -> Result<String, Failure> {
        match self {
            Format::Text => Ok(ending_in_newline(report.to_string())),
            Format::Json => serde_json::to_string_pretty(report).map(ending_in_newline).map_err(|error| Failure {
                what: "cannot write the report as JSON".into(),
                source: Some(error.into()),
                advice: "this is a bug in trackside; --format text may still work",
            }),
        }
    }
}

pub(super) fn ending_in_newline(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
