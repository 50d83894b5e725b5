use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;

const PLENTY: Capacity = Capacity { max_bytes: 1 << 30, evict_oldest: false };
/// One run with one ring, two batches, and what must be free for a batch to be let in.
const BATCH: u64 = 100 + BATCH_CHARGE;
const NEW_RUN: u64 = RUN_CHARGE + RING_CHARGE + 2 * INTERVAL_CHARGE;
const ROOM_FOR_TWO: u64 = 2 * (NEW_RUN + BATCH);

fn received(run: u64, batch: u64, spans: &[(u16, Range<u64>)]) -> Received {
    let spans: Vec<_> = spans.iter().filter(|(_, span)| !span.is_empty()).cloned().collect();
    Received {
        run: RunId::new(run),
        batch,
        events: spans.iter().map(|(_, span)| span.end - span.start).sum(),
        spans,
        summary: Summary::default(),
        bytes: Bytes::from(vec![0; 100]),
    }
}

#[track_caller]
fn check(store: &mut Store, received: Received, (stored, duplicates): (u64, u64)) {
    let (run, batch) = (received.run, received.batch);
    assert_eq!(store.ingest(received), Ok(Ack { run, batch, stored, duplicates }));
}

#[test]
fn a_batch_counts_once() {
    let mut store = Store::new(PLENTY);
    check(&mut store, received(1, 0, &[(0, 0..10), (1, 0..5)]), (15, 0));
    check(&mut store, received(1, 0, &[(0, 0..10), (1, 0..5)]), (0, 15));
    assert_eq!(store.batches().len(), 1);
}

#[test]
fn a_batch_that_is_partly_known_is_kept_and_counts_what_is_new() {
    let mut store = Store::new(PLENTY);
    check(&mut store, received(1, 0, &[(0, 0..10)]), (10, 0));
    check(&mut store, received(1, 1, &[(0, 5..12)]), (2, 5));
    assert_eq!((store.batches().len(), store.stats().events, store.stats().duplicates), (2, 12, 5));
}

#[test]
fn a_number_that_comes_twice_with_other_events_loses_none() {
    let mut store = Store::new(PLENTY);
    check(&mut store, received(1, 7, &[(0, 0..10)]), (10, 0));
    check(&mut store, received(1, 7, &[(0, 10..20)]), (10, 0));
    assert_eq!(store.batches().len(), 2);
}

#[test]
fn runs_and_rings_are_apart() {
    let mut store = Store::new(PLENTY);
    check(&mut store, received(1, 0, &[(0, 0..10)]), (10, 0));
    check(&mut store, received(1, 1, &[(1, 0..10)]), (10, 0));
    check(&mut store, received(2, 0, &[(0, 0..10)]), (10, 0));
}

#[test]
fn an_empty_batch_is_kept_once_for_its_header() {
    let mut store = Store::new(PLENTY);
    check(&mut store, received(1, u64::MAX, &[]), (0, 0));
    check(&mut store, received(1, u64::MAX, &[]), (0, 0));
    assert_eq!(store.batches().len(), 1);
}

#[test]
fn a_full_store_refuses_without_a_trace() {
    let mut store = Store::new(Capacity { max_bytes: ROOM_FOR_TWO, evict_oldest: false });
    check(&mut store, received(1, 0, &[(0, 0..10)]), (10, 0));
    check(&mut store, received(1, 1, &[(0, 10..20)]), (10, 0));
    let before = store.stats();
    assert_eq!(store.ingest(received(1, 2, &[(0, 20..30)])), Err(StoreError::Full));
    assert_eq!(store.stats(), CollectorStats { refused_full: 1, ..before });
    // What is known already can be acknowledged, though.
    check(&mut store, received(1, 1, &[(0, 10..20)]), (0, 10));
    store.clear();
    check(&mut store, received(1, 2, &[(0, 20..30)]), (10, 0));
}

#[test]
fn what_can_never_fit_is_told_apart() {
    let mut store = Store::new(Capacity { max_bytes: 1000, evict_oldest: true });
    assert_eq!(store.ingest(received(1, 0, &[(0, 0..10)])), Err(StoreError::TooLarge));
}

#[test]
fn eviction_makes_room_and_remembers_ids() {
    let mut store = Store::new(Capacity { max_bytes: ROOM_FOR_TWO, evict_oldest: true });
    check(&mut store, received(1, 0, &[(0, 0..10)]), (10, 0));
    check(&mut store, received(1, 1, &[(0, 10..20)]), (10, 0));
    check(&mut store, received(1, 2, &[(0, 20..30)]), (10, 0));
    let stats = store.stats();
    assert_eq!((stats.batches, stats.evicted_batches, stats.events), (2, 1, 30));
    check(&mut store, received(1, 0, &[(0, 0..10)]), (0, 10));
}

#[test]
fn the_latest_header_speaks_for_its_run() {
    let mut store = Store::new(PLENTY);
    let with = |batch, recorded: u64| {
        let lost = BTreeMap::from([("ring_full".to_owned(), recorded / 2)]);
        Received { summary: Summary { service: "bank".into(), recorded, lost }, ..received(1, batch, &[]) }
    };
    for (batch, recorded) in [(0, 10), (2, 30), (1, 20)] {
        check(&mut store, with(batch, recorded), (0, 0));
    }
    let run = &store.stats().runs[0];
    assert_eq!((run.service.as_str(), run.recorded, run.lost["ring_full"]), ("bank", 30, 15));
}

prop_compose! {
    fn parcel()(
        (run, batch) in (0..3_u64, 0..6_u64),
        lanes in vec((0..3_u16, 0..40_u64, 0..12_u64), 0..4),
    ) -> Received {
        let spans: Vec<_> = lanes.into_iter().map(|(ring, first, len)| (ring, first..first + len)).collect();
        received(run, batch, &spans)
    }
}

proptest! {
    /// Against a set that remembers each event id.
    #[test]
    fn counts_agree_with_a_set_of_ids(parcels in vec(parcel(), 0..25)) {
        let (mut store, mut oracle) = (Store::new(PLENTY), HashSet::new());
        let mut duplicates = 0;
        for received in parcels {
            let before = oracle.len();
            for (ring, span) in &received.spans {
                oracle.extend(span.clone().map(|seq| (received.run, *ring, seq)));
            }
            let stored = (oracle.len() - before) as u64;
            let again = received.events - stored;
            duplicates += again;
            check(&mut store, received, (stored, again));
        }
        let stats = store.stats();
        prop_assert_eq!((stats.events, stats.duplicates), (oracle.len() as u64, duplicates));
    }

    /// However batches come and go, the cap holds and nothing is charged for what is gone.
    #[test]
    fn the_cap_holds(parcels in vec(parcel(), 0..25), evict_oldest: bool, room in 0..9000_u64) {
        let capacity = Capacity { max_bytes: RUN_CHARGE + room, evict_oldest };
        let mut store = Store::new(capacity);
        for received in parcels {
            let _ = store.ingest(received);
            let index: u64 = store.runs.values().map(Run::charge).sum();
            let batches: u64 = store.batches.iter().map(|stored| batch_charge(&stored.bytes)).sum();
            prop_assert_eq!(store.stats().used_bytes, index + batches);
            prop_assert!(store.stats().used_bytes <= capacity.max_bytes);
            prop_assert_eq!(store.stats().bytes, 100 * store.batches().len() as u64);
        }
        while store.evict() {}
        prop_assert_eq!((store.stats().used_bytes, store.stats().bytes, store.runs.len()), (0, 0, 0));
    }
}
