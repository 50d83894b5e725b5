//! A few bytes may not claim much memory: a declared length is checked against the bytes that are there.

use crate::common::{OwnedBatch, msgpack};
use trackside_wire::{Batch, Header, Kinds, Lane, Raw, RunId, Site, Strand};

const ARRAY_OF_4_BILLION: [u8; 5] = [0xdd, 0xff, 0xff, 0xff, 0xff];
const MAP_OF_4_BILLION: [u8; 5] = [0xdf, 0xff, 0xff, 0xff, 0xff];
const STR_OF_4_BILLION: [u8; 5] = [0xdb, 0xff, 0xff, 0xff, 0xff];
const BIN_OF_4_BILLION: [u8; 5] = [0xc6, 0xff, 0xff, 0xff, 0xff];
const EXT_OF_4_BILLION: [u8; 5] = [0xc9, 0xff, 0xff, 0xff, 0xff];

pub(crate) fn strand() -> Strand {
    Strand { number: 0, trace: 0, span: 0, upstream: 0, entry: false, name: None, clock: vec![] }
}

pub(crate) fn lane() -> Lane {
    let (held, after) = (vec![], vec![]);
    Lane { ring: 0, first_seq: 0, strand: 0, first_step: 0, lost_before: 0, thread: None, held, after }
}

fn small() -> Vec<u8> {
    let lane = Lane { after: vec![(0, 1)], held: vec![1], ..lane() };
    let batch = OwnedBatch {
        run: RunId::new(1),
        batch: 0,
        service: "s".into(),
        instance: String::new(),
        environment: String::new(),
        pid: 0,
        tags: vec![("k".into(), "v".into())],
        base_unix_ns: 0,
        recorded: 0,
        lost: vec![],
        unsampled: 0,
        off: Kinds::NONE,
        strings: vec!["x".into()],
        sites: vec![Site { file: 0, line: 1, column: 1 }],
        strands: vec![Strand { clock: vec![(0, 1)], ..strand() }],
        lanes: vec![lane],
        rows: vec![crate::common::OwnedRow {
            lane: 0,
            kind: trackside_wire::Kind::Custom,
            time_ns: 0,
            site: None,
            name: None,
            a: msgpack::array(&[msgpack::uint(1)]),
            b: msgpack::NIL.to_vec(),
        }],
    };
    batch.encode()
}

/// Puts each claim of four billion elements at every offset of a good batch: none is believed, wherever it stands.
#[test]
fn four_billion_of_anything_anywhere_are_refused() {
    let good = small();
    for claim in [ARRAY_OF_4_BILLION, MAP_OF_4_BILLION, STR_OF_4_BILLION, BIN_OF_4_BILLION, EXT_OF_4_BILLION] {
        for at in 0..good.len() {
            let mut bytes = good[..at].to_vec();
            bytes.extend_from_slice(&claim);
            bytes.extend_from_slice(&good[at + 1..]);
            // The claim may land inside text or a trace id, where it is only content; that it is refused or harmless
            // shows in this loop ending at all: believing it once would ask for tens of gigabytes.
            let _ = Batch::decode(&bytes);
        }
        assert!(Raw::new(&claim).is_err());
    }
}

#[test]
fn an_events_array_of_four_billion_is_refused() {
    let good = small();
    let tail = 1 + 1 + 1 + 1 + 1 + 1 + 1 + 2 + 1 + 1;
    let at = good.len() - tail + 1;
    assert_eq!(good[at..at + 2], [0x91, 0x97], "the array of one event, and the event's own marker");
    let mut bytes = good[..at].to_vec();
    bytes.extend_from_slice(&ARRAY_OF_4_BILLION);
    bytes.extend_from_slice(&good[at + 1..]);
    let error = Batch::decode(&bytes).unwrap_err();
    assert_eq!((error.offset, error.problem), (at, "a declared length is longer than the input"));
}

#[test]
fn deep_nesting_is_refused_before_the_stack_is_gone() {
    for marker in [0x91, 0x81] {
        assert_eq!(Raw::new(&vec![marker; 1 << 20]).unwrap_err().problem, "values nest too deep");
    }
}

/// The densest tables there are: what is reserved for them stays within a constant factor of the input.
#[test]
fn tables_take_a_constant_factor_of_the_input() {
    let header = Header {
        run: RunId::new(1),
        batch: 0,
        service: "",
        instance: "",
        environment: "",
        pid: 0,
        tags: vec![("", ""); 10_000],
        base_unix_ns: 0,
        recorded: 0,
        lost: vec![("", 0); 10_000],
        unsampled: 0,
        off: Kinds::NONE,
    };
    let lanes = [vec![lane(); 10_000], vec![Lane { held: vec![0; 10], after: vec![(0, 0); 10], ..lane() }; 10_000]];
    let strands = [vec![strand(); 10_000], vec![Strand { clock: vec![(0, 0); 10], ..strand() }; 10_000]];
    let mut bytes = Vec::new();
    let head = trackside_wire::BatchHead {
        header: &header,
        strings: &vec![""; 100_000],
        sites: &vec![Site { file: 0, line: 0, column: 0 }; 10_000],
        strands: &strands.concat(),
        lanes: &lanes.concat(),
        events: 0,
    };
    trackside_wire::write_head(&mut bytes, &head);
    let batch = Batch::decode(&bytes).unwrap();
    let reserved = batch.header.tags.capacity() * size_of::<(&str, &str)>()
        + batch.header.lost.capacity() * size_of::<(&str, u64)>()
        + batch.strings.capacity() * size_of::<&str>()
        + batch.sites.capacity() * size_of::<Site>()
        + batch.strands.capacity() * size_of::<Strand>()
        + batch.strands.iter().map(|strand| strand.clock.capacity() * size_of::<(u32, u64)>()).sum::<usize>()
        + batch.lanes.capacity() * size_of::<Lane>()
        + batch.lanes.iter().map(|lane| lane.held.capacity() * 8 + lane.after.capacity() * 16).sum::<usize>();
    assert!(reserved <= 17 * bytes.len(), "{reserved} bytes for {} of input", bytes.len());
}
