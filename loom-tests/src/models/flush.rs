//! A flush that returns has delivered what was recorded before it.
//!
//! The flusher counts what it delivered in a relaxed atomic. Loom lets a load of it return any value that the memory
//! model allows, so a caller that is sure to see the full count is ordered after the delivery, not merely later.

use super::shutdown::work;
use crate::kit::{Flusher, Recorder, never, registry};
use crate::model::Model;
use crate::ring::registry::Registry;
use crate::ring::signal::{Signal, Sleeper, Waited};
use crate::ring::sync::{Arc, AtomicU64, Mutex, Ordering, lock};
use loom::thread;

struct Bench {
    registry: Arc<Registry>,
    signal: Arc<Signal>,
    delivered: Arc<AtomicU64>,
}

/// A bench and its running flusher.
fn bench() -> (Bench, thread::JoinHandle<()>) {
    let (signal, sleeper) = Signal::new();
    let bench = Bench { registry: registry(2), signal: Arc::new(signal), delivered: Arc::new(AtomicU64::new(0)) };
    let (flusher, signal, delivered) =
        (Flusher::new(bench.registry.clone()), bench.signal.clone(), bench.delivered.clone());
    let flushing = thread::spawn(move || run(flusher, &signal, &sleeper, &delivered));
    (bench, flushing)
}

fn run(mut flusher: Flusher, signal: &Signal, sleeper: &Sleeper, delivered: &AtomicU64) {
    work(&mut flusher, signal, sleeper, |flusher| delivered.store(flusher.delivered(), Ordering::Relaxed));
}

impl Bench {
    fn record(&self, id: u64) -> Recorder {
        let mut recorder = Recorder::new(self.registry.lease().expect("two rings"), id);
        assert!(recorder.push(1));
        recorder
    }

    fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    fn stop(&self, flushing: thread::JoinHandle<()>) {
        self.signal.stop(never());
        assert_eq!(self.signal.wait_stopped(never()), Waited::Done);
        flushing.join().expect("the flusher holds");
    }
}

pub(super) const OWN_FRAMES: Model = Model {
    name: "flush_own_frames",
    promise: "what a thread recorded before its flush has been delivered when the flush is done, each time",
    floor: 100,
    preemptions: 3,
    body: || {
        let (bench, flushing) = bench();
        let mut recorder = bench.record(1);
        assert_eq!(bench.signal.flush(never()), Waited::Done);
        assert_eq!(bench.delivered(), 1);
        assert!(recorder.push(1));
        assert_eq!(bench.signal.flush(never()), Waited::Done);
        assert_eq!(bench.delivered(), 2);
        bench.stop(flushing);
    },
};

pub(super) const FRAMES_OF_ANOTHER: Model = Model {
    name: "flush_after_lock",
    promise: "a flush covers another thread's frames that a lock orders before it",
    floor: 4000,
    preemptions: 3,
    body: || {
        let (bench, flushing) = bench();
        let recorded = Arc::new(Mutex::new(false));
        let bench = Arc::new(bench);
        let (theirs, tell) = (bench.clone(), recorded.clone());
        let recording = thread::spawn(move || {
            let recorder = theirs.record(1);
            *lock(&tell) = true;
            recorder
        });
        // A flusher that is up at any moment, and not for the flush.
        bench.signal.wake();
        let told = *lock(&recorded);
        assert_eq!(bench.signal.flush(never()), Waited::Done);
        if told {
            assert_eq!(bench.delivered(), 1);
        }
        drop(recording.join().expect("the recorder holds"));
        bench.stop(flushing);
    },
};

pub(super) const FRAMES_BEFORE_JOIN: Model = Model {
    name: "flush_after_join",
    promise: "a flush covers the last frames of a thread that was joined before it",
    floor: 800,
    preemptions: 3,
    body: || {
        let (bench, flushing) = bench();
        let bench = Arc::new(bench);
        let theirs = bench.clone();
        let recording = thread::spawn(move || {
            drop(theirs.record(1));
            theirs.signal.wake();
        });
        recording.join().expect("the recorder holds");
        assert_eq!(bench.signal.flush(never()), Waited::Done);
        assert_eq!(bench.delivered(), 1);
        bench.stop(flushing);
    },
};

pub(super) const TWO_AND_STOP: Model = Model {
    name: "flush_two_and_stop",
    promise: "of two flushes and a stop at the same time none hangs, and a flush that is done has done its work",
    floor: 40_000,
    preemptions: 2,
    body: || {
        let (bench, flushing) = bench();
        let bench = Arc::new(bench);
        let theirs = bench.clone();
        let other = thread::spawn(move || {
            // Done or Stopped: both are an end.
            assert_ne!(theirs.signal.flush(never()), Waited::TimedOut);
        });
        let theirs = bench.clone();
        let stopping = thread::spawn(move || theirs.signal.stop(never()));
        let recorder = bench.record(1);
        match bench.signal.flush(never()) {
            Waited::Done => assert_eq!(bench.delivered(), 1),
            waited => assert_eq!(waited, Waited::Stopped),
        }
        other.join().expect("the other flush ends");
        stopping.join().expect("stop does not wait");
        drop(recorder);
        assert_eq!(bench.signal.wait_stopped(never()), Waited::Done);
        flushing.join().expect("the flusher holds");
    },
};
