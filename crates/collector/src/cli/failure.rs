//! Why a command failed.

use std::error::Error;
use std::fmt::Write as _;

/// Why a command failed: told in one sentence, which ends in what to do about it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) what: String,
    pub(super) source: Option<Box<dyn Error>>,
    pub(super) advice: &'static str,
}

impl Failure {
    /// All but the word that says that it is one.
    pub(super) fn message(&self) -> String {
        let mut message = self.what.clone();
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
