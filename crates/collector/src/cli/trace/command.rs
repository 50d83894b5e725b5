use super::convert::Converter;
use super::writer::TraceWriter;
use crate::cli::Outcome;
use crate::cli::failure::Failure;
use crate::cli::input::Inputs;
use crate::cli::output::{Document, warn};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    inputs: Inputs,
    /// Write the JSON of Chrome's trace viewer, which Perfetto reads too. It is the only format so far, and asked for so that
    /// another one can be.
    #[arg(long, required = true)]
    chrome_trace: bool,
    /// The file to write; the standard output, unless told otherwise.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let mut converter = Converter::new(TraceWriter::new(Document::create(self.output.as_deref())?)?);
        let read = self.inputs.each(|batch| converter.take(batch));
        // However reading ended, what was written is closed.
        let forgotten = converter.finish()?;
        if forgotten > 0 {
            warn(&format!("arrows that were left out, as one of their ends did not come in time: {forgotten}"));
        }
        read.map(|()| Outcome::Clean)
    }
}
