//! Debug mode: a line on standard error for each submission. It goes there past all logging, because it is for somebody who
//! wonders why nothing arrives, and may have set up no logger either.

use crate::transport::{Outcome, SealedBatch};
use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

/// A submission that is being made.
#[derive(Debug)]
pub(super) struct Submission {
    number: u64,
    events: u64,
    bytes: usize,
    began: Instant,
}

/// One that is over. Displayed, it is one line; nothing in it knows of a key.
#[derive(Debug)]
struct Ended<'a> {
    submission: Submission,
    destination: &'a str,
    outcome: &'a Outcome,
    took: Duration,
}

impl Submission {
    pub(super) fn of(batch: &SealedBatch) -> Self {
        Self { number: batch.number, events: batch.events, bytes: batch.bytes.len(), began: Instant::now() }
    }

    /// Tells how it ended. Should that not be possible, there is nobody to be told.
    pub(super) fn ended(self, outcome: &Outcome, destination: &str) {
        let took = self.began.elapsed();
        let line = format!("{}\n", Ended { submission: self, destination, outcome, took });
        // In one piece, so that it is not mixed with others' lines.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

impl fmt::Display for Ended<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ended { submission: Submission { number, events, bytes, .. }, destination, outcome, took } = self;
        let (ended, cause) = match outcome {
            Outcome::Delivered => ("delivered", None),
            Outcome::Retry { cause, .. } => ("failed, to be retried", Some(cause)),
            Outcome::Cut(cause) => ("cut off, to be retried", Some(cause)),
            Outcome::TooLarge(cause) => ("too large", Some(cause)),
            Outcome::Rejected(cause) => ("rejected", Some(cause)),
            Outcome::Unauthorized(cause) => ("unauthorized", Some(cause)),
            Outcome::RejectedAt { cause, .. } => ("rejected for one event", Some(cause)),
            Outcome::Unsupported(cause) => ("not taken in this form", Some(cause)),
            Outcome::Partly { cause, .. } => ("taken in part", Some(cause)),
            Outcome::Unconfirmed(cause) => ("unconfirmed", Some(cause)),
        };
        write!(f, "trackside: batch {number}, {events} events, {bytes} bytes, to {destination}: {ended}, {took:.1?}")?;
        match cause {
            Some(cause) => write!(f, " ({})", cause.to_string().replace(char::is_control, " ")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Cause;
    use crate::transport::testing::batch;

    #[test]
    fn a_line_says_what_went_where_and_how_it_ended() {
        let line = |outcome: &Outcome| {
            let took = Duration::from_micros(1234);
            let line =
                Ended { submission: Submission::of(&batch(7, 3)), destination: "http://h/events", outcome, took };
            line.to_string()
        };
        let size = batch(7, 3).bytes.len();
        let start = format!("trackside: batch 7, 3 events, {size} bytes, to http://h/events: ");
        assert_eq!(line(&Outcome::Delivered), format!("{start}delivered, 1.2ms"));
        let refused = Outcome::Unauthorized(Cause::new("answered 401:\nno\r such \u{1b}key"));
        assert_eq!(line(&refused), format!("{start}unauthorized, 1.2ms (answered 401: no  such  key)"));
    }
}
