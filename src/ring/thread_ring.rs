//! A ring in the hands of the thread that records into it: room is looked for, waited for if the user said so, and told to
//! be wanted.

use super::frame::Head;
use super::held::Held;
use super::local::is_flusher;
use super::pipe::{Overflow, Pipe};
use super::spsc::{Producer, Slot};
use super::sync::Arc;
use std::time::{Duration, Instant};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct ThreadRing {
    producer: Producer,
    pipe: Arc<Pipe>,
    strand: u64,
    /// The tracked locks that the thread holds, to be told again after a gap.
    pub(crate) held: Held,
}

impl ThreadRing {
    /// A ring that has just been leased from `pipe`, for a strand of its own. The flusher is told whose it is.
    pub(super) fn new(producer: Producer, pipe: &Arc<Pipe>) -> Self {
        let mut ring = Self { producer, pipe: pipe.clone(), strand: pipe.next_number(), held: Held::default() };
        (pipe.announce)(&mut ring);
        ring
    }

    /// The pipe it belongs to.
    pub(super) fn pipe(&self) -> &Pipe {
        &self.pipe
    }

    /// Closes the ring, and has the flusher empty it soon: until then no other thread can use it, and where threads come
    /// and go faster than the flusher looks, each would need a ring of its own.
    pub(super) fn close(self) {
        let Self { producer, pipe, .. } = self;
        drop(producer);
        // In a forked child there is no flusher, and the lock on the way to it may be held for ever.
        if !pipe.is_foreign() {
            pipe.signal.wake();
        }
    }

    /// Opens a frame, making room if need be. `None`, and counted, if the ring is full.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        if !self.producer.has_room(payload) && !self.make_room(payload) {
            return None;
        }
        self.producer.reserve(head, payload)
    }

    /// As [`ThreadRing::reserve`], where room is known. `None`, and nothing counted, where it would have to be made.
    #[inline(always)]
    pub(crate) fn reserve_at_once(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        self.producer.reserve(head, payload)
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, payload: usize) -> bool {
        let made = self.try_make_room(payload) || self.wait_for_room(payload);
        if !made {
            self.producer.count_dropped();
        }
        made
    }

    fn try_make_room(&mut self, payload: usize) -> bool {
        let made = self.producer.make_room(payload, self.held.ids());
        if self.producer.take_past_half() {
            self.pipe.signal.wake();
        }
        made
    }

    fn wait_for_room(&mut self, payload: usize) -> bool {
        let Overflow::Block { timeout } = self.pipe.overflow else { return false };
        if is_flusher() {
            return false;
        }
        let start = Instant::now();
        while self.pipe.is_open() && start.elapsed() < timeout {
            if self.try_make_room(payload) {
                return true;
            }
            // The flusher empties a ring in some 100 us; a thread that is to wait need not be told to the nanosecond.
            std::thread::sleep(Duration::from_micros(50));
        }
        false
    }

    /// The number of the thread's strand in its client's run.
    pub(crate) fn strand(&self) -> u64 {
        self.strand
    }
}
