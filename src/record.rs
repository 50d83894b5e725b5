//! The in-ring form of an event: words in, words out.
//!
//! Every record has the same shape: kind, site and name in the frame's head; then, as payload, the time in ticks, two
//! arguments `a` and `b`, and the name's bytes if it was copied, or the number of the object that is called after a place. A frame's tags say what the arguments are, four bits
//! each; none and truth values cost no word, numbers one, text and packed values one for the length and their bytes.
//! What the two arguments mean depends on the kind: [`trackside_wire::Kind`]. The name comes last so that, with numbers
//! for arguments, no address depends on its length.
//!
//! The decoder takes the payload as hostile: whatever the words are, it answers or refuses, and reads nothing beyond.

use crate::ring::frame::{self, Head, Site};
use crate::ring::spsc::{Slot, words_for};
use crate::ring::thread_ring::ThreadRing;
use std::panic::Location;

/// Of a message or a signal ([`trackside_wire::Kind::MessageSent`] and its like), `a` is the object's id with this in its
/// top byte, and `b` the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ObjectType {
    Mpsc,
    /// The receiver's side of a channel: its end, which makes sends fail.
    MpscReceiver,
    /// The room in a bounded channel.
    MpscRoom,
    Once,
    OnceLock,
    LazyLock,
    Barrier,
    /// The token of a thread: [`std::thread::park`].
    Thread,
    // Tokio's; a channel's sides as above.
    Oneshot,
    OneshotReceiver,
    Broadcast,
    BroadcastReceiver,
    Watch,
    WatchSender,
    WatchReceiver,
    Semaphore,
    Notify,
    OnceCell,
}

impl ObjectType {
    const ALL: [ObjectType; 18] = [
        Self::Mpsc,
        Self::MpscReceiver,
        Self::MpscRoom,
        Self::Once,
        Self::OnceLock,
        Self::LazyLock,
        Self::Barrier,
        Self::Thread,
        Self::Oneshot,
        Self::OneshotReceiver,
        Self::Broadcast,
        Self::BroadcastReceiver,
        Self::Watch,
        Self::WatchSender,
        Self::WatchReceiver,
        Self::Semaphore,
        Self::Notify,
        Self::OnceCell,
    ];

    const SHIFT: u32 = 56;

    /// The id and the type in one word.
    #[inline(always)]
    pub(crate) const fn with_id(self, id: u64) -> u64 {
        id | (self as u64) << Self::SHIFT
    }

    /// The two in a word; no type, if it is none of ours.
    pub(crate) fn and_id(word: u64) -> (Option<Self>, u64) {
        let code = (word >> Self::SHIFT) as usize;
        (Self::ALL.get(code).copied(), word & ((1 << Self::SHIFT) - 1))
    }

    /// What it is called on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mpsc => "mpsc",
            Self::MpscReceiver => "mpsc receiver",
            Self::MpscRoom => "mpsc room",
            Self::Once => "Once",
            Self::OnceLock => "OnceLock",
            Self::LazyLock => "LazyLock",
            Self::Barrier => "Barrier",
            Self::Thread => "Thread",
            Self::Oneshot => "oneshot",
            Self::OneshotReceiver => "oneshot receiver",
            Self::Broadcast => "broadcast",
            Self::BroadcastReceiver => "broadcast receiver",
            Self::Watch => "watch",
            Self::WatchSender => "watch sender",
            Self::WatchReceiver => "watch receiver",
            Self::Semaphore => "Semaphore",
            Self::Notify => "Notify",
            Self::OnceCell => "OnceCell",
        }
    }
}

/// The longest name that is recorded whole, in bytes.
pub(crate) const NAME_LIMIT: usize = 256;

/// What a record is called. `T` is how text is held: [`Bytes`] on the way into a ring, [`Words`] on the way out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Name<T> {
    None,
    Static(&'static str),
    Location(&'static Location<'static>),
    /// The place where an object was made, and the object's number, little-endian: there may be many of one place.
    Object(&'static Location<'static>, [u8; 8]),
    Copied(T),
}

/// One argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Arg<T> {
    Nil,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(T),
    /// One MessagePack value.
    Packed(T),
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Record<T> {
    pub(crate) kind: u8,
    pub(crate) site: Option<Site>,
    pub(crate) name: Name<T>,
    pub(crate) ticks: u64,
    pub(crate) a: Arg<T>,
    pub(crate) b: Arg<T>,
}

/// Bytes lent by the caller; `cut` says that there was more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bytes<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) cut: bool,
}

/// Bytes as they lie in a ring: eight to a word, little-endian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Words<'a> {
    pub(crate) words: &'a [u64],
    pub(crate) len: usize,
    pub(crate) cut: bool,
}

impl<'a> Bytes<'a> {
    /// At most `limit` bytes of `text`, not ending inside a character.
    #[inline(always)]
    pub(crate) fn of(text: &'a str, limit: usize) -> Self {
        // One value each is all that may differ between the ways: a whole Bytes from the cold one would be passed in
        // memory, and with it everything that is known of the record at compile time.
        let cut = text.len() > limit;
        let len = if cut { floor(text, limit) } else { text.len() };
        Self { bytes: &text.as_bytes()[..len], cut }
    }

    #[inline(always)]
    fn words(&self) -> usize {
        words_for(self.bytes.len())
    }
}

/// The longest length of at most `limit` at which `text` can be cut between two characters.
#[cold]
#[inline(never)]
fn floor(text: &str, limit: usize) -> usize {
    // A character has at most four bytes.
    (limit.saturating_sub(3)..=limit).rev().find(|len| text.is_char_boundary(*len)).unwrap_or(0)
}

impl Words<'_> {
    /// Appends the bytes to `out`.
    #[inline]
    pub(crate) fn copy_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.reserve(self.words.len() * 8);
        self.words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out.truncate(start + self.len);
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

impl Arg<Bytes<'_>> {
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
    fn put(&self, slot: &mut Slot<'_>) {
        match self {
            Arg::Nil | Arg::Bool(_) => {}
            Arg::Int(value) => slot.put(value.cast_unsigned()),
            Arg::UInt(value) => slot.put(*value),
            Arg::Float(value) => slot.put(value.to_bits()),
            Arg::Str(text) | Arg::Packed(text) => {
                slot.put(text.bytes.len() as u64 | if text.cut { CUT } else { 0 });
                slot.put_bytes(text.bytes);
            }
        }
    }
}

impl Record<Bytes<'_>> {
    /// Writes the record to the thread's ring. `false` if it was dropped, and counted, for want of room.
    #[inline(always)]
    pub(crate) fn write(&self, ring: &mut ThreadRing) -> bool {
        let (head, payload, text) = self.head();
        let Some(slot) = ring.reserve(&head, payload) else { return false };
        self.fill(slot, text);
        true
    }

    /// As [`Record::write`], where room is known. `false`, and nothing written or counted, where it would have to be made.
    #[inline(always)]
    pub(crate) fn write_at_once(&self, ring: &mut ThreadRing) -> bool {
        let (head, payload, text) = self.head();
        let Some(slot) = ring.reserve_at_once(&head, payload) else { return false };
        self.fill(slot, text);
        true
    }

    /// The frame's head, the length of its payload, and the text that goes into it as the name.
    #[inline(always)]
    fn head(&self) -> (Head, usize, Option<Bytes<'_>>) {
        let (name, text) = match self.name {
            Name::None => (frame::Name::None, None),
            Name::Static(text) if frame::packs(text) => (frame::Name::Static(text), None),
            Name::Static(text) => copied(Bytes::of(text, NAME_LIMIT)),
            Name::Location(location) => (frame::Name::Location(location), None),
            Name::Object(location, ref number) => {
                (frame::Name::Location(location), Some(Bytes { bytes: number, cut: false }))
            }
            Name::Copied(text) => copied(text),
        };
        let payload = 1 + text.map_or(0, |text| text.words()) + self.a.words() + self.b.words();
        let tags = self.a.tag() | (self.b.tag() << 4);
        (Head { kind: self.kind, tags, site: self.site, name }, payload, text)
    }

    #[inline(always)]
    fn fill(&self, mut slot: Slot<'_>, text: Option<Bytes<'_>>) {
        slot.put(self.ticks);
        self.a.put(&mut slot);
        self.b.put(&mut slot);
        if let Some(text) = text {
            slot.put_bytes(text.bytes);
        }
        slot.commit();
    }
}

#[inline(always)]
fn copied(text: Bytes<'_>) -> (frame::Name, Option<Bytes<'_>>) {
    (frame::Name::Inline { len: text.bytes.len() as u32, cut: text.cut }, Some(text))
}

/// Reads a record from a frame. `None` if the payload is not one that [`Record::write`] makes.
#[inline]
pub(crate) fn decode<'a>(head: &Head, payload: &'a [u64]) -> Option<Record<Words<'a>>> {
    let mut rest = Rest(payload);
    let ticks = rest.one()?;
    let a = rest.arg(head.tags & 15)?;
    let b = rest.arg(head.tags >> 4)?;
    let name = match head.name {
        frame::Name::None => Name::None,
        frame::Name::Static(text) => Name::Static(text),
        frame::Name::Location(location) => match rest.one() {
            Some(number) => Name::Object(location, number.to_le_bytes()),
            None => Name::Location(location),
        },
        frame::Name::Inline { len, cut } => Name::Copied(rest.text(len as usize, cut)?),
    };
    let record = Record { kind: head.kind, site: head.site, name, ticks, a, b };
    rest.0.is_empty().then_some(record)
}

struct Rest<'a>(&'a [u64]);

impl<'a> Rest<'a> {
    #[inline(always)]
    fn one(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    #[inline(always)]
    fn text(&mut self, len: usize, cut: bool) -> Option<Words<'a>> {
        let (words, rest) = self.0.split_at_checked(words_for(len))?;
        self.0 = rest;
        Some(Words { words, len, cut })
    }

    #[inline(always)]
    fn arg(&mut self, tag: u8) -> Option<Arg<Words<'a>>> {
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
