//! The backlog against a simple model of a receiver, with whatever can go wrong.

use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Op {
    Push(u64),
    Pass(u64),
    /// An attempt, and what befalls it.
    Attempt(Fate),
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Fine,
    Lost,
    /// Stored, but the acknowledgement is lost.
    AckLost,
    Cut,
    Locked,
    Busy,
    /// The second half is dropped.
    Full,
    /// Stored, or not; nobody knows.
    Doubt,
}

fn op() -> impl Strategy<Value = Op> {
    use Fate::{AckLost, Busy, Cut, Doubt, Fine, Full, Locked, Lost};
    let fate = prop_oneof![6 => Just(Fine), 1 => Just(Lost), 1 => Just(AckLost), 1 => Just(Cut), 1 => Just(Locked), 1 => Just(Busy), 1 => Just(Full), 1 => Just(Doubt)];
    prop_oneof![
        2 => (1u64..40).prop_map(Op::Push),
        1 => (2500u64..4000).prop_map(Op::Push),
        2 => (0u64..90_000).prop_map(Op::Pass),
        8 => fate.prop_map(Op::Attempt),
    ]
}

/// A receiver that stores by event id and knows what it does not want.
struct Model {
    bad: Vec<u64>,
    limit: usize,
    stored: BTreeSet<u64>,
    acknowledged: Vec<u64>,
    /// What may not be sent again.
    given_up: BTreeSet<u64>,
    /// What was sent under each number.
    numbered: BTreeMap<u64, Bytes>,
}

impl Model {
    fn receive(&mut self, sent: &SealedBatch, fate: Fate) -> Outcome {
        let before = self.numbered.insert(sent.number, sent.bytes.clone());
        assert!(before.is_none_or(|before| before == sent.bytes), "a number stands for the same bytes always");
        assert_eq!(Batch::decode(&sent.bytes).unwrap().header.batch, sent.number);
        assert!(sequence(sent).iter().all(|event| !self.given_up.contains(event)));
        match fate {
            Fate::Lost => return retry(None),
            Fate::Busy => return retry(Some(3)),
            Fate::Cut => return Outcome::Cut(cause()),
            Fate::Locked => return Outcome::Unauthorized(cause()),
            Fate::Doubt => {
                self.given_up.extend(sequence(sent));
                return Outcome::Unconfirmed(cause());
            }
            Fate::Fine | Fate::AckLost | Fate::Full => {}
        }
        let events = sequence(sent);
        if sent.bytes.len() > self.limit {
            return Outcome::TooLarge(cause());
        }
        if events.iter().any(|event| self.bad.contains(event)) {
            return Outcome::Rejected(cause());
        }
        self.stored.extend(&events);
        if matches!(fate, Fate::AckLost) {
            return Outcome::Cut(cause());
        }
        if matches!(fate, Fate::Full) {
            let (taken, dropped) = events.split_at(events.len() / 2);
            self.acknowledged.extend(taken);
            self.given_up.extend(dropped);
            return Outcome::Partly { delivered: taken.len() as u64, cause: cause() };
        }
        self.acknowledged.extend(&events);
        Outcome::Delivered
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: each event is in one place, what counts as delivered is what was acknowledged, once and in
    /// order, and only what is unwanted is rejected.
    #[test]
    fn every_event_is_accounted_for(
        ops in prop::collection::vec(op(), 1..120),
        bad in prop::collection::vec(0u64..3000, 0..4),
        limit in prop_oneof![Just(usize::MAX), 400usize..60_000],
        max_bytes in 1_000usize..300_000,
    ) {
        let mut bench = Bench::new(BacklogOptions { max_bytes, ..options() });
        let unwanted = bad.iter().collect::<BTreeSet<_>>().len() as u64;
        let mut model = Model { bad, limit, stored: BTreeSet::new(), acknowledged: vec![], given_up: BTreeSet::new(), numbered: BTreeMap::new() };
        for op in ops {
            match op {
                Op::Push(events) => bench.push(events),
                Op::Pass(millis) => bench.now += Duration::from_millis(millis),
                Op::Attempt(fate) => drop(bench.attempt(&mut |sent| model.receive(sent, fate))),
            }
            prop_assert!(bench.backlog.bytes <= 2 * max_bytes + 1_000);
        }
        bench.run(bench.now + Duration::from_secs(3600), |sent| model.receive(sent, Fate::Fine));
        prop_assert_eq!(bench.backlog.events, 0);
        prop_assert_eq!(bench.backlog.bytes, 0);
        prop_assert_eq!(bench.delivered, model.acknowledged.len() as u64);
        prop_assert!(model.acknowledged.is_sorted_by(|one, next| one < next));
        prop_assert!(model.acknowledged.iter().all(|event| model.stored.contains(event)));
        prop_assert!(bench.lost(LossReason::Rejected) <= unwanted);
        let given_up = bench.lost(LossReason::Unconfirmed) + bench.lost(LossReason::ReceiverFull);
        prop_assert_eq!(given_up, model.given_up.len() as u64);
    }
}
