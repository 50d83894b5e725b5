//! Frames that are written first and published later.

#![expect(unsafe_code, reason = "who adds to a draft vouches for it")]

use crate::kit::ring_of;
use crate::model::Model;
use crate::ring::draft::Draft;
use crate::ring::frame::{FixedName, GAP, HEAD_WORDS, Head, Name};
use crate::ring::spsc::{Consumer, Producer};
use loom::thread;
use std::num::NonZeroUsize;
use std::panic::Location;

const ACQUIRE: u8 = 20;
/// As a draft is written.
const SECTION: u8 = ACQUIRE + 1;
const RELEASE: u8 = 22;
const NAME: &str = "lock";

pub(super) const PUBLISHED: Model = Model {
    name: "draft_published",
    promise: "a draft is not seen before it is published, and then whole: two events, or one without its last word",
    floor: 600,
    preemptions: 3,
    body: || {
        // Five words, six, five and five: the third frame runs over the end of the index range.
        check(32, u32::MAX - 13, 14, &[true, false]);
    },
};

pub(super) const FULL: Model = Model {
    name: "draft_in_a_full_ring",
    promise: "a draft overwrites nothing that has not been read, nor does the word added to it; what is lost is told",
    floor: 5000,
    preemptions: 3,
    body: || {
        // Five words, and six, up to the buffer's end. The next draft fits but for the word that is to be added, whose place
        // is the first frame's first.
        check(16, u32::MAX - 10, 4, &[true, true, false]);
    },
};

/// Records an event, has room looked for, and records sections, of which those that are `true` have nothing recorded in them,
/// while the ring is drained. All arrives or is told to be lost.
fn check(capacity: usize, start: u32, room: usize, sections: &'static [bool]) {
    let (mut producer, mut consumer) = ring_of(NonZeroUsize::new(capacity).expect("a ring has words"), start);
    let recording = thread::spawn(move || {
        record(&mut producer, RELEASE);
        // So that all of the ring is known to be free: a draft makes no room.
        assert!(producer.make_room(room, &[]));
        sections.iter().for_each(|whole| section(&mut producer, *whole));
        producer.events()
    });
    let mut read = Reader::default();
    read.drain(&mut consumer);
    read.drain(&mut consumer);
    let events = recording.join().expect("the recorder holds");
    read.drain(&mut consumer);
    assert_eq!(read.next + u64::from(read.lost_at_the_end(&consumer)), events, "events are missing, or too many");
}

/// A lock is taken and given back: in one frame, or in two if something is recorded in between, or there is no room.
fn section(producer: &mut Producer, whole: bool) {
    let event = producer.events();
    let head = Head::fixed(SECTION, FixedName::text(NAME), Location::caller(), HEAD_WORDS + 4);
    let draft = producer.draft(head, words(event));
    assert_eq!(producer.events(), event, "counted before it is published");
    if !draft.is_some() {
        record(producer, ACQUIRE);
    } else if whole {
        // SAFETY: it was drafted just now, with three words.
        assert!(unsafe { producer.complete::<3>(draft, || !event) });
        assert_eq!(producer.events(), event + 2);
        return;
    } else {
        assert_eq!(producer.publish_draft(), Some(words(event)[1]), "the lock is not known again");
    }
    assert_eq!(producer.publish_draft(), None, "it is published only once");
    // SAFETY: it is published.
    assert!(!unsafe { producer.complete::<3>(draft, || !event) }, "it is published only once");
    assert_eq!(producer.open_draft(), Draft::NONE);
    record(producer, RELEASE);
}

/// Records an event as what it is, or counts it as lost.
fn record(producer: &mut Producer, kind: u8) {
    let event = producer.events();
    if !producer.has_room(3) && !producer.make_room(3, &[]) {
        return producer.count_dropped();
    }
    let head = Head { kind, tags: 0, site: None, name: Name::None };
    let mut slot = producer.reserve(&head, 3).expect("there is room");
    words(event).iter().for_each(|word| slot.put(*word));
    slot.commit();
}

/// The payload of an event of this number.
fn words(event: u64) -> [u64; 3] {
    [event, event * 3 + 1, event << 32]
}

/// The stream as a flusher sees it.
#[derive(Debug, Default)]
struct Reader {
    /// The number of the next event.
    next: u64,
    told: u64,
}

impl Reader {
    fn drain(&mut self, consumer: &mut Consumer) {
        consumer.drain(&mut Vec::new(), |head, payload| {
            self.take(head, payload);
            true
        });
    }

    fn take(&mut self, head: &Head, payload: &[u64]) {
        if head.kind == GAP {
            self.told += payload[0];
            self.next += payload[0];
            return;
        }
        assert_eq!(payload[..3], words(self.next), "torn, twice, or out of order");
        match (head.kind, &payload[3..]) {
            (ACQUIRE | RELEASE, []) => self.next += 1,
            (SECTION, [added]) => {
                assert_eq!((*added, head.name), (!self.next, Name::Static(NAME)));
                self.next += 2;
            }
            _ => panic!("a torn frame: {head:?}, {payload:?}"),
        }
    }

    /// How many were lost that no gap has told of.
    fn lost_at_the_end(&self, consumer: &Consumer) -> u32 {
        u32::try_from(consumer.ring().dropped() - self.told).expect("few")
    }
}
