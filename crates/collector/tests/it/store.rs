//! A collector that stores on disk, and what is there when it starts again.

use crate::batch::{batch, reads, write};
use crate::client::{get, post};
use crate::temporary::Temporary;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use trackside_collector::{Collector, CollectorBuilder, Fsync, StartError, StoreReader};

fn on(directory: &Temporary) -> CollectorBuilder {
    Collector::builder().store(&**directory)
}

fn segments(directory: &Temporary) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(&**directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    paths.sort();
    paths
}

/// Sends a hundred batches of ten events.
fn send_hundred(collector: &Collector) {
    for at in 0..100 {
        assert_eq!(post(&collector.url(), &batch(1, at, &[reads(0, at * 10, 10)])).ack().stored, 10);
    }
}

#[test]
fn what_was_stored_is_there_after_a_start() {
    let directory = Temporary::new("restart");
    for fsync in [Fsync::Never, Fsync::Segment, Fsync::Batch] {
        let collector = on(&directory).fsync(fsync).start().unwrap();
        post(&collector.url(), &batch(7, 0, &[write(0), write(1)])).ack();
        let (report, events) = (collector.report().to_string(), collector.distinct_events());
        collector.shutdown();

        let collector = on(&directory).fsync(fsync).start().unwrap();
        assert_eq!(collector.distinct_events(), events);
        assert_eq!(collector.report().to_string(), report);
        assert!(!collector.report().findings.is_empty());
        assert_eq!(get(&collector.url(), "/api/findings?format=text", &[]).text(), report);
        assert_eq!(collector.batches().collect::<Vec<_>>(), [batch(7, 0, &[write(0), write(1)])]);
        assert_eq!(post(&collector.url(), &batch(7, 0, &[write(0), write(1)])).ack().duplicates, 2);
    }
}

#[test]
fn statistics_tell_of_the_disk() {
    let directory = Temporary::new("stats");
    let collector = on(&directory).segment_bytes(2000).start().unwrap();
    send_hundred(&collector);
    let stats: serde_json::Value = serde_json::from_slice(&get(&collector.url(), "/api/stats", &[]).body).unwrap();
    let sizes: u64 = segments(&directory).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert_eq!((&stats["batches"], &stats["used_bytes"]), (&100.into(), &sizes.into()));
    assert_eq!(stats["disk"]["segments"], segments(&directory).len());
    assert!(segments(&directory).len() > 5);
    collector.shutdown();
    assert_eq!(on(&directory).start().unwrap().stats().disk.unwrap().recovered_batches, 100);
}

#[test]
fn a_torn_file_is_cut_off_and_counted_and_a_damaged_one_is_read() {
    let directory = Temporary::new("torn");
    let collector = on(&directory).start().unwrap();
    send_hundred(&collector);
    collector.shutdown();
    let path = segments(&directory).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    bytes[500] ^= 1;
    fs::write(&path, bytes).unwrap();

    let collector = on(&directory).start().unwrap();
    let stats = collector.stats();
    let disk = stats.disk.unwrap();
    assert_eq!((stats.batches, disk.torn_tails, disk.damaged), (98, 1, 1));
    assert_eq!(
        disk.torn_bytes + fs::metadata(&path).unwrap().len(),
        fs::metadata(&path).unwrap().len() + disk.torn_bytes
    );
    collector.shutdown();
    assert_eq!(on(&directory).start().unwrap().stats().disk.unwrap().torn_tails, 0);
}

#[test]
fn one_collector_uses_a_directory_at_a_time() {
    let directory = Temporary::new("locked");
    let first = on(&directory).start().unwrap();
    let error = on(&directory).start().unwrap_err();
    assert!(matches!(&error, StartError::Store { source, .. } if source.kind() == ErrorKind::ResourceBusy));
    assert!(format!("{}: {}", error, std::error::Error::source(&error).unwrap()).contains("another collector"));
    post(&first.url(), &batch(1, 0, &[reads(0, 0, 1)])).ack();
    first.shutdown();
    assert_eq!(on(&directory).start().unwrap().distinct_events(), 1);
}

#[test]
fn a_directory_that_cannot_be_one_is_said_to_be_so() {
    let directory = Temporary::new("file");
    fs::write(&*directory, b"").unwrap();
    let error = on(&directory).start().unwrap_err();
    assert!(matches!(error, StartError::Store { directory: named, .. } if named == *directory));
    fs::remove_file(&*directory).unwrap();
}

#[test]
fn a_directory_that_is_deleted_is_made_again() {
    let directory = Temporary::new("deleted");
    let collector = on(&directory).start().unwrap();
    post(&collector.url(), &batch(1, 0, &[reads(0, 0, 10)])).ack();
    fs::remove_dir_all(&*directory).unwrap();
    post(&collector.url(), &batch(1, 1, &[reads(0, 10, 10)])).ack();
    let stats = collector.stats();
    assert_eq!((stats.batches, stats.disk.unwrap().vanished_batches), (1, 1));
    // Nobody else gets it, though the lock was deleted, too.
    assert!(on(&directory).start().is_err());
    collector.shutdown();
    assert_eq!(on(&directory).start().unwrap().batches().count(), 1);
}

#[test]
fn a_cleared_store_is_empty_after_a_start_as_well() {
    let directory = Temporary::new("cleared");
    let collector = on(&directory).segment_bytes(2000).start().unwrap();
    send_hundred(&collector);
    collector.clear();
    assert_eq!((collector.stats().batches, collector.stats().used_bytes), (0, 0));
    assert_eq!(segments(&directory), Vec::<PathBuf>::new());
    collector.shutdown();
    assert_eq!(on(&directory).start().unwrap().distinct_events(), 0);
}

#[test]
fn the_oldest_segments_are_deleted_when_the_cap_is_reached() {
    let directory = Temporary::new("retention");
    let collector = on(&directory).max_bytes(10_000).start().unwrap();
    send_hundred(&collector);
    let stats = collector.stats();
    assert!(stats.evicted_batches > 0 && stats.used_bytes <= 10_000);
    assert_eq!((stats.events, stats.batches + stats.evicted_batches, stats.refused_full), (1000, 100, 0));
    assert_eq!(collector.batches().count() as u64, stats.batches);
    assert_eq!(collector.batches().last().unwrap(), batch(1, 99, &[reads(0, 990, 10)]));

    let directory = Temporary::new("no-retention");
    let collector = on(&directory).max_bytes(10_000).evict_oldest(false).start().unwrap();
    let answers = (0..100).map(|at| post(&collector.url(), &batch(1, at, &[reads(0, at * 10, 10)])).status);
    let stored = answers.take_while(|status| *status == 200).count();
    let stats = collector.stats();
    assert!(stored < 100 && stats.batches == stored as u64);
    assert_eq!((stats.refused_full, stats.evicted_batches), (1, 0));
}

#[cfg(unix)]
#[test]
fn what_is_written_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Temporary::new("private");
    let collector = on(&directory).start().unwrap();
    post(&collector.url(), &batch(1, 0, &[reads(0, 0, 1)])).ack();
    assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(segments(&directory)[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_directory_is_read_as_far_as_it_can_be_and_not_changed() {
    let directory = Temporary::new("reader");
    let batches: Vec<Vec<u8>> = (0..4).map(|number| batch(1, number, &[reads(0, number * 5, 5)])).collect();
    let collector = Collector::builder().store(&*directory).segment_bytes(1).start().unwrap();
    for bytes in &batches {
        post(&collector.url(), bytes).ack();
    }

    let mut reader = StoreReader::open(&*directory).unwrap();
    assert!(reader.bytes() > batches.iter().map(|bytes| bytes.len() as u64).sum());
    assert_eq!(reader.next().unwrap(), batches[0]);
    // The second one is deleted before its turn; the third is of another version, and in the last one a bit is wrong.
    let segment = |number: u64| directory.join(format!("{number:020}.segment"));
    fs::remove_file(segment(1)).unwrap();
    let spoil = |number: u64, at: usize| {
        let mut bytes = fs::read(segment(number)).unwrap();
        bytes[at] ^= 1;
        fs::write(segment(number), &bytes).unwrap();
        bytes
    };
    let spoilt = [spoil(2, 7), spoil(3, 60)];
    assert_eq!(reader.next(), None);
    let damage = reader.damage();
    assert_eq!(
        (damage.unreadable_segments, damage.damaged, damage.damaged_bytes),
        (1, 1, 24 + batches[3].len() as u64)
    );
    assert_eq!([2, 3].map(|number| fs::read(segment(number)).unwrap()), spoilt);
    collector.shutdown();

    let error = StoreReader::open(env!("CARGO_MANIFEST_DIR")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}
