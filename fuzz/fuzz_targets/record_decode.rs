//! The payload of a frame, whatever its words are: the record decoder answers or refuses, and reads nothing beyond. What
//! it accepts survives being written into a ring and read back; and so does every record made here from scratch. The
//! same goes for what locks record.
//!
//! A longer run: `cargo +nightly fuzz run record_decode -- -max_total_time=3600`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lock_record::{LockRecord, What};
use record::{Arg, Bytes, Name, Record, Words};
use ring::frame::{self, Head, Place, Site};
use ring::thread_ring::ThreadRing;
use std::panic::Location;

#[expect(dead_code, reason = "the encoder and the locks use the rest of it")]
#[path = "../../src/lock_record.rs"]
mod lock_record;

#[expect(dead_code, reason = "the encoder and the client use the rest of it")]
#[path = "../../src/record.rs"]
mod record;

#[expect(
    dead_code,
    unused_imports,
    clippy::disallowed_types,
    reason = "the ring is included as it is; others use the rest of it"
)]
#[path = "../../src/ring"]
mod ring {
    pub(crate) mod draft;
    pub(crate) mod frame;
    pub(crate) mod spsc;
    pub(crate) mod sync;

    #[path = "../../fuzz/fuzz_targets/record_decode/thread_ring.rs"]
    pub(crate) mod thread_ring;
}

fuzz_target!(|bytes: &[u8]| {
    let Some((shape, rest)) = bytes.split_first_chunk::<4>() else { return };
    let mut ring = ThreadRing::new();
    hostile(&mut ring, *shape, rest);
    hostile_lock(*shape, rest);
    honest(&mut ring, *shape, rest);
});

/// Any payload behind any head.
fn hostile(ring: &mut ThreadRing, [kind, tags, name, len]: [u8; 4], rest: &[u8]) {
    let payload: Vec<u64> = rest.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    let name = match name % 8 {
        0..=2 => frame::Name::None,
        3 => frame::Name::Static("balance"),
        4 => frame::Name::Location(Location::caller()),
        5 => frame::Name::Inline { len: u32::MAX - u32::from(len), cut: true },
        _ => frame::Name::Inline { len: u32::from(len), cut: len & 1 == 0 },
    };
    let head = Head { kind: kind % frame::GAP, tags, site: site(len), name };
    let Some(record) = record::decode(&head, &payload) else { return };
    let first = owned(&record, of_words);
    for (text, _) in texts(&first) {
        assert!(text.len() <= 8 * payload.len(), "text of {} bytes in {} words", text.len(), payload.len());
    }

    lend(&first).write(ring);
    let (once_head, once) = ring.take();
    assert_eq!(once.len(), payload.len());
    let again = record::decode(&once_head, &once).expect("what was decoded and written can be decoded");
    assert_same(&owned(&again, of_words), &first);
}

/// Any payload as a lock's: what is read is what was written.
fn hostile_lock([kind, mode, _, _]: [u8; 4], rest: &[u8]) {
    let mut payload: Vec<u64> = rest.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    let kind = lock_record::ACQUIRE - 1 + kind % 5;
    if let Some(mixed) = payload.get_mut(1) {
        // Few modes of the 256 there could be are any.
        *mixed = (*mixed & (u64::MAX >> 8)) | (u64::from(mode) << 56);
    }
    let Some(record) = lock_record::decode(kind, &payload) else { return };
    let LockRecord { turn, ticks, what } = record;
    let more = match what {
        What::Acquire { waited } => waited,
        What::Section { released } => Some(released),
        What::Release => None,
    };
    let written: Vec<u64> = turn.words(ticks).into_iter().chain(more).collect();
    assert_eq!(written, payload);
    assert!(lock_record::is_lock(kind));
    assert_eq!(lock_record::events(kind), if matches!(what, What::Section { .. }) { 2 } else { 1 });
    // What the row's writer relies on: the length is in the byte that says that a string follows.
    assert!(turn.mode.text().len() < 32);
}

/// A record as a client makes it.
fn honest(ring: &mut ThreadRing, [kind, tags, name, limit]: [u8; 4], rest: &[u8]) {
    let thirds = rest.len() / 3;
    let (text, rest) = rest.split_at(thirds);
    let (first, second) = rest.split_at(thirds);
    let text = String::from_utf8_lossy(text);
    let name = match name % 5 {
        0 => Name::None,
        1 => Name::Static("balance"),
        2 => Name::Location(Location::caller()),
        3 => Name::Object(Location::caller(), [limit; 8]),
        _ => Name::Copied(Bytes::of(&text, usize::from(limit))),
    };
    let (a, b) = (arg(tags & 15, first), arg(tags >> 4, second));
    let record = Record { kind: kind % frame::GAP, site: site(kind >> 6), name, ticks: u64::from(limit) << 56, a, b };
    record.write(ring);
    let (head, payload) = ring.take();
    let decoded = record::decode(&head, &payload).expect("what was written can be decoded");
    assert_same(&owned(&decoded, of_words), &owned(&record, |text| (text.bytes.to_vec(), text.cut)));
}

/// One of each form.
fn site(form: u8) -> Option<Site> {
    static PLACE: Place = Place { file: "src/shop.rs", line: 17 };
    match form % 3 {
        0 => None,
        1 => Some(Site::Location(Location::caller())),
        _ => Some(Site::Place(&PLACE)),
    }
}

fn arg(tag: u8, bytes: &[u8]) -> Arg<Bytes<'_>> {
    let number = bytes.iter().rev().take(8).fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    match tag {
        0 => Arg::Nil,
        1 => Arg::Bool(false),
        2 => Arg::Bool(true),
        3 => Arg::Int(number.cast_signed()),
        4 => Arg::UInt(number),
        5 => Arg::Float(f64::from_bits(number)),
        6..=9 => Arg::Str(Bytes { bytes, cut: tag & 1 == 0 }),
        _ => Arg::Packed(Bytes { bytes, cut: tag & 1 == 0 }),
    }
}

/// Text that lies nowhere else: its bytes, and whether it was cut.
type Owned = (Vec<u8>, bool);

fn of_words(text: &Words<'_>) -> Owned {
    let mut out = Vec::new();
    text.copy_to(&mut out);
    assert_eq!(out.len(), text.len);
    (out, text.cut)
}

/// The record with other text in it.
fn with_text<'a, T, U>(record: &'a Record<T>, text: impl Fn(&'a T) -> U) -> Record<U> {
    let arg = |arg: &'a Arg<T>| match arg {
        Arg::Nil => Arg::Nil,
        Arg::Bool(value) => Arg::Bool(*value),
        Arg::Int(value) => Arg::Int(*value),
        Arg::UInt(value) => Arg::UInt(*value),
        Arg::Float(value) => Arg::Float(*value),
        Arg::Str(value) => Arg::Str(text(value)),
        Arg::Packed(value) => Arg::Packed(text(value)),
    };
    let name = match &record.name {
        Name::None => Name::None,
        Name::Static(name) => Name::Static(name),
        Name::Location(location) => Name::Location(location),
        Name::Object(location, number) => Name::Object(location, *number),
        Name::Copied(name) => Name::Copied(text(name)),
    };
    let Record { kind, site, ticks, .. } = *record;
    Record { kind, site, name, ticks, a: arg(&record.a), b: arg(&record.b) }
}

fn owned<T>(record: &Record<T>, text: impl Fn(&T) -> Owned) -> Record<Owned> {
    with_text(record, text)
}

fn lend(record: &Record<Owned>) -> Record<Bytes<'_>> {
    with_text(record, |(bytes, cut)| Bytes { bytes, cut: *cut })
}

/// The two say the same.
#[track_caller]
fn assert_same(left: &Record<Owned>, right: &Record<Owned>) {
    assert_eq!((left.kind, left.site, left.ticks, &left.name), (right.kind, right.site, right.ticks, &right.name));
    for (left, right) in [(&left.a, &right.a), (&left.b, &right.b)] {
        match (left, right) {
            // Not a number is not equal to itself, but its bits are.
            (Arg::Float(left), Arg::Float(right)) => assert_eq!(left.to_bits(), right.to_bits()),
            (left, right) => assert_eq!(left, right),
        }
    }
}

fn texts(record: &Record<Owned>) -> impl Iterator<Item = &Owned> {
    let name = if let Name::Copied(text) = &record.name { Some(text) } else { None };
    let args =
        [&record.a, &record.b].map(|arg| if let Arg::Str(text) | Arg::Packed(text) = arg { Some(text) } else { None });
    [name, args[0], args[1]].into_iter().flatten()
}
