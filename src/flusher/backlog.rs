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
//! | unauthorized | waits the longest backoff, however long that goes on, or until the key changes |
//! | too large | is cut into parts of half the size, at once |
//! | rejected | is halved, at once, down to the event that is refused: that one is lost |
//! | rejected, for an event that is named | goes on without it, at once: that one is lost |
//! | partly | leaves: what the receiver dropped is lost; the next ones wait for it |
//! | unconfirmed | leaves: all of it is lost, as far as we can know; the next ones wait, as for a retry |
//! | unsupported | is made anew in another form, at once |
//!
//! What is sent is made out of the batch that was sealed by whoever knows the receiver's form: see [`Cut`]. It is made
//! when it is due, kept for retries, and made anew when it is taken apart.
//!
//! Exponential backoff with full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
//!
//! **Invariant:** every event that enters is, at any time, in exactly one of: delivered, pending, lost for a reason.

mod backoff;
mod entry;
mod losses;
mod pace;
#[cfg(test)]
mod tests;

pub(crate) use entry::Cut;
pub(crate) use losses::{LossReason, Losses};

use crate::transport::{Outcome, SealedBatch};
use backoff::Backoff;
use entry::{Entry, Refusal};
use pace::Pace;
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
    /// How many bytes the batches in `queue` take: at most `max_bytes`, and what is being sent of a batch that is sent
    /// in parts, or in another form.
    bytes: usize,
    /// How many events they hold.
    events: u64,
    backoff: Backoff,
    pace: Pace,
    /// No attempt before this instant.
    not_before: Option<Instant>,
    /// Whether that is because the receiver does not know us.
    unauthorized: bool,
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
            pace: Pace::default(),
            not_before: None,
            unauthorized: false,
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

    /// What to send now, if anything is due. To be followed by [`Backlog::settle`]. A batch that cannot be read is lost.
    pub(crate) fn front_due(
        &mut self,
        now: Instant,
        cut: &mut dyn Cut,
        next_number: &mut u64,
        lost: &mut Losses,
    ) -> Option<&SealedBatch> {
        if self.next_due(now)? > now {
            return None;
        }
        while let Some(mut front) = self.queue.pop_front() {
            self.uncount(&front);
            if front.prepare(cut, next_number, lost) {
                self.count(&front);
                self.queue.push_front(front);
                self.in_flight = true;
                break;
            }
        }
        self.queue.front().and_then(Entry::sending)
    }

    /// Takes note of how the attempt with what was to be sent ended.
    pub(crate) fn settle(&mut self, now: Instant, outcome: &Outcome) -> Settled {
        let mut settled = Settled::default();
        self.in_flight = false;
        self.unauthorized = matches!(outcome, Outcome::Unauthorized(_));
        let Some(mut front) = self.queue.pop_front() else { return settled };
        self.uncount(&front);
        let events = front.sending().map_or(0, |sending| sending.events);
        let lost = &mut settled.lost;
        let stays = match outcome {
            Outcome::Delivered => {
                self.taken();
                self.pace.speed_up();
                self.not_before = now.checked_add(self.pace.time_for(events));
                settled.delivered = events;
                front.settled(true)
            }
            Outcome::Partly { delivered, .. } => {
                self.patience = PATIENCE;
                self.pace.slow_down();
                self.wait(now, self.pace.time_for(events));
                settled.delivered = events.min(*delivered);
                lost.add(LossReason::ReceiverFull, events - settled.delivered);
                front.settled(true)
            }
            Outcome::Unconfirmed(_) => {
                self.wait(now, Duration::ZERO);
                lost.add(LossReason::Unconfirmed, events);
                front.settled(false)
            }
            Outcome::Unsupported(_) => {
                front.start_over();
                true
            }
            Outcome::Retry { after, .. } => {
                self.wait(now, after.unwrap_or_default());
                true
            }
            Outcome::Cut(_) => {
                self.wait(now, Duration::ZERO);
                front.cut_off();
                true
            }
            Outcome::Unauthorized(_) => {
                self.not_before = now.checked_add(self.options.backoff_max);
                true
            }
            Outcome::TooLarge(_) => self.refused(&mut front, Refusal::Size, lost),
            Outcome::Rejected(_) => self.refused(&mut front, Refusal::Content, lost),
            Outcome::RejectedAt { event, .. } => self.refused(&mut front, Refusal::Event(*event), lost),
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

    /// The receiver will be shown another key: whether it knows us is to be asked at once.
    pub(crate) fn key_changed(&mut self) {
        if self.unauthorized {
            self.not_before = None;
        }
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

    /// It has taken what it was sent.
    fn taken(&mut self) {
        self.answered();
        self.patience = PATIENCE;
    }

    /// The wait comes on top of what was asked for, so that all who were asked for the same do not return as one.
    fn wait(&mut self, now: Instant, asked: Duration) {
        self.not_before = now.checked_add(asked.saturating_add(self.backoff.next_wait()));
    }

    fn refused(&mut self, front: &mut Entry, why: Refusal, lost: &mut Losses) -> bool {
        self.answered();
        let stays = front.refused(why, self.patience, lost);
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
