//! What a record looks like in a ring: two head words, then payload.
//!
//! ```text
//! word 0: | length in words: 10 | kind: 5 | 2 spare | source location: 47, a pointer or 0 |
//! word 1: | tags: 8 | length: 8 | inline: 1 | name: 47 |
//! ```
//!
//! Text that lives for ever travels as a pointer, so that naming a variable costs one word. On every platform Rust
//! supports, user-space addresses of statics have at most 47 bits; an address that does not fit is not packed, and the
//! caller copies the text instead.
//!
//! Soundness: a head word is made from real `&'static` references only, by [`Head::words`]; [`Head::from_words`] is
//! unsafe and has one caller, the consumer, which reads what a producer of the same ring wrote. Payload words mean
//! nothing here: the record decoder takes them as hostile.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use std::panic::Location;

/// The kind of a frame that says: so many records of this ring were dropped before this point.
/// Its payload is the count, then the ids of the locks that the thread held when it resumed.
pub(crate) const GAP: u8 = 31;

/// Words before the payload.
pub(crate) const HEAD_WORDS: usize = 2;

/// The longest frame, head included.
pub(crate) const MAX_WORDS: usize = (1 << 10) - 1;

/// The longest static text that is passed by pointer, in bytes. Lengths above mark other uses of the name word.
const MAX_STATIC_LEN: usize = 254;
/// The length that says: the name is a source location, not text.
const LEN_LOCATION: u64 = 255;

const POINTER_BITS: u32 = 47;
const POINTER_MASK: u64 = (1 << POINTER_BITS) - 1;
const INLINE: u64 = 1 << POINTER_BITS;
const KIND_SHIFT: u32 = 49;
const LEN_SHIFT: u32 = 54;

/// What a record is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// It has no name.
    None,
    /// Text that lives for ever.
    Static(&'static str),
    /// It is called after a place in the source.
    Location(&'static Location<'static>),
    /// Text of this many bytes, copied into the payload. `cut` says that it was longer.
    Inline { len: u32, cut: bool },
}

/// The decoded head of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) kind: u8,
    pub(crate) tags: u8,
    pub(crate) site: Option<&'static Location<'static>>,
    pub(crate) name: Name,
}

/// Whether `text` can travel as a pointer.
#[inline(always)]
pub(crate) fn packs(text: &'static str) -> bool {
    text.len() <= MAX_STATIC_LEN && (text.as_ptr().addr() as u64) <= POINTER_MASK
}

#[inline(always)]
fn location_bits(location: &'static Location<'static>) -> u64 {
    let address = std::ptr::from_ref(location).expose_provenance() as u64;
    if address <= POINTER_MASK { address } else { 0 }
}

impl Head {
    /// The two words, for a frame of `len` words in all. `len` must be at most [`MAX_WORDS`]; higher bits are cut.
    #[inline(always)]
    pub(crate) fn words(&self, len: usize) -> [u64; HEAD_WORDS] {
        let site = self.site.map_or(0, location_bits);
        let first = ((len as u64) << LEN_SHIFT) | (u64::from(self.kind & 31) << KIND_SHIFT) | site;
        let name = match self.name {
            Name::None => 0,
            Name::Static(text) if packs(text) => ((text.len() as u64) << 48) | text.as_ptr().expose_provenance() as u64,
            // Callers ask `packs` first; a text that slips through loses its name rather than its meaning.
            Name::Static(_) => 0,
            Name::Location(location) => match location_bits(location) {
                0 => 0,
                bits => (LEN_LOCATION << 48) | bits,
            },
            Name::Inline { len, cut } => INLINE | (u64::from(cut) << 32) | u64::from(len),
        };
        [first, (u64::from(self.tags) << 56) | name]
    }

    /// How many words the frame that starts with this word has. Never 0 for a word made by [`Head::words`].
    #[inline(always)]
    pub(crate) fn frame_len(first: u64) -> usize {
        (first >> LEN_SHIFT) as usize
    }

    /// Reads the head back.
    ///
    /// # Safety
    /// `words` must come from [`Head::words`], in this process.
    #[inline(always)]
    pub(crate) unsafe fn from_words(words: [u64; HEAD_WORDS]) -> Head {
        let [first, second] = words;
        let name = match second & POINTER_MASK {
            bits if second & INLINE != 0 => Name::Inline { len: bits as u32, cut: (bits >> 32) & 1 == 1 },
            0 => Name::None,
            bits => match (second >> 48) & 0xff {
                // SAFETY: a name word with this length was made from a location.
                LEN_LOCATION => unsafe { location(bits) }.map_or(Name::None, Name::Location),
                // SAFETY: any other name word without the inline bit was made from a text of this length.
                len => Name::Static(unsafe { text(bits, len as usize) }),
            },
        };
        // SAFETY: the low bits of a first word are 0 or were made from a location.
        let site = unsafe { location(first & POINTER_MASK) };
        Head { kind: ((first >> KIND_SHIFT) & 31) as u8, tags: (second >> 56) as u8, site, name }
    }
}

/// # Safety
/// `bits` must be 0 or an address that [`location_bits`] exposed.
#[inline(always)]
unsafe fn location(bits: u64) -> Option<&'static Location<'static>> {
    let pointer = std::ptr::with_exposed_provenance::<Location<'static>>(bits as usize);
    // SAFETY: the caller vouches that a non-null pointer was made from a `&'static Location`.
    unsafe { pointer.as_ref() }
}

/// # Safety
/// `bits` and `len` must be the exposed address and the length of a `&'static str`.
#[inline(always)]
unsafe fn text(bits: u64, len: usize) -> &'static str {
    let pointer = std::ptr::with_exposed_provenance::<u8>(bits as usize);
    // SAFETY: the caller vouches that this is the memory of a text that lives for ever.
    let bytes = unsafe { std::slice::from_raw_parts(pointer, len) };
    // SAFETY: it was a str, and what lives for ever and is shared does not change.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(head: Head, len: usize) -> Head {
        let words = head.words(len);
        assert_eq!(Head::frame_len(words[0]), len);
        // SAFETY: the words were made by Head::words one line above.
        unsafe { Head::from_words(words) }
    }

    #[test]
    fn every_part_of_a_head_survives() {
        let here = Location::caller();
        let names = [
            Name::None,
            Name::Static("counter"),
            Name::Static("x"),
            Name::Location(here),
            Name::Inline { len: 0, cut: false },
            Name::Inline { len: u32::MAX, cut: true },
        ];
        for name in names {
            for (kind, tags, len) in [(0, 0, 2), (31, 255, MAX_WORDS), (GAP, 7, 100)] {
                for site in [None, Some(here)] {
                    let back = round_trip(Head { kind, tags, site, name }, len);
                    assert_eq!((back.kind, back.tags, back.site, back.name), (kind, tags, site, name));
                }
            }
        }
    }

    #[test]
    fn a_text_too_long_for_the_length_field_does_not_pack() {
        let long: &'static str = Box::leak("x".repeat(MAX_STATIC_LEN + 1).into_boxed_str());
        assert!(!packs(long));
        assert!(packs(&long[1..]));
        let head = Head { kind: 1, tags: 0, site: None, name: Name::Static(long) };
        assert_eq!(round_trip(head, 2).name, Name::None);
    }
}
