//! Writes the seed corpus of `batch_decode`: small whole batches to start from, for a fuzzer that begins with nothing
//! takes long to find its way past the first arrays. Run it in `fuzz/` when the format changes:
//! `cargo run --release --example seeds`, and delete the seeds of the old version once no reader takes it any more.

use std::{fs, io};
use trackside_wire::{
    Ack, Batch, BatchHead, FILE_MAGIC, Header, Kind, Kinds, Lane, Raw, RunId, Site, Strand, frame_len, write_head,
};

fn main() -> io::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/batch_decode");
    fs::create_dir_all(folder)?;
    let (empty, every_kind) = (batch(&[], 3), batch(Kind::ALL, 3));
    let two_events = batch(&[Kind::Read, Kind::Write], 3);
    // Ids of a hostile sender: the next one does not fit.
    let last_ids = batch(&[Kind::Read, Kind::Write, Kind::Read, Kind::Write], u64::MAX);
    let mut file = FILE_MAGIC.to_vec();
    for batch in [&two_events, &empty] {
        file.extend(frame_len(batch).expect("a seed is small"));
        file.extend(batch);
    }
    let ack = Ack { run: RunId::new(7), batch: 1, stored: 300, duplicates: 2 }.encode();
    // A seed that is refused at its first byte teaches the fuzzer nothing.
    for batch in [&empty, &two_events, &every_kind, &last_ids] {
        Batch::decode(batch).expect("a seed is a batch");
    }
    Raw::new(VALUES).expect("a seed is a value");
    let seeds = [
        ("empty-v1", empty),
        ("two-events-v1", two_events),
        ("every-kind-v1", every_kind),
        ("last-ids-v1", last_ids),
        ("file-v1", file),
        ("ack-v1", ack),
        ("values-v1", VALUES.to_vec()),
    ];
    seeds.iter().try_for_each(|(name, bytes)| fs::write(format!("{folder}/{name}"), bytes))
}

/// One value that holds most forms: nil, numbers of several widths, text, bytes, a map, a cut text.
const VALUES: &[u8] =
    b"\x92\x97\xc0\xc3\xff\xcd\x01\x00\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xa2hi\x81\xa1k\xc4\x01\x00\xc7\x02\x01ab";

/// A batch of one event of each of these kinds, on two lanes, the second after a loss and with this first sequence
/// number.
fn batch(kinds: &[Kind], first_seq: u64) -> Vec<u8> {
    let header = Header {
        run: RunId::new(7),
        batch: 1,
        service: "bank",
        instance: "one",
        environment: "test",
        pid: 42,
        tags: vec![("zone", "a")],
        base_unix_ns: 1_700_000_000_000_000_000,
        recorded: 100,
        lost: vec![("ring_full", 3)],
        unsampled: 0,
        off: Kinds::NONE,
    };
    let thread = Strand { number: 1, trace: 1, span: 0, upstream: 0, entry: false, name: None, clock: Vec::new() };
    let (name, clock) = (Some(1), vec![(1, 300), (2, 7)]);
    let request = Strand { number: 2, trace: 5, span: 6, upstream: 4, entry: true, name, clock };
    let lane = Lane {
        ring: 0,
        first_seq: 0,
        strand: 0,
        first_step: 1,
        lost_before: 0,
        thread: Some(2),
        held: Vec::new(),
        after: Vec::new(),
    };
    let (held, after) = (vec![9, 10], vec![(1, 1)]);
    let after_a_loss = Lane { ring: 1, first_seq, strand: 1, lost_before: 3, held, after, ..lane.clone() };
    let mut out = Vec::new();
    write_head(
        &mut out,
        &BatchHead {
            header: &header,
            strings: &["src/main.rs", "balance", "teller"],
            sites: &[Site { file: 0, line: 12, column: 5 }],
            strands: &[thread, request],
            lanes: &[lane, after_a_loss],
            events: kinds.len(),
        },
    );
    for (at, kind) in (0_u8..).zip(kinds) {
        // Lane, kind, time in one byte each, site 0, name 1, nothing before, a number after.
        out.extend([0x97, at % 2, kind.code(), at, 0, 1, 0xc0, at]);
    }
    out
}
