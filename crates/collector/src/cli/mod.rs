//! The command line: what can be asked for, and how the program ends.

mod check;
mod output;
mod serve;
mod stop;
mod units;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Says which accesses to shared state raced in a running service.
#[derive(Debug, Parser)]
#[command(name = "trackside", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive events over HTTP, and print what was found when stopped with ctrl-c.
    Serve(serve::Serve),
    /// Analyse files that the SDK's file transport has written.
    ///
    /// Exits with 0 if nothing was found, with 1 if something was, and with 2 if a file could not be read.
    Check(check::Check),
}

/// How a command ended, where it did not fail.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Clean,
    Findings,
}

/// Why a command failed: told in one sentence, which ends in what to do about it.
#[derive(Debug)]
struct Failure {
    what: String,
    source: Option<Box<dyn Error>>,
    advice: &'static str,
}

pub(crate) fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
    };
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            output::to_stderr(&failure.message());
            ExitCode::from(2)
        }
    }
}

impl Failure {
    fn message(&self) -> String {
        let mut message = format!("error: {}", self.what);
        let mut source = self.source.as_deref();
        while let Some(error) = source {
            let _ = write!(message, ": {error}");
            source = error.source();
        }
        if !self.advice.is_empty() {
            let _ = write!(message, "; {}", self.advice);
        }
        message
    }
}
