//! The golden bytes of format version 1: a change that breaks one of these tests breaks every deployed collector, and
//! needs a new version number instead.

use crate::common::msgpack::{NIL, array, bin, ext, float, int, map, str, uint};
use crate::common::{OwnedBatch, OwnedRow};
use trackside_wire::{Ack, Batch, CUT_EXT, Kind, Kinds, Lane, RunId, Site, Strand};

/// Read at run time, not with include_str!, so that the regenerating run need not be compiled twice.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/batch-v1.hex");

const PREAMBLE: &str = "\
# A batch of format version 1 with one event of every kind; 32 bytes a line. The batch is `golden()` in ../it/golden.rs.
# Written by `TRACKSIDE_BLESS=1 cargo test -p trackside-wire --test it`: only ever for a NEW format version, in a
# file of its own. These bytes are what deployed SDKs send.
";

fn row(kind: Kind, name: Option<u32>, a: impl Into<Vec<u8>>, b: impl Into<Vec<u8>>) -> OwnedRow {
    let code = u64::from(kind.code());
    // Two lanes in turn, times that need one to nine bytes, and an event now and then without a site.
    OwnedRow {
        lane: u32::from(kind.code()) % 2,
        kind,
        time_ns: 7_u64.pow(u32::from(kind.code()) % 22),
        site: (code % 5 != 4).then_some(u32::from(kind.code()) % 2),
        name,
        a: a.into(),
        b: b.into(),
    }
}

fn golden() -> OwnedBatch {
    let strings = [
        "accounts.alice",
        "src/bank.rs",
        "src/main.rs",
        "worker-0",
        "transfer",
        "GET",
        "refresh",
        "ledger",
        "Overdrawn",
        "naïve-名前",
        "checkout",
        "bank#bank-7f9c",
        "web#web-1",
    ];
    let lock = |sequence: u64, kind: &str| array(&[uint(sequence), str(kind)]);
    OwnedBatch {
        run: RunId::new(0x0123_4567_89ab_cdef),
        batch: 300,
        service: "bank".into(),
        instance: "bank-7f9c".into(),
        environment: "production".into(),
        pid: 70_000,
        tags: vec![("region".into(), "eu-west-1".into()), ("tier".into(), "gold".into())],
        base_unix_ns: 1_763_900_000_123_456_789,
        recorded: 100_000,
        lost: vec![("ring_full".into(), 17), ("cut_off".into(), 1)],
        unsampled: 3000,
        off: Kinds::only([Kind::Read, Kind::LockAcquire, Kind::AtomicUpdate]),
        strings: strings.map(String::from).to_vec(),
        sites: vec![Site { file: 1, line: 42, column: 9 }, Site { file: 2, line: 70_000, column: 300 }],
        strands: vec![
            Strand {
                number: 12,
                trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
                span: 0xb7ad_6b71_6920_3331,
                upstream: 0x00f0_67aa_0ba9_02b7,
                entry: true,
                name: Some(10),
                clock: vec![(11, 300), (12, u64::MAX)],
            },
            Strand { number: 70_000, trace: 1, span: 0, upstream: 0, entry: false, name: None, clock: vec![] },
        ],
        lanes: vec![
            Lane {
                ring: 3,
                first_seq: 1 << 40,
                strand: 0,
                first_step: 5,
                lost_before: 17,
                thread: Some(3),
                held: vec![4, u64::MAX],
                after: vec![],
            },
            Lane {
                ring: u16::MAX,
                first_seq: 0,
                strand: 1,
                first_step: 0,
                lost_before: 0,
                thread: None,
                held: vec![],
                after: vec![(12, 7), (u64::MAX, 1 << 40)],
            },
        ],
        rows: vec![
            row(Kind::Read, Some(0), NIL, uint(100)),
            row(Kind::Write, Some(0), uint(100), int(-50)),
            row(Kind::AtomicRead, Some(0), NIL, uint(u64::MAX)),
            row(Kind::AtomicWrite, Some(0), NIL, int(i64::MIN)),
            row(Kind::AtomicRmw, Some(0), float(1.5), float(-0.0)),
            row(Kind::FunctionCall, Some(4), str("bank"), map(&[(str("amount"), uint(50)), (str("to"), str("bob"))])),
            row(Kind::FunctionReturn, Some(4), vec![0xc3], uint(1_234_567)),
            row(Kind::HttpRequest, Some(5), str("/accounts/alice?x=1"), array(&[map(&[]), NIL.to_vec()])),
            row(Kind::HttpResponse, None, uint(503), array(&[NIL.to_vec(), bin(&[0, 255]), uint(9)])),
            row(Kind::AsyncSpawn, Some(6), uint(77), NIL),
            row(Kind::TaskBegin, Some(6), uint(77), NIL),
            row(Kind::TaskEnd, Some(6), uint(77), NIL),
            row(Kind::AsyncAwait, Some(6), uint(77), NIL),
            row(Kind::LockAcquire, Some(7), uint(4), lock(900, "Mutex")),
            row(Kind::LockRelease, Some(7), NIL, lock(900, "RwLock-Write")),
            row(Kind::MemoryFence, None, str("SeqCst"), NIL),
            row(Kind::DatabaseQuery, None, ext(CUT_EXT, b"SELECT * FROM accounts WHERE"), array(&[str("pg"), uint(3)])),
            row(Kind::DatabaseResult, None, uint(2), NIL),
            row(Kind::Error, Some(8), str("no funds\nat all"), array(&[str("bank::transfer"), str("main")])),
            row(Kind::Custom, Some(9), map(&[(str("k"), array(&[vec![0xc2], ext(5, &[1, 2, 3, 4])]))]), NIL),
            row(Kind::CallSent, None, uint(0x00f0_67aa_0ba9_02b7), NIL),
            row(Kind::CallReturned, None, uint(0x00f0_67aa_0ba9_02b7), NIL),
            row(Kind::MessageSent, Some(9), uint(3), array(&[uint(300), str("mpsc")])),
            row(Kind::MessageReceived, Some(9), uint(3), array(&[uint(300), str("mpsc")])),
            row(Kind::SyncRelease, Some(9), uint(5), array(&[uint(1), str("Barrier")])),
            row(Kind::SyncAcquire, Some(9), uint(5), array(&[uint(1), str("Barrier")])),
            row(Kind::AtomicLoad, Some(9), uint(6), array(&[uint(0), str("Acquire"), int(-7)])),
            row(Kind::AtomicStore, Some(9), uint(6), array(&[uint(1), str("Release"), vec![0xc3]])),
            row(Kind::AtomicUpdate, Some(9), uint(6), array(&[uint(2), str("AcqRel"), uint(1), uint(u64::MAX)])),
            row(Kind::Suspended, None, NIL, NIL),
            row(
                Kind::LockWait,
                None,
                uint(4),
                array(&[
                    NIL.to_vec(),
                    str("Mutex"),
                    array(&[array(&[uint(12), uint(4)]), array(&[uint(70_000), uint(5)])]),
                ]),
            ),
        ],
    }
}

fn to_hex(bytes: &[u8]) -> String {
    let line = |chunk: &[u8]| chunk.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    bytes.chunks(32).map(line).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn fixture() -> Vec<u8> {
    if std::env::var_os("TRACKSIDE_BLESS").is_some() {
        std::fs::write(FIXTURE, PREAMBLE.to_owned() + &to_hex(&golden().encode())).unwrap();
    }
    from_hex(&std::fs::read_to_string(FIXTURE).expect("the fixture is part of the repository"))
}

#[test]
fn the_golden_batch_has_every_kind() {
    let kinds: Vec<Kind> = golden().rows.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, Kind::ALL);
}

#[test]
fn the_writer_writes_the_golden_bytes() {
    assert_eq!(to_hex(&golden().encode()), to_hex(&fixture()));
}

#[test]
fn the_reader_reads_the_golden_bytes() {
    let bytes = fixture();
    golden().assert_same(&Batch::decode(&bytes).unwrap());
}

/// The last two elements of the golden header: what was not recorded.
const PARTLY: [u8; 8] = [0xcd, 0x0b, 0xb8, 0xce, 0x10, 0x00, 0x20, 0x01];

/// The golden batch with other bytes for [`PARTLY`].
fn with_partly(bytes: &[u8]) -> Vec<u8> {
    let golden = fixture();
    let at = golden.windows(PARTLY.len()).position(|window| window == PARTLY).expect("the header says so");
    [&golden[..at], bytes, &golden[at + PARTLY.len()..]].concat()
}

#[test]
fn a_header_that_does_not_say_what_was_not_recorded_is_refused() {
    let mut bytes = with_partly(&[]);
    assert_eq!(std::mem::replace(&mut bytes[2], 0x9a), 0x9c);
    let error = Batch::decode(&bytes).unwrap_err();
    assert_eq!((error.offset, error.problem), (2, "a header is an array of twelve elements"));
}

#[test]
fn a_kind_that_was_not_recorded_has_to_be_a_kind() {
    let told = |off: u64| {
        let bytes = with_partly(&[&[0][..], &uint(off)].concat());
        Batch::decode(&bytes).map(|batch| (batch.header.unsampled, batch.header.off)).map_err(|error| error.problem)
    };
    assert_eq!(told(0), Ok((0, Kinds::NONE)));
    assert_eq!(told(1 << Kind::CallSent.code()), Ok((0, Kinds::only([Kind::CallSent]))));
    assert_eq!(told(Kinds::ALL.bits()), Ok((0, Kinds::ALL)));
    for unknown in [1 << Kind::ALL.len(), u64::MAX] {
        assert_eq!(told(unknown), Err("a set of kinds has one that is unknown"));
    }
}

#[test]
fn a_slice_of_the_whole_is_the_whole_but_for_its_number() {
    let bytes = fixture();
    let whole = Batch::decode(&bytes).unwrap();
    assert_eq!(whole.slice(0..whole.len(), whole.header.batch), bytes);
}

#[test]
fn the_acknowledgement_has_its_golden_bytes() {
    let ack = Ack { run: RunId::new(0x0123_4567_89ab_cdef), batch: 300, stored: 19, duplicates: 1 };
    let golden = from_hex("9501cf0123456789abcdefcd012c1301");
    assert_eq!(to_hex(&ack.encode()), to_hex(&golden));
    assert_eq!(Ack::decode(&golden), Ok(ack));
}
