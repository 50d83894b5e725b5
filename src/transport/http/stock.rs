//! The answers of a stock Raceway server, and of what may stand before it.
//!
//! It stores what it gets as often as it gets it. So the question is not only whether an answer is good news, but whether
//! the events may be stored already: only where they cannot be are they sent again.
//!
//! | answer | the events |
//! |---|---|
//! | 200, "Ingested n events", all of them | are delivered |
//! | 206, "Ingested a events, b errors", all of them | a are delivered, b dropped: its queue is full |
//! | any other 2xx | may be stored: it may be a portal's page, but also a server that counts otherwise |
//! | 400, 422 | are refused, whole, for what is in them; 422 names the first that is bad |
//! | 413, 415, 401, 403, 407 | are not looked at |
//! | 3xx, 404, 405 and other 4xx; 408, 417, 429 | are not looked at: these say so before a handler gets a whole request |
//! | 501, 503, 505, 511 | likewise: nobody is there, or ready, to take the request |
//! | 500, 502, 504 and other 5xx | may be stored: it, or what is behind a gateway, may have failed with them in hand |

use super::answer::Answer;
use crate::transport::{Cause, Outcome};
use serde::Deserialize;

/// How the attempt to send `events` events ended, given this answer. `cause` puts it into words.
pub(super) fn outcome(answer: &Answer, events: u64, cause: Cause) -> Outcome {
    let after = answer.retry_after;
    match answer.status {
        200 if ingested(answer) == Some((events, 0)) => Outcome::Delivered,
        206 => match ingested(answer) {
            Some((delivered, dropped)) if delivered.checked_add(dropped) == Some(events) => {
                Outcome::Partly { delivered, cause }
            }
            _ => Outcome::Unconfirmed(cause),
        },
        400 | 422 => match refused(answer).filter(|event| *event < events) {
            Some(event) => Outcome::RejectedAt { event, cause },
            None => Outcome::Rejected(cause),
        },
        401 | 403 | 407 => Outcome::Unauthorized(cause),
        413 => Outcome::TooLarge(cause),
        415 => Outcome::Unsupported(cause),
        300..=499 | 501 | 503 | 505 | 511 => Outcome::Retry { after, cause },
        _ => Outcome::Unconfirmed(cause),
    }
}

#[derive(Deserialize)]
struct Body {
    success: bool,
    data: String,
}

/// How many events the server says it has taken, and how many not.
fn ingested(answer: &Answer) -> Option<(u64, u64)> {
    let body: Body = serde_json::from_slice(&answer.body).ok()?;
    let text = body.data.strip_prefix("Ingested ")?;
    let (taken, rest) = text.split_once(" events")?;
    let dropped = match rest {
        "" => 0,
        rest => rest.strip_prefix(", ")?.strip_suffix(" errors")?.parse().ok()?,
    };
    (answer.complete && body.success).then_some((taken.parse().ok()?, dropped))
}

/// The place of the event that is named as the bad one: `events[i]`.
fn refused(answer: &Answer) -> Option<u64> {
    let text = String::from_utf8_lossy(&answer.body);
    let (_, rest) = text.split_once("events[")?;
    rest.split_once(']')?.0.parse().ok()
}

/// Whether an answer to a native batch is that of a server which reads any body as JSON, and has found that it is none.
/// Its errors are plain text that speaks of JSON, in the words of the libraries it is made of; a trackside collector's
/// speak of batches.
pub(super) fn expects_json(answer: &Answer) -> bool {
    let text = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    let ours = text.starts_with("not a trackside ");
    let json = text.contains("json") || (text.contains(" at line ") && text.contains(" column "));
    answer.is_plain && json && !ours
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn answer(status: u16, body: &str) -> Answer {
        let retry_after = Some(Duration::from_secs(7));
        Answer { status, retry_after, body: body.into(), complete: true, is_plain: true }
    }

    fn to(answer: &Answer) -> Outcome {
        outcome(answer, 5, Cause::new("x"))
    }

    #[test]
    fn only_a_count_of_all_events_is_an_acknowledgement() {
        let body = |text: &str| format!(r#"{{"success":true,"data":"{text}","error":null}}"#);
        assert_eq!(to(&answer(200, &body("Ingested 5 events"))), Outcome::Delivered);
        let partly = |delivered| Outcome::Partly { delivered, cause: Cause::new("x") };
        assert_eq!(to(&answer(206, &body("Ingested 2 events, 3 errors"))), partly(2));
        assert_eq!(to(&answer(206, &body("Ingested 0 events, 5 errors"))), partly(0));
        for (status, text) in [
            (200, body("Ingested 4 events")),
            (200, body("Ingested 6 events")),
            (200, body("Ingested 2 events, 3 errors")),
            (200, body("Ingested  5 events")),
            (200, body("ok")),
            (200, body("Ingested 5 events").replace("true", "false")),
            (200, "<html>Please log in</html>".into()),
            (200, String::new()),
            (201, body("Ingested 5 events")),
            (204, String::new()),
            (206, body("Ingested 5 events, 1 errors")),
            (206, body("Ingested 18446744073709551615 events, 6 errors")),
        ] {
            assert_eq!(to(&answer(status, &text)), Outcome::Unconfirmed(Cause::new("x")), "{status} {text}");
        }
        let cut = Answer { complete: false, ..answer(200, &body("Ingested 5 events")) };
        assert_eq!(to(&cut), Outcome::Unconfirmed(Cause::new("x")));
    }

    #[test]
    fn a_refused_event_is_found_where_it_is_named() {
        let at = |event| Outcome::RejectedAt { event, cause: Cause::new("x") };
        assert_eq!(to(&answer(422, "... the target type: events[3].kind.StateChange: missing field")), at(3));
        assert_eq!(to(&answer(400, "events[0]: no")), at(0));
        for text in ["events[5].id: out of range", "events[-1]", "events[99999999999999999999]", "events[", "no"] {
            assert_eq!(to(&answer(422, text)), Outcome::Rejected(Cause::new("x")), "{text}");
        }
    }

    #[test]
    fn only_what_cannot_be_stored_is_sent_again() {
        let after = Some(Duration::from_secs(7));
        for status in [301, 302, 307, 404, 405, 408, 409, 417, 429, 501, 503, 505, 511] {
            assert_eq!(to(&answer(status, "")), Outcome::Retry { after, cause: Cause::new("x") }, "{status}");
        }
        for status in [101, 500, 502, 504, 507, 520, 599, 600] {
            assert_eq!(to(&answer(status, "")), Outcome::Unconfirmed(Cause::new("x")), "{status}");
        }
        assert_eq!(to(&answer(413, "")), Outcome::TooLarge(Cause::new("x")));
        assert_eq!(to(&answer(415, "")), Outcome::Unsupported(Cause::new("x")));
        assert_eq!(to(&answer(401, "")), Outcome::Unauthorized(Cause::new("x")));
    }

    #[test]
    fn a_server_of_json_is_known_by_its_words() {
        for text in [
            "Failed to parse the request body as JSON: expected value at line 1 column 1",
            "Failed to deserialize the JSON body into the target type: invalid type: sequence",
            "invalid json",
            "expected value at line 1 column 1",
        ] {
            assert!(expects_json(&answer(400, text)), "{text}");
        }
        for text in ["not a trackside v1 batch: at byte 3: JSON?", "the body ended too early", "bad event", ""] {
            assert!(!expects_json(&answer(400, text)), "{text}");
        }
        assert!(!expects_json(&Answer { is_plain: false, ..answer(400, "<html>JSON</html>") }));
    }
}
