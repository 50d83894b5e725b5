use super::super::index::{INTERVAL_CHARGE, RING_CHARGE, RUN_CHARGE};
use super::super::unit::{RUN_IN_UNIT_CHARGE, UNIT_CHARGE};
use super::super::{Capacity, Store, StoreError};
use super::listed;
use crate::received::{Received, Summary};
use crate::stats::CollectorStats;
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::time::Duration;
use trackside_wire::{Ack, RunId};

const PLENTY: Capacity = Capacity { max_bytes: 1 << 30, max_index_bytes: None, max_age: None, evict_oldest: false };
/// One run with one ring, two batches, and what must be free for a batch to be let in.
const BATCH: u64 = 100 + UNIT_CHARGE + RUN_IN_UNIT_CHARGE;
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
    }
}

/// In memory, nobody looks at the bytes.
fn ingest(store: &Store, received: Received) -> Result<Ack, StoreError> {
    store.ingest(received, &Bytes::from(vec![0; 100]), 1000)
}

#[track_caller]
fn check(store: &Store, received: Received, (stored, duplicates): (u64, u64)) {
    let (run, batch) = (received.run, received.batch);
    assert_eq!(ingest(store, received), Ok(Ack { run, batch, stored, duplicates }));
}

#[test]
fn a_batch_counts_once() {
    let store = Store::in_memory(PLENTY);
    check(&store, received(1, 0, &[(0, 0..10), (1, 0..5)]), (15, 0));
    check(&store, received(1, 0, &[(0, 0..10), (1, 0..5)]), (0, 15));
    assert_eq!(listed(&store).len(), 1);
}

#[test]
fn a_batch_that_is_partly_known_is_kept_and_counts_what_is_new() {
    let store = Store::in_memory(PLENTY);
    check(&store, received(1, 0, &[(0, 0..10)]), (10, 0));
    check(&store, received(1, 1, &[(0, 5..12)]), (2, 5));
    assert_eq!((listed(&store).len(), store.stats().events, store.stats().duplicates), (2, 12, 5));
}

#[test]
fn a_number_that_comes_twice_with_other_events_loses_none() {
    let store = Store::in_memory(PLENTY);
    check(&store, received(1, 7, &[(0, 0..10)]), (10, 0));
    check(&store, received(1, 7, &[(0, 10..20)]), (10, 0));
    assert_eq!(listed(&store).len(), 2);
}

#[test]
fn runs_and_rings_are_apart() {
    let store = Store::in_memory(PLENTY);
    check(&store, received(1, 0, &[(0, 0..10)]), (10, 0));
    check(&store, received(1, 1, &[(1, 0..10)]), (10, 0));
    check(&store, received(2, 0, &[(0, 0..10)]), (10, 0));
}

#[test]
fn an_empty_batch_is_kept_once_for_its_header() {
    let store = Store::in_memory(PLENTY);
    check(&store, received(1, u64::MAX, &[]), (0, 0));
    check(&store, received(1, u64::MAX, &[]), (0, 0));
    assert_eq!(listed(&store).len(), 1);
}

#[test]
fn a_full_store_refuses_without_a_trace() {
    let store = Store::in_memory(Capacity { max_bytes: ROOM_FOR_TWO, ..PLENTY });
    check(&store, received(1, 0, &[(0, 0..10)]), (10, 0));
    check(&store, received(1, 1, &[(0, 10..20)]), (10, 0));
    let before = store.stats();
    assert_eq!(ingest(&store, received(1, 2, &[(0, 20..30)])), Err(StoreError::Full));
    assert_eq!(store.stats(), CollectorStats { refused_full: 1, ..before });
    // What is known already can be acknowledged, though.
    check(&store, received(1, 1, &[(0, 10..20)]), (0, 10));
    store.clear();
    check(&store, received(1, 2, &[(0, 20..30)]), (10, 0));
}

#[test]
fn what_can_never_fit_is_told_apart() {
    let store = Store::in_memory(Capacity { max_bytes: 1000, evict_oldest: true, ..PLENTY });
    assert_eq!(ingest(&store, received(1, 0, &[(0, 0..10)])), Err(StoreError::TooLarge));
}

#[test]
fn eviction_makes_room_and_remembers_ids() {
    let store = Store::in_memory(Capacity { max_bytes: ROOM_FOR_TWO, evict_oldest: true, ..PLENTY });
    check(&store, received(1, 0, &[(0, 0..10)]), (10, 0));
    check(&store, received(1, 1, &[(0, 10..20)]), (10, 0));
    check(&store, received(1, 2, &[(0, 20..30)]), (10, 0));
    let stats = store.stats();
    assert_eq!((stats.batches, stats.evicted_batches, stats.events), (2, 1, 30));
    check(&store, received(1, 0, &[(0, 0..10)]), (0, 10));
}

#[test]
fn what_is_too_old_is_given_up_and_its_ids_with_the_last_batch_of_its_run() {
    let store = Store::in_memory(Capacity { max_age: Some(Duration::from_millis(100)), ..PLENTY });
    let at = |now_ms, number| {
        store.ingest(received(1, number, &[(0, number..number + 1)]), &Bytes::from_static(b"x"), now_ms).unwrap().stored
    };
    assert_eq!((at(1000, 0), at(1050, 1)), (1, 1));
    store.retire(1100);
    assert_eq!(listed(&store).len(), 2);
    store.retire(1101);
    assert_eq!((listed(&store).len(), store.stats().evicted_batches), (1, 1));
    // Known as long as there is another batch of the run; this one goes at this very moment.
    assert_eq!((at(1150, 0), at(1151, 0)), (0, 0));
    store.retire(1151);
    assert_eq!((at(1151, 0), store.stats().evicted_batches), (1, 2));
    // A clock that goes back makes nothing old.
    store.retire(0);
    assert_eq!(listed(&store).len(), 1);
}

#[test]
fn the_latest_header_speaks_for_its_run() {
    let store = Store::in_memory(PLENTY);
    let with = |batch, recorded: u64| {
        let lost = BTreeMap::from([("ring_full".to_owned(), recorded / 2)]);
        Received { summary: Summary { service: "bank".into(), recorded, lost }, ..received(1, batch, &[]) }
    };
    for (batch, recorded) in [(0, 10), (2, 30), (1, 20)] {
        check(&store, with(batch, recorded), (0, 0));
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
        let (store, mut oracle) = (Store::in_memory(PLENTY), HashSet::new());
        let mut duplicates = 0;
        for received in parcels {
            let before = oracle.len();
            for (ring, span) in &received.spans {
                oracle.extend(span.clone().map(|seq| (received.run, *ring, seq)));
            }
            let stored = (oracle.len() - before) as u64;
            let again = received.events - stored;
            duplicates += again;
            check(&store, received, (stored, again));
        }
        let stats = store.stats();
        prop_assert_eq!((stats.events, stats.duplicates), (oracle.len() as u64, duplicates));
    }

    /// However batches come and go, the cap holds and nothing is charged for what is gone.
    #[test]
    fn the_cap_holds(parcels in vec(parcel(), 0..25), evict_oldest: bool, room in 0..9000_u64) {
        let capacity = Capacity { max_bytes: RUN_CHARGE + room, evict_oldest, ..PLENTY };
        let store = Store::in_memory(capacity);
        for received in parcels {
            let _ = ingest(&store, received);
            store.assert_sums();
            prop_assert!(store.stats().used_bytes <= capacity.max_bytes);
            prop_assert_eq!(store.stats().bytes, 100 * listed(&store).len() as u64);
        }
        store.clear();
        prop_assert_eq!(store.stats(), CollectorStats { max_bytes: capacity.max_bytes, ..CollectorStats::default() });
    }
}
