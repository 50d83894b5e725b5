//! Writing to a reader that may have gone away: `trackside check | head` is no reason to panic, as `println!` would.

use super::Failure;
use std::io::{self, Write as _};

/// Writes `text` to the standard output. That nobody reads it any more is not an error.
pub(super) fn to_stdout(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure {
            what: "cannot write to the standard output".into(),
            source: Some(error.into()),
            advice: "is the disk full?",
        }),
        _ => Ok(()),
    }
}

/// Writes a line to the standard error, where nothing can be done about a failure.
pub(super) fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
