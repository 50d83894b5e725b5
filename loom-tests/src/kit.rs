//! What the models have in common: frames that can be checked, a recording thread and a flusher in miniature.

#![expect(unsafe_code, reason = "a ring is made without a registry where a model needs to say where its indices begin")]

use crate::ring::frame::{GAP, Head, Name};
use crate::ring::registry::Registry;
use crate::ring::signal::Signal;
use crate::ring::spsc::{Consumer, Producer, Ring, ends};
use crate::ring::sync::Arc;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// Room for two frames of three words, or for a gap and a frame: the smallest ring in which everything can happen.
pub(crate) const CAPACITY: NonZeroUsize = NonZeroUsize::new(8).unwrap();

const KIND: u8 = 5;
const NAME: &str = "value";
/// The lock that every recording thread holds, so that gap frames have something to tell.
const HELD: &[u64] = &[77];

/// A ring whose indices begin at `start`.
pub(crate) fn ring(start: u32) -> (Producer, Consumer) {
    ring_of(CAPACITY, start)
}

/// A ring of a size of its own.
pub(crate) fn ring_of(capacity: NonZeroUsize, start: u32) -> (Producer, Consumer) {
    let ring = Ring::new(capacity, 0, start);
    // SAFETY: the ring is new, so these are its only ends, and it begins at `start`.
    unsafe { ends(&ring, start) }
}

/// A registry of at most `most` rings.
pub(crate) fn registry(most: usize) -> Arc<Registry> {
    Arc::new(Registry::new(CAPACITY, most))
}

/// A time that no model reaches: loom's waits have no time limit.
pub(crate) fn never() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

/// A recording thread's side: what `local::ThreadRing` does, frame after frame. `id` tells the frames of different
/// leases apart.
#[derive(Debug)]
pub(crate) struct Recorder {
    producer: Producer,
    id: u64,
    next: u64,
}

impl Recorder {
    pub(crate) fn new(producer: Producer, id: u64) -> Self {
        Self { producer, id, next: 0 }
    }

    /// Pushes the next frame, `payload` words long, or counts it as dropped. Returns whether it went in.
    pub(crate) fn push(&mut self, payload: usize) -> bool {
        let pushed = self.try_push(payload);
        if !pushed {
            self.producer.count_dropped();
            self.next += 1;
        }
        pushed
    }

    /// As [`Recorder::push`], waking the flusher at half full, as the product does.
    pub(crate) fn push_and_wake(&mut self, payload: usize, signal: &Signal) -> bool {
        let pushed = self.try_push_and_wake(payload, signal);
        if !pushed {
            self.producer.count_dropped();
            self.next += 1;
        }
        pushed
    }

    /// Pushes the next frame if there is room for it.
    pub(crate) fn try_push(&mut self, payload: usize) -> bool {
        if !self.producer.has_room(payload) && !self.producer.make_room(payload, HELD) {
            return false;
        }
        self.write(payload);
        true
    }

    /// As [`Recorder::try_push`], waking the flusher at half full.
    pub(crate) fn try_push_and_wake(&mut self, payload: usize, signal: &Signal) -> bool {
        if !self.producer.has_room(payload) {
            let made = self.producer.make_room(payload, HELD);
            if self.producer.take_past_half() {
                signal.wake();
            }
            if !made {
                return false;
            }
        }
        self.write(payload);
        true
    }

    fn write(&mut self, payload: usize) {
        let site = Some(std::panic::Location::caller().into());
        let head = Head { kind: KIND, tags: 3, site, name: Name::Static(NAME) };
        let mut slot = self.producer.reserve(&head, payload).expect("there is room");
        slot.put((self.id << 32) | self.next);
        for word in 1..payload as u64 {
            slot.put(filler(self.next, word));
        }
        slot.commit();
        self.next += 1;
    }
}

fn filler(value: u64, word: u64) -> u64 {
    !(value * 16 + word)
}

/// One lease, as its reader sees it: frames count up from 0, and where a number is missing, a gap frame has said so.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    id: Option<u64>,
    next: u64,
    delivered: u64,
    lost: u64,
}

impl Stream {
    /// Drains a ring and checks what comes.
    pub(crate) fn drain(&mut self, consumer: &mut Consumer) -> bool {
        consumer
            .drain(&mut Vec::new(), |head, payload| {
                self.take(head, payload);
                true
            })
            .closed
    }

    fn take(&mut self, head: &Head, payload: &[u64]) {
        if head.kind == GAP {
            assert!(payload[0] > 0, "a gap of nothing");
            assert_eq!(&payload[1..], HELD, "a gap tells the locks that are held");
            self.lost += payload[0];
            self.next += payload[0];
            return;
        }
        assert_eq!((head.kind, head.tags, head.name), (KIND, 3, Name::Static(NAME)), "a torn head");
        assert_eq!(head.site.map(|site| site.parts().0), Some(file!()), "a torn site");
        let (id, value) = (payload[0] >> 32, payload[0] & u64::from(u32::MAX));
        assert_eq!(*self.id.get_or_insert(id), id, "a frame of another lease");
        assert_eq!(value, self.next, "a frame is missing, came twice or out of order");
        for (word, found) in (1..).zip(&payload[1..]) {
            assert_eq!(*found, filler(value, word), "a torn payload");
        }
        self.next += 1;
        self.delivered += 1;
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Frames that gap frames have told of.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

/// The flusher's side of a registry: adopts, drains, gives back.
#[derive(Debug)]
pub(crate) struct Flusher {
    registry: Arc<Registry>,
    open: Vec<(Consumer, Stream)>,
    ended: Vec<Stream>,
}

impl Flusher {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self { registry, open: Vec::new(), ended: Vec::new() }
    }

    /// Looks at every ring once.
    pub(crate) fn step(&mut self) {
        let mut fresh = Vec::new();
        self.registry.adopt(&mut fresh);
        self.open.extend(fresh.into_iter().map(|consumer| (consumer, Stream::default())));
        for (mut consumer, mut stream) in std::mem::take(&mut self.open) {
            if stream.drain(&mut consumer) {
                self.registry.give_back(consumer);
                self.ended.push(stream);
            } else {
                self.open.push((consumer, stream));
            }
        }
    }

    /// How many leases have been found closed and given back.
    pub(crate) fn ended(&self) -> usize {
        self.ended.len()
    }

    /// Frames delivered so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.streams().map(Stream::delivered).sum()
    }

    /// Frames that gap frames have told of so far.
    pub(crate) fn lost(&self) -> u64 {
        self.streams().map(Stream::lost).sum()
    }

    fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.ended.iter().chain(self.open.iter().map(|(_, stream)| stream))
    }
}
