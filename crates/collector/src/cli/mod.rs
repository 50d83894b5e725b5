//! The command line: what can be asked for, and how the program ends.
//!
//! `input` is what commands read, `output` how they write; `access`, `kinds` and `root` are what several of them say.

mod access;
mod check;
mod complete;
mod events;
mod failure;
mod input;
mod kinds;
mod output;
mod progress;
mod report;
mod root;
mod serve;
mod stats;
mod stop;
mod tail;
mod time;
mod trace;
mod units;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Says which accesses to shared state raced in a running service.
#[derive(Debug, Parser)]
#[command(name = "trackside", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  all went well, and `check` has found nothing
  1  `check` has found something
  2  something could not be done; what, is on the standard error

Colours and progress are shown on a terminal only; NO_COLOR=1 turns colours off.";

const CHECK_EXAMPLES: &str = "\
Examples:
  trackside check run.trackside
  trackside check trackside-data                        the directory of a collector, which may be running
  trackside check http://127.0.0.1:8080 --api-key-env KEY
  trackside check *.trackside --format sarif > trackside.sarif
  trackside check run.trackside --write-baseline trackside.json
  trackside check run.trackside --baseline trackside.json --fail-on likely";

const REPORT_EXAMPLES: &str = "\
Examples:
  trackside report run.trackside -o report.html
  trackside report trackside-data -o report.html --title 'Night of the 3rd'";

const EXPORT_EXAMPLES: &str = "\
Example:
  trackside export run.trackside --chrome-trace -o trace.json     then open it in https://ui.perfetto.dev";

const TAIL_EXAMPLES: &str = "\
Examples:
  trackside tail http://127.0.0.1:8080
  trackside tail http://127.0.0.1:8080 --kind write --kind atomic_rmw --name accounts.
  trackside tail run.trackside | less";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  trackside completions bash > ~/.local/share/bash-completion/completions/trackside
  trackside completions fish > ~/.config/fish/completions/trackside.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  trackside man | man -l -
  trackside man check > ~/.local/share/man/man1/trackside-check.1";

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive events over HTTP, and print what was found when stopped with ctrl-c.
    Serve(serve::Serve),
    /// Analyse what was recorded, and exit with 1 if anything was found.
    ///
    /// Exits with 0 if nothing was found, with 1 if something was, and with 2 if something could not be read.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(check::Check),
    /// Write what was found as one HTML file, to be read, printed or sent around.
    ///
    /// Nothing in it is a script or comes from elsewhere.
    #[command(after_help = REPORT_EXAMPLES)]
    Report(report::WriteReport),
    /// Write what was recorded as a trace, to be looked at in Perfetto or Chrome.
    ///
    /// A process for each run, a thread for each strand; spans for locks held and waited for, calls, requests and queries;
    /// arrows from release to acquire, from send to receive, from spawn to begin.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(trace::Export),
    /// Print events, a line each, as they come.
    #[command(after_help = TAIL_EXAMPLES)]
    Tail(tail::Tail),
    /// Count what was recorded, by run and by kind, and what was lost.
    Stats(stats::Stats),
    /// Print the script by which a shell completes these commands.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(complete::Completions),
    /// Print a manual page: the program's own, or that of one of these commands.
    #[command(after_help = MAN_EXAMPLES)]
    Man(complete::ManPage),
}

/// How a command ended, where it did not fail.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Clean,
    Findings,
}

pub(crate) fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Report(report) => report.run(),
        Command::Export(export) => export.run(),
        Command::Tail(tail) => tail.run(),
        Command::Stats(stats) => stats.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(page) => page.run(),
    };
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            output::fail(&failure);
            ExitCode::from(2)
        }
    }
}
