//! Disks that refuse, and directories that go away.

use super::model::{Crash, Fault, Model};
use super::*;
use std::io::ErrorKind;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

const OPTIONS: LogOptions = LogOptions { fsync: Fsync::Batch, segment_bytes: 1000 };

/// A store with one batch in it.
fn with_one(fsync: Fsync) -> (Arc<Model>, Store) {
    let disk = Arc::new(Model::new(1));
    let store = open(&disk, ON_DISK, LogOptions { fsync, ..OPTIONS });
    ingest(&store, &nth(0)).unwrap();
    (disk, store)
}

#[test]
fn a_full_disk_is_told_to_the_sender_and_counted_by_reason() {
    for (kind, reason) in [
        (ErrorKind::StorageFull, "disk_full"),
        (ErrorKind::QuotaExceeded, "disk_full"),
        (ErrorKind::ReadOnlyFilesystem, "read_only"),
        (ErrorKind::Other, "io_error"),
    ] {
        let (disk, store) = with_one(Fsync::Segment);
        // In the head of a record, and in its batch.
        for (operation, len) in [(0, 1), (0, 23), (1, 1), (1, 100)] {
            disk.fail(operation, Fault::Short(len, kind));
            assert_eq!(ingest(&store, &nth(1)), Err(StoreError::Disk(reason)));
            disk.fail_not();
        }
        let stats = store.stats();
        assert_eq!((stats.batches, stats.events, &stats.disk.unwrap().refused[reason]), (1, 5, &4));
        assert_eq!(ingest(&store, &nth(1)).unwrap().stored, 5);
        // What was written of it was cut off; the batch is in a new segment, in case the old one was to blame.
        assert_eq!((listed(&store).len(), disk.names().len()), (2, 2));
        let stats = open(&disk, ON_DISK, OPTIONS).stats().disk.unwrap();
        assert_eq!((stats.recovered_batches, stats.torn_tails, stats.damaged), (2, 0, 0));
    }
}

#[test]
fn a_piece_that_cannot_be_cut_off_ends_its_segment() {
    let (disk, store) = with_one(Fsync::Segment);
    disk.fail(1, Fault::Short(10, ErrorKind::Other));
    disk.fail(3, Fault::Error(ErrorKind::Other));
    assert_eq!(ingest(&store, &nth(1)), Err(StoreError::Disk("io_error")));
    assert_eq!(ingest(&store, &nth(1)).unwrap().stored, 5);
    assert_eq!((listed(&store), disk.names().len()), (vec![nth(0), nth(1)], 2));
    let stats = open(&disk, ON_DISK, OPTIONS).stats().disk.unwrap();
    assert_eq!((stats.recovered_batches, stats.torn_tails, stats.torn_bytes), (2, 1, 34));
}

#[test]
fn what_cannot_be_synced_is_not_acknowledged_and_its_segment_not_trusted() {
    let (disk, store) = with_one(Fsync::Batch);
    disk.fail(2, Fault::Error(ErrorKind::Other));
    assert_eq!(ingest(&store, &nth(1)), Err(StoreError::Disk("io_error")));
    assert_eq!((listed(&store).len(), store.stats().disk.unwrap().sync_errors), (1, 1));
    ingest(&store, &nth(1)).unwrap();
    assert_eq!((listed(&store).len(), disk.names().len()), (2, 2));
}

#[test]
fn a_new_segment_that_cannot_be_synced_is_not_trusted_either() {
    let disk = Arc::new(Model::new(1));
    let store = open(&disk, ON_DISK, OPTIONS);
    // Header, directory, head, batch, and then the sync: what has failed once is not tried again by the disk.
    disk.fail(5, Fault::Error(ErrorKind::Other));
    assert_eq!(ingest(&store, &nth(0)), Err(StoreError::Disk("io_error")));
    ingest(&store, &nth(0)).unwrap();
    disk.restart(Crash::PowerLoss);
    let store = open(&disk, ON_DISK, OPTIONS);
    assert_eq!((listed(&store), store.stats().disk.unwrap().damaged), (vec![nth(0)], 0));
}

#[test]
fn a_disk_that_refuses_for_long_is_not_littered() {
    for fsync in [Fsync::Segment, Fsync::Batch] {
        let (disk, store) = with_one(fsync);
        // Each of the operations that it takes to store a batch: with a cut that fails, and with one that does not.
        for at in (0..9).chain(0..9).chain(0..9) {
            disk.fail(at, Fault::Error(ErrorKind::StorageFull));
            disk.fail(at + 1, Fault::Error(ErrorKind::StorageFull));
            let _ = ingest(&store, &nth(1));
            disk.fail_not();
            let _ = ingest(&store, &nth(0));
        }
        ingest(&store, &nth(1)).unwrap();
        // A file stays where it can neither be cut nor deleted, and that is so for few of the pairs.
        assert!(disk.names().len() <= 6, "{:?}", disk.names());
    }
}

#[test]
fn a_segment_that_cannot_be_synced_when_it_is_full_is_counted() {
    let disk = Arc::new(Model::new(1));
    let store = open(&disk, ON_DISK, LogOptions { fsync: Fsync::Segment, segment_bytes: 1 });
    ingest(&store, &nth(0)).unwrap();
    disk.fail(0, Fault::Error(ErrorKind::Other));
    ingest(&store, &nth(1)).unwrap();
    assert_eq!((listed(&store).len(), store.stats().disk.unwrap().sync_errors), (2, 1));
    disk.fail(0, Fault::Error(ErrorKind::Other));
    store.close();
    assert_eq!(store.stats().disk.unwrap().sync_errors, 2);
}

#[test]
fn a_directory_that_is_deleted_is_made_again_and_what_is_gone_is_counted() {
    let (disk, store) = with_one(Fsync::Segment);
    for number in 1..9 {
        ingest(&store, &nth(number)).unwrap();
    }
    disk.wipe();
    assert_eq!(ingest(&store, &nth(9)).unwrap().stored, 5);
    let stats = store.stats();
    assert_eq!((stats.batches, stats.disk.unwrap().vanished_batches), (1, 9));
    assert_eq!(listed(&store), [nth(9)]);
    // If its sender has one of them still, nobody says that it is known.
    assert_eq!(ingest(&store, &nth(8)).unwrap().stored, 5);
    store.assert_sums();
}

#[test]
fn a_segment_that_cannot_be_deleted_leaves_no_room_and_no_loop() {
    let disk = Arc::new(Model::new(1));
    let capacity = Capacity { max_bytes: 2000, evict_oldest: true, ..ON_DISK };
    let store = open(&disk, capacity, LogOptions { segment_bytes: 1, ..OPTIONS });
    let fit = capacity.max_bytes / (24 + 24 + nth(0).len() as u64);
    (0..fit).for_each(|number| assert_eq!(ingest(&store, &nth(number)).unwrap().stored, 5));
    disk.fail(0, Fault::Error(ErrorKind::PermissionDenied));
    assert_eq!(ingest(&store, &nth(fit)), Err(StoreError::Full));
    let stats = store.stats();
    assert_eq!((stats.refused_full, stats.evicted_batches, stats.disk.unwrap().delete_errors), (1, 0, 1));
    assert_eq!(ingest(&store, &nth(fit)).unwrap().stored, 5);
    assert_eq!((store.stats().evicted_batches, listed(&store).first()), (1, Some(&nth(1))));
}

#[test]
fn while_a_disk_hangs_there_are_answers() {
    let (disk, store) = with_one(Fsync::Segment);
    let (hears, ends) = disk.hang(1);
    let (tells, told) = channel();
    thread::scope(|scope| {
        let writer = scope.spawn(|| ingest(&store, &nth(1)));
        hears.recv().unwrap();
        let store = &store;
        scope.spawn(move || {
            store.count_rejected();
            tells.send((store.stats().batches, store.batches())).unwrap();
        });
        // So long only if there is none.
        let answer = told.recv_timeout(Duration::from_secs(60));
        drop(ends);
        assert_eq!(writer.join().unwrap().unwrap().stored, 5);
        let (count, batches) = answer.expect("an answer while the disk hangs");
        assert_eq!((count, batches.collect::<Vec<_>>()), (1, vec![nth(0)]));
    });
}

#[test]
fn a_closed_store_takes_nothing_and_can_be_read() {
    let (_disk, store) = with_one(Fsync::Segment);
    store.close();
    assert_eq!(ingest(&store, &nth(1)), Err(StoreError::Disk("closed")));
    assert_eq!(listed(&store), [nth(0)]);
}

#[test]
fn a_disk_that_reads_nothing_stops_no_start_and_loses_nothing() {
    let (disk, store) = with_one(Fsync::Batch);
    ingest(&store, &nth(1)).unwrap();
    let before = disk.operations();
    drop(open(&disk, ON_DISK, OPTIONS));
    let operations = disk.operations() - before;
    for at in 2..operations {
        disk.fail(at, Fault::Error(ErrorKind::Other));
        let store = open(&disk, ON_DISK, OPTIONS);
        assert_eq!(store.stats().disk.unwrap().unreadable_segments, 1, "operation {at}");
        disk.fail_not();
        // Nothing was changed in what could not be read.
        assert_eq!(listed(&open(&disk, ON_DISK, OPTIONS)), [nth(0), nth(1)], "operation {at}");
    }
}
