//! Stands in for `src/ring/thread_ring.rs`: a thread's ring without the thread, with room for every frame.

use super::frame::{Head, MAX_WORDS};
use super::spsc::{Consumer, Producer, Ring, Slot, ends};
use std::num::NonZeroUsize;

#[derive(Debug)]
pub(crate) struct ThreadRing {
    producer: Producer,
    consumer: Consumer,
}

impl ThreadRing {
    pub(crate) fn new() -> Self {
        let ring = Ring::new(const { NonZeroUsize::new(4 * MAX_WORDS).unwrap() }, 0, 0);
        // SAFETY: the ring is new and begins at 0; nobody else has an end of it.
        let (producer, consumer) = unsafe { ends(&ring, 0) };
        Self { producer, consumer }
    }

    /// Opens a frame, as the ring of a thread does.
    pub(crate) fn reserve(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        assert!(self.producer.has_room(payload) || self.producer.make_room(payload, &[]));
        self.producer.reserve(head, payload)
    }

    /// As above: there is always room.
    pub(crate) fn reserve_at_once(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        self.reserve(head, payload)
    }

    /// The one frame in the ring.
    pub(crate) fn take(&mut self) -> (Head, Vec<u64>) {
        let (mut frames, mut scratch) = (Vec::new(), Vec::new());
        self.consumer.drain(&mut scratch, |head, payload| {
            frames.push((*head, payload.to_vec()));
            true
        });
        assert_eq!(frames.len(), 1);
        frames.remove(0)
    }
}
