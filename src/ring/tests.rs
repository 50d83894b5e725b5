//! One thread plays both ends of a ring, against a queue that is plainly right. What two threads may do to each other is
//! loom's business (`loom-tests`).

#![expect(unsafe_code, reason = "a ring is made without a registry, to say where its indices begin")]

use super::draft::Draft;
use super::frame::{FixedName, GAP, HEAD_WORDS, Head, MAX_WORDS, Name};
use super::spsc::{Consumer, Producer, Ring, ends};
use super::sync::Arc;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::Location;

const KIND: u8 = 3;

/// Kind and payload of a frame, as it should come out.
type Frame = (u8, Vec<u64>);

/// The ring and its model.
struct Sim {
    ring: Arc<Ring>,
    producer: Option<Producer>,
    consumer: Option<Consumer>,
    capacity: usize,
    longest: usize,
    /// What is in the ring, and how many words that is.
    frames: VecDeque<Frame>,
    used: usize,
    /// Frames dropped over all leases, and how many of this lease's no gap has told of yet.
    dropped: u64,
    unannounced: u64,
    /// Events ever recorded or dropped.
    events: u64,
    /// A number that no two payload words have in common.
    next_word: u64,
}

impl Sim {
    fn new(capacity: usize, start: u32) -> Self {
        let words = NonZeroUsize::new(capacity).expect("a ring has words");
        let ring = Ring::new(words, 0, start);
        // SAFETY: the ring is new, so these are its only ends, and it begins at `start`.
        let (producer, consumer) = unsafe { ends(&ring, start) };
        Self {
            ring,
            producer: Some(producer),
            consumer: Some(consumer),
            capacity,
            longest: MAX_WORDS.min(capacity),
            frames: VecDeque::new(),
            used: 0,
            dropped: 0,
            unannounced: 0,
            events: 0,
            next_word: 1 << 60,
        }
    }

    /// Records a frame as a thread does, and checks that it goes in exactly if it must.
    fn push(&mut self, payload: usize, held: &[u64]) {
        let words: Vec<u64> = (self.next_word..).take(payload).collect();
        self.next_word += payload as u64;
        let gap = self.gap(held);
        let len = HEAD_WORDS + payload;
        let needed = len + gap.as_ref().map_or(0, |gap| HEAD_WORDS + gap.1.len());
        let fits = len <= self.longest && self.used + needed <= self.capacity;

        let producer = self.producer.as_mut().expect("there is a producer between operations");
        assert_eq!(producer.events(), self.events);
        self.events += 1;
        let room = producer.has_room(payload) || producer.make_room(payload, held);
        assert_eq!(room, fits, "{needed} words into a ring with {} of {}", self.used, self.capacity);
        if !room {
            producer.count_dropped();
            self.dropped += 1;
            self.unannounced += 1;
            return;
        }
        let mut slot = producer.reserve(&head(), payload).expect("room was promised");
        words.iter().for_each(|word| slot.put(*word));
        slot.put(u64::MAX);
        slot.commit();

        self.frames.extend(gap);
        self.frames.push_back((KIND, words));
        self.used += needed;
        self.unannounced = 0;
    }

    /// The gap frame that must come before the next frame, if any.
    fn gap(&self, held: &[u64]) -> Option<Frame> {
        if self.unannounced == 0 {
            return None;
        }
        let told = held.len().min(self.longest.saturating_sub(HEAD_WORDS + 1));
        Some((GAP, std::iter::once(self.unannounced).chain(held[..told].iter().copied()).collect()))
    }

    /// Begins a frame and leaves it at that.
    fn abandon(&mut self, payload: usize) {
        let producer = self.producer.as_mut().expect("there is a producer between operations");
        if let Some(mut slot) = producer.reserve(&head(), payload) {
            slot.put(u64::MAX);
        }
    }

    /// Drafts a frame, which nobody sees, and publishes it as it is or with a word more. In between, the ring may be drained.
    fn draft(&mut self, longer: bool, drains: bool) {
        let words = [0, 1, 2, 3].map(|offset| self.next_word + offset);
        self.next_word += 4;
        let [first, second, third, fourth] = words;
        let producer = self.producer.as_mut().expect("there is a producer between operations");
        let head = Head::fixed(KIND, FixedName::text("draft"), Location::caller(), HEAD_WORDS + 3);
        let room = producer.has_room(4);
        let draft = producer.draft(head, [first, second, third]);
        // Where a draft is told of no gap, there is none to be told of.
        assert_eq!((draft.is_some(), room && self.unannounced > 0), (room, false));
        assert_eq!((producer.open_draft(), producer.events()), (draft, self.events));
        assert_eq!(producer.drafted_word(), draft.is_some().then_some(second));
        if drains {
            self.drain();
        }
        let producer = self.producer.as_mut().expect("there is a producer between operations");
        if !draft.is_some() {
            assert!(!producer.publish_draft(), "there is none");
            return;
        }
        let frame = if longer {
            // SAFETY: it is open, with three words, and nothing was opened since.
            unsafe { producer.publish_longer::<3>(fourth) };
            (KIND + 1, words.to_vec())
        } else {
            assert!(producer.publish_draft());
            (KIND, words[..3].to_vec())
        };
        assert_eq!(producer.open_draft(), Draft::NONE);
        assert!(!producer.publish_draft() && producer.drafted_word().is_none(), "it is published");
        self.used += HEAD_WORDS + frame.1.len();
        self.events += if longer { 2 } else { 1 };
        self.frames.push_back(frame);
    }

    /// Reads what is there, and checks that it is what should be there.
    fn drain(&mut self) -> bool {
        let consumer = self.consumer.as_mut().expect("there is a consumer between operations");
        let mut found = VecDeque::new();
        let drained = consumer.drain(&mut Vec::new(), |head, payload| {
            found.push_back((head.kind, payload.to_vec()));
            true
        });
        assert_eq!(found, std::mem::take(&mut self.frames));
        assert_eq!(self.ring.dropped(), self.dropped);
        self.used = 0;
        drained.closed
    }

    /// The thread goes, and the next gets its ring.
    fn change_hands(&mut self) {
        assert!(!self.drain(), "open while there is a producer");
        self.producer = None;
        assert!(self.drain(), "closed, and empty");
        let consumer = self.consumer.take().expect("there is a consumer between operations");
        let (ring, position) = consumer.into_parts().expect("the lease is over");
        // SAFETY: both ends are gone, and the consumer had drained all up to `position`.
        let (producer, consumer) = unsafe { ends(&ring, position) };
        assert_eq!(producer.events(), self.events, "the count goes on from one lease to the next");
        (self.producer, self.consumer) = (Some(producer), Some(consumer));
        // What no frame followed is told by the count alone.
        self.unannounced = 0;
    }
}

fn head() -> Head {
    Head { kind: KIND, tags: 0, site: None, name: Name::None }
}

#[derive(Debug, Clone)]
enum Op {
    /// Payload words, as thousandths of twice the capacity; locks held.
    Push(usize, usize),
    /// A short frame: rings fill up with many of them, and have gaps before them.
    PushShort(usize, usize),
    Abandon(usize),
    /// Whether a word is added to it, and whether the ring is drained meanwhile.
    Draft(bool, bool),
    Drain,
    ChangeHands,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..1000_usize, 0..4_usize).prop_map(|(payload, held)| Op::Push(payload, held)),
        6 => (0..6_usize, 0..4_usize).prop_map(|(payload, held)| Op::PushShort(payload, held)),
        1 => (0..6_usize).prop_map(Op::Abandon),
        6 => any::<(bool, bool)>().prop_map(|(longer, drains)| Op::Draft(longer, drains)),
        2 => Just(Op::Drain),
        1 => Just(Op::ChangeHands),
    ]
}

proptest! {
    /// The frames that come out are those that fitted, whole and in order, with each loss told once and at its place.
    #[test]
    fn a_ring_is_a_queue_that_tells_its_losses(
        log_capacity in 0..12_u32,
        // Before the end of the index range, so that most runs wrap.
        back in 0..200_u32,
        ops in vec(op(), 1..200),
    ) {
        let capacity = 1 << log_capacity;
        let mut sim = Sim::new(capacity, u32::MAX - back);
        for op in ops {
            match op {
                Op::Push(share, held) => sim.push(share * 2 * capacity / 1000, &[71, 72, 73][..held]),
                Op::PushShort(payload, held) => sim.push(payload, &[71, 72, 73][..held]),
                Op::Abandon(payload) => sim.abandon(payload),
                Op::Draft(longer, drains) => sim.draft(longer, drains),
                Op::Drain => prop_assert!(!sim.drain()),
                Op::ChangeHands => sim.change_hands(),
            }
        }
        sim.drain();
    }
}

#[test]
fn every_length_at_every_place() {
    for capacity in [1, 2, 8, 32] {
        for (back, payload) in (0..capacity).flat_map(|back| (0..2 * capacity).map(move |payload| (back, payload))) {
            // Empty rings and rings with a frame, with and without a gap before the next.
            let mut sim = Sim::new(capacity, u32::MAX - back as u32);
            sim.push(payload, &[]);
            sim.push(payload, &[]);
            sim.drain();
            sim.push(payload, &[9]);
            sim.push(0, &[9]);
            sim.push(payload, &[9]);
            sim.drain();
        }
    }
}

/// The one check of a frame's length on the hot path is against `MAX_WORDS`: the slack must hold whatever passes it. Debug builds abort at a word outside of the buffer.
#[test]
fn a_frame_that_has_room_is_inside_the_buffer() {
    const CAPACITY: usize = 64;
    for start in 0..CAPACITY as u32 {
        let ring = Ring::new(NonZeroUsize::new(CAPACITY).expect("not 0"), 0, start);
        // SAFETY: the ring is new, so these are its only ends, and it begins at `start`.
        let (mut producer, mut consumer) = unsafe { ends(&ring, start) };
        assert!(producer.make_room(1, &[]), "now half the ring is known to be free");
        let payload: Vec<u64> = (1000..).take(CAPACITY / 2 - HEAD_WORDS).collect();
        let Some(mut slot) = producer.reserve(&head(), payload.len()) else { continue };
        payload.iter().for_each(|word| slot.put(*word));
        slot.commit();
        consumer.drain(&mut Vec::new(), |_, found| {
            assert_eq!(found, payload);
            true
        });
    }
}

/// Room is known for a frame and a word: behind that, there may be what the consumer has not read.
#[test]
fn a_draft_keeps_the_room_for_the_word_that_may_be_added() {
    for back in 0..32 {
        for (longer, first) in [(true, 0), (false, 0), (true, 1), (false, 2)] {
            let mut sim = Sim::new(32, u32::MAX - back);
            (0..2).for_each(|_| sim.push(first, &[]));
            (0..8).for_each(|_| sim.draft(longer, false));
            sim.push(0, &[]);
            (0..8).for_each(|_| sim.draft(longer, false));
            sim.drain();
            sim.push(0, &[]);
            (0..8).for_each(|_| sim.draft(longer, true));
            sim.drain();
        }
    }
}

/// What is opened over a draft gives it up: that is never published any more, whoever asks for it.
#[test]
fn a_draft_that_was_written_over_is_gone() {
    let mut sim = Sim::new(64, 0);
    sim.push(0, &[]);
    let producer = sim.producer.as_mut().expect("a new ring has a producer");
    let words = Head::fixed(KIND, FixedName::text("draft"), Location::caller(), HEAD_WORDS + 1);
    let draft = producer.draft(words, [7]);
    assert!(draft.is_some() && producer.drafted_word().is_none(), "it has one word");
    sim.push(2, &[]);
    let producer = sim.producer.as_mut().expect("as before");
    assert_eq!(producer.open_draft(), Draft::NONE);
    assert!(!producer.publish_draft());
    assert_ne!(producer.draft(words, [8]), draft, "no two have the same index");
    sim.drain();
}

#[test]
fn a_ring_of_any_size_is_rounded_up() {
    let ring = Ring::new(NonZeroUsize::new(33).expect("not 0"), 0, 0);
    // SAFETY: the ring is new, so these are its only ends, and it begins at 0.
    let (mut producer, _consumer) = unsafe { ends(&ring, 0) };
    assert!(producer.make_room(62, &[]), "64 words, the whole ring");
    assert!(!producer.make_room(63, &[]), "longer than the ring");
}

#[test]
fn bytes_fill_the_words_that_they_need() {
    let bytes: Vec<u8> = (1..=40).collect();
    for len in 0..bytes.len() {
        let mut sim = Sim::new(64, 0);
        let producer = sim.producer.as_mut().expect("a new ring has a producer");
        let payload = len.div_ceil(8);
        assert!(producer.make_room(payload, &[]));
        let mut slot = producer.reserve(&head(), payload).expect("room was made");
        slot.put_bytes(&bytes[..len]);
        slot.commit();
        // The ring is new, so what the last word has behind them is what a new ring has there.
        let mut padded = bytes[..len].to_vec();
        padded.resize(payload * 8, 0);
        let words = padded.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect();
        sim.frames.push_back((KIND, words));
        sim.drain();
    }
}

#[test]
fn a_ring_in_use_is_not_taken_apart() {
    let ring = Ring::new(NonZeroUsize::new(64).unwrap(), 0, 0);
    // SAFETY: the ring is new and used nowhere else.
    let (mut producer, mut consumer) = unsafe { ends(&ring, 0) };
    consumer.drain(&mut Vec::new(), |_, _| true);
    assert!(producer.make_room(0, &[]));
    producer.reserve(&head(), 0).unwrap().commit();
    drop(producer);
    // The last look was before the producer went: there is a frame in it.
    assert_eq!(consumer.into_parts().map(|(_, position)| position), None);
}
