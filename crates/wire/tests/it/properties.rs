//! Properties of the reader and the writer over random batches, random damage and plain noise.

use crate::common::{OwnedBatch, OwnedRow, msgpack};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::HashSet;
use trackside_wire::{Ack, Batch, Event, Kind, Kinds, Lane, Raw, RunId, Site, Strand};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z.]{0,8}", 1 => "\\PC{0,40}"]
}

/// Any MessagePack value, up to three levels deep.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(msgpack::NIL.to_vec()),
        any::<bool>().prop_map(|value| vec![if value { 0xc3 } else { 0xc2 }]),
        any::<u64>().prop_map(msgpack::uint),
        any::<i64>().prop_map(msgpack::int),
        any::<f64>().prop_map(msgpack::float),
        text().prop_map(|text| msgpack::str(&text)),
        vec(any::<u8>(), 0..300).prop_map(|bytes| msgpack::bin(&bytes)),
        (any::<i8>(), vec(any::<u8>(), 0..20)).prop_map(|(kind, bytes)| msgpack::ext(kind, &bytes)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let entries = vec((inner.clone(), inner.clone()), 0..3);
        prop_oneof![
            vec(inner, 0..4).prop_map(|elements| msgpack::array(&elements)),
            entries.prop_map(|entries| msgpack::map(&entries)),
        ]
    })
}

prop_compose! {
    fn strand(strings: usize)(
        (number, trace, span, upstream, entry) in any::<(u64, u128, u64, u64, bool)>(),
        name in proptest::option::of(0..strings as u32),
        clock in vec((0..strings as u32, any::<u64>()), 0..3),
    ) -> Strand {
        Strand { number, trace, span, upstream, entry, name, clock }
    }
}

prop_compose! {
    fn lane(strands: usize, strings: usize)(
        ring in any::<u16>(),
        // Room above for the events, so that ids do not wrap.
        (first_seq, first_step) in (0..=u64::MAX / 2, 0..=u64::MAX / 2),
        (strand, lost_before) in (0..strands as u32, any::<u64>()),
        thread in proptest::option::of(0..strings as u32),
        (held, after) in (vec(any::<u64>(), 0..3), vec(any::<(u64, u64)>(), 0..3)),
    ) -> Lane {
        Lane { ring, first_seq, strand, first_step, lost_before, thread, held, after }
    }
}

prop_compose! {
    fn row(lanes: usize, sites: usize, strings: usize)(
        lane in 0..lanes as u32,
        kind in select(Kind::ALL),
        time_ns in any::<u64>(),
        site in proptest::option::of(0..sites as u32),
        name in proptest::option::of(0..strings as u32),
        (a, b) in (value(), value()),
    ) -> OwnedRow {
        OwnedRow { lane, kind, time_ns, site, name, a, b }
    }
}

type Tables = (Vec<String>, Vec<Site>, Vec<Strand>, Vec<Lane>, Vec<OwnedRow>);

fn tables() -> impl Strategy<Value = Tables> {
    let numbers = (1..4_usize, 1..4_usize, 1..4_usize);
    (vec(text(), 1..5), numbers).prop_flat_map(|(strings, (sites, strands, lanes))| {
        let site = (0..strings.len() as u32, any::<u32>(), any::<u32>());
        let site = site.prop_map(|(file, line, column)| Site { file, line, column });
        let rows = vec(row(lanes, sites, strings.len()), 0..12);
        let tables = (vec(strand(strings.len()), strands), vec(lane(strands, strings.len()), lanes));
        (Just(strings), vec(site, sites), tables, rows)
            .prop_map(|(strings, sites, (strands, lanes), rows)| (strings, sites, strands, lanes, rows))
    })
}

fn off() -> impl Strategy<Value = Kinds> {
    vec(select(Kind::ALL), 0..4).prop_map(|kinds| kinds.into_iter().collect())
}

fn batch() -> impl Strategy<Value = OwnedBatch> {
    let texts = (text(), text(), text(), vec((text(), text()), 0..3), vec((text(), any::<u64>()), 0..3));
    (texts, any::<(u64, u64, u32, u64, u64, u64)>(), off(), tables()).prop_map(|(texts, numbers, off, tables)| {
        let (service, instance, environment, tags, lost) = texts;
        let (run, batch, pid, base_unix_ns, recorded, unsampled) = numbers;
        let (strings, sites, strands, lanes, rows) = tables;
        let run = RunId::new(run);
        OwnedBatch {
            run,
            batch,
            service,
            instance,
            environment,
            pid,
            tags,
            base_unix_ns,
            recorded,
            lost,
            unsampled,
            off,
            strings,
            sites,
            strands,
            lanes,
            rows,
        }
    })
}

/// Decodes and, if that works, walks through everything that iterating could trip over.
fn walk(bytes: &[u8]) -> bool {
    let Ok(batch) = Batch::decode(bytes) else { return false };
    assert_eq!(batch.events().count(), batch.len());
    for event in batch.events() {
        let _ = (event.id.to_string(), event.name.map(|name| batch.string(name)));
        for raw in [event.a, event.b] {
            let _ = (raw.value(), raw.to_string(), raw.elements().count());
        }
    }
    true
}

/// Two events say the same when everything but the lane's index is equal; a slice takes the lanes over in order, so
/// that too.
#[track_caller]
fn assert_same_events<'a>(left: impl Iterator<Item = Event<'a>>, right: impl Iterator<Item = Event<'a>>) {
    let (left, right): (Vec<_>, Vec<_>) = (left.collect(), right.collect());
    assert_eq!(left, right);
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(batch in batch()) {
        batch.assert_same(&Batch::decode(&batch.encode()).unwrap());
    }

    #[test]
    fn every_prefix_is_an_error(batch in batch()) {
        let bytes = batch.encode();
        for len in 0..bytes.len() {
            prop_assert!(Batch::decode(&bytes[..len]).is_err(), "cut at {len} of {}", bytes.len());
        }
    }

    #[test]
    fn something_behind_the_batch_is_an_error(batch in batch(), extra in any::<u8>()) {
        let mut bytes = batch.encode();
        bytes.push(extra);
        prop_assert!(Batch::decode(&bytes).is_err());
    }

    #[test]
    fn a_slice_keeps_ids_steps_and_events(batch in batch(), (from, to) in (0..14_usize, 0..14_usize), number: u64) {
        let bytes = batch.encode();
        let whole = Batch::decode(&bytes).unwrap();
        let slice = whole.slice(from..to, number);
        let slice = Batch::decode(&slice).unwrap();
        prop_assert_eq!(slice.header.batch, number);
        assert_same_events(slice.events(), whole.events().skip(from).take(to.saturating_sub(from)));
    }

    #[test]
    fn halves_of_halves_add_up(batch in batch(), cut in 0..14_usize) {
        let bytes = batch.encode();
        let whole = Batch::decode(&bytes).unwrap();
        let (left, right) = (whole.slice(0..cut, 1), whole.slice(cut..usize::MAX, 2));
        let (left, right) = (Batch::decode(&left).unwrap(), Batch::decode(&right).unwrap());
        assert_same_events(left.events().chain(right.events()), whole.events());
        let used: HashSet<usize> = whole.events().map(|event| event.lane as usize).collect();
        for (at, (lane, (left, right))) in whole.lanes.iter().zip(left.lanes.iter().zip(&right.lanes)).enumerate() {
            let moved = right.first_seq - lane.first_seq;
            prop_assert_eq!(right.first_step - lane.first_step, moved);
            // What came before is told once: by the part with the lane's first event.
            let (lost, after) = if used.contains(&at) { (lane.lost_before, &lane.after[..]) } else { (0, &[][..]) };
            prop_assert_eq!(left.lost_before + right.lost_before, lost);
            prop_assert_eq!([&left.after[..], &right.after].concat(), after);
            prop_assert!(moved == 0 || (right.lost_before == 0 && right.after.is_empty()));
        }
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..400)) {
        walk(&bytes);
        let _ = (Ack::decode(&bytes), Raw::new(&bytes).map(|raw| raw.to_string()));
    }

    #[test]
    fn damage_never_panics(batch in batch(), damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = batch.encode();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        walk(&bytes);
    }

    #[test]
    fn an_acknowledgement_round_trips((run, batch, stored, duplicates) in any::<(u64, u64, u64, u64)>()) {
        let ack = Ack { run: RunId::new(run), batch, stored, duplicates };
        let bytes = ack.encode();
        prop_assert!(bytes.len() <= Ack::MAX_LEN);
        prop_assert_eq!(Ack::decode(&bytes), Ok(ack));
    }
}
