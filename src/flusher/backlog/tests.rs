use super::*;
use crate::flusher::dialect::cut_natively;
use crate::transport::Cause;
use crate::transport::testing::{batch, batch_from};
use std::ops::Range;
use trackside_wire::Batch;

mod model;
mod once;

fn options() -> BacklogOptions {
    BacklogOptions {
        max_bytes: 64 << 20,
        max_age: Duration::from_secs(600),
        backoff_base: Duration::from_millis(100),
        backoff_max: Duration::from_secs(30),
    }
}

fn cause() -> Cause {
    Cause::new("no")
}

fn retry(after: Option<u64>) -> Outcome {
    Outcome::Retry { after: after.map(Duration::from_secs), cause: cause() }
}

/// Sends batches as they were sealed.
#[derive(Debug)]
struct Natively;

impl Cut for Natively {
    fn cut(&mut self, batch: &SealedBatch, range: Range<u64>, next_number: &mut u64) -> Option<SealedBatch> {
        cut_natively(batch, range, next_number)
    }
}

/// A backlog, a clock and the books.
struct Bench {
    backlog: Backlog,
    now: Instant,
    next_number: u64,
    next_seq: u64,
    entered: u64,
    delivered: u64,
    lost: [u64; LossReason::ALL.len()],
    requests: u64,
}

impl Bench {
    fn new(options: BacklogOptions) -> Self {
        let backlog = Backlog::new(options, 1);
        let now = Instant::now();
        Self { backlog, now, next_number: 0, next_seq: 0, entered: 0, delivered: 0, lost: [0; 6], requests: 0 }
    }

    fn book(&mut self, lost: Losses) {
        for (reason, count) in lost.iter() {
            self.lost[reason as usize] += count;
        }
        let lost: u64 = self.lost.iter().sum();
        assert_eq!(self.entered, self.delivered + self.backlog.events + lost);
        assert_eq!(self.backlog.is_empty(), self.backlog.next_due(self.now).is_none());
    }

    fn push(&mut self, events: u64) {
        let sealed = batch_from(self.next_number, self.next_seq, events);
        self.next_number += 1;
        self.next_seq += events;
        self.entered += events;
        let lost = self.backlog.push(sealed, self.now);
        self.book(lost);
    }

    /// One attempt, if one is due. Whether one was.
    fn attempt(&mut self, receiver: &mut impl FnMut(&SealedBatch) -> Outcome) -> bool {
        let Some(sent) = self.front() else { return false };
        self.requests += 1;
        assert_eq!(Batch::decode(&sent.bytes).unwrap().len() as u64, sent.events);
        let outcome = receiver(&sent);
        let settled = self.backlog.settle(self.now, &outcome);
        self.delivered += settled.delivered;
        self.book(settled.lost);
        true
    }

    /// What is due.
    fn front(&mut self) -> Option<SealedBatch> {
        let mut lost = Losses::default();
        let sent = self.backlog.front_due(self.now, &mut Natively, &mut self.next_number, &mut lost).cloned();
        self.book(lost);
        sent
    }

    fn settle(&mut self, outcome: &Outcome) {
        assert!(self.attempt(&mut |_| outcome.clone()));
    }

    /// Attempts until nothing waits, or the next attempt is later than `until`.
    fn run(&mut self, until: Instant, mut receiver: impl FnMut(&SealedBatch) -> Outcome) {
        while let Some(due) = self.backlog.next_due(self.now).filter(|due| *due <= until) {
            self.now = self.now.max(due);
            assert!(self.attempt(&mut receiver));
        }
        self.now = self.now.max(until);
    }

    fn lost(&self, reason: LossReason) -> u64 {
        self.lost[reason as usize]
    }

    fn wait(&self) -> Duration {
        self.backlog.next_due(self.now).unwrap().saturating_duration_since(self.now)
    }
}

fn sequence(sent: &SealedBatch) -> Vec<u64> {
    Batch::decode(&sent.bytes).unwrap().events().map(|event| event.id.seq).collect()
}

#[test]
fn batches_leave_in_the_order_they_came() {
    let mut bench = Bench::new(options());
    for events in [3, 1, 2] {
        bench.push(events);
    }
    let mut numbers = vec![];
    bench.run(bench.now, |sent| {
        numbers.push(sent.number);
        Outcome::Delivered
    });
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!((bench.delivered, bench.backlog.bytes), (6, 0));
}

#[test]
fn a_retry_sends_the_same_bytes_after_a_wait() {
    let mut bench = Bench::new(options());
    bench.push(3);
    let first = bench.front().unwrap();
    bench.settle(&retry(None));
    assert!(bench.wait() <= Duration::from_millis(100));
    bench.settle_after_wait(&retry(Some(7)));
    assert!(bench.wait() >= Duration::from_secs(7) && bench.wait() < Duration::from_secs(8));
    assert!(bench.front().is_none());
    bench.now += bench.wait();
    let again = bench.front().unwrap();
    assert_eq!((again.number, &again.bytes), (first.number, &first.bytes));
}

impl Bench {
    fn settle_after_wait(&mut self, outcome: &Outcome) {
        self.now += self.wait();
        self.settle(outcome);
    }
}

#[test]
fn one_bad_event_in_ten_thousand_costs_itself_and_few_requests() {
    for bad in [0, 1, 4999, 5000, 6173, 9998, 9999] {
        let mut bench = Bench::new(options());
        bench.push(10_000);
        let refuse = |sent: &SealedBatch| match sequence(sent).contains(&bad) {
            true => Outcome::Rejected(cause()),
            false => Outcome::Delivered,
        };
        bench.run(bench.now, refuse);
        assert_eq!((bench.delivered, bench.lost(LossReason::Rejected)), (9_999, 1), "{bad}");
        assert!(bench.requests <= 30, "{bad}: {}", bench.requests);
    }
}

#[test]
fn what_is_too_large_is_found_a_size_that_fits() {
    let mut bench = Bench::new(options());
    bench.push(10_000);
    let mut order = vec![];
    bench.run(bench.now, |sent| {
        if sent.bytes.len() > 2_000 {
            return Outcome::TooLarge(cause());
        }
        order.extend(sequence(sent));
        Outcome::Delivered
    });
    assert_eq!((bench.delivered, bench.lost), (10_000, [0; 6]));
    assert!(order.iter().copied().eq(0..10_000));
    assert!(bench.requests < 300, "{}", bench.requests);
}

#[test]
fn an_event_that_is_too_large_by_itself_is_rejected() {
    let mut bench = Bench::new(options());
    bench.push(3);
    bench.run(bench.now, |_| Outcome::TooLarge(cause()));
    assert_eq!(bench.lost(LossReason::Rejected), 3);
}

#[test]
fn a_receiver_that_refuses_everything_is_not_asked_about_each_event() {
    for refusal in [Outcome::Rejected(cause()), Outcome::TooLarge(cause())] {
        let mut bench = Bench::new(options());
        bench.push(10_000);
        bench.run(bench.now, |_| refusal.clone());
        assert!(bench.requests <= u64::from(PATIENCE), "{}", bench.requests);
        for _ in 0..100 {
            bench.push(1_000);
            bench.run(bench.now, |_| refusal.clone());
        }
        assert!(bench.requests <= 2 * u64::from(PATIENCE) + 100, "{}", bench.requests);
        assert_eq!(bench.lost(LossReason::Rejected), bench.entered);
        // One delivery, and batches are worth the full effort again.
        bench.push(1);
        bench.run(bench.now, |_| Outcome::Delivered);
        let before = bench.requests;
        bench.push(1_000);
        bench.run(bench.now, |_| refusal.clone());
        assert_eq!(bench.requests - before, u64::from(PATIENCE));
    }
}

#[test]
fn a_batch_that_is_mostly_bad_says_nothing_about_the_receiver() {
    let mut bench = Bench::new(options());
    bench.push(1_000);
    bench.run(bench.now, |sent| match sequence(sent) == [0] {
        true => Outcome::Delivered,
        false => Outcome::Rejected(cause()),
    });
    assert_eq!((bench.delivered, bench.lost(LossReason::Rejected)), (1, 999));
    assert_eq!(bench.requests, u64::from(PATIENCE) + 1);
    bench.push(1_000);
    bench.run(bench.now, |_| Outcome::Rejected(cause()));
    assert_eq!(bench.requests, 2 * u64::from(PATIENCE) + 1);
}

#[test]
fn a_delivery_ends_the_backoff() {
    let mut bench = Bench::new(options());
    bench.push(1);
    for _ in 0..20 {
        bench.settle_after_wait(&retry(None));
    }
    bench.settle_after_wait(&Outcome::Delivered);
    bench.push(1);
    assert_eq!(bench.wait(), Duration::ZERO);
    bench.settle(&retry(None));
    assert!(bench.wait() <= Duration::from_millis(100));
}

#[test]
fn a_large_batch_that_is_cut_off_again_and_again_goes_in_parts() {
    let mut bench = Bench::new(options());
    bench.push(10_000);
    bench.push(1);
    let limit = 100_000;
    bench.run(bench.now + Duration::from_secs(300), |sent| match sent.bytes.len() > limit {
        true => Outcome::Cut(cause()),
        false => Outcome::Delivered,
    });
    assert_eq!(bench.delivered, 10_001);
    let mut bench = Bench::new(options());
    bench.push(100);
    for _ in 0..10 {
        bench.settle_after_wait(&Outcome::Cut(cause()));
        bench.now += Duration::from_secs(60);
        assert_eq!(bench.front().unwrap().events, 100);
    }
}

#[test]
fn without_a_valid_key_batches_are_kept_and_asked_for_rarely() {
    let mut bench = Bench::new(options());
    bench.push(3);
    bench.run(bench.now + Duration::from_secs(3600), |_| Outcome::Unauthorized(cause()));
    assert_eq!((bench.requests, bench.backlog.events), (121, 3));
    bench.run(bench.now + Duration::from_secs(60), |_| Outcome::Delivered);
    assert_eq!(bench.delivered, 3);
}

#[test]
fn an_hour_without_a_receiver_costs_neither_memory_nor_rest() {
    let max_bytes = 100_000;
    let mut bench = Bench::new(BacklogOptions { max_bytes, ..options() });
    let end = bench.now + Duration::from_secs(3600);
    while bench.now < end {
        bench.push(20);
        bench.run(bench.now + Duration::from_secs(1), |_| retry(None));
        assert!(bench.backlog.bytes <= max_bytes);
    }
    assert!(bench.requests < 60 * 6, "{}", bench.requests);
    assert!(bench.lost(LossReason::BacklogFull) > 0);
    bench.run(bench.now + Duration::from_secs(60), |_| Outcome::Delivered);
    assert_eq!(bench.backlog.events, 0);
    assert!(bench.delivered > 0);
}

#[test]
fn what_is_too_old_when_an_attempt_fails_is_given_up() {
    let mut bench = Bench::new(options());
    bench.push(3);
    bench.now += Duration::from_secs(100);
    bench.push(5);
    bench.now += Duration::from_secs(500);
    bench.settle(&retry(None));
    assert_eq!((bench.lost(LossReason::RetriesExhausted), bench.backlog.events), (3, 5));
    bench.now += Duration::from_secs(600);
    // Old, but nothing has failed since: it gets its attempt.
    bench.settle(&Outcome::Delivered);
    assert_eq!(bench.delivered, 5);
}

#[test]
fn the_oldest_make_room_but_not_what_is_being_sent() {
    let size = batch(0, 3).bytes.len();
    let mut bench = Bench::new(BacklogOptions { max_bytes: 2 * size, ..options() });
    for _ in 0..3 {
        bench.push(3);
    }
    assert_eq!(bench.front().unwrap().number, 1);
    bench.push(3);
    assert_eq!(bench.lost(LossReason::BacklogFull), 6);
    // Number 1 is in flight; the outcome is its own.
    bench.attempt(&mut |sent| {
        assert_eq!(sent.number, 1);
        Outcome::Delivered
    });
    assert_eq!((bench.delivered, bench.front().unwrap().number), (3, 3));
    bench.push(1000);
    assert_eq!((bench.backlog.events, bench.lost(LossReason::BacklogFull)), (3, 1006));
}

#[test]
fn parts_are_kept_until_the_batch_is_through() {
    let size = batch(0, 8).bytes.len();
    let mut bench = Bench::new(BacklogOptions { max_bytes: 2 * size, ..options() });
    bench.push(8);
    bench.settle(&Outcome::Rejected(cause()));
    for _ in 0..5 {
        bench.push(2);
    }
    let mut seen = vec![];
    bench.run(bench.now, |sent| {
        seen.extend(sequence(sent));
        Outcome::Delivered
    });
    assert_eq!(seen[..8], [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn what_cannot_be_taken_apart_is_rejected_whole() {
    let mut backlog = Backlog::new(options(), 1);
    let now = Instant::now();
    let front =
        |backlog: &mut Backlog, lost: &mut Losses| backlog.front_due(now, &mut Natively, &mut 1, lost).is_some();
    for sealed in [
        SealedBatch { bytes: b"no batch"[..].into(), ..batch(0, 5) },
        SealedBatch { events: 5, ..batch(0, 4) },
        batch(0, 0),
    ] {
        let events = sealed.events;
        backlog.push(sealed, now);
        assert!(front(&mut backlog, &mut Losses::default()));
        let mut lost = backlog.settle(now, &Outcome::Rejected(cause())).lost;
        assert!(!front(&mut backlog, &mut lost));
        assert_eq!(lost.count(LossReason::Rejected), events);
        assert!(backlog.is_empty());
    }
    assert_eq!(backlog.settle(now, &Outcome::Delivered), Settled::default());
}

#[test]
fn giving_up_counts_everything() {
    let mut bench = Bench::new(options());
    bench.push(8);
    bench.push(3);
    bench.settle(&Outcome::Rejected(cause()));
    bench.settle(&Outcome::Delivered);
    let lost = bench.backlog.give_up(LossReason::RetriesExhausted);
    assert_eq!(lost.iter().collect::<Vec<_>>(), [(LossReason::RetriesExhausted, 7)]);
    bench.book(lost);
    assert_eq!((bench.backlog.bytes, bench.backlog.is_empty()), (0, true));
}
