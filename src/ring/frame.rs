//! What a record looks like in a ring: two head words, then payload.
//!
//! ```text
//! word 0: | length in words: 10 | kind: 6 | form of the name: 2 | form of the site: 1 | site: 45, its address / 8, or 0 |
//! word 1: | tags: 8 | static:   length: 8, address: 48
//!                   | location:             address: 48
//!                   | inline:   15 spare, cut: 1, length: 32
//! ```
//!
//! Text that lives for ever travels as a pointer, so that naming a variable costs one word. So does a site: a [`Location`],
//! which the compiler makes, or a [`Place`], which others have learned of. User-space addresses have at most 48 bits on
//! every 64-bit platform that Rust's standard library supports: wider ones (57 bits on x86-64, 52 on aarch64) are only
//! given to who asks for them by an address hint to mmap, which neither loaders nor allocators do.
//!
//! Soundness: a head word is made from real `&'static` references only, by [`Head::words`]; [`Head::from_words`] is
//! unsafe and has one caller, the consumer, which reads what a producer of the same ring wrote. Payload words mean
//! nothing here: the record decoder takes them as hostile.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use std::panic::Location;

/// The kind of a frame that says: so many records of this ring were dropped before this point.
/// Its payload is the count, then the ids of the locks that the thread held when it resumed.
pub(crate) const GAP: u8 = 63;

/// Words before the payload.
pub(crate) const HEAD_WORDS: usize = 2;

/// The longest frame, head included.
pub(crate) const MAX_WORDS: usize = (1 << 10) - 1;

/// The longest static text that is passed by pointer, in bytes.
const MAX_STATIC_LEN: usize = 255;

const ADDRESS_BITS: u32 = 48;
const ADDRESS_MASK: u64 = (1 << ADDRESS_BITS) - 1;
/// A site's address is a multiple of 8, or on narrower machines of less, where it has bits to spare.
const SITE_SHIFT: u32 = align_of::<Location<'static>>().trailing_zeros();
const SITE_MASK: u64 = (1 << 45) - 1;
/// Says that the site is a place.
const PLACE: u64 = 1 << 45;
const _: () = assert!(usize::BITS <= 32 || SITE_SHIFT == 3, "a site's address must fit 45 bits");
const _: () = assert!(align_of::<Place>() >= 1 << SITE_SHIFT, "no bit of a place's address may get lost");

const FORM_SHIFT: u32 = 46;
const KIND_SHIFT: u32 = 48;
/// The highest kind there can be.
const KIND_MASK: u8 = 63;
const LEN_SHIFT: u32 = 54;

/// The forms of a name.
const NO_NAME: u64 = 0;
const STATIC: u64 = 1;
const LOCATION: u64 = 2;
const INLINE: u64 = 3;

const CUT: u64 = 1 << 32;

/// A place in the source that was learned of while the program ran, such as that of a `tracing` callsite.
#[derive(Debug, PartialEq, Eq)]
#[repr(align(8))]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

/// Where in the source a record was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    Location(&'static Location<'static>),
    Place(&'static Place),
}

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
    pub(crate) site: Option<Site>,
    pub(crate) name: Name,
}

/// A name that lives for ever, in the form that it has in a head: putting it there takes no look at what it is.
#[derive(Clone, Copy)]
pub(crate) struct FixedName {
    pointer: *const (),
    /// [`STATIC`] or [`LOCATION`].
    form: u8,
    /// Of a text.
    len: u8,
}

// SAFETY: it stands for a shared reference to a text or a location, which any thread may have.
unsafe impl Send for FixedName {}
// SAFETY: as above.
unsafe impl Sync for FixedName {}

impl FixedName {
    /// A text, of which as many bytes are taken as travel as a pointer: 255.
    pub(crate) const fn text(text: &'static str) -> Self {
        let mut len = if text.len() < MAX_STATIC_LEN { text.len() } else { MAX_STATIC_LEN };
        while !text.is_char_boundary(len) {
            len -= 1;
        }
        Self { pointer: text.as_ptr().cast(), form: STATIC as u8, len: len as u8 }
    }

    /// A place in the source.
    pub(crate) const fn location(location: &'static Location<'static>) -> Self {
        Self { pointer: std::ptr::from_ref(location).cast(), form: LOCATION as u8, len: 0 }
    }

    /// As any other name.
    pub(crate) fn name(self) -> Name {
        let Self { pointer, form, len } = self;
        if u64::from(form) == STATIC {
            // SAFETY: `text` made it from a text that begins here, and has at least so many bytes, up to a character's end.
            return Name::Static(unsafe { text(address(pointer), len.into()) });
        }
        // SAFETY: `location` made it from a location.
        unsafe { reference::<Location<'static>>(address(pointer)) }.map_or(Name::None, Name::Location)
    }
}

impl std::fmt::Debug for FixedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.name().fmt(f)
    }
}

/// The first two words of a frame, which can have come from real references only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadWords(pub(super) [u64; HEAD_WORDS]);

/// Whether `text` can travel as a pointer.
#[inline(always)]
pub(crate) fn packs(text: &'static str) -> bool {
    text.len() <= MAX_STATIC_LEN
}

#[inline(always)]
fn address<T>(of: *const T) -> u64 {
    let address = of.expose_provenance() as u64;
    debug_assert!(address <= ADDRESS_MASK, "an address of more than 48 bits");
    address
}

impl Site {
    /// Where it lies in memory: no two sites that differ have it in common.
    #[inline(always)]
    pub(crate) fn key(self) -> usize {
        match self {
            Site::Location(location) => std::ptr::from_ref(location).addr(),
            Site::Place(place) => std::ptr::from_ref(place).addr(),
        }
    }

    /// File, line and column; the column is 0 where it is not known.
    pub(crate) fn parts(self) -> (&'static str, u32, u32) {
        match self {
            Site::Location(location) => (location.file(), location.line(), location.column()),
            Site::Place(place) => (place.file, place.line, 0),
        }
    }
}

impl From<&'static Location<'static>> for Site {
    #[inline(always)]
    fn from(location: &'static Location<'static>) -> Self {
        Site::Location(location)
    }
}

impl Head {
    /// The two words, for a frame of `len` words in all. `len` must be at most [`MAX_WORDS`]; higher bits are cut.
    #[inline(always)]
    pub(crate) fn words(&self, len: usize) -> [u64; HEAD_WORDS] {
        let (form, name) = match self.name {
            Name::None => (NO_NAME, 0),
            Name::Static(text) if packs(text) => (STATIC, ((text.len() as u64) << 48) | address(text.as_ptr())),
            // Callers ask `packs` first; a text that slips through loses its name rather than its meaning.
            Name::Static(_) => (NO_NAME, 0),
            Name::Location(location) => (LOCATION, address(location)),
            Name::Inline { len, cut } => (INLINE, if cut { CUT } else { 0 } | u64::from(len)),
        };
        let site = match self.site {
            None => 0,
            Some(Site::Location(location)) => address(location) >> SITE_SHIFT,
            Some(Site::Place(place)) => PLACE | (address(place) >> SITE_SHIFT),
        };
        let constant =
            ((len as u64) << LEN_SHIFT) | (u64::from(self.kind & KIND_MASK) << KIND_SHIFT) | (form << FORM_SHIFT);
        [constant | site, (u64::from(self.tags) << 56) | name]
    }

    /// The two words of a frame without tags, of `len` words in all.
    #[inline(always)]
    pub(crate) fn fixed(kind: u8, name: FixedName, site: &'static Location<'static>, len: usize) -> HeadWords {
        let constant = ((len as u64) << LEN_SHIFT) | (u64::from(kind & KIND_MASK) << KIND_SHIFT);
        let first = constant | (u64::from(name.form) << FORM_SHIFT) | (address(site) >> SITE_SHIFT);
        HeadWords([first, (u64::from(name.len) << 48) | address(name.pointer)])
    }

    /// What is to be added to a first word for the frame to have one word more and to be of the next kind.
    pub(super) const LONGER: u64 = (1 << LEN_SHIFT) | (1 << KIND_SHIFT);

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
        let name = match (first >> FORM_SHIFT) & 3 {
            // SAFETY: a name word of this form was made from a text of this address and length.
            STATIC => Name::Static(unsafe { text(second & ADDRESS_MASK, ((second >> 48) & 0xff) as usize) }),
            LOCATION => {
                // SAFETY: a name word of this form was made from a location.
                let location = unsafe { reference::<Location<'static>>(second & ADDRESS_MASK) };
                location.map_or(Name::None, Name::Location)
            }
            INLINE => Name::Inline { len: second as u32, cut: second & CUT != 0 },
            _ => Name::None,
        };
        let site = (first & SITE_MASK) << SITE_SHIFT;
        let site = if first & PLACE == 0 {
            // SAFETY: without the mark, these bits of a first word are 0, or were made from a location.
            unsafe { reference::<Location<'static>>(site) }.map(Site::Location)
        } else {
            // SAFETY: with the mark, they were made from a place.
            unsafe { reference::<Place>(site) }.map(Site::Place)
        };
        Head { kind: (first >> KIND_SHIFT) as u8 & KIND_MASK, tags: (second >> 56) as u8, site, name }
    }
}

/// # Safety
/// `bits` must be 0 or the exposed address of a `&'static T`.
#[inline(always)]
unsafe fn reference<T>(bits: u64) -> Option<&'static T> {
    let pointer = std::ptr::with_exposed_provenance::<T>(bits as usize);
    // SAFETY: the caller vouches that a non-null pointer was made from a `&'static T`.
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
        static PLACE: Place = Place { file: "src/shop.rs", line: u32::MAX };
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
            for (kind, tags, len) in [(0, 0, 2), (63, 255, MAX_WORDS), (GAP, 7, 100)] {
                for site in [None, Some(Site::Location(here)), Some(Site::Place(&PLACE))] {
                    let back = round_trip(Head { kind, tags, site, name }, len);
                    assert_eq!((back.kind, back.tags, back.site, back.name), (kind, tags, site, name));
                }
            }
        }
    }

    #[test]
    fn a_fixed_name_is_the_name_it_was_made_from() {
        let here = Location::caller();
        let long: &'static str = Box::leak(("x".repeat(254) + "é").into_boxed_str());
        let cases = [
            (FixedName::text("counter"), Name::Static("counter")),
            (FixedName::text(""), Name::Static("")),
            (FixedName::text(long), Name::Static(&long[..254])),
            (FixedName::location(here), Name::Location(here)),
        ];
        for (fixed, name) in cases {
            assert_eq!(fixed.name(), name);
            let HeadWords(words) = Head::fixed(59, fixed, here, 7);
            assert_eq!(words, Head { kind: 59, tags: 0, site: Some(here.into()), name }.words(7));
        }
    }

    #[test]
    fn a_site_tells_its_file_line_and_column_where_it_has_one() {
        let place = Box::leak(Box::new(Place { file: "src/shop.rs", line: 17 }));
        let location = Location::caller();
        let (here, there) = (Site::from(location), Site::Place(place));
        assert_eq!(here.parts(), (file!(), location.line(), location.column()));
        assert_ne!(location.column(), 0);
        assert_eq!(there.parts(), ("src/shop.rs", 17, 0));
        assert_ne!(here.key(), there.key());
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
