//! What an answer means for the batch it answers.

use super::key::PIECE;
use super::{ApiKey, stock};
use crate::transport::{Cause, Form, Outcome, SealedBatch};
use std::time::Duration;
use trackside_wire::Ack;

/// How much of an answer's body is read, in bytes: an acknowledgement and then some, or the start of an error page.
pub(super) const BODY_MAX: usize = 1024;

/// How much of an answer's body may be quoted, in characters.
const EXCERPT_MAX: usize = 160;

/// The part of an answer that matters.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// At most [`BODY_MAX`] bytes.
    pub(super) body: Vec<u8>,
    /// Whether `body` is all there was.
    pub(super) complete: bool,
    /// Whether it says that its body is plain text.
    pub(super) is_plain: bool,
}

impl Answer {
    /// How the attempt to send `batch` ended, given this answer.
    pub(super) fn outcome(&self, batch: &SealedBatch, key: Option<&ApiKey>) -> Outcome {
        let cause = || Cause::new(self.describe(key));
        if batch.form == Form::Stock {
            return stock::outcome(self, batch.events, cause());
        }
        match self.status {
            415 => Outcome::Unsupported(cause()),
            400 | 422 if stock::expects_json(self) => Outcome::Unsupported(cause()),
            200 if self.acknowledges(batch) => Outcome::Delivered,
            200..=299 => {
                let text = "without a valid acknowledgement: is this a trackside collector?";
                self.retry(format!("answered {} {text}", self.status))
            }
            300..=399 => self.retry(format!("answered {}: redirects are not followed", self.status)),
            401 | 403 | 407 => Outcome::Unauthorized(cause()),
            413 => Outcome::TooLarge(cause()),
            // 417 is about our Expect header, not about the batch.
            408 | 417 | 429 | 500..=599 => Outcome::Retry { after: self.retry_after, cause: cause() },
            400 | 422 => Outcome::Rejected(cause()),
            // Such as 404 and 405: no word on the batch, but no receiver of batches at this place, or not now.
            400..=499 => self.retry(format!("answered {}: is this the URL of a collector?", self.status)),
            status => self.retry(format!("answered {status}, which is no answer to a batch")),
        }
    }

    /// Whether the body names exactly this batch and accounts for each of its events.
    fn acknowledges(&self, batch: &SealedBatch) -> bool {
        let Ok(ack) = Ack::decode(&self.body) else { return false };
        self.complete
            && ack.run == batch.run
            && ack.batch == batch.number
            && ack.stored.checked_add(ack.duplicates) == Some(batch.events)
    }

    fn retry(&self, text: String) -> Outcome {
        Outcome::Retry { after: None, cause: Cause::new(text) }
    }

    fn describe(&self, key: Option<&ApiKey>) -> String {
        match excerpt(&self.body, key) {
            Some(said) => format!("answered {}: {said}", self.status),
            None => format!("answered {}", self.status),
        }
    }
}

/// The first line of a body, fit for a log: short, without control characters, and only if the receiver does not echo
/// the key.
fn excerpt(body: &[u8], key: Option<&ApiKey>) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    if key.is_some_and(|key| echoes(line.as_bytes(), key.reveal().as_bytes())) {
        return Some("[an answer that has the key in it]".to_owned());
    }
    // A quoted line cannot forge a log line or steer a terminal, nor turn its direction around.
    let harmless = |c: char| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean = |c: char| if harmless(c) { c } else { ' ' };
    Some(line.chars().take(EXCERPT_MAX).map(clean).collect())
}

/// Whether `line` has the key in it, or a telling piece of it, as at the point where the body was cut off.
fn echoes(line: &[u8], key: &[u8]) -> bool {
    let piece = key.len().clamp(1, PIECE);
    key.windows(piece).any(|piece| line.windows(piece.len()).any(|window| window == piece))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::testing::{RUN, batch};

    fn answer(status: u16, body: &[u8]) -> Answer {
        Answer {
            status,
            retry_after: Some(Duration::from_secs(7)),
            body: body.to_vec(),
            complete: true,
            is_plain: true,
        }
    }

    #[track_caller]
    fn check(status: u16, expect: &str) {
        let outcome = answer(status, b"no\nreally").outcome(&batch(1, 3), None);
        let name = format!("{outcome:?}");
        assert!(name.starts_with(expect), "{status}: {name}");
    }

    #[test]
    fn each_status_has_its_outcome() {
        for status in [200, 201, 204, 206, 301, 302, 307, 308, 404, 405, 101, 600] {
            check(status, "Retry { after: None");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            check(status, "Retry { after: Some(7s), cause: Cause(\"answered");
        }
        for status in [400, 422] {
            check(status, "Rejected");
        }
        check(415, "Unsupported");
        check(413, "TooLarge(Cause(\"answered 413: no\"))");
        check(401, "Unauthorized");
        check(403, "Unauthorized");
    }

    #[test]
    fn only_an_acknowledgement_of_this_very_batch_counts() {
        let good = Ack { run: RUN, batch: 1, stored: 2, duplicates: 1 };
        let sent = batch(1, 3);
        let delivered = |ack: Ack| answer(200, &ack.encode()).outcome(&sent, None) == Outcome::Delivered;
        assert!(delivered(good));
        assert!(delivered(Ack { stored: 0, duplicates: 3, ..good }));
        assert!(!delivered(Ack { run: trackside_wire::RunId::new(1), ..good }));
        assert!(!delivered(Ack { batch: 2, ..good }));
        assert!(!delivered(Ack { stored: 1, ..good }));
        assert!(!delivered(Ack { stored: 3, ..good }));
        assert!(!delivered(Ack { stored: u64::MAX, duplicates: 4, ..good }));
        let mut cut = answer(200, &good.encode());
        cut.complete = false;
        assert_ne!(cut.outcome(&sent, None), Outcome::Delivered);
        assert_ne!(answer(201, &good.encode()).outcome(&sent, None), Outcome::Delivered);
    }

    #[test]
    fn an_excerpt_is_one_clean_line_without_the_key() {
        let key = ApiKey::new("canary-0123456789");
        let quoted = |body: &[u8]| excerpt(body, Some(&key));
        assert_eq!(quoted(b"\n\n  bad\x1b[31m\tthing \r\nsecond"), Some("bad [31m thing".into()));
        assert_eq!(quoted("a\u{202e}b\u{fffd}".as_bytes()), Some("a b\u{fffd}".into()));
        assert_eq!(quoted(b""), None);
        assert_eq!(quoted(&[b'x'; 1024]).map(|text| text.len()), Some(EXCERPT_MAX));
        for echo in ["key canary-0123456789 is bad", "canary-0", "23456789 is how it ends"] {
            assert_eq!(quoted(echo.as_bytes()), Some("[an answer that has the key in it]".into()), "{echo}");
        }
    }
}
