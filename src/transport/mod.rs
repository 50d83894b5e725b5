//! Where sealed batches go. A transport makes one attempt and says how it ended; when to try again, what to cut up and
//! what to give up is decided by the flusher's backlog.

mod file;
mod http;
mod memory;
#[cfg(test)]
pub(crate) mod testing;

pub use file::FileTransport;
pub use http::ApiKey;
pub(crate) use http::{HttpError, HttpOptions, HttpTransport, KeySlot, check_key, check_url};
pub use memory::MemoryTransport;

use bytes::Bytes;
use std::fmt;
use std::time::Duration;
use trackside_wire::RunId;

/// A batch that is closed, encoded and numbered: its bytes never change again, however often they are sent.
#[derive(Debug, Clone)]
pub struct SealedBatch {
    /// The run that recorded it.
    pub run: RunId,
    /// Its number within the run; the same on every retry.
    pub number: u64,
    /// How many events it holds.
    pub events: u64,
    /// The encoded batch.
    pub bytes: Bytes,
    /// What `bytes` are.
    pub form: Form,
}

/// In what form a batch is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A native batch, which can be sent again: its receiver knows a batch and an event when it sees them twice.
    Native,
    /// The JSON of a stock Raceway server, which stores what it gets as often as it gets it. So an attempt that may have
    /// reached it, and that it has not answered, is never made again.
    Stock,
}

impl Form {
    /// The media type of such a batch.
    pub const fn media_type(self) -> &'static str {
        match self {
            Form::Native => trackside_wire::MEDIA_TYPE,
            Form::Stock => "application/json",
        }
    }
}

/// How one attempt to deliver a batch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The receiver has acknowledged every event of it.
    Delivered,
    /// It may or may not have arrived; the same bytes can be sent again, not before `after` has passed.
    Retry {
        /// What the receiver asked for in `Retry-After`, if it did.
        after: Option<Duration>,
        /// What went wrong, for people.
        cause: Cause,
    },
    /// The connection was cut before an answer came. To be retried like [`Outcome::Retry`]; but a receiver that closes
    /// on a body it finds too large, without waiting for its end, looks just the same, so that a large batch that is
    /// cut again and again is better sent in parts.
    Cut(Cause),
    /// The receiver takes no batch of this size.
    TooLarge(Cause),
    /// The receiver understood the request and refuses what is in it: sending the same bytes again is useless.
    Rejected(Cause),
    /// As [`Outcome::Rejected`], and the receiver says which event it refuses the batch for.
    RejectedAt {
        /// The event's place within the batch, from 0.
        event: u64,
        /// What went wrong, for people.
        cause: Cause,
    },
    /// The receiver does not take batches of this [`Form`]. If it has never taken one, it is sent the same events in the
    /// other one.
    Unsupported(Cause),
    /// The receiver has taken some of the events and dropped the others for good, and does not say which.
    Partly {
        /// How many it has taken.
        delivered: u64,
        /// What went wrong, for people.
        cause: Cause,
    },
    /// The request may have reached a receiver that does not know a batch when it sees it twice, and no answer says what
    /// has become of it. It cannot be sent again without the risk that its events are there twice.
    Unconfirmed(Cause),
    /// The receiver does not know us: nothing will get through until the key changes.
    Unauthorized(Cause),
}

/// What went wrong in an attempt, as one line for a log. Never holds a key or a header; of a response's body at most a
/// short, cleaned excerpt, and none that has a piece of the key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause(pub(crate) String);

impl Cause {
    /// A cause, told in one line.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A way to deliver sealed batches.
///
/// Called by the flusher thread alone, one batch at a time, in order.
pub trait Transport: fmt::Debug + Send {
    /// Makes one attempt to deliver `batch`, and returns within `timeout`.
    fn send(&mut self, batch: &SealedBatch, timeout: Duration) -> Outcome;

    /// Where batches go, for messages: a URL without credentials, or a path.
    fn destination(&self) -> String;
}
