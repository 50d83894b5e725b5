//! Batches that wait to be delivered, and what is done about each way an attempt can end.
//!
//! A state machine without a clock, a thread or I/O: the flusher asks for the batch at the front once it is due, makes
//! one attempt, and settles it with the outcome. Batches leave in the order they came.
//!
//! | outcome | the front batch |
//! |---|---|
//! | delivered | leaves |
//! | retry | waits: exponential backoff with full jitter, on top of what `Retry-After` asks for |
//! | cut | as retry; a large one that was cut three times is halved |
//! | unauthorized | waits the longest backoff, however long that goes on |
//! | too large | is cut into parts of half the size, at once |
//! | rejected | is halved, at once, down to the event that is refused: that one is lost |
//!
//! Exponential backoff with full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
//!
//! **Invariant:** every event that enters is, at any time, in exactly one of: delivered, pending, lost for a reason.

mod backoff;
mod entry;
mod losses;
#[cfg(test)]
mod tests;

pub(crate) use losses::{LossReason, Losses};

use crate::transport::{Outcome, SealedBatch};
use backoff::Backoff;
use entry::{Entry, Refusal};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many requests a receiver may refuse for one batch before the rest of it is given up as rejected.
const PATIENCE: u32 = 64;

/// How long and how much the backlog keeps.
#[derive(Debug, Clone)]
pub(crate) struct BacklogOptions {
    /// The most bytes of batches that may wait; beyond, the oldest are lost.
    pub(crate) max_bytes: usize,
    /// How old a batch may get while attempts fail; beyond, it is lost.
    pub(crate) max_age: Duration,
    /// The upper bound of the first wait; doubled with each failure in a row.
    pub(crate) backoff_base: Duration,
    /// The upper bound of any wait that the receiver did not ask for.
    pub(crate) backoff_max: Duration,
}

/// What an attempt has settled for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// How many events the receiver has acknowledged.
    pub(crate) delivered: u64,
    /// How many were given up.
    pub(crate) lost: Losses,
}

/// The batches that wait, oldest first.
#[derive(Debug)]
pub(crate) struct Backlog {
    options: BacklogOptions,
    queue: VecDeque<Entry>,
    /// How many bytes the batches in `queue` take: at most `max_bytes`, and once more the size of a batch that is sent
    /// in parts.
    bytes: usize,
    /// How many events they hold.
    events: u64,
    backoff: Backoff,
    /// No attempt before this instant.
    not_before: Option<Instant>,
    /// Whether the front batch was handed out and is not settled yet.
    in_flight: bool,
    /// How many refusals the next batch is worth; from [`PATIENCE`] down to 1 while the receiver refuses everything.
    patience: u32,
}

impl Backlog {
    /// An empty backlog. Clients that fail together part ways by their seeds.
    pub(crate) fn new(options: BacklogOptions, rng_seed: u64) -> Self {
        let backoff = Backoff::new(options.backoff_base, options.backoff_max, rng_seed);
        Self {
            options,
            queue: VecDeque::new(),
            bytes: 0,
            events: 0,
            backoff,
            not_before: None,
            in_flight: false,
            patience: PATIENCE,
        }
    }

    /// Adds a batch at the end; the oldest make room for it.
    ///
    /// A batch that is being sent, or sent in parts, stays: its parts would be lost for having waited their turn. If
    /// there is no room beside it, the new batch is lost.
    pub(crate) fn push(&mut self, batch: SealedBatch, now: Instant) -> Losses {
        let mut lost = Losses::default();
        let entry = Entry::new(batch, now);
        let engaged = |front: &&Entry| self.in_flight || front.is_split();
        let kept = self.queue.front().filter(engaged).map(Entry::bytes);
        if kept.unwrap_or(0).saturating_add(entry.bytes()) > self.options.max_bytes {
            lost.add(LossReason::BacklogFull, entry.events());
            return lost;
        }
        while self.bytes.saturating_add(entry.bytes()) > self.options.max_bytes {
            let Some(oldest) = self.queue.remove(usize::from(kept.is_some())) else { break };
            self.uncount(&oldest);
            lost.add(LossReason::BacklogFull, oldest.events());
        }
        self.count(&entry);
        self.queue.push_back(entry);
        lost
    }

    /// When the next attempt may be made, if there is anything to send.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        if self.queue.is_empty() { None } else { Some(self.not_before.unwrap_or(now)) }
    }

    /// The batch to send now, if one is due. To be followed by [`Backlog::settle`].
    pub(crate) fn front_due(&mut self, now: Instant) -> Option<&SealedBatch> {
        if self.next_due(now)? > now {
            return None;
        }
        self.in_flight = true;
        self.queue.front().map(Entry::sending)
    }

    /// Takes note of how the attempt with the front batch ended. Parts that a batch is cut into are numbered from
    /// `next_number` on, which is the next number of the run that is free.
    pub(crate) fn settle(&mut self, now: Instant, outcome: &Outcome, next_number: &mut u64) -> Settled {
        let mut settled = Settled::default();
        self.in_flight = false;
        let Some(mut front) = self.queue.pop_front() else { return settled };
        self.uncount(&front);
        let stays = match outcome {
            Outcome::Delivered => {
                self.answered();
                self.patience = PATIENCE;
                settled.delivered = front.sending().events;
                front.delivered(next_number, &mut settled.lost)
            }
            Outcome::Retry { after, .. } => {
                self.wait(now, after.unwrap_or_default());
                true
            }
            Outcome::Cut(_) => {
                self.wait(now, Duration::ZERO);
                front.cut_off(next_number);
                true
            }
            Outcome::Unauthorized(_) => {
                self.not_before = now.checked_add(self.options.backoff_max);
                true
            }
            Outcome::TooLarge(_) => self.refused(&mut front, Refusal::Size, next_number, &mut settled.lost),
            Outcome::Rejected(_) => self.refused(&mut front, Refusal::Content, next_number, &mut settled.lost),
        };
        if stays {
            self.count(&front);
            self.queue.push_front(front);
        }
        if matches!(outcome, Outcome::Retry { .. } | Outcome::Cut(_)) {
            self.expire(now, &mut settled.lost);
        }
        settled
    }

    /// Gives up everything that waits, for this reason.
    pub(crate) fn give_up(&mut self, reason: LossReason) -> Losses {
        let mut lost = Losses::default();
        lost.add(reason, self.events);
        self.queue.clear();
        (self.bytes, self.events, self.in_flight) = (0, 0, false);
        lost
    }

    /// The number under which the oldest batch was sealed; the batches behind it have higher ones.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.queue.front().map(Entry::number)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The receiver is there and has dealt with the request.
    fn answered(&mut self) {
        self.backoff.reset();
        self.not_before = None;
    }

    /// The wait comes on top of what was asked for, so that all who were asked for the same do not return as one.
    fn wait(&mut self, now: Instant, asked: Duration) {
        self.not_before = now.checked_add(asked.saturating_add(self.backoff.next_wait()));
    }

    fn refused(&mut self, front: &mut Entry, why: Refusal, next_number: &mut u64, lost: &mut Losses) -> bool {
        self.answered();
        let stays = front.refused(why, self.patience, next_number, lost);
        if front.was_refused_to_the_end(self.patience) {
            // Nothing of it was wanted, up to the limit: it is not this batch, it is the receiver. The next ones are
            // not taken apart as far, until something is delivered again.
            self.patience = (self.patience / 2).max(1);
        }
        stays
    }

    /// Gives up what is too old. The batches are as old as they stand in the queue.
    fn expire(&mut self, now: Instant, lost: &mut Losses) {
        while self.queue.front().is_some_and(|oldest| oldest.age(now) >= self.options.max_age) {
            let Some(oldest) = self.queue.pop_front() else { return };
            self.uncount(&oldest);
            lost.add(LossReason::RetriesExhausted, oldest.events());
        }
    }

    fn count(&mut self, entry: &Entry) {
        self.bytes += entry.bytes();
        self.events += entry.events();
    }

    fn uncount(&mut self, entry: &Entry) {
        self.bytes -= entry.bytes();
        self.events -= entry.events();
    }
}
