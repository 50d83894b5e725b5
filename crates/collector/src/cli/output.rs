//! What the program says. To a reader that may have gone away: `trackside check | head` is no reason to panic, as `println!`
//! would. In colours on a terminal only, and never against `NO_COLOR`; see `anstream`.

use super::failure::Failure;
use anstyle::{AnsiColor, Style};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::Path;

const HEADING: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Writes `text` to the standard output. That nobody reads it any more is not an error.
pub(super) fn to_stdout(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    heard(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// As [`to_stdout`], with the headings of a report's findings set off where that is wanted.
pub(super) fn report_to_stdout(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let mut write = || {
        for line in text.split_inclusive('\n') {
            match line.strip_suffix('\n').filter(|line| is_heading(line)) {
                Some(line) => writeln!(out, "{HEADING}{line}{HEADING:#}")?,
                None => out.write_all(line.as_bytes())?,
            }
        }
        out.flush()
    };
    heard(write())
}

/// Writes a line to the standard error, where nothing can be done about a failure.
pub(super) fn to_stderr(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Says that something is amiss, and what.
pub(super) fn warn(what: &str) {
    to_stderr(&format!("{WARNING}warning:{WARNING:#} {}", visible(what)));
}

/// Says that the command failed, and why.
pub(super) fn fail(failure: &Failure) {
    to_stderr(&format!("{ERROR}error:{ERROR:#} {}", visible(&failure.message())));
}

/// Where a document goes: into a file, or to the standard output.
pub(super) struct Document {
    to: BufWriter<Box<dyn Write>>,
    name: String,
    /// Whether what is written is not wanted any more.
    unheard: bool,
}

impl Document {
    /// Makes the file, or empties it. `-` and nothing stand for the standard output.
    pub(super) fn create(path: Option<&Path>) -> Result<Self, Failure> {
        let path = path.filter(|path| *path != Path::new("-"));
        let name = path.map_or("the standard output".to_owned(), |path| path.display().to_string());
        let to: Box<dyn Write> = match path {
            None => Box::new(io::stdout()),
            Some(path) => Box::new(File::create(path).map_err(|error| unwritten(&name, error))?),
        };
        Ok(Self { to: BufWriter::with_capacity(64 << 10, to), name, unheard: false })
    }

    pub(super) fn write(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.to.write_all(text.as_bytes());
        self.heard(written)
    }

    /// Writes what was held back, and hands on.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let written = self.to.flush();
        self.heard(written)
    }

    /// Whether nobody reads any more.
    pub(super) fn is_unheard(&self) -> bool {
        self.unheard
    }

    fn heard(&mut self, written: io::Result<()>) -> Result<(), Failure> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.unheard = true,
            written => written.map_err(|error| unwritten(&self.name, error))?,
        }
        Ok(())
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        // What could go wrong here went wrong in `flush`, which comes at the end of whatever ends well.
        let _ = self.to.flush();
    }
}

/// Whether somebody looks at the standard error while it is written.
pub(super) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// A text in which nothing is left that could forge terminal output. Line ends and tabs are escaped too.
pub(super) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' | '\\' => visible.push(char),
            char => visible.extend(char.escape_debug()),
        }
    }
    visible
}

pub(super) fn ending_in_newline(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Names in a report are escaped and its paragraphs indented, so that only a finding's first line begins like this.
fn is_heading(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && line[digits..].starts_with(". ")
}

fn heard(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| unwritten("the standard output", error)),
    }
}

fn unwritten(name: &str, error: io::Error) -> Failure {
    let advice = match error.kind() {
        ErrorKind::NotFound => "is there such a directory?",
        ErrorKind::PermissionDenied => "name a file that you may write",
        _ => "is the disk full?",
    };
    Failure { what: format!("cannot write to {name}"), source: Some(error.into()), advice }
}
