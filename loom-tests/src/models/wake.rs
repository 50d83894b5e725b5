//! Waking the flusher. It sleeps without a time limit here, so a wake-up that is lost is a deadlock.

use super::shutdown::work;
use crate::kit::{Flusher, Recorder, Stream, never, registry, ring};
use crate::model::Model;
use crate::ring::signal::Signal;
use crate::ring::sync::Arc;
use loom::thread;
use std::time::Duration;

pub(super) const HALF_FULL: Model = Model {
    name: "wake_half_full",
    promise: "a ring that passes half full wakes the flusher, which finds what was pushed before",
    floor: 40,
    preemptions: 3,
    body: || {
        let (producer, mut consumer) = ring(0);
        let (signal, sleeper) = Signal::new();
        let recording = thread::spawn(move || {
            let mut recorder = Recorder::new(producer, 1);
            assert!(recorder.push_and_wake(1, &signal));
            assert!(recorder.push_and_wake(1, &signal));
        });
        let mut stream = Stream::default();
        sleeper.sleep(Duration::ZERO);
        stream.drain(&mut consumer);
        assert!(stream.delivered() >= 1, "woken for nothing");
        recording.join().expect("the recorder holds");
    },
};

pub(super) const FULL_RING: Model = Model {
    name: "wake_full_ring",
    promise: "a producer that finds its ring full and tries again gets its room, however deep the flusher sleeps",
    floor: 10_000,
    preemptions: 3,
    body: || {
        const FRAMES: u64 = 4;
        let (signal, sleeper) = Signal::new();
        let signal = Arc::new(signal);
        let registry = registry(1);
        let producer = registry.lease().expect("the first ring");
        let theirs = signal.clone();
        let recording = thread::spawn(move || {
            let mut recorder = Recorder::new(producer, 1);
            for _ in 0..FRAMES {
                while !recorder.try_push_and_wake(1, &theirs) {
                    thread::yield_now();
                }
            }
            drop(recorder);
            theirs.stop(never());
        });
        let mut flusher = Flusher::new(registry);
        work(&mut flusher, &signal, &sleeper, |_| ());
        recording.join().expect("the recorder holds");
        assert_eq!((flusher.delivered(), flusher.lost()), (FRAMES, 0));
    },
};
