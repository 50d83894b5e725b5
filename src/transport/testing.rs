//! Batches for the tests of the transports and the backlog.

use super::{Form, SealedBatch};
use trackside_wire::{BatchHead, Header, Kinds, Lane, RunId, Strand, write_head};

pub(crate) const RUN: RunId = RunId::new(0x0123_4567_89ab_cdef);

/// A well-formed batch with `events` events, each of some 30 bytes; the n-th has the sequence number n.
pub(crate) fn batch(number: u64, events: u64) -> SealedBatch {
    batch_from(number, 0, events)
}

/// As [`batch`], with sequence numbers from `first_seq` on.
pub(crate) fn batch_from(number: u64, first_seq: u64, events: u64) -> SealedBatch {
    let header = Header {
        run: RUN,
        batch: number,
        service: "api",
        instance: "api-1",
        environment: "test",
        pid: 7,
        tags: vec![],
        base_unix_ns: 0,
        recorded: events,
        lost: vec![],
        unsampled: 0,
        off: Kinds::NONE,
    };
    let strand = Strand { number: 1, trace: 9, span: 0, upstream: 0, entry: false, name: None, clock: vec![] };
    let lane = Lane {
        ring: 1,
        first_seq,
        strand: 0,
        first_step: first_seq,
        lost_before: 0,
        thread: None,
        held: vec![],
        after: vec![],
    };
    let head = BatchHead {
        header: &header,
        strings: &["accounts.alice"],
        sites: &[],
        strands: &[strand],
        lanes: &[lane],
        events: usize::try_from(events).unwrap(),
    };
    let mut bytes = Vec::new();
    write_head(&mut bytes, &head);
    for _ in 0..events {
        // lane 0, a write, time 1, no site, string 0, nil, a text.
        bytes.extend_from_slice(b"\x97\x00\x01\x01\xc0\x00\xc0\xb4twenty bytes of text");
    }
    SealedBatch { run: RUN, number, events, bytes: bytes.into(), form: Form::Native }
}
