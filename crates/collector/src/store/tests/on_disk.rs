//! Segments that have been damaged, moved about, or are many; and what a reader sees.

use super::super::segment;
use super::model::{Fault, Model};
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::ErrorKind;
use std::time::Duration;

/// One batch of the tests each.
const ONE_EACH: LogOptions = LogOptions { fsync: Fsync::Segment, segment_bytes: 1 };
const ALL_IN_ONE: LogOptions = LogOptions { fsync: Fsync::Segment, segment_bytes: 1 << 30 };

fn written(options: LogOptions, count: u64) -> Arc<Model> {
    let disk = Arc::new(Model::new(1));
    let store = open(&disk, ON_DISK, options);
    (0..count).for_each(|number| assert_eq!(ingest(&store, &nth(number)).unwrap().stored, 5));
    store.close();
    disk
}

fn without(lost: u64, count: u64) -> Vec<Bytes> {
    (0..count).filter(|number| *number != lost).map(nth).collect()
}

#[test]
fn what_was_stored_is_there_after_a_start_and_known() {
    let disk = written(ONE_EACH, 4);
    let store = open(&disk, ON_DISK, ONE_EACH);
    assert_eq!(listed(&store), (0..4).map(nth).collect::<Vec<_>>());
    let stats = store.stats();
    assert_eq!((stats.batches, stats.events, stats.duplicates, stats.runs.len()), (4, 20, 0, 1));
    let disk_stats = stats.disk.unwrap();
    assert_eq!((disk_stats.segments, disk_stats.recovered_batches), (4, 4));
    assert_eq!((ingest(&store, &nth(2)).unwrap().duplicates, ingest(&store, &nth(4)).unwrap().stored), (5, 5));
    assert_eq!(disk.names().len(), 5);
}

#[test]
fn a_flipped_bit_costs_one_batch() {
    let len = 24 + nth(0).len();
    for bit in (0..8 * len).step_by(7) {
        let disk = written(ALL_IN_ONE, 3);
        disk.change(&segment::name(0), |bytes| bytes[24 + len + bit / 8] ^= 1 << (bit % 8));
        let store = open(&disk, ON_DISK, ALL_IN_ONE);
        assert_eq!(listed(&store), without(1, 3), "bit {bit}");
        let stats = store.stats();
        let disk_stats = stats.disk.unwrap();
        assert_eq!((stats.batches, disk_stats.damaged, disk_stats.damaged_bytes), (2, 1, len as u64));
        assert_eq!((disk_stats.torn_tails, disk_stats.read_errors), (0, 0));
        // It is not known any more, so it can be sent again.
        assert_eq!(ingest(&store, &nth(1)).unwrap().stored, 5);
    }
}

#[test]
fn damage_that_comes_later_is_left_out_and_counted_when_it_is_read() {
    let disk = written(ALL_IN_ONE, 3);
    let store = open(&disk, ON_DISK, ALL_IN_ONE);
    disk.change(&segment::name(0), |bytes| bytes[24 + 24 + nth(0).len() + 30] ^= 1);
    assert_eq!(listed(&store), without(1, 3));
    assert_eq!(store.stats().disk.unwrap().read_errors, 1);
}

#[test]
fn a_torn_tail_is_cut_off_wherever_it_is_torn() {
    let whole = 24 + 3 * (24 + nth(0).len());
    for len in 0..whole {
        let disk = written(ALL_IN_ONE, 3);
        disk.change(&segment::name(0), |bytes| bytes.truncate(len));
        let kept = len.saturating_sub(24) / (24 + nth(0).len());
        let torn = len.saturating_sub(24) % (24 + nth(0).len());
        let store = open(&disk, ON_DISK, ALL_IN_ONE);
        assert_eq!(listed(&store).len(), kept, "{len} bytes");
        let stats = store.stats().disk.unwrap();
        assert_eq!((stats.torn_tails, stats.torn_bytes), (u64::from(torn > 0), torn as u64), "{len} bytes");
        assert_eq!(open(&disk, ON_DISK, ALL_IN_ONE).stats().disk.unwrap().torn_tails, 0);
        // A segment without a record is of no use.
        assert_eq!(disk.names().len(), usize::from(kept > 0));
    }
}

#[test]
fn what_is_no_segment_is_left_alone() {
    let disk = written(ONE_EACH, 1);
    let others = ["lock", "notes.txt", "1.segment"];
    others.iter().for_each(|name| disk.write(name, b"text"));
    // Named as ours are, and of another version, or of another program.
    let mut newer = segment::write_header(7).to_vec();
    newer[7] = 2;
    disk.write(&segment::name(7), &newer);
    disk.write(&segment::name(8), b"a short text");
    let store = open(&disk, ON_DISK, ONE_EACH);
    assert_eq!((listed(&store), store.stats().disk.unwrap().unreadable_segments), (vec![nth(0)], 2));
    ingest(&store, &nth(1)).unwrap();
    assert!(disk.names().contains(&segment::name(9)));
    assert_eq!(disk.names().len(), others.len() + 4);
}

#[test]
fn a_damaged_header_costs_no_batch_and_nothing_is_cut() {
    let disk = written(ALL_IN_ONE, 3);
    disk.change(&segment::name(0), |bytes| bytes[20] ^= 1);
    for _ in 0..2 {
        let store = open(&disk, ON_DISK, ALL_IN_ONE);
        assert_eq!((listed(&store).len(), store.stats().disk.unwrap().damaged), (3, 1));
    }
    // Renamed as well: nobody knows what number its records were written with.
    disk.rename(&segment::name(0), &segment::name(5));
    let store = open(&disk, ON_DISK, ALL_IN_ONE);
    assert_eq!((listed(&store).len(), store.stats().disk.unwrap().damaged), (0, 2));
    disk.change(&segment::name(5), |bytes| assert_eq!(bytes.len(), 24 + 3 * (24 + nth(0).len())));
}

#[test]
fn segments_that_are_copied_count_once_and_swapped_ones_are_read() {
    let disk = written(ONE_EACH, 3);
    disk.copy(&segment::name(1), &segment::name(6));
    disk.rename(&segment::name(2), &segment::name(5));
    disk.rename(&segment::name(0), &segment::name(2));
    disk.rename(&segment::name(5), &segment::name(0));
    let store = open(&disk, ON_DISK, ONE_EACH);
    assert_eq!(listed(&store), [nth(2), nth(1), nth(0)]);
    let stats = store.stats().disk.unwrap();
    assert_eq!((stats.duplicate_batches, stats.renamed_segments, stats.damaged), (1, 3, 0));
}

#[test]
fn a_segment_inside_a_batch_is_not_taken_for_one() {
    let disk = written(ALL_IN_ONE, 3);
    let mut inner = Vec::new();
    disk.change(&segment::name(0), |bytes| inner.clone_from(bytes));
    // As a variable's name, which may be any text, the copy would be lengthened; as bytes on disk it is as it is.
    let head = segment::write_head(9, 24, 1000, &inner).unwrap();
    let mut outer = segment::write_header(9).to_vec();
    outer.extend(head);
    outer[24] ^= 1;
    outer.extend(inner);
    disk.write(&segment::name(9), &outer);
    let store = open(&disk, ON_DISK, ALL_IN_ONE);
    assert_eq!((listed(&store).len(), store.stats().disk.unwrap().duplicate_batches), (3, 0));
}

#[test]
fn retention_by_bytes_deletes_whole_segments_the_oldest_first() {
    let disk = Arc::new(Model::new(1));
    let capacity = Capacity { max_bytes: 2000, evict_oldest: true, ..ON_DISK };
    let store = open(&disk, capacity, LogOptions { segment_bytes: 500, ..ONE_EACH });
    for number in 0..30 {
        assert_eq!(ingest(&store, &nth(number)).unwrap().stored, 5);
        let on_disk: u64 = disk.names().iter().map(|name| disk.open(name).unwrap().len().unwrap()).sum();
        assert_eq!(store.stats().used_bytes, on_disk);
        assert!(on_disk <= 2000);
    }
    let left = listed(&store);
    assert!(left.len() > 4 && left == (30 - left.len() as u64..30).map(nth).collect::<Vec<_>>());
    assert_eq!(store.stats().evicted_batches, 30 - left.len() as u64);
}

#[test]
fn a_smaller_cap_than_before_deletes_at_the_start() {
    let disk = written(ONE_EACH, 9);
    let refusing = Capacity { max_bytes: 1000, ..ON_DISK };
    assert_eq!(listed(&open(&disk, refusing, ONE_EACH)).len(), 9);
    let store = open(&disk, Capacity { evict_oldest: true, ..refusing }, ONE_EACH);
    assert!(store.stats().used_bytes <= 1000);
    assert_eq!(listed(&store).last(), Some(&nth(8)));
}

#[test]
fn retention_by_age_deletes_what_is_older_and_nothing_else() {
    let disk = Arc::new(Model::new(1));
    let capacity = Capacity { max_age: Some(Duration::from_millis(100)), ..ON_DISK };
    let two_each = LogOptions { segment_bytes: 24 + 2 * (24 + nth(0).len() as u64), ..ONE_EACH };
    let store = open(&disk, capacity, two_each);
    for number in 0..6 {
        ingest_at(&store, &nth(number), 1000 + number * 10).unwrap();
    }
    store.retire(1121);
    assert_eq!(listed(&store), [2, 3, 4, 5].map(nth));
    drop(store);
    // Also at a start, and also the segment that is being written.
    let start = |now_ms| recover(Arc::<Model>::clone(&disk), capacity, two_each, now_ms).unwrap();
    assert_eq!(listed(&start(1150)).len(), 2);
    let store = start(1150);
    ingest_at(&store, &nth(7), 1150).unwrap();
    store.retire(1251);
    assert_eq!((listed(&store).len(), disk.names().len(), store.stats().used_bytes), (0, 0, 0));
    assert_eq!(ingest_at(&store, &nth(7), 1252).unwrap().stored, 5);
}

#[test]
fn memory_is_bounded_whatever_is_on_the_disk() {
    let disk = Arc::new(Model::new(1));
    let of_run = |run| Bytes::from(batch::batch(run, 0, &[batch::reads(0, 0, 5)]));
    let store = open(&disk, ON_DISK, ONE_EACH);
    (0..20).for_each(|run| assert_eq!(ingest(&store, &of_run(run)).unwrap().stored, 5));
    drop(store);
    for evict_oldest in [false, true] {
        let capacity = Capacity { max_index_bytes: Some(30_000), evict_oldest, ..ON_DISK };
        let store = open(&disk, capacity, ONE_EACH);
        let stats = store.stats().disk.unwrap();
        assert!(stats.index_bytes <= 30_000, "{stats:?}");
        assert_eq!(evict_oldest, stats.unindexed_batches == 0);
        assert_eq!(listed(&store).len() as u64, store.stats().batches);
        let last = of_run(if evict_oldest { 19 } else { stats.recovered_batches - 1 });
        assert_eq!(listed(&store).last(), Some(&last));
        assert_eq!(ingest(&store, &of_run(20)).is_ok(), evict_oldest);
        assert_eq!(disk.names().len() == 20, !evict_oldest);
    }
}

#[test]
fn a_reader_sees_what_was_there_and_passes_over_what_is_deleted() {
    let disk = Arc::new(Model::new(1));
    let store = open(&disk, ON_DISK, ONE_EACH);
    (0..3).for_each(|number| assert_eq!(ingest(&store, &nth(number)).unwrap().stored, 5));
    let mut early = store.batches();
    ingest(&store, &nth(3)).unwrap();
    assert_eq!(early.next(), Some(nth(0)));
    store.clear();
    assert_eq!((early.next(), listed(&store).len(), disk.names().len()), (None, 0, 0));
    assert_eq!(store.stats().disk.unwrap().read_errors, 0);
    assert_eq!(ingest(&store, &nth(0)).unwrap().stored, 5);

    // One that is open is read to its end.
    let disk = written(ALL_IN_ONE, 3);
    let store = open(&disk, ON_DISK, ALL_IN_ONE);
    let mut reader = store.batches();
    assert_eq!(reader.next(), Some(nth(0)));
    store.clear();
    assert_eq!(reader.collect::<Vec<_>>(), [nth(1), nth(2)]);
}

#[test]
fn a_read_error_costs_a_segment_and_is_counted() {
    let disk = written(ONE_EACH, 3);
    let store = open(&disk, ON_DISK, ONE_EACH);
    let mut reader = store.batches();
    assert_eq!(reader.next(), Some(nth(0)));
    disk.fail(1, Fault::Error(ErrorKind::Other));
    assert_eq!(reader.collect::<Vec<_>>(), [nth(2)]);
    assert_eq!(store.stats().disk.unwrap().read_errors, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever is done to the files: a start comes to its end, twice with the same result, and what it finds was stored.
    #[test]
    fn any_damage(
        changes in vec((0..4_u64, 0..1200_usize, 0..4_u8, any::<u8>()), 0..12),
        segment_bytes in 1..1500_u64,
    ) {
        let disk = written(LogOptions { segment_bytes, ..ONE_EACH }, 8);
        for (file, at, what, value) in changes {
            let name = segment::name(file);
            if !disk.names().contains(&name) {
                continue;
            }
            disk.change(&name, |bytes| match what {
                0 => bytes.truncate(at),
                1 => bytes.extend(std::iter::repeat_n(value, at)),
                2 => drop(bytes.drain(at.min(bytes.len())..(at + usize::from(value)).min(bytes.len()))),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value),
            });
        }
        let first = listed(&open(&disk, ON_DISK, ONE_EACH));
        let store = open(&disk, ON_DISK, ONE_EACH);
        prop_assert_eq!(&listed(&store), &first);
        let disk_stats = store.stats().disk.unwrap();
        prop_assert_eq!((disk_stats.torn_tails, disk_stats.read_errors), (0, 0));
        for (at, batch) in first.iter().enumerate() {
            prop_assert!((0..8).any(|number| nth(number) == *batch) && !first[..at].contains(batch));
        }
        // And it goes on.
        (0..9).for_each(|number| assert_eq!(ingest(&store, &nth(number)).map(|ack| ack.run.get()), Ok(1)));
        prop_assert_eq!(listed(&store).len(), 9);
        store.assert_sums();
    }
}
