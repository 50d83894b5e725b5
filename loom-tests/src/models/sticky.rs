//! What was not recorded for a moment, as who has the events hears of it.

use crate::model::Model;
use crate::ring::sticky::Sticky;
use crate::ring::sync::{Arc, AtomicU64, Ordering};
use loom::thread;

pub(super) const NAMED: Model = Model {
    name: "sticky_named",
    promise: "what comes after something that was let be is sealed in a batch that says what was off",
    floor: 190,
    preemptions: 3,
    body: || {
        const OFF: u64 = 1;
        let off = Arc::new(Sticky::new());
        let gate = Arc::new(AtomicU64::new(0));
        let event = Arc::new(AtomicU64::new(0));
        let (bits, turned) = (off.clone(), gate.clone());
        let settings = thread::spawn(move || {
            bits.add(OFF);
            turned.store(OFF, Ordering::Relaxed);
        });
        let pushed = event.clone();
        let recording = thread::spawn(move || {
            // Lets a lock be where the gate is turned; its next event is pushed all the same.
            let let_be = gate.load(Ordering::Relaxed) == OFF;
            pushed.store(1 + u64::from(let_be), Ordering::Release);
        });
        // Drained, then sealed. A batch without the event needs not say anything.
        let drained = event.load(Ordering::Acquire);
        let told = off.read();
        assert!(drained != 2 || told == OFF, "the batch does not say what was off");
        settings.join().expect("the settings' thread holds");
        recording.join().expect("the recorder holds");
    },
};
