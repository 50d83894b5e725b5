//! Threads come and go.

use crate::kit::{Flusher, Recorder, registry};
use crate::model::Model;
use loom::thread;

pub(super) const THREAD_EXIT: Model = Model {
    name: "registry_thread_exit",
    promise: "a ring found closed has been drained of its thread's last frames, and serves the next thread from there",
    floor: 20_000,
    preemptions: 3,
    body: || {
        const FRAMES: u64 = 3;
        let registry = registry(1);
        let mut flusher = Flusher::new(registry.clone());
        for lease in 0..2 {
            let theirs = registry.clone();
            let recording = thread::spawn(move || {
                let producer = theirs.lease().expect("the one ring is free again");
                assert_eq!(producer.events(), FRAMES * lease, "numbers go on from one lease to the next");
                let mut recorder = Recorder::new(producer, lease);
                for _ in 0..FRAMES {
                    recorder.push(1);
                }
                // Explicitly: loom's join does not wait for what a thread drops at its very end.
                drop(recorder);
            });
            while flusher.ended() <= lease as usize {
                flusher.step();
                thread::yield_now();
            }
            recording.join().expect("the recorder holds");
            assert_eq!(flusher.delivered() + registry.dropped(), FRAMES * (lease + 1), "the books");
        }
        assert_eq!(registry.rings(), 1);
    },
};

pub(super) const LEASE_RACE: Model = Model {
    name: "registry_lease_race",
    promise: "threads that ask at the same time never get the same ring, and one that gets none is told so",
    floor: 100,
    preemptions: 3,
    body: || {
        let registry = registry(1);
        let mut flusher = Flusher::new(registry.clone());
        let recordings = [0, 1].map(|id| {
            let theirs = registry.clone();
            thread::spawn(move || {
                let Some(producer) = theirs.lease() else { return 0 };
                let mut recorder = Recorder::new(producer, id);
                assert!(recorder.push(1), "a ring that was given back is empty");
                drop(recorder);
                1
            })
        });
        flusher.step();
        let pushed: u64 = recordings.map(|recording| recording.join().expect("the recorder holds")).iter().sum();
        flusher.step();
        assert!(pushed >= 1);
        assert_eq!((flusher.delivered(), flusher.ended() as u64), (pushed, pushed));
    },
};
