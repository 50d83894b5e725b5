//! The ring under load, for ThreadSanitizer: see `ci/tsan.sh`.
//!
//! Producers try again when their ring is full, so nothing is dropped and every word that is written is also read:
//! producers that drop let ordering mutants escape. Frames have all lengths from the shortest to the longest, rings are
//! small, so that they wrap all the time, and are closed and leased anew every few hundred frames. Contents are checked
//! word by word.

mod ring;

use ring::frame::{Head, Name};
use ring::registry::Registry;
use ring::signal::{Signal, Sleeper, Waited};
use ring::spsc::{Consumer, Producer};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

const THREADS: u64 = 3;
const LEASES: u64 = 20;
const FRAMES: u64 = 400;
const CAPACITY: NonZeroUsize = NonZeroUsize::new(64).unwrap();
const LONGEST: usize = 24;

fn main() -> ExitCode {
    let (signal, sleeper) = Signal::new();
    // Leaked: the last drop of an Arc ends in a fence, which the sanitizer does not understand.
    let signal: &'static Signal = Box::leak(Box::new(signal));
    // One ring fewer than threads, so that rings go from one thread to another.
    let registry: &'static Registry = Box::leak(Box::new(Registry::new(CAPACITY, THREADS as usize - 1)));

    let flushing = thread::spawn(move || flush(registry, signal, &sleeper));
    let recordings: Vec<_> = (0..THREADS).map(|id| thread::spawn(move || record(id, registry, signal))).collect();
    for recording in recordings {
        recording.join().expect("a recorder holds");
    }
    let hour = Instant::now() + Duration::from_secs(3600);
    signal.stop(hour);
    assert_eq!(signal.wait_stopped(hour), Waited::Done);
    let frames = flushing.join().expect("the flusher holds");
    assert_eq!(registry.dropped(), 0);
    assert_eq!(frames, THREADS * LEASES * FRAMES);
    println!("{frames} frames through {} rings", registry.rings());
    ExitCode::SUCCESS
}

fn record(id: u64, registry: &Registry, signal: &Signal) {
    for lease in 0..LEASES {
        let mut producer = loop {
            match registry.lease() {
                Some(producer) => break producer,
                None => thread::yield_now(),
            }
        };
        for number in 0..FRAMES {
            push(&mut producer, signal, (id * LEASES + lease) * FRAMES + number);
        }
        drop(producer);
        signal.wake();
        if lease % 4 == 0 {
            assert_eq!(signal.flush(Instant::now() + Duration::from_secs(3600)), Waited::Done);
        }
    }
}

/// From 1 word to what is left of the longest frame behind its head, in an order without a pattern.
fn payload_of(value: u64) -> usize {
    1 + (value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % (LONGEST - 2)
}

fn push(producer: &mut Producer, signal: &Signal, value: u64) {
    let payload = payload_of(value);
    while !producer.has_room(payload) && !producer.make_room(payload, &[]) {
        if producer.take_past_half() {
            signal.wake();
        }
        thread::yield_now();
    }
    let head =
        Head { kind: 1, tags: 9, site: Some(std::panic::Location::caller().into()), name: Name::Static("value") };
    let mut slot = producer.reserve(&head, payload).expect("there is room");
    for word in 0..payload as u64 {
        slot.put(value.wrapping_add(word));
    }
    slot.commit();
}

fn flush(registry: &Registry, signal: &Signal, sleeper: &Sleeper) -> u64 {
    let (mut open, mut scratch, mut frames): (Vec<(Consumer, Option<u64>)>, _, _) = (Vec::new(), Vec::new(), 0);
    loop {
        sleeper.sleep(Duration::from_millis(1));
        let request = signal.request();
        let mut fresh = Vec::new();
        registry.adopt(&mut fresh);
        open.extend(fresh.into_iter().map(|consumer| (consumer, None)));
        for (mut consumer, mut last) in std::mem::take(&mut open) {
            let found = consumer.drain(&mut scratch, |head, payload| {
                check(head, payload, &mut last);
                frames += 1;
                true
            });
            match found.closed {
                true => registry.give_back(consumer),
                false => open.push((consumer, last)),
            }
        }
        signal.complete(request.epoch);
        if request.stop_by.is_some() {
            signal.stopped();
            return frames;
        }
    }
}

fn check(head: &Head, payload: &[u64], last: &mut Option<u64>) {
    assert_eq!((head.kind, head.tags, head.name), (1, 9, Name::Static("value")), "a torn head");
    let value = payload[0];
    assert_eq!(payload.len(), payload_of(value), "a torn length");
    assert!((0..).zip(payload).all(|(word, found)| *found == value.wrapping_add(word)), "a torn payload");
    match last.replace(value) {
        Some(before) => assert_eq!(value, before + 1, "a frame is missing, came twice or out of order"),
        None => assert_eq!(value % FRAMES, 0, "the first frame of a lease is missing"),
    }
}
