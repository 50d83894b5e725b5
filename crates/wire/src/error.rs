use std::fmt;

/// Why some bytes are not a native batch (or acknowledgement) of this version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// Where in the input the problem was met, in bytes from its start.
    pub offset: usize,
    /// What was expected there, or which rule was broken.
    pub problem: &'static str,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a trackside v{} batch: at byte {}: {}", crate::VERSION, self.offset, self.problem)
    }
}

impl std::error::Error for DecodeError {}
