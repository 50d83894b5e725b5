use super::{LossReason, Losses};
use crate::transport::SealedBatch;
use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How often in a row a batch may be cut off before it is halved.
const CUTS: u32 = 3;

/// A batch below this size is not halved for being cut off: no receiver finds it too large.
const CUT_MIN_BYTES: usize = 64 * 1024;

/// Makes what is sent out of what was sealed.
pub(crate) trait Cut: fmt::Debug {
    /// The events of `range`, counted from the batch's first, or as many of them from its start as go into one request.
    /// Parts that are batches of their own are numbered from `next_number` on, which is the next number of the run that
    /// is free. Nothing if `batch` is not what it says it is.
    fn cut(&mut self, batch: &SealedBatch, range: Range<u64>, next_number: &mut u64) -> Option<SealedBatch>;
}

/// What a receiver refuses about a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Size,
    Content,
    /// The content of the event at this place of what was sent.
    Event(u64),
}

/// A batch as it was sealed, and which part of it is being sent if it does not get through whole.
#[derive(Debug)]
pub(super) struct Entry {
    batch: SealedBatch,
    since: Instant,
    /// What is being sent. Only this exists as bytes beside the batch.
    sending: Option<Sending>,
    /// What comes after, last part first.
    rest: Vec<Part>,
    /// How many events a part may have, from what was found too large.
    at_most: u64,
    /// How often in a row what is being sent was cut off.
    cuts: u32,
    /// How many requests were refused.
    refused: u32,
    /// Whether anything of it was delivered.
    wanted: bool,
}

#[derive(Debug)]
struct Sending {
    batch: SealedBatch,
    range: Range<u64>,
    /// What it takes beside the batch that was sealed.
    bytes: usize,
    /// Whether it was cut from a part with a bad event in it, the remainder of which comes next.
    from_suspect: bool,
}

#[derive(Debug)]
struct Part {
    range: Range<u64>,
    /// Whether a bad event seems to be in there: then it is halved before it is sent, to save a request.
    suspect: bool,
}

impl Entry {
    pub(super) fn new(batch: SealedBatch, since: Instant) -> Self {
        let rest = vec![Part { range: 0..batch.events, suspect: false }];
        Self { batch, since, sending: None, rest, at_most: u64::MAX, cuts: 0, refused: 0, wanted: false }
    }

    /// Sees to it that there is something to send. If there is not, nothing of the entry remains.
    pub(super) fn prepare(&mut self, cut: &mut dyn Cut, next_number: &mut u64, lost: &mut Losses) -> bool {
        if self.sending.is_some() {
            return true;
        }
        let Some(Part { range, suspect }) = self.rest.pop() else { return false };
        let from_suspect = suspect && len(&range) > 1;
        let most = if from_suspect { len(&range).div_ceil(2) } else { u64::MAX };
        let end = range.end.min(range.start.saturating_add(most.min(self.at_most)));
        let Some(batch) = cut.cut(&self.batch, range.start..end, next_number) else {
            // It was sealed whole, so it can be read; but if not, the books hold.
            lost.add(LossReason::Rejected, len(&range) + self.events());
            self.rest.clear();
            return false;
        };
        let end = range.start.saturating_add(batch.events);
        if end < range.end {
            self.rest.push(Part { range: end..range.end, suspect });
        }
        let is_whole = batch.form == self.batch.form && batch.number == self.batch.number;
        let bytes = if is_whole { 0 } else { batch.bytes.len() };
        self.sending = Some(Sending { batch, range: range.start..end, bytes, from_suspect });
        true
    }

    /// The batch or part to be sent, once there is one.
    pub(super) fn sending(&self) -> Option<&SealedBatch> {
        self.sending.as_ref().map(|sending| &sending.batch)
    }

    /// The number it was sealed under; its parts have others.
    pub(super) fn number(&self) -> u64 {
        self.batch.number
    }

    /// Whether it is sent in parts, or about to be.
    pub(super) fn is_split(&self) -> bool {
        let whole = self.events() == self.batch.events && self.rest.len() + usize::from(self.sending.is_some()) == 1;
        !whole || self.refused > 0 || self.at_most < u64::MAX
    }

    /// How many of its events are still to be delivered.
    pub(super) fn events(&self) -> u64 {
        let sending = self.sending.as_ref().map_or(0, |sending| len(&sending.range));
        sending + self.rest.iter().map(|part| len(&part.range)).sum::<u64>()
    }

    pub(super) fn bytes(&self) -> usize {
        self.batch.bytes.len() + self.sending.as_ref().map_or(0, |sending| sending.bytes)
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Whether `patience` refusals are all it has got.
    pub(super) fn was_refused_to_the_end(&self, patience: u32) -> bool {
        !self.wanted && self.refused >= patience
    }

    /// What was being sent is settled: it has arrived, or is not sent again. Whether anything remains.
    pub(super) fn settled(&mut self, arrived: bool) -> bool {
        self.wanted |= arrived;
        self.cuts = 0;
        self.sending = None;
        !self.rest.is_empty()
    }

    /// What was being sent is to be made anew, in another form.
    pub(super) fn start_over(&mut self) {
        if let Some(sending) = self.sending.take() {
            self.rest.push(Part { range: sending.range, suspect: false });
        }
    }

    /// What was being sent was cut off, once more.
    pub(super) fn cut_off(&mut self) {
        self.cuts += 1;
        let large = |sending: &Sending| sending.batch.events > 1 && sending.batch.bytes.len() >= CUT_MIN_BYTES;
        if self.cuts >= CUTS && self.sending.as_ref().is_some_and(large) {
            self.take_apart(Refusal::Size);
        }
    }

    /// What was being sent is refused. Whether anything remains to be sent, in parts or behind what is now lost.
    pub(super) fn refused(&mut self, why: Refusal, patience: u32, lost: &mut Losses) -> bool {
        self.refused += 1;
        let events = self.sending.as_ref().map_or(0, |sending| sending.batch.events);
        if self.refused >= patience {
            lost.add(LossReason::Rejected, self.events());
            return false;
        }
        if events > 1 {
            let taken_out = self.take_apart(why);
            lost.add(LossReason::Rejected, taken_out);
            return true;
        }
        lost.add(LossReason::Rejected, events);
        self.settled(false)
    }

    /// Puts what is being sent back, to be sent in smaller parts. Returns how many events of it are not put back.
    fn take_apart(&mut self, why: Refusal) -> u64 {
        self.cuts = 0;
        let Some(Sending { range, from_suspect, .. }) = self.sending.take() else { return 0 };
        if why == Refusal::Size {
            // One bad event says nothing about the size of the other parts; a part that is too large says they are too.
            self.at_most = self.at_most.min(len(&range).div_ceil(2));
            self.rest.push(Part { range, suspect: false });
            return 0;
        }
        if let Some(next) = self.rest.last_mut().filter(|_| from_suspect) {
            // It was found in the first half; whether there is another one in the second is open again.
            next.suspect = false;
        }
        let Refusal::Event(at) = why else {
            self.rest.push(Part { range, suspect: true });
            return 0;
        };
        let bad = range.start.saturating_add(at).min(range.end.saturating_sub(1));
        for range in [bad + 1..range.end, range.start..bad] {
            if len(&range) > 0 {
                self.rest.push(Part { range, suspect: false });
            }
        }
        1
    }
}

fn len(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}
