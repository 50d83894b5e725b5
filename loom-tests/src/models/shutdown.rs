//! The end: threads that go on recording while the flusher stops.

use crate::kit::{Flusher, Recorder, never, registry};
use crate::model::Model;
use crate::ring::signal::{Signal, Sleeper, Waited};
use crate::ring::sync::Arc;
use loom::thread;
use std::time::Duration;

/// The flusher's protocol: sleep, read the request, then the rings, and only then call the request done.
pub(super) fn work(flusher: &mut Flusher, signal: &Signal, sleeper: &Sleeper, settle: impl Fn(&Flusher)) {
    loop {
        sleeper.sleep(Duration::ZERO);
        let request = signal.request();
        flusher.step();
        settle(flusher);
        signal.complete(request.epoch);
        if request.stop_by.is_some() {
            signal.stopped();
            return;
        }
    }
}

pub(super) const LATE_PRODUCER: Model = Model {
    name: "shutdown_late_producer",
    promise: "frames pushed around a shutdown are delivered, swept afterwards or counted: none is lost or doubled",
    floor: 4000,
    preemptions: 3,
    body: || {
        const FRAMES: u64 = 3;
        let (signal, sleeper) = Signal::new();
        let (signal, registry) = (Arc::new(signal), registry(1));
        let (theirs, leases) = (signal.clone(), registry.clone());
        let recording = thread::spawn(move || {
            let Some(producer) = leases.lease() else { return FRAMES };
            let mut recorder = Recorder::new(producer, 1);
            for _ in 0..FRAMES {
                recorder.push_and_wake(1, &theirs);
            }
            drop(recorder);
            0
        });
        let (theirs, leases) = (signal.clone(), registry.clone());
        let flushing = thread::spawn(move || {
            let mut flusher = Flusher::new(leases);
            work(&mut flusher, &theirs, &sleeper, |_| ());
            flusher
        });

        registry.close();
        signal.stop(never());
        assert_eq!(signal.wait_stopped(never()), Waited::Done);
        let turned_away = recording.join().expect("the recorder holds");
        let mut flusher = flushing.join().expect("the flusher holds");
        flusher.step();
        assert_eq!(flusher.delivered() + registry.dropped() + turned_away, FRAMES, "the books");
        assert!(registry.lease().is_none(), "a closed registry leases nothing");
    },
};
