//! Any sequence of operations on a ring of any size, its indices near the end of the numbers or not, against a queue
//! that is plainly right: the same frames come out, in order and whole, exactly those that must fit do fit, and every
//! loss is told once, at its place.
//!
//! One thread only: what two threads may do to each other is loom's business (loom-tests).
//!
//! A longer run: `cargo +nightly fuzz run ring_ops -- -max_total_time=3600`. With AddressSanitizer, which cargo-fuzz
//! turns on by itself, a word written outside of the buffer is a finding too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ring::draft::{Draft, LOCK_BITS, SHARED};
use ring::frame::{FixedName, GAP, HEAD_WORDS, Head, MAX_WORDS, Name, Place, Site};
use ring::spsc::{Consumer, Producer, Ring, ends};
use ring::sync::Arc;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::Location;

#[expect(
    dead_code,
    unused_imports,
    clippy::disallowed_types,
    reason = "the ring is included as it is; the registry and the flusher use the rest of it"
)]
#[path = "../../src/ring"]
mod ring {
    pub(crate) mod draft;
    pub(crate) mod frame;
    pub(crate) mod spsc;
    pub(crate) mod sync;
}

fuzz_target!(|bytes: &[u8]| {
    let [capacity, start, ops @ ..] = bytes else { return };
    let mut sim = Sim::new(*capacity, *start);
    for op in ops.as_chunks::<3>().0 {
        sim.step(*op);
    }
    sim.drain();
});

/// The kind of a draft.
const KIND: u8 = 40;

/// A frame as it should come out.
#[derive(Debug, PartialEq)]
struct Frame {
    kind: u8,
    tags: u8,
    site: Option<Site>,
    name: Name,
    payload: Vec<u64>,
    /// Which bits of the last word mean anything.
    last: u64,
}

/// The ring and its model.
struct Sim {
    ring: Arc<Ring>,
    producer: Producer,
    consumer: Consumer,
    scratch: Vec<u64>,
    /// What is in the ring.
    frames: VecDeque<Frame>,
    /// How many words that is.
    used: usize,
    capacity: usize,
    /// Frames dropped, and how many of them a gap has told of.
    dropped: u64,
    announced: u64,
    /// A number that no two words have in common.
    next_word: u64,
}

impl Sim {
    fn new(capacity: u8, start: u8) -> Sim {
        // 1 to 2,048 words: small rings wrap often, large ones hold the longest frame there is.
        let capacity = 1_usize << (capacity % 12);
        // Just before the indices wrap, or at a whole distance from it.
        let start = if start < 128 { u32::from(start) } else { u32::MAX - u32::from(start - 128) };
        let size = NonZeroUsize::new(capacity).expect("a power of two");
        let ring = Ring::new(size, 7, start);
        // SAFETY: the ring is new, its indices are both at `start`, and no other end of it exists.
        let (producer, consumer) = unsafe { ends(&ring, start) };
        Sim {
            ring,
            producer,
            consumer,
            scratch: Vec::new(),
            frames: VecDeque::new(),
            used: 0,
            capacity,
            dropped: 0,
            announced: 0,
            next_word: 0,
        }
    }

    fn step(&mut self, [op, a, b]: [u8; 3]) {
        // Mostly short payloads; some of any length.
        let payload = if a < 224 { usize::from(a % 8) } else { usize::from(a - 224) * 33 };
        match op % 16 {
            0..=8 => self.push(payload, b),
            9 => self.abandon(payload, b),
            10 => self.push_with_wrong_count(payload, b),
            11..=13 => assert!(!self.drain(), "closed with its producer alive"),
            14 if a < 64 => self.new_lease(),
            14 => {
                self.producer.take_past_half();
            }
            _ => self.draft(a, b),
        }
    }

    /// What the owner of a ring does with an event: write it, or count it as dropped.
    fn push(&mut self, payload: usize, shape: u8) {
        let held = &[11, 12, 13][..usize::from(shape % 4)];
        if !self.make_room(payload, held) {
            return;
        }
        let frame = self.frame(payload, shape);
        let mut slot = self.producer.reserve(&head(&frame), payload).expect("there is room");
        frame.payload.iter().for_each(|word| slot.put(*word));
        slot.commit();
        self.enter(frame);
    }

    /// A frame that is written but for its last word, seen by nobody, and published with that or without; or written over.
    fn draft(&mut self, how: u8, shape: u8) {
        const WORDS: usize = 3;
        let frame = self.frame(WORDS + 1, 32);
        let here = Location::caller();
        let head = Head::fixed(KIND, FixedName::text("balance"), here, HEAD_WORDS + WORDS + 1);
        let room = self.producer.has_room(WORDS + 1);
        let events = self.producer.events();
        let draft = self.producer.draft(head, [frame.payload[0], frame.payload[1], frame.payload[2]]);
        assert_eq!((draft.is_some(), self.producer.open_draft(), self.producer.events()), (room, draft, events));
        if how & 4 != 0 {
            assert!(!self.drain(), "closed with its producer alive");
        }
        // A draft makes no room, so where there is one, no gap waits to be told.
        assert!(!room || self.announced == self.dropped);
        if how & 24 == 24 {
            return self.push(usize::from(how % 4), shape);
        }
        let whole = usize::from(how % 2);
        if !room {
            assert_eq!(self.producer.publish_draft(), None, "there is none");
            return;
        } else if whole == 0 {
            let lock = frame.payload[1] & (SHARED | ((1 << LOCK_BITS) - 1));
            assert_eq!(self.producer.publish_draft(), Some(lock));
        } else {
            // SAFETY: it is open, with so many words, and nothing was opened since.
            assert!(unsafe { self.producer.complete::<WORDS>(draft, || frame.payload[WORDS]) });
        }
        assert_eq!((self.producer.open_draft(), self.producer.publish_draft()), (Draft::NONE, None));
        assert_eq!(self.producer.events(), events + 1 + whole as u64);
        let payload = frame.payload[..WORDS + whole].to_vec();
        let (kind, name) = (KIND - 1 + whole as u8, Name::Static("balance"));
        self.enter(Frame { kind, tags: 0, site: Some(here.into()), name, payload, last: u64::MAX });
    }

    /// A frame that is begun and not committed was never there.
    fn abandon(&mut self, payload: usize, shape: u8) {
        let frame = self.frame(payload, shape);
        if let Some(mut slot) = self.producer.reserve(&head(&frame), payload) {
            frame.payload.iter().skip(1).for_each(|word| slot.put(*word));
        }
    }

    /// Words beyond the reserved number are ignored; bytes arrive as words, the last with anything behind them.
    fn push_with_wrong_count(&mut self, payload: usize, shape: u8) {
        if !self.make_room(payload, &[]) {
            return;
        }
        let mut frame = self.frame(payload, shape);
        let mut bytes: Vec<u8> = frame.payload.iter().flat_map(|word| word.to_le_bytes()).collect();
        // Cut inside the last word, which loses its upper bytes.
        let cut = usize::from(shape % 8).min(bytes.len());
        bytes.truncate(bytes.len() - cut);
        frame.last = u64::MAX >> (8 * cut);
        let mut slot = self.producer.reserve(&head(&frame), payload).expect("there is room");
        slot.put_bytes(&bytes);
        slot.put_bytes(b"beyond what was reserved");
        slot.commit();
        self.enter(frame);
    }

    /// Makes room, and checks that there is room exactly where the model has it.
    fn make_room(&mut self, payload: usize, held: &[u64]) -> bool {
        let len = HEAD_WORDS + payload;
        let longest = MAX_WORDS.min(self.capacity);
        let held = &held[..held.len().min(longest.saturating_sub(HEAD_WORDS + 1))];
        let gap = if self.dropped == self.announced { 0 } else { HEAD_WORDS + 1 + held.len() };
        let fits = len <= longest && self.used + gap + len <= self.capacity;
        let room = self.producer.has_room(payload) || self.producer.make_room(payload, held);
        assert_eq!(room, fits, "{payload} words of payload in {} used of {}", self.used, self.capacity);
        if !room {
            self.producer.count_dropped();
            self.dropped += 1;
        } else if gap != 0 {
            let told = [&[self.dropped - self.announced], held].concat();
            self.announced = self.dropped;
            self.enter(Frame { kind: GAP, tags: 0, site: None, name: Name::None, payload: told, last: u64::MAX });
        }
        assert_eq!(self.ring.dropped(), self.dropped);
        room
    }

    fn enter(&mut self, frame: Frame) {
        self.used += HEAD_WORDS + frame.payload.len();
        self.frames.push_back(frame);
    }

    fn frame(&mut self, payload: usize, shape: u8) -> Frame {
        static PLACE: Place = Place { file: "src/shop.rs", line: 17 };
        let here = Location::caller();
        let name = match shape >> 5 {
            0 => Name::None,
            1 => Name::Static("balance"),
            2 => Name::Static("x"),
            3 => Name::Location(here),
            4 => Name::Inline { len: u32::MAX, cut: true },
            _ => Name::Inline { len: u32::from(shape), cut: false },
        };
        let words = self.next_word..self.next_word + payload as u64;
        self.next_word = words.end;
        let site = match shape & 24 {
            0 | 8 => None,
            16 => Some(Site::Location(here)),
            _ => Some(Site::Place(&PLACE)),
        };
        // Mixed, so that a byte in the wrong place shows.
        let payload = words.map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        Frame { kind: shape % GAP, tags: shape.reverse_bits(), site, name, payload, last: u64::MAX }
    }

    /// Everything that was committed comes out, and nothing else.
    fn drain(&mut self) -> bool {
        let frames = &mut self.frames;
        let drained = self.consumer.drain(&mut self.scratch, |head, payload| {
            let Head { kind, tags, site, name } = *head;
            let mut expected = frames.pop_front().expect("no more came out than went in");
            let mut out = Frame { kind, tags, site, name, payload: payload.to_vec(), last: expected.last };
            for frame in [&mut expected, &mut out] {
                let last = frame.last;
                frame.payload.last_mut().into_iter().for_each(|word| *word &= last);
            }
            assert_eq!(out, expected);
            true
        });
        assert!(self.frames.is_empty(), "frames did not come out: {:?}", self.frames);
        self.used = 0;
        drained.closed
    }

    /// The thread goes; what it left is drained; the ring goes to another thread. A loss that no gap has
    /// told of by then shows in the ring's count alone.
    fn new_lease(&mut self) {
        let (no_producer, no_consumer) = spare_ends();
        drop(std::mem::replace(&mut self.producer, no_producer));
        assert!(self.drain(), "open with its producer gone");
        let (ring, position) =
            std::mem::replace(&mut self.consumer, no_consumer).into_parts().expect("the lease is over");
        // SAFETY: both ends have just been consumed, and everything up to `position` has been drained.
        (self.producer, self.consumer) = unsafe { ends(&ring, position) };
        self.announced = self.dropped;
    }
}

/// Ends of a ring that nobody uses, to stand in while those of the real one are away.
fn spare_ends() -> (Producer, Consumer) {
    let ring = Ring::new(NonZeroUsize::MIN, 0, 0);
    // SAFETY: the ring is new and used nowhere else.
    unsafe { ends(&ring, 0) }
}

fn head(frame: &Frame) -> Head {
    Head { kind: frame.kind, tags: frame.tags, site: frame.site, name: frame.name }
}
