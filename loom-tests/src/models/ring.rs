//! One producer, one consumer, a ring of eight words.

use crate::kit::{Recorder, Stream, ring};
use crate::model::Model;
use loom::thread;

pub(super) const WHOLE_FRAMES: Model = Model {
    name: "ring_whole_frames",
    promise: "a frame that was accepted arrives once, whole and in order, where indices wrap too",
    floor: 10,
    preemptions: 3,
    body: || {
        // The second frame runs over the end of the index range.
        let (producer, mut consumer) = ring(usize::MAX - 3);
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
    floor: 100,
    preemptions: 3,
    body: || {
        const FRAMES: u64 = 5;
        let (producer, mut consumer) = ring(usize::MAX - 6);
        let shared = consumer.ring().clone();
        let recording = thread::spawn(move || {
            let mut recorder = Recorder::new(producer, 1);
            (0..FRAMES).fold((0, 0), |(pushed, trailing), _| match recorder.push(1) {
                true => (pushed + 1, 0),
                false => (pushed, trailing + 1),
            })
        });
        let mut stream = Stream::default();
        stream.drain(&mut consumer);
        stream.drain(&mut consumer);
        let (pushed, trailing) = recording.join().expect("the recorder holds");
        assert!(stream.drain(&mut consumer), "closed");
        assert_eq!(stream.delivered(), pushed);
        assert_eq!(stream.lost() + trailing, FRAMES - pushed, "what no frame followed is told by the count alone");
        assert_eq!(shared.dropped(), FRAMES - pushed);
    },
};

pub(super) const SLOT_REUSE: Model = Model {
    name: "ring_slot_reuse",
    promise: "a producer that waits for room overwrites no word before it has been read, and in the end gets its room",
    floor: 100,
    preemptions: 3,
    body: || {
        let (producer, mut consumer) = ring(usize::MAX - 9);
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
