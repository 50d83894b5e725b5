//! A receiver that stores what it gets as often as it gets it, drops what its queue has no room for, and says which event
//! it does not like.

use super::*;

fn partly(delivered: u64) -> Outcome {
    Outcome::Partly { delivered, cause: cause() }
}

fn unconfirmed() -> Outcome {
    Outcome::Unconfirmed(cause())
}

#[test]
fn what_may_have_arrived_leaves_and_the_next_waits() {
    let mut bench = Bench::new(options());
    bench.push(3);
    bench.push(5);
    bench.settle(&unconfirmed());
    assert_eq!((bench.lost(LossReason::Unconfirmed), bench.backlog.events), (3, 5));
    for failures in 1..20 {
        bench.push(1);
        assert!(bench.wait() <= Duration::from_millis(100) * (1 << failures.min(12)));
        bench.settle_after_wait(&unconfirmed());
    }
    assert!(bench.backlog.events > 0, "one request at a time is lost, not all that waits");
    bench.now += Duration::from_secs(60);
    bench.run(bench.now, |_| Outcome::Delivered);
    assert_eq!(bench.lost.iter().sum::<u64>(), bench.lost(LossReason::Unconfirmed));
}

#[test]
fn what_a_full_queue_drops_is_lost_and_the_next_ones_keep_its_pace() {
    let mut bench = Bench::new(options());
    (0..8).for_each(|_| bench.push(1_000));
    bench.settle(&Outcome::Delivered);
    assert_eq!(bench.wait(), Duration::ZERO);
    bench.settle(&partly(400));
    assert_eq!((bench.delivered, bench.lost(LossReason::ReceiverFull)), (1_400, 600));
    assert!(
        bench.wait() >= Duration::from_secs(1) && bench.wait() < Duration::from_millis(1_200),
        "{:?}",
        bench.wait()
    );
    let mut waits = vec![];
    while !bench.backlog.is_empty() {
        bench.settle_after_wait(&Outcome::Delivered);
        waits.push(bench.backlog.not_before.unwrap().saturating_duration_since(bench.now).as_millis());
    }
    assert_eq!(waits, [750, 562, 421, 316, 237, 177], "faster again with each that is taken");
    for _ in 0..3 {
        bench.push(1_000);
        bench.settle_after_wait(&Outcome::Delivered);
    }
    bench.push(1);
    assert_eq!(bench.wait(), Duration::ZERO);
}

#[test]
fn more_than_was_sent_cannot_be_delivered() {
    let mut bench = Bench::new(options());
    bench.push(3);
    bench.settle(&partly(7));
    assert_eq!((bench.delivered, bench.lost), (3, [0; 6]));
}

#[test]
fn an_event_that_is_named_is_all_that_a_refusal_costs() {
    for bad in [0, 1, 4_999, 9_999] {
        let mut bench = Bench::new(options());
        bench.push(10_000);
        let mut seen = vec![];
        bench.run(bench.now, |sent| {
            let events = sequence(sent);
            if let Some(at) = events.iter().position(|event| *event == bad) {
                return Outcome::RejectedAt { event: at as u64, cause: cause() };
            }
            seen.extend(events);
            Outcome::Delivered
        });
        assert_eq!((bench.delivered, bench.lost(LossReason::Rejected)), (9_999, 1), "{bad}");
        assert!(seen.iter().copied().eq((0..10_000).filter(|event| *event != bad)));
        assert!(bench.requests <= 3, "{bad}: {}", bench.requests);
    }
    // One that names the wrong event, or none there is, loses no more than one that names none.
    for named in [0, 9_999, u64::MAX] {
        let mut bench = Bench::new(options());
        bench.push(10_000);
        bench.run(bench.now, |sent| match sent.events {
            10_000 => Outcome::RejectedAt { event: named, cause: cause() },
            _ => Outcome::Delivered,
        });
        assert_eq!((bench.delivered, bench.lost(LossReason::Rejected)), (9_999, 1), "{named}");
    }
}

#[test]
fn a_bad_event_without_a_name_costs_a_request_for_each_halving() {
    for bad in 0..64 {
        let mut bench = Bench::new(options());
        bench.push(64);
        bench.run(bench.now, |sent| match sequence(sent).contains(&bad) {
            true => Outcome::Rejected(cause()),
            false => Outcome::Delivered,
        });
        assert_eq!((bench.delivered, bench.lost(LossReason::Rejected)), (63, 1), "{bad}");
        // The whole, six halvings, the event itself, and each remainder that turned out to be good.
        assert!(bench.requests <= 1 + 6 + 1 + 6, "{bad}: {}", bench.requests);
    }
}

/// Sends in a form of its own, in which no more than seven events go into a request.
#[derive(Debug)]
struct Sevens(Vec<Range<u64>>);

impl Cut for Sevens {
    fn cut(&mut self, batch: &SealedBatch, range: Range<u64>, next_number: &mut u64) -> Option<SealedBatch> {
        self.0.push(range.clone());
        let part = cut_natively(batch, range.start..range.end.min(range.start + 7), next_number)?;
        Some(SealedBatch { form: crate::transport::Form::Stock, ..part })
    }
}

#[test]
fn an_unsupported_form_is_made_anew_and_nothing_is_lost() {
    let mut bench = Bench::new(options());
    bench.push(20);
    bench.push(1);
    bench.settle(&Outcome::Unsupported(cause()));
    assert_eq!((bench.wait(), bench.backlog.events), (Duration::ZERO, 21));
    let (mut sevens, mut lost, mut sizes) = (Sevens(vec![]), Losses::default(), vec![]);
    while let Some(sent) = bench.backlog.front_due(bench.now, &mut sevens, &mut bench.next_number, &mut lost) {
        sizes.push(sent.events);
        // The first attempt of each fails: the same bytes are sent again, and not made again.
        let bytes = sent.bytes.clone();
        bench.backlog.settle(bench.now, &retry(None));
        bench.now += Duration::from_secs(1);
        let again = bench.backlog.front_due(bench.now, &mut sevens, &mut bench.next_number, &mut lost).unwrap();
        assert_eq!(again.bytes, bytes);
        bench.delivered += bench.backlog.settle(bench.now, &Outcome::Delivered).delivered;
        bench.book(lost);
    }
    assert_eq!((sizes, bench.delivered), (vec![7, 7, 6, 1], 21));
    assert_eq!(sevens.0, [0..20, 7..20, 14..20, 0..1]);
    assert_eq!(bench.backlog.bytes, 0);
}
