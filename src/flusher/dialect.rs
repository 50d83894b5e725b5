//! What the receiver is spoken to in, and how that is found out.
//!
//! The first batch goes out natively. If the answer is that the receiver does not take that form, the same events go out
//! again as a stock server's JSON, and so does everything from then on. A receiver that has taken a batch in one form is
//! never spoken to in the other, whatever it answers later; and one that refuses both has refused what it was sent.

use super::backlog::Cut;
use crate::encode::{Converter, Fate};
use crate::transport::{Form, Outcome, SealedBatch};
use std::ops::Range;
use trackside_wire::Batch;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Dialect {
    /// Makes the JSON, once that is spoken.
    stock: Option<Box<Converter>>,
    /// Whether the form is certain.
    settled: bool,
}

impl Dialect {
    /// Takes note of how the attempt with the latest cut, of `events` events, ended. Returns what that means now: an
    /// [`Outcome::Unsupported`] that changes the form stays one, any other is a refusal of the events.
    pub(super) fn heard(&mut self, outcome: Outcome, events: u64) -> Outcome {
        if let Some(converter) = &mut self.stock
            && let Some(fate) = fate(&outcome, events)
        {
            converter.settle(fate);
        }
        match outcome {
            Outcome::Unsupported(cause) if self.settled => Outcome::Rejected(cause),
            Outcome::Unsupported(_) => {
                // Neither form: as little as any other receiver of batches would it get other ones than native ones.
                self.settled = self.stock.is_some();
                self.stock = if self.settled { None } else { Some(Box::new(Converter::new())) };
                outcome
            }
            Outcome::Delivered | Outcome::Partly { .. } => {
                self.settled = true;
                outcome
            }
            _ => outcome,
        }
    }
}

/// What has become of a request; nothing as long as the same one can be made again.
fn fate(outcome: &Outcome, events: u64) -> Option<Fate> {
    Some(match outcome {
        Outcome::Delivered => Fate::Stored,
        Outcome::Partly { .. } | Outcome::Unconfirmed(_) => Fate::Passed,
        // An event that is refused by itself has happened all the same.
        Outcome::Rejected(_) | Outcome::RejectedAt { .. } | Outcome::TooLarge(_) if events <= 1 => Fate::Passed,
        Outcome::Rejected(_) | Outcome::RejectedAt { .. } | Outcome::TooLarge(_) | Outcome::Unsupported(_) => {
            Fate::Void
        }
        Outcome::Retry { .. } | Outcome::Cut(_) | Outcome::Unauthorized(_) => return None,
    })
}

impl Cut for Dialect {
    fn cut(&mut self, batch: &SealedBatch, range: Range<u64>, next_number: &mut u64) -> Option<SealedBatch> {
        match &mut self.stock {
            None => cut_natively(batch, range, next_number),
            Some(converter) => {
                let converted = converter.convert(&batch.bytes, range)?;
                let (bytes, form) = (converted.bytes.into(), Form::Stock);
                Some(SealedBatch { run: batch.run, number: take(next_number), events: converted.events, bytes, form })
            }
        }
    }
}

/// The whole batch as it is, or a part of it under a number of its own.
pub(super) fn cut_natively(batch: &SealedBatch, range: Range<u64>, next_number: &mut u64) -> Option<SealedBatch> {
    if range == (0..batch.events) {
        return Some(batch.clone());
    }
    let whole = Batch::decode(&batch.bytes).ok()?;
    if whole.len() as u64 != batch.events {
        return None;
    }
    let indices = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
    let (events, number) = (indices.len() as u64, take(next_number));
    let bytes = whole.slice(indices, number).into();
    Some(SealedBatch { run: batch.run, number, events, bytes, form: Form::Native })
}

fn take(next_number: &mut u64) -> u64 {
    let number = *next_number;
    *next_number += 1;
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Cause;
    use crate::transport::testing::batch;

    fn unsupported() -> Outcome {
        Outcome::Unsupported(Cause::new("no"))
    }

    fn form(dialect: &mut Dialect) -> Form {
        dialect.cut(&batch(1, 3), 0..3, &mut 7).unwrap().form
    }

    #[test]
    fn a_receiver_that_takes_no_native_batch_gets_json_from_then_on() {
        let mut dialect = Dialect::default();
        assert_eq!(form(&mut dialect), Form::Native);
        // Whatever is no word on the form changes nothing.
        for outcome in [Outcome::Retry { after: None, cause: Cause::new("") }, Outcome::Rejected(Cause::new(""))] {
            assert_eq!(dialect.heard(outcome.clone(), 3), outcome);
            assert_eq!(form(&mut dialect), Form::Native);
        }
        assert_eq!(dialect.heard(unsupported(), 3), unsupported());
        assert_eq!(form(&mut dialect), Form::Stock);
        assert_eq!(dialect.heard(Outcome::Delivered, 3), Outcome::Delivered);
        assert_eq!(dialect.heard(unsupported(), 3), Outcome::Rejected(Cause::new("no")));
        assert_eq!(form(&mut dialect), Form::Stock);
    }

    #[test]
    fn a_receiver_of_native_batches_is_never_switched() {
        let mut dialect = Dialect::default();
        dialect.heard(Outcome::Delivered, 3);
        assert_eq!(dialect.heard(unsupported(), 3), Outcome::Rejected(Cause::new("no")));
        assert_eq!(form(&mut dialect), Form::Native);
    }

    #[test]
    fn a_receiver_that_takes_neither_is_asked_for_each_once() {
        let mut dialect = Dialect::default();
        assert_eq!(dialect.heard(unsupported(), 3), unsupported());
        form(&mut dialect);
        assert_eq!(dialect.heard(unsupported(), 3), unsupported());
        assert_eq!(form(&mut dialect), Form::Native);
        assert_eq!(dialect.heard(unsupported(), 3), Outcome::Rejected(Cause::new("no")));
        assert_eq!(form(&mut dialect), Form::Native);
    }

    #[test]
    fn a_batch_is_converted_in_parts_of_a_size() {
        let mut dialect = Dialect::default();
        dialect.heard(unsupported(), 3);
        let (whole, mut at, mut number) = (batch(1, 10_000), 0, 7);
        while at < 10_000 {
            let part = dialect.cut(&whole, at..10_000, &mut number).unwrap();
            assert!(part.bytes.len() < 1_100_000 && part.events > 0);
            assert_eq!((part.number + 1, part.form), (number, Form::Stock));
            at += part.events;
            dialect.heard(Outcome::Delivered, part.events);
        }
        assert!(number > 9, "more than one part");
        assert!(dialect.cut(&whole, 9_999..10_001, &mut number).is_none());
    }
}
