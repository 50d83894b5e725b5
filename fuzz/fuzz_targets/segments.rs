//! What a collector finds on its disk, whatever it is: a start comes to its end, and so does reading; a second start finds
//! the same and cuts off nothing more; what is served is a batch, and is there once; and what comes next is stored.
//!
//! The input is a list of pieces, of which segments are made: see `piece`. Checksums are out of a fuzzer's reach, so some
//! pieces get the right ones. A longer run: `cargo +nightly fuzz run segments -- -max_total_time=3600 -max_len=16384`.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use received::Received;
use std::sync::Arc;
use store::books::Capacity;
use store::log::{Fsync, LogOptions};
use store::recover::recover;
use store::segment::{self, HEAD_LEN, MARKER, write_head, write_header};
use store::shared::Store;
use store::tests::model::Model;
use trackside_wire::{Batch, BatchHead, Header, Kinds, RunId, Strand, write_head as write_batch};

#[path = "../../crates/collector/src"]
mod collector {
    pub(crate) mod received;
    pub(crate) mod stats;
    pub(crate) mod sync;
}
use collector::{received, stats, sync};

#[expect(dead_code, reason = "the collector and its tests use the rest of it")]
#[path = "../../crates/collector/src/store"]
mod store {
    pub(crate) mod batches;
    pub(crate) mod books;
    pub(crate) mod disk;
    pub(crate) mod index;
    pub(crate) mod intervals;
    pub(crate) mod log;
    pub(crate) mod recover;
    pub(crate) mod scan;
    pub(crate) mod segment;
    pub(crate) mod shared;
    pub(crate) mod unit;

    pub(crate) mod tests {
        pub(crate) mod model;
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((settings, mut rest)) = bytes.split_first_chunk::<3>() else { return };
    let disk = Arc::new(Model::new(1));
    let mut number = 0;
    let mut segment = Vec::new();
    while let Some(is_end) = piece(&mut segment, number, &mut rest) {
        if is_end {
            disk.write(&segment::name(number), &segment);
            number += u64::from(settings[0] % 3);
            segment.clear();
        }
    }
    disk.write(&segment::name(number), &segment);

    let capacity = Capacity {
        max_bytes: 1 << (settings[1] % 32),
        max_index_bytes: Some(1 << (10 + settings[1] / 16)),
        max_age: None,
        evict_oldest: settings[2] % 2 == 0,
    };
    let segment_bytes = 1 << (settings[2] % 16);
    let start = || {
        let options = LogOptions { fsync: Fsync::Batch, segment_bytes };
        recover(Arc::<Model>::clone(&disk), capacity, options, 1000).expect("the disk is in order")
    };
    let first = listed(&start());
    let store = start();
    // What has made room for others may have been what others were copies of.
    assert!(capacity.evict_oldest || listed(&store) == first, "a second start finds something else");
    let first = listed(&store);
    let stats = store.stats();
    let found = stats.disk.as_ref().expect("it is on disk");
    assert_eq!((found.torn_tails, found.read_errors), (0, 0));
    assert!(found.index_bytes <= found.max_index_bytes, "{found:?}");
    assert_eq!(stats.batches, first.len() as u64);
    assert_eq!(stats.bytes, first.iter().map(|bytes| bytes.len() as u64).sum::<u64>());

    let next = batch(u64::MAX, 0);
    if store.ingest(Received::decode(&next).expect("a batch"), &next, 1000).is_ok() {
        assert_eq!(listed(&store).last(), Some(&next));
        assert_eq!(listed(&start()).last(), Some(&next));
    }
});

/// All that is served. Each brings something that the others before it do not.
fn listed(store: &Store) -> Vec<Bytes> {
    let batches: Vec<Bytes> = store.batches().collect();
    for (at, bytes) in batches.iter().enumerate() {
        assert!(Batch::decode(bytes).is_ok(), "what is served is no batch");
        assert!(!batches[..at].contains(bytes), "a batch is there twice");
    }
    batches
}

/// Appends the next piece of the input to a segment. None at the end of the input; true if the segment ends here.
fn piece(segment: &mut Vec<u8>, number: u64, input: &mut &[u8]) -> Option<bool> {
    let ([what, len], rest) = input.split_first_chunk::<2>()?;
    let (bytes, rest) = rest.split_at((*len as usize).min(rest.len()));
    *input = rest;
    let at = segment.len() as u64;
    match what % 8 {
        0 => return Some(true),
        1 => segment.extend(write_header(number)),
        2 => segment.extend(bytes),
        3 => segment.extend(MARKER),
        // A record, whole.
        4 => segment.extend(record(number, at, bytes)),
        5 => segment.extend(record(number, at, &batch(u64::from(*len % 4), u64::from(what / 8)))),
        // One that is cut, or has something else in its place.
        6 => segment.extend(record(number, at, bytes).split_last().map_or(&[][..], |(_, bytes)| bytes)),
        _ => {
            segment.extend(&record(number, at, bytes)[..HEAD_LEN]);
            segment.extend(bytes.iter().map(|byte| !byte));
        }
    }
    Some(false)
}

fn record(number: u64, at: u64, bytes: &[u8]) -> Vec<u8> {
    let head = write_head(number, at, 1000, bytes).expect("it is short");
    [&head, bytes].concat()
}

/// A batch without an event, known by its number.
fn batch(run: u64, number: u64) -> Bytes {
    let header = Header {
        run: RunId::new(run),
        batch: number,
        service: "bank",
        instance: "one",
        environment: "test",
        pid: 42,
        tags: vec![],
        base_unix_ns: 0,
        recorded: 0,
        lost: vec![],
        unsampled: 0,
        off: Kinds::NONE,
    };
    let mut out = Vec::new();
    let strands: &[Strand] = &[];
    write_batch(
        &mut out,
        &BatchHead::<&str> { header: &header, strings: &[], sites: &[], strands, lanes: &[], events: 0 },
    );
    out.into()
}
