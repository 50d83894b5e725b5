//! One producer, one consumer.

use crate::kit::{Recorder, Stream, ring, ring_of};
use crate::model::Model;
use loom::thread;
use std::num::NonZeroUsize;

pub(super) const WHOLE_FRAMES: Model = Model {
    name: "ring_whole_frames",
    promise: "a frame that was accepted arrives once, whole and in order, where indices wrap too",
    floor: 40,
    preemptions: 3,
    body: || {
        // The second frame runs over the end of the index range.
        let (producer, mut consumer) = ring(u32::MAX - 3);
        let recording = thread::spawn(move || {
            let mut recorder = Recorder::new(producer, 1);
            assert!(recorder.push(2));
            assert!(recorder.push(1), "seven words fit into eight");
        });
        let mut stream = Stream::default();
        stream.drain(&mut consumer);
        recording.join().expect("the recorder holds");
        assert!(stream.drain(&mut consumer), "closed");
        assert_eq!((stream.delivered(), stream.lost()), (2, 0));
    },
};

pub(super) const GAPS: Model = Model {
    name: "ring_gaps",
    promise: "a frame for which there is no room is counted, and a gap frame tells the exact count at its very place",
    floor: 5000,
    // From the recorder to the reader and back, twice: a gap that is told, then a frame that finds room again.
    preemptions: 4,
    body: || {
        // The third would fit where the second did not, and may not go in before the gap.
        const FRAMES: [usize; 5] = [3, 2, 1, 1, 1];
        let (producer, mut consumer) = ring(u32::MAX - 6);
        let shared = consumer.ring().clone();
        let recording = thread::spawn(move || {
            let mut recorder = Recorder::new(producer, 1);
            FRAMES.into_iter().fold((0, 0), |(pushed, trailing), payload| match recorder.push(payload) {
                true => (pushed + 1, 0),
                false => (pushed, trailing + 1),
            })
        });
        let mut stream = Stream::default();
        stream.drain(&mut consumer);
        stream.drain(&mut consumer);
        let (pushed, trailing) = recording.join().expect("the recorder holds");
        assert!(stream.drain(&mut consumer), "closed");
        let dropped = FRAMES.len() as u64 - pushed;
        assert_eq!(stream.delivered(), pushed);
        assert_eq!(stream.lost() + trailing, dropped, "what no frame followed is told by the count alone");
        assert_eq!(shared.dropped(), dropped);
    },
};

pub(super) const SLOT_REUSE: Model = Model {
    name: "ring_slot_reuse",
    promise: "a producer that waits for room overwrites no word before it has been read, and in the end gets its room",
    floor: 10_000,
    preemptions: 3,
    body: || {
        let (producer, mut consumer) = ring(u32::MAX - 9);
        let recording = thread::spawn(move || {
            let mut recorder = Recorder::new(producer, 1);
            // Eight, three and four words: the first fills the ring, the last begins where a frame runs into the slack.
            for payload in [6, 1, 2] {
                while !recorder.try_push(payload) {
                    thread::yield_now();
                }
            }
        });
        let mut stream = Stream::default();
        while stream.delivered() < 3 {
            stream.drain(&mut consumer);
            thread::yield_now();
        }
        recording.join().expect("the recorder holds");
        assert_eq!(stream.lost(), 0);
    },
};

pub(super) const LAST_PUBLISH: Model = Model {
    name: "ring_last_publish",
    promise: "a ring that has been drained is free to the last word, though its consumer tells of it in batches",
    floor: 2000,
    preemptions: 3,
    body: || {
        // A batch is a quarter of the ring, and must be longer than the first frame.
        const CAPACITY: NonZeroUsize = NonZeroUsize::new(16).unwrap();
        let (producer, mut consumer) = ring_of(CAPACITY, 0);
        let recording = thread::spawn(move || {
            let mut recorder = Recorder::new(producer, 1);
            for payload in [1, CAPACITY.get() - 2] {
                while !recorder.try_push(payload) {
                    thread::yield_now();
                }
            }
        });
        let mut stream = Stream::default();
        while stream.delivered() < 2 {
            stream.drain(&mut consumer);
            thread::yield_now();
        }
        recording.join().expect("the recorder holds");
    },
};
