//! `trackside`: the collector as a program. See `trackside --help`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
