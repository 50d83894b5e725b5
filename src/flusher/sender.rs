//! The way out: the batches that wait, the transport that takes them, and what the books and the user are told of it.

use super::SharedBooks;
use super::backlog::{Backlog, BacklogOptions, LossReason, Losses};
use super::dialect::Dialect;
use super::submission::Submission;
use super::tuning::Tuning;
use super::warning::Warnings;
use crate::ring::sync::lock;
use crate::transport::{Cause, Form, Outcome, SealedBatch, Transport};
use std::time::{Duration, Instant};

/// Sends batches in the order they were sealed, one attempt at a time.
#[derive(Debug)]
pub(super) struct Sender {
    backlog: Backlog,
    dialect: Dialect,
    transport: Box<dyn Transport>,
    timeout: Duration,
    books: SharedBooks,
    warnings: Warnings,
    /// Whether each attempt is told of.
    debug: bool,
    /// See [`Tuning::keys`].
    keys: u64,
    /// What the transport has been given and has not said the outcome of: in what form, and how many events.
    in_doubt: Option<(Form, u64)>,
}

impl Sender {
    /// Nothing waits yet. An attempt takes `timeout` at most; clients that fail together part ways by their seeds.
    pub(super) fn new(
        transport: Box<dyn Transport>,
        timeout: Duration,
        backlog: BacklogOptions,
        rng_seed: u64,
        books: SharedBooks,
        warnings: Warnings,
    ) -> Self {
        let backlog = Backlog::new(backlog, rng_seed);
        Self {
            backlog,
            dialect: Dialect::default(),
            transport,
            timeout,
            books,
            warnings,
            debug: false,
            keys: 0,
            in_doubt: None,
        }
    }

    /// Goes by `tuning` from now on.
    pub(super) fn tune(&mut self, tuning: &Tuning) {
        self.debug = tuning.debug;
        if self.keys != tuning.keys {
            self.keys = tuning.keys;
            self.backlog.key_changed();
        }
    }

    /// Adds a batch at the end.
    pub(super) fn push(&mut self, batch: SealedBatch, now: Instant) {
        let lost = self.backlog.push(batch, now);
        book(&self.books, 0, &lost);
    }

    /// Makes an attempt, if one is due. Parts that a batch is cut into are numbered from `next_number` on. Returns
    /// whether all that was sent was delivered.
    pub(super) fn send(&mut self, now: Instant, stop_by: Option<Instant>, next_number: &mut u64) -> bool {
        if let Some((Form::Stock, events)) = self.in_doubt.take() {
            // It panicked. A native batch is just sent again.
            self.settle(now, Outcome::Unconfirmed(Cause::new("the transport panicked")), events, 0);
        }
        let mut unreadable = Losses::default();
        let sending = self.backlog.front_due(now, &mut self.dialect, next_number, &mut unreadable);
        // Now, because a transport may panic; what is booked is then as it was before the attempt.
        book(&self.books, 0, &unreadable);
        let Some(batch) = sending else { return false };
        let left = stop_by.map_or(Duration::MAX, |stop_by| stop_by.saturating_duration_since(now));
        let (events, bytes) = (batch.events, batch.bytes.len() as u64);
        let submission = self.debug.then(|| Submission::of(batch));
        self.in_doubt = Some((batch.form, events));
        let outcome = self.transport.send(batch, self.timeout.min(left));
        self.in_doubt = None;
        if let Some(submission) = submission {
            submission.ended(&outcome, &self.transport.destination());
        }
        self.settle(now, outcome, events, bytes)
    }

    /// Takes note of how the attempt with so many events and bytes ended. Whether all of it was delivered.
    fn settle(&mut self, now: Instant, outcome: Outcome, events: u64, bytes: u64) -> bool {
        let outcome = self.dialect.heard(outcome, events);
        let settled = self.backlog.settle(now, &outcome);
        book(&self.books, settled.delivered, &settled.lost);
        let delivered = outcome == Outcome::Delivered;
        let mut books = lock(&self.books);
        if delivered {
            books.batches += 1;
            books.bytes += bytes;
        } else {
            books.failed_attempts += 1;
        }
        drop(books);
        self.warnings.outcome(now, &outcome, &self.transport.destination());
        delivered
    }

    /// As [`Sender::send`], until the oldest batch is through, in however many parts, or an attempt does not deliver.
    pub(super) fn send_batch(
        &mut self,
        now: impl Fn() -> Instant,
        stop_by: Option<Instant>,
        next_number: &mut u64,
    ) -> bool {
        let oldest = self.oldest();
        while self.send(now(), stop_by, next_number) {
            if self.oldest() != oldest {
                return true;
            }
        }
        false
    }

    /// Gives up everything that waits, for this reason.
    pub(super) fn give_up(&mut self, reason: LossReason) {
        let lost = self.backlog.give_up(reason);
        book(&self.books, 0, &lost);
    }

    /// When the next attempt may be made, if there is anything to send.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        self.backlog.next_due(now)
    }

    /// The number under which the oldest batch was sealed; the batches behind it have higher ones.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.backlog.oldest()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.backlog.is_empty()
    }
}

fn book(books: &SharedBooks, delivered: u64, losses: &Losses) {
    let mut books = lock(books);
    books.delivered += delivered;
    for (reason, count) in losses.iter() {
        let lost = &mut books.lost;
        *match reason {
            LossReason::BacklogFull => &mut lost.backlog_full,
            LossReason::RetriesExhausted => &mut lost.retries_exhausted,
            LossReason::Rejected => &mut lost.rejected,
            LossReason::ReceiverFull => &mut lost.receiver_full,
            LossReason::Unconfirmed => &mut lost.unconfirmed,
            LossReason::ShutdownTimeout => &mut lost.shutdown_timeout,
        } += count;
    }
}
