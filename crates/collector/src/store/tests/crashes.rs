//! A crash at any operation: every acknowledged batch is there afterwards, once.

use super::model::{Crash, Fault, Model};
use super::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::HashMap;
use std::io::ErrorKind;

/// Three or four batches of the tests each.
const SEGMENT: u64 = 1000;

fn options(fsync: Fsync) -> LogOptions {
    LogOptions { fsync, segment_bytes: SEGMENT }
}

/// Sends batches until the crash, each as often as it takes while there is none. Returns those that were acknowledged.
fn send(disk: &Arc<Model>, store: &Store, numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for number in numbers {
        // Every fault comes once, so it is never for ever.
        while !disk.has_crashed() {
            if ingest(store, &nth(number)).is_ok() {
                acknowledged.push(number);
                break;
            }
        }
    }
    acknowledged
}

/// How often each batch is there.
fn counted(store: &Store) -> HashMap<Bytes, usize> {
    let mut counts = HashMap::new();
    store.batches().for_each(|batch| *counts.entry(batch).or_default() += 1);
    counts
}

/// Opens what a crash has left, and checks what must be so whatever was lost.
fn reopen(disk: &Arc<Model>, fsync: Fsync, sent: u64) -> Store {
    let store = open(disk, ON_DISK, options(fsync));
    let counts = counted(&store);
    assert!(counts.values().all(|count| *count == 1), "a batch is there twice");
    assert!(counts.keys().all(|batch| (0..sent).any(|number| nth(number) == *batch)), "a batch that was never sent");
    assert_eq!(store.stats().batches as usize, counts.len());
    drop(store);
    // What was cut off is gone, and everything else is as it was.
    let again = open(disk, ON_DISK, options(fsync));
    assert_eq!(counted(&again), counts);
    assert_eq!(again.stats().disk.unwrap().torn_tails, 0);
    again
}

/// All that was acknowledged is there; or, where more may be lost, all but what may have been in the last segment.
fn check_acknowledged(store: &Store, acknowledged: &[u64], may_lose_segment: bool) {
    let counts = counted(store);
    let first_lost = acknowledged.iter().position(|number| !counts.contains_key(&nth(*number)));
    let lost = &acknowledged[first_lost.unwrap_or(acknowledged.len())..];
    let bytes: u64 = lost.iter().map(|number| nth(*number).len() as u64).sum();
    assert!(bytes <= if may_lose_segment { SEGMENT } else { 0 }, "lost {lost:?} of {acknowledged:?}");
}

/// What was not acknowledged is sent again, and then all is there once.
fn complete(disk: &Arc<Model>, store: &Store, count: u64) {
    assert_eq!(send(disk, store, 0..count).len() as u64, count);
    assert_eq!(counted(store).len() as u64, count);
    assert_eq!(store.stats().events, count * 5);
    store.assert_sums();
}

#[test]
fn at_every_operation() {
    const COUNT: u64 = 9;
    for fsync in [Fsync::Never, Fsync::Segment, Fsync::Batch] {
        let disk = Arc::new(Model::new(1));
        let store = open(&disk, ON_DISK, options(fsync));
        send(&disk, &store, 0..COUNT);
        store.close();
        let operations = disk.operations();
        assert!(operations > 30, "{operations} are too few to be a test");
        for (at, crash, seed) in (0..operations)
            .flat_map(|at| [Crash::Kill, Crash::PowerLoss].map(|crash| (at, crash)))
            .flat_map(|(at, crash)| (1..6).map(move |seed| (at, crash, seed)))
        {
            let disk = Arc::new(Model::new(seed * 7919));
            disk.fail(at, Fault::Crash);
            let acknowledged = match recover(Arc::<Model>::clone(&disk), ON_DISK, options(fsync), 1000) {
                Ok(store) => {
                    let acknowledged = send(&disk, &store, 0..COUNT);
                    store.close();
                    acknowledged
                }
                Err(_) => Vec::new(),
            };
            assert!(disk.has_crashed());
            disk.restart(crash);
            let store = reopen(&disk, fsync, COUNT);
            match (crash, fsync) {
                (Crash::Kill, _) | (_, Fsync::Batch) => check_acknowledged(&store, &acknowledged, false),
                (Crash::PowerLoss, Fsync::Segment) => check_acknowledged(&store, &acknowledged, true),
                (Crash::PowerLoss, Fsync::Never) => {}
            }
            complete(&disk, &store, COUNT);
        }
    }
}

#[test]
fn during_the_start_after_a_crash() {
    let torn = || {
        let disk = Arc::new(Model::new(3));
        let store = open(&disk, ON_DISK, options(Fsync::Segment));
        send(&disk, &store, 0..8);
        let name = disk.names().pop().unwrap();
        disk.change(&name, |bytes| bytes.truncate(bytes.len() - 3));
        disk
    };
    let disk = torn();
    let before = disk.operations();
    let expected = listed(&open(&disk, ON_DISK, options(Fsync::Segment)));
    assert_eq!(expected.len(), 7);
    for at in 0..disk.operations() - before {
        let disk = torn();
        disk.fail(at, Fault::Crash);
        // Some operations may fail without a consequence.
        let _ = recover(Arc::<Model>::clone(&disk), ON_DISK, options(Fsync::Segment), 1000);
        disk.restart(Crash::Kill);
        assert_eq!(listed(&reopen(&disk, Fsync::Segment, 8)), expected);
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    let kind = prop::sample::select(vec![
        ErrorKind::StorageFull,
        ErrorKind::Other,
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::NotFound,
        ErrorKind::Interrupted,
    ]);
    prop_oneof![
        3 => kind.clone().prop_map(Fault::Error),
        3 => (0..400_usize, kind).prop_map(|(len, kind)| Fault::Short(len, kind)),
        1 => Just(Fault::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Errors of all kinds, and several crashes one after the other.
    #[test]
    fn among_errors(
        lives in vec((btree_map(0..60_u64, fault(), 0..6), 0..20_u64), 1..5),
        seed: u64,
        power: bool,
        each: bool,
    ) {
        // Without a loss of power, it makes no difference to what survives.
        let fsync = if power || each { Fsync::Batch } else { Fsync::Segment };
        let crash = if power { Crash::PowerLoss } else { Crash::Kill };
        let disk = Arc::new(Model::new(seed));
        let (mut acknowledged, mut sent) = (Vec::new(), 0);
        for (faults, count) in lives {
            faults.into_iter().for_each(|(at, fault)| disk.fail(at, fault));
            if let Ok(store) = recover(Arc::<Model>::clone(&disk), ON_DISK, options(fsync), 1000) {
                store.assert_sums();
                acknowledged.extend(send(&disk, &store, sent..sent + count));
                store.assert_sums();
            }
            sent += count;
            disk.restart(crash);
            let store = reopen(&disk, fsync, sent);
            let counts = counted(&store);
            for number in &acknowledged {
                prop_assert!(counts.contains_key(&nth(*number)), "lost {}", number);
            }
            disk.fail_not();
        }
        complete(&disk, &reopen(&disk, fsync, sent), sent);
    }

    /// The oldest go first, and what is left when the collector is killed in between is the latest.
    #[test]
    fn while_the_oldest_are_given_up(at in 0..400_u64, seed: u64, count in 1..40_u64) {
        let capacity = Capacity { max_bytes: 4 * SEGMENT, evict_oldest: true, ..ON_DISK };
        let disk = Arc::new(Model::new(seed));
        disk.fail(at, Fault::Crash);
        let Ok(store) = recover(Arc::<Model>::clone(&disk), capacity, options(Fsync::Segment), 1000) else {
            return Ok(());
        };
        let acknowledged = send(&disk, &store, 0..count);
        prop_assert!(store.stats().used_bytes <= capacity.max_bytes);
        disk.restart(Crash::Kill);
        let store = open(&disk, capacity, options(Fsync::Segment));
        prop_assert!(store.stats().used_bytes <= capacity.max_bytes);
        let there = listed(&store);
        let latest: Vec<Bytes> = acknowledged.iter().map(|number| nth(*number)).collect();
        // One more may have been written and not acknowledged.
        let there = if there.last() == latest.last() { &there[..] } else { &there[..there.len().max(1) - 1] };
        prop_assert!(latest.ends_with(there), "{} of {}", there.len(), latest.len());
        prop_assert!(there.len() >= acknowledged.len().min(3));
    }
}
