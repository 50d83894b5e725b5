//! The in-ring form of an event: words in, words out.
//!
//! Every record has the same shape: kind, site and name in the frame's head; then, as payload, the time in ticks, the
//! name's bytes if it was copied, and two arguments `a` and `b`. A frame's tags say what the arguments are, four bits
//! each; none and truth values cost no word, numbers one, text and packed values one for the length and their bytes.
//! What the two arguments mean depends on the kind: [`trackside_wire::Kind`].
//!
//! The decoder takes the payload as hostile: whatever the words are, it answers or refuses, and reads nothing beyond.

use crate::ring::frame::{self, Head};
use crate::ring::local::ThreadRing;
use std::panic::Location;

/// An acquisition of a tracked mutex: `a` is the lock's id, `b` the sequence number.
pub(crate) const MUTEX_ACQUIRE: u8 = 28;
/// A release of a tracked mutex; as [`MUTEX_ACQUIRE`].
pub(crate) const MUTEX_RELEASE: u8 = 29;
/// Says which strand the ring's following records belong to: the name is the thread's, `a` the strand's number.
pub(crate) const ATTACH: u8 = 30;

/// What a record is called, before or after its way through the ring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Name<'a> {
    None,
    Static(&'static str),
    Location(&'static Location<'static>),
    Copied(Text<'a>),
}

/// One argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Arg<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(Text<'a>),
    /// One MessagePack value.
    Packed(Text<'a>),
}

/// Bytes, as the caller lent them or as they lie in a ring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Text<'a> {
    /// Borrowed from the caller; `cut` says that there was more.
    Bytes { bytes: &'a [u8], cut: bool },
    /// Eight to a word, little-endian.
    Words { words: &'a [u64], len: usize, cut: bool },
}

/// A record, decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Record<'a> {
    pub(crate) kind: u8,
    pub(crate) site: Option<&'static Location<'static>>,
    pub(crate) name: Name<'a>,
    pub(crate) ticks: u64,
    pub(crate) a: Arg<'a>,
    pub(crate) b: Arg<'a>,
}

impl<'a> Text<'a> {
    /// At most `limit` bytes of `text`, not ending inside a character.
    #[inline(always)]
    pub(crate) fn of(text: &'a str, limit: usize) -> Self {
        if text.len() <= limit {
            Self::Bytes { bytes: text.as_bytes(), cut: false }
        } else {
            Self::cut(text, limit)
        }
    }

    #[cold]
    #[inline(never)]
    fn cut(text: &'a str, limit: usize) -> Self {
        Self::Bytes { bytes: &text.as_bytes()[..text.floor_char_boundary(limit)], cut: true }
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        match self {
            Text::Bytes { bytes, .. } => bytes.len(),
            Text::Words { len, .. } => *len,
        }
    }

    #[inline(always)]
    pub(crate) fn is_cut(&self) -> bool {
        match self {
            Text::Bytes { cut, .. } | Text::Words { cut, .. } => *cut,
        }
    }

    /// Appends the bytes to `out`.
    #[inline]
    pub(crate) fn copy_to(&self, out: &mut Vec<u8>) {
        match self {
            Text::Bytes { bytes, .. } => out.extend_from_slice(bytes),
            Text::Words { words, len, .. } => {
                let start = out.len();
                out.reserve(words.len() * 8);
                words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
                out.truncate(start + len);
            }
        }
    }

    #[inline(always)]
    fn words(&self) -> usize {
        self.len().div_ceil(8)
    }
}

const NIL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const UINT: u8 = 4;
const FLOAT: u8 = 5;
const STR: u8 = 6;
const PACKED: u8 = 7;

const CUT: u64 = 1 << 32;

impl Arg<'_> {
    #[inline(always)]
    fn tag(&self) -> u8 {
        match self {
            Arg::Nil => NIL,
            Arg::Bool(false) => FALSE,
            Arg::Bool(true) => TRUE,
            Arg::Int(_) => INT,
            Arg::UInt(_) => UINT,
            Arg::Float(_) => FLOAT,
            Arg::Str(_) => STR,
            Arg::Packed(_) => PACKED,
        }
    }

    #[inline(always)]
    fn words(&self) -> usize {
        match self {
            Arg::Nil | Arg::Bool(_) => 0,
            Arg::Int(_) | Arg::UInt(_) | Arg::Float(_) => 1,
            Arg::Str(text) | Arg::Packed(text) => 1 + text.words(),
        }
    }

    #[inline(always)]
    fn put(&self, slot: &mut crate::ring::spsc::Slot<'_>) {
        match self {
            Arg::Nil | Arg::Bool(_) => {}
            Arg::Int(value) => slot.put(value.cast_unsigned()),
            Arg::UInt(value) => slot.put(*value),
            Arg::Float(value) => slot.put(value.to_bits()),
            Arg::Str(text) | Arg::Packed(text) => {
                slot.put(text.len() as u64 | if text.is_cut() { CUT } else { 0 });
                put_text(text, slot);
            }
        }
    }
}

#[inline(always)]
fn put_text(text: &Text<'_>, slot: &mut crate::ring::spsc::Slot<'_>) {
    match text {
        Text::Bytes { bytes, .. } => slot.put_bytes(bytes),
        Text::Words { words, .. } => words.iter().for_each(|word| slot.put(*word)),
    }
}

impl Record<'_> {
    /// Writes the record to the thread's ring, or counts it as dropped.
    #[inline(always)]
    pub(crate) fn write(&self, ring: &mut ThreadRing) {
        let (name, text) = match self.name {
            Name::None => (frame::Name::None, None),
            Name::Static(text) if frame::packs(text) => (frame::Name::Static(text), None),
            Name::Static(text) => copied(Text::of(text, crate::value::Name::INLINE_LIMIT)),
            Name::Location(location) => (frame::Name::Location(location), None),
            Name::Copied(text) => copied(text),
        };
        let payload = 1 + text.map_or(0, |text| text.words()) + self.a.words() + self.b.words();
        let head = Head { kind: self.kind, tags: self.a.tag() | (self.b.tag() << 4), site: self.site, name };
        let Some(mut slot) = ring.reserve(&head, payload) else { return };
        slot.put(self.ticks);
        if let Some(text) = text {
            put_text(&text, &mut slot);
        }
        self.a.put(&mut slot);
        self.b.put(&mut slot);
        slot.commit();
    }
}

#[inline(always)]
fn copied(text: Text<'_>) -> (frame::Name, Option<Text<'_>>) {
    (frame::Name::Inline { len: text.len() as u32, cut: text.is_cut() }, Some(text))
}

/// Reads a record from a frame. `None` if the payload is not one that [`Record::write`] makes.
#[inline]
pub(crate) fn decode<'a>(head: &Head, payload: &'a [u64]) -> Option<Record<'a>> {
    let mut rest = Words(payload);
    let ticks = rest.one()?;
    let name = match head.name {
        frame::Name::None => Name::None,
        frame::Name::Static(text) => Name::Static(text),
        frame::Name::Location(location) => Name::Location(location),
        frame::Name::Inline { len, cut } => Name::Copied(rest.text(len as usize, cut)?),
    };
    let a = rest.arg(head.tags & 15)?;
    let b = rest.arg(head.tags >> 4)?;
    let record = Record { kind: head.kind, site: head.site, name, ticks, a, b };
    rest.0.is_empty().then_some(record)
}

struct Words<'a>(&'a [u64]);

impl<'a> Words<'a> {
    #[inline(always)]
    fn one(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    #[inline(always)]
    fn text(&mut self, len: usize, cut: bool) -> Option<Text<'a>> {
        let (words, rest) = self.0.split_at_checked(len.div_ceil(8))?;
        self.0 = rest;
        Some(Text::Words { words, len, cut })
    }

    #[inline(always)]
    fn arg(&mut self, tag: u8) -> Option<Arg<'a>> {
        Some(match tag {
            NIL => Arg::Nil,
            FALSE => Arg::Bool(false),
            TRUE => Arg::Bool(true),
            INT => Arg::Int(self.one()?.cast_signed()),
            UINT => Arg::UInt(self.one()?),
            FLOAT => Arg::Float(f64::from_bits(self.one()?)),
            STR | PACKED => {
                let word = self.one()?;
                let text = self.text(word as u32 as usize, word & CUT != 0)?;
                if tag == STR { Arg::Str(text) } else { Arg::Packed(text) }
            }
            _ => return None,
        })
    }
}
