use super::page::page;
use crate::cli::failure::Failure;
use crate::cli::input::Inputs;
use crate::cli::output::Document;
use crate::cli::{Outcome, root};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct WriteReport {
    #[command(flatten)]
    inputs: Inputs,
    /// The file to write; `-` for the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// What the report is called.
    #[arg(long, default_value = "What trackside found")]
    title: String,
    /// The directory that paths are told from, if they are below it.
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
}

impl WriteReport {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let mut report = self.inputs.analyse()?;
        root::rebase(&mut report, &self.root);
        let mut document = Document::create(Some(&self.output))?;
        document.write(&page(&self.title, &report))?;
        document.flush()?;
        Ok(Outcome::Clean)
    }
}
