//! `trackside completions` and `trackside man`.

use super::failure::Failure;
use super::output::to_stdout;
use super::{Cli, Outcome};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell that is to complete.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "trackside", &mut script);
        print(&script)
    }
}

#[derive(Debug, Args)]
pub(super) struct ManPage {
    /// The command whose page is wanted, such as check.
    command: Option<String>,
}

impl ManPage {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let mut program = Cli::command();
        // What it was not asked about, such as the names of pages, is filled in by this.
        program.build();
        let command = match &self.command {
            None => program,
            Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| Failure {
                what: format!("there is no command {name}"),
                source: None,
                advice: "`trackside help` lists them",
            })?,
        };
        let mut page = Vec::new();
        let rendered = Man::new(command).render(&mut page);
        rendered.map_err(|error| Failure {
            what: "cannot write the manual page".into(),
            source: Some(error.into()),
            advice: "this is a bug in trackside",
        })?;
        print(&page)
    }
}

fn print(bytes: &[u8]) -> Result<Outcome, Failure> {
    to_stdout(&String::from_utf8_lossy(bytes))?;
    Ok(Outcome::Clean)
}
