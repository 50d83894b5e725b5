//! `trackside completions` and `trackside man`.

use super::failure::Failure;
use super::output::to_stdout;
use super::{Cli, Outcome};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use std::io;

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

/// The manual page: the program's own, then those of its commands, in one document.
pub(super) fn man() -> Result<Outcome, Failure> {
    let mut page = Vec::new();
    let rendered = render(&mut page);
    rendered.map_err(|error| Failure {
        what: "cannot write the manual page".into(),
        source: Some(error.into()),
        advice: "this is a bug in trackside",
    })?;
    print(&page)
}

fn render(page: &mut Vec<u8>) -> io::Result<()> {
    let mut program = Cli::command();
    program.build();
    Man::new(program.clone()).render(page)?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("trackside {}", command.get_name());
        let man = Man::new(command.clone().display_name(name));
        man.render_name_section(page)?;
        man.render_synopsis_section(page)?;
        man.render_description_section(page)?;
        man.render_options_section(page)?;
        man.render_extra_section(page)?;
    }
    Ok(())
}

fn print(bytes: &[u8]) -> Result<Outcome, Failure> {
    to_stdout(&String::from_utf8_lossy(bytes))?;
    Ok(Outcome::Clean)
}
