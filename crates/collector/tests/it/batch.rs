//! Batches to send, written by hand: the collector never sees the SDK, and neither do its tests.

use trackside_wire::{BatchHead, FILE_MAGIC, Header, Kind, Kinds, Lane, RunId, Site, Strand, frame_len, write_head};

/// A lane of plain accesses to one variable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accesses {
    pub(crate) kind: Kind,
    pub(crate) ring: u16,
    pub(crate) first_seq: u64,
    pub(crate) count: u64,
}

/// `count` reads on `ring`, from `first_seq` on: nothing that races.
pub(crate) fn reads(ring: u16, first_seq: u64, count: u64) -> Accesses {
    Accesses { kind: Kind::Read, ring, first_seq, count }
}

/// One write on `ring`: two of them on two rings race.
pub(crate) fn write(ring: u16) -> Accesses {
    Accesses { kind: Kind::Write, ring, first_seq: 0, count: 1 }
}

/// A batch with a lane for each of `lanes`, each a strand of its own.
pub(crate) fn batch(run: u64, number: u64, lanes: &[Accesses]) -> Vec<u8> {
    batch_on("accounts.alice", run, number, lanes)
}

/// As [`batch`], with accesses to another variable.
pub(crate) fn batch_on(variable: &str, run: u64, number: u64, lanes: &[Accesses]) -> Vec<u8> {
    let mut out = head(&["src/bank.rs", variable], run, number, lanes);
    // The lanes take turns, so that an event's id is not its place in the batch.
    let mut left: Vec<_> = lanes.iter().map(|lane| lane.count).collect();
    while left.iter().any(|left| *left > 0) {
        for (at, accesses) in lanes.iter().enumerate().filter(|(at, _)| left[*at] > 0) {
            row(&mut out, at, accesses.kind, 1);
        }
        left.iter_mut().for_each(|left| *left = left.saturating_sub(1));
    }
    out
}

/// A batch of strands that each take one of `locks` and then another one, given by their places in the list.
pub(crate) fn nested(locks: &[&str], orders: &[[usize; 2]]) -> Vec<u8> {
    let lane = |ring: u16| Accesses { kind: Kind::LockAcquire, ring, first_seq: 0, count: 2 };
    let lanes: Vec<Accesses> = (0..).take(orders.len()).map(lane).collect();
    let mut out = head(&[&["src/bank.rs"], locks].concat(), 1, 0, &lanes);
    for (at, order) in orders.iter().enumerate() {
        order.iter().for_each(|lock| row(&mut out, at, Kind::LockAcquire, 1 + *lock as u64));
    }
    out
}

fn head(strings: &[&str], run: u64, number: u64, lanes: &[Accesses]) -> Vec<u8> {
    let count: u64 = lanes.iter().map(|lane| lane.count).sum();
    let header = Header { recorded: 1000 + number, lost: vec![("ring_full", number)], ..header(run, number) };
    let table: Vec<Strand> = lanes.iter().map(|accesses| strand(accesses.ring)).collect();
    let lane = |(at, accesses): (u32, &Accesses)| lane(accesses.ring, accesses.first_seq, at);
    let head = BatchHead {
        header: &header,
        strings,
        sites: &[Site { file: 0, line: 42, column: 5 }],
        strands: &table,
        lanes: &(0..).zip(lanes).map(lane).collect::<Vec<_>>(),
        events: usize::try_from(count).unwrap(),
    };
    let mut out = Vec::new();
    write_head(&mut out, &head);
    out
}

/// The header of a run that has recorded and lost nothing.
pub(crate) fn header(run: u64, number: u64) -> Header<'static> {
    Header {
        run: RunId::new(run),
        batch: number,
        service: "bank",
        instance: "bank-1",
        environment: "test",
        pid: 7,
        tags: vec![],
        base_unix_ns: 1_700_000_000_000_000_000,
        recorded: 0,
        lost: vec![],
        unsampled: 0,
        off: Kinds::NONE,
    }
}

/// A strand of no trace in particular, which has a ring of its own.
pub(crate) fn strand(ring: u16) -> Strand {
    Strand { number: ring.into(), trace: 1, span: 0, upstream: 0, entry: false, name: None, clock: vec![] }
}

/// The lane of a strand, given by its place in the table, whose steps are its ring's sequence numbers.
pub(crate) fn lane(ring: u16, first: u64, strand: u32) -> Lane {
    Lane {
        ring,
        first_seq: first,
        strand,
        first_step: first,
        lost_before: 0,
        thread: None,
        held: vec![],
        after: vec![],
    }
}

fn row(out: &mut Vec<u8>, lane: usize, kind: Kind, name: u64) {
    rmp::encode::write_array_len(out, 7).unwrap();
    for value in [lane as u64, u64::from(kind.code()), 0, 0, name] {
        rmp::encode::write_uint(out, value).unwrap();
    }
    rmp::encode::write_nil(out).unwrap();
    rmp::encode::write_uint(out, 100).unwrap();
}

/// A file of `batches`, as the SDK's file transport writes it.
pub(crate) fn file(batches: &[Vec<u8>]) -> Vec<u8> {
    let mut out = FILE_MAGIC.to_vec();
    for batch in batches {
        out.extend_from_slice(&frame_len(batch).unwrap());
        out.extend_from_slice(batch);
    }
    out
}
