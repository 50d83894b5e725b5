//! Records to event rows, rows to batches.
//!
//! A row is written straight into the batch's buffer. Kinds and their arguments are laid out as
//! [`trackside_wire::Kind`] documents them.

use crate::lock_record::{Turn, UNKNOWN};
use crate::record::{Arg, ObjectType, Record, Words};
use trackside_wire::{BatchHead, CUT_EXT, Header, Kind, Lane, Site, Strand, write_head};

/// An upper bound of what one row takes beside its arguments' bytes: seven elements, the longest of nine bytes,
/// and three more in a list.
pub(crate) const ROW_OVERHEAD: usize = 1 + 10 * 9;

/// An upper bound of what the row of a lock takes.
pub(crate) const LOCK_ROW: usize = ROW_OVERHEAD + 64;

/// Where a row points, in the tables of its batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pointers {
    pub(crate) lane: u32,
    pub(crate) site: Option<u32>,
    pub(crate) name: Option<u32>,
}

/// The tables and rows of a batch that has been closed.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) rows: &'a [u8],
    pub(crate) count: usize,
    pub(crate) strings: &'a [Box<str>],
    pub(crate) sites: &'a [Site],
    pub(crate) strands: &'a [Strand],
    pub(crate) lanes: &'a [Lane],
}

/// The whole batch; `size` is an upper bound of its bytes.
pub(crate) fn seal(header: &Header<'_>, parts: &Parts<'_>, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size);
    let Parts { rows, count, strings, sites, strands, lanes } = *parts;
    write_head(&mut bytes, &BatchHead { header, strings, sites, strands, lanes, events: count });
    bytes.extend_from_slice(rows);
    bytes
}

/// Appends the row of `record`.
#[inline]
pub(crate) fn row(out: &mut Vec<u8>, record: &Record<Words<'_>>, time_ns: u64, to: Pointers) {
    begin(out, record.kind, time_ns, to);
    if super::atomic::values(out, record) {
        return;
    }
    if let Some((object, id, number)) = signal(record) {
        return signal_args(out, object, id, number);
    }
    arg(out, &record.a);
    arg(out, &record.b);
}

/// Appends the row of an acquisition or a release. An acquisition may have been waited for.
#[inline]
pub(crate) fn lock_row(out: &mut Vec<u8>, kind: Kind, turn: &Turn, waited_ns: Option<u64>, time_ns: u64, to: Pointers) {
    begin(out, kind.code(), time_ns, to);
    uint(out, turn.id);
    out.push(if waited_ns.is_some() { 0x93 } else { 0x92 });
    match turn.sequence {
        UNKNOWN => out.push(0xc0),
        sequence => uint(out, sequence),
    }
    let mode = turn.mode.text();
    // The texts have fewer than 32 bytes.
    out.push(0xa0 | mode.len() as u8);
    out.extend_from_slice(mode.as_bytes());
    if let Some(waited_ns) = waited_ns {
        uint(out, waited_ns);
    }
}

/// What all rows begin with.
#[inline(always)]
fn begin(out: &mut Vec<u8>, kind: u8, time_ns: u64, to: Pointers) {
    out.push(0x97);
    uint(out, u64::from(to.lane));
    out.push(kind);
    uint(out, time_ns);
    index(out, to.site);
    index(out, to.name);
}

/// The type and id of the object, and the number, if the record is one of a message or a signal.
#[inline(always)]
fn signal(record: &Record<Words<'_>>) -> Option<(ObjectType, u64, u64)> {
    const FIRST: u8 = Kind::MessageSent.code();
    const LAST: u8 = Kind::SyncAcquire.code();
    match (record.kind, &record.a, &record.b) {
        (FIRST..=LAST, Arg::UInt(word), Arg::UInt(number)) => {
            let (object, id) = ObjectType::and_id(*word);
            Some((object?, id, *number))
        }
        _ => None,
    }
}

fn signal_args(out: &mut Vec<u8>, object: ObjectType, id: u64, number: u64) {
    uint(out, id);
    out.push(0x92);
    uint(out, number);
    // Writing into a Vec cannot fail.
    let _ = rmp::encode::write_str(out, object.name());
}

/// Whether a row of this kind can be read back: codes up to the last kind are one byte, and known to the reader.
#[inline(always)]
pub(crate) fn is_event(kind: u8) -> bool {
    Kind::from_code(kind).is_some()
}

#[inline(always)]
fn index(out: &mut Vec<u8>, index: Option<u32>) {
    match index {
        Some(index) => uint(out, u64::from(index)),
        None => out.push(0xc0),
    }
}

#[inline]
fn arg(out: &mut Vec<u8>, arg: &Arg<Words<'_>>) {
    match arg {
        Arg::Nil => out.push(0xc0),
        Arg::Bool(value) => out.push(0xc2 + u8::from(*value)),
        Arg::Int(value) => int(out, *value),
        Arg::UInt(value) => uint(out, *value),
        Arg::Float(value) => {
            out.push(0xcb);
            out.extend_from_slice(&value.to_bits().to_be_bytes());
        }
        Arg::Str(text) => string(out, text),
        Arg::Packed(bytes) => bytes.copy_to(out),
    }
}

#[cold]
fn cut(out: &mut Vec<u8>, text: &Words<'_>) {
    // Writing into a Vec cannot fail.
    let _ = rmp::encode::write_ext_meta(out, text.len as u32, CUT_EXT);
    text.copy_to(out);
}

#[inline]
fn string(out: &mut Vec<u8>, text: &Words<'_>) {
    if text.cut {
        return cut(out, text);
    }
    let _ = rmp::encode::write_str_len(out, text.len as u32);
    text.copy_to(out);
}

/// A short text of the library's own.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    let _ = rmp::encode::write_str(out, text);
}

/// An unsigned integer in its shortest form, as [`trackside_wire::Raw`] promises its readers.
#[inline(always)]
pub(crate) fn uint(out: &mut Vec<u8>, value: u64) {
    // Most integers in a row are indices and small values; the general writer costs several times as much.
    if value < 128 {
        out.push(value as u8);
    } else if value <= u64::from(u16::MAX) && value > u64::from(u8::MAX) {
        let [high, low] = (value as u16).to_be_bytes();
        out.extend_from_slice(&[0xcd, high, low]);
    } else {
        let _ = rmp::encode::write_uint(out, value);
    }
}

#[inline(always)]
pub(super) fn int(out: &mut Vec<u8>, value: i64) {
    if value >= 0 {
        uint(out, value.cast_unsigned());
    } else {
        let _ = rmp::encode::write_sint(out, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trackside_wire::Raw;

    fn encoded(value: Arg<Words<'_>>) -> Vec<u8> {
        let mut out = Vec::new();
        arg(&mut out, &value);
        out
    }

    #[test]
    fn integers_take_their_shortest_form() {
        let edges = [0, 1, 127, 128, 255, 256, 65535, 65536, u64::from(u32::MAX), u64::from(u32::MAX) + 1, u64::MAX];
        for value in edges {
            let mut shortest = Vec::new();
            rmp::encode::write_uint(&mut shortest, value).unwrap();
            assert_eq!(encoded(Arg::UInt(value)), shortest);
        }
        for value in [0, -1, -32, -33, i64::MIN, i64::MAX, 300] {
            let mut shortest = Vec::new();
            rmp::encode::write_sint(&mut shortest, value).unwrap();
            assert_eq!(encoded(Arg::Int(value)), shortest);
        }
    }

    #[test]
    fn messages_and_signals_have_their_id_number_and_type() {
        let row_of = |kind: Kind, a, b| {
            let record = Record { kind: kind.code(), site: None, name: crate::record::Name::None, ticks: 0, a, b };
            let mut out = Vec::new();
            row(&mut out, &record, 0, Pointers { lane: 0, site: None, name: None });
            Raw::new(&out).expect("a row is one value").to_string()
        };
        let word = Arg::UInt(ObjectType::Barrier.with_id(300));
        for kind in [Kind::MessageSent, Kind::MessageReceived, Kind::SyncRelease, Kind::SyncAcquire] {
            let row = row_of(kind, word, Arg::UInt(1 << 40));
            assert_eq!(row, format!("[0, {}, 0, null, null, 300, [1099511627776, \"Barrier\"]]", kind.code()));
        }
        // A word that is none of ours is a number like any other.
        assert_eq!(
            row_of(Kind::SyncAcquire, Arg::UInt(255 << 56), Arg::UInt(1)),
            "[0, 25, 0, null, null, 18374686479671623680, 1]"
        );
        assert_eq!(row_of(Kind::Custom, Arg::UInt(7), Arg::UInt(1)), "[0, 19, 0, null, null, 7, 1]");
    }

    #[test]
    fn values_read_back_as_what_they_were() {
        let check = |arg: Arg<Words<'_>>, text: &str| assert_eq!(Raw::new(&encoded(arg)).unwrap().to_string(), text);
        check(Arg::Nil, "null");
        check(Arg::Bool(true), "true");
        check(Arg::Bool(false), "false");
        check(Arg::Float(-0.5), "-0.5");
        let words = &[0x6162_6364_6566_6768, 0x69];
        check(Arg::Str(Words { words, len: 9, cut: false }), "\"hgfedcbai\"");
        check(Arg::Str(Words { words, len: 9, cut: true }), "\"hgfedcbai\"…");
        check(Arg::Str(Words { words: &[], len: 0, cut: false }), "\"\"");
        check(Arg::Packed(Words { words: &[0x0791], len: 2, cut: false }), "[7]");
    }
}
