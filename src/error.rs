//! One small error type per operation.

use std::fmt;

/// Why [`crate::Builder::build`] refused a configuration, or could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A field has a value that makes no sense.
    Invalid {
        /// The builder's method that set it.
        field: &'static str,
        /// What is wrong with the value, which is told unless it is a secret.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The flusher thread could not be started.
    Thread(std::io::Error),
    /// The file to write to could not be created.
    File(std::io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Invalid { field, problem, remedy } => write!(f, "{field}: {problem}; {remedy}"),
            BuildError::Thread(_) => f.write_str("could not start the flusher thread"),
            BuildError::File(_) => f.write_str("could not create the file to write batches to"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BuildError::Invalid { .. } => None,
            BuildError::Thread(source) | BuildError::File(source) => Some(source),
        }
    }
}

/// Why the environment makes no configuration. Never holds what a variable says, but for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvError {
    /// A variable that is needed is not set, or is empty.
    Unset {
        /// Its name.
        variable: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// What a variable says makes no sense.
    Invalid {
        /// Its name.
        variable: &'static str,
        /// What is wrong with what it says.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
}

impl fmt::Display for EnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnvError::Unset { variable, remedy } => write!(f, "{variable}: it is not set; {remedy}"),
            EnvError::Invalid { variable, problem, remedy } => write!(f, "{variable}: {problem}; {remedy}"),
        }
    }
}

impl std::error::Error for EnvError {}

/// Why [`crate::Client::reconfigure`] has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReconfigureError {
    /// A setting has a value that makes no sense.
    Invalid {
        /// The field of [`crate::Settings`].
        field: &'static str,
        /// What is wrong with the value, which is told unless it is a secret.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Called from within a change of settings: waiting there for its end would be waiting for oneself.
    Nested,
    /// The client has been shut down.
    Stopped,
    /// This process is a forked child of the one that built the client.
    Forked,
}

impl fmt::Display for ReconfigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReconfigureError::Invalid { field, problem, remedy } => write!(f, "{field}: {problem}; {remedy}"),
            ReconfigureError::Nested => f.write_str("reconfigure was called from within a change of settings"),
            ReconfigureError::Stopped => f.write_str("the client has been shut down"),
            ReconfigureError::Forked => f.write_str("the client belongs to the process that this one was forked from"),
        }
    }
}

impl std::error::Error for ReconfigureError {}

/// Why [`crate::Client::flush`] cannot say that everything is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlushError {
    /// The time was up first. Delivery goes on in the background.
    TimedOut {
        /// Events that the flusher holds and has not delivered.
        pending: u64,
    },
    /// The client has been shut down.
    Stopped,
    /// This process is a forked child of the one that built the client.
    Forked,
    /// Called on the flusher's own thread, from a callback: waiting there would be waiting for oneself.
    OnFlusherThread,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlushError::TimedOut { pending } => {
                write!(f, "the time was up with {pending} events undelivered; delivery goes on in the background")
            }
            FlushError::Stopped => f.write_str("the client has been shut down"),
            FlushError::Forked => f.write_str("the client belongs to the process that this one was forked from"),
            FlushError::OnFlusherThread => f.write_str("flush was called on the flusher's own thread"),
        }
    }
}

impl std::error::Error for FlushError {}

/// There is no context: nothing is attached to the calling thread that a call to another service could carry on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContext;

impl fmt::Display for NoContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no context of this client is attached to this thread: call it within a request, or attach a context",
        )
    }
}

impl std::error::Error for NoContext {}
