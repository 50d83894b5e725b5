use super::{LossReason, Losses};
use crate::transport::SealedBatch;
use std::ops::Range;
use std::time::{Duration, Instant};
use trackside_wire::Batch;

/// How often in a row a batch may be cut off before it is halved.
const CUTS: u32 = 3;

/// A batch below this size is not halved for being cut off: no receiver finds it too large.
const CUT_MIN_BYTES: usize = 64 * 1024;

/// What a receiver refuses about a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Size,
    Content,
}

/// A batch as it was sealed, and which part of it is being sent if it did not get through whole.
#[derive(Debug)]
pub(super) struct Entry {
    batch: SealedBatch,
    since: Instant,
    parts: Option<Parts>,
    /// How often in a row what is being sent was cut off.
    cuts: u32,
    /// How many requests were refused.
    refused: u32,
    /// Whether anything of it was delivered.
    wanted: bool,
}

/// The parts a batch is sent in. Only the one being sent exists as bytes: each part has the batch's tables in it.
#[derive(Debug)]
struct Parts {
    sending: SealedBatch,
    /// Which events of the batch those are.
    range: Range<u64>,
    /// What comes after, last part first.
    rest: Vec<Range<u64>>,
    /// How many events a part may have, from what was found too large.
    at_most: u64,
}

impl Entry {
    pub(super) fn new(batch: SealedBatch, since: Instant) -> Self {
        Self { batch, since, parts: None, cuts: 0, refused: 0, wanted: false }
    }

    /// The batch or part to be sent.
    pub(super) fn sending(&self) -> &SealedBatch {
        self.parts.as_ref().map_or(&self.batch, |parts| &parts.sending)
    }

    /// The number it was sealed under; its parts have others.
    pub(super) fn number(&self) -> u64 {
        self.batch.number
    }

    pub(super) fn is_split(&self) -> bool {
        self.parts.is_some()
    }

    /// How many of its events are still to be delivered.
    pub(super) fn events(&self) -> u64 {
        match &self.parts {
            None => self.batch.events,
            Some(parts) => len(&parts.range) + parts.rest.iter().map(len).sum::<u64>(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.batch.bytes.len() + self.parts.as_ref().map_or(0, |parts| parts.sending.bytes.len())
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Whether `patience` refusals are all it has got.
    pub(super) fn was_refused_to_the_end(&self, patience: u32) -> bool {
        !self.wanted && self.refused >= patience
    }

    /// What was being sent has arrived. Whether anything remains.
    pub(super) fn delivered(&mut self, next_number: &mut u64, lost: &mut Losses) -> bool {
        self.wanted = true;
        self.advance(next_number, lost)
    }

    /// What was being sent was cut off, once more.
    pub(super) fn cut_off(&mut self, next_number: &mut u64) {
        self.cuts += 1;
        let sending = self.sending();
        if self.cuts >= CUTS && sending.events > 1 && sending.bytes.len() >= CUT_MIN_BYTES {
            self.cuts = 0;
            // A batch that cannot be taken apart goes on as it is.
            self.halve(Refusal::Size, next_number);
        }
    }

    /// What was being sent is refused. Whether anything remains to be sent, in parts or behind what is now lost.
    pub(super) fn refused(&mut self, why: Refusal, patience: u32, next_number: &mut u64, lost: &mut Losses) -> bool {
        self.refused += 1;
        let events = self.sending().events;
        if self.refused >= patience {
            lost.add(LossReason::Rejected, self.events());
            return false;
        }
        if events > 1 && self.halve(why, next_number) {
            return true;
        }
        lost.add(LossReason::Rejected, events);
        self.advance(next_number, lost)
    }

    /// Takes the part being sent apart. Whether that could be done.
    fn halve(&mut self, why: Refusal, next_number: &mut u64) -> bool {
        let (range, mut rest, at_most) = match &self.parts {
            None => (0..self.batch.events, vec![], u64::MAX),
            Some(parts) => (parts.range.clone(), parts.rest.clone(), parts.at_most),
        };
        let half = len(&range).div_ceil(2);
        // One bad event says nothing about the size of the other parts; a part that is too large says they are too.
        let at_most = if why == Refusal::Size { half.min(at_most) } else { at_most };
        let (first, second) = (range.start..range.start + half, range.start + half..range.end);
        let Some(sending) = slice(&self.batch, &first, next_number) else { return false };
        rest.push(second);
        self.cuts = 0;
        self.parts = Some(Parts { sending, range: first, rest, at_most });
        true
    }

    /// Goes on to the next part. Whether there is one.
    fn advance(&mut self, next_number: &mut u64, lost: &mut Losses) -> bool {
        self.cuts = 0;
        let Some(parts) = &mut self.parts else { return false };
        let Some(next) = parts.rest.pop() else { return false };
        let end = next.end.min(next.start.saturating_add(parts.at_most));
        if end < next.end {
            parts.rest.push(end..next.end);
        }
        parts.range = next.start..end;
        match slice(&self.batch, &parts.range, next_number) {
            Some(sending) => {
                parts.sending = sending;
                true
            }
            // It could be read when the first part was taken out, so it can be read now; but if not, the books hold.
            None => {
                lost.add(LossReason::Rejected, self.events());
                false
            }
        }
    }
}

fn len(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// A part of `batch` under a number of its own; none if `batch` is not what it says it is.
fn slice(batch: &SealedBatch, range: &Range<u64>, next_number: &mut u64) -> Option<SealedBatch> {
    let whole = Batch::decode(&batch.bytes).ok()?;
    if whole.len() as u64 != batch.events {
        return None;
    }
    let indices = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
    let number = *next_number;
    *next_number += 1;
    let bytes = whole.slice(indices, number).into();
    Some(SealedBatch { run: batch.run, number, events: len(range), bytes })
}
