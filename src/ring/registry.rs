//! Threads come and go: who gets a ring, and what becomes of it afterwards.
//!
//! A recording thread leases a ring and closes it when it exits. The flusher adopts the reading end, drains it until it
//! finds it closed *and then* empty, and gives the ring back; it goes to the next thread that asks. Memory is bounded:
//! when so many rings are leased that another would exceed the cap, a thread gets none.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::spsc::{Consumer, Producer, Ring, ends};
use super::sync::{Arc, Mutex, lock};
use std::num::NonZeroUsize;

/// The rings of one client.
#[derive(Debug)]
pub(crate) struct Registry {
    shelf: Mutex<Shelf>,
    capacity: NonZeroUsize,
    most: usize,
}

#[derive(Debug, Default)]
struct Shelf {
    /// Every ring ever made, so that its count of dropped frames stays in the books.
    all: Vec<Arc<Ring>>,
    /// Rings that nobody uses, and the position at which their next lease begins.
    free: Vec<(Arc<Ring>, u32)>,
    /// Reading ends that the flusher has not adopted yet.
    fresh: Vec<Consumer>,
    /// No ring is leased any more.
    closed: bool,
}

impl Registry {
    /// At most `most` rings of `capacity` words each.
    pub(crate) fn new(capacity: NonZeroUsize, most: usize) -> Self {
        Self { shelf: Mutex::default(), capacity, most: most.min(usize::from(u16::MAX)) }
    }

    /// A ring for the calling thread, or `None` if the registry is closed or the cap is reached.
    pub(crate) fn lease(&self) -> Option<Producer> {
        let mut shelf = lock(&self.shelf);
        if shelf.closed {
            return None;
        }
        let (ring, position) = match shelf.free.pop() {
            Some(free) => free,
            None if shelf.all.len() < self.most => {
                let ring = Ring::new(self.capacity, shelf.all.len() as u16, 0);
                shelf.all.push(ring.clone());
                (ring, 0)
            }
            None => return None,
        };
        // SAFETY: the ring is new; or its consumer was taken apart by give_back, which it only is once its producer is
        // gone and `position` is where both had come to.
        let (producer, consumer) = unsafe { ends(&ring, position) };
        shelf.fresh.push(consumer);
        Some(producer)
    }

    /// Moves the reading ends of newly leased rings to the flusher's list.
    pub(crate) fn adopt(&self, into: &mut Vec<Consumer>) {
        into.append(&mut lock(&self.shelf).fresh);
    }

    /// Takes back a ring whose producer was found gone before the last drain. Any other is never leased again.
    pub(crate) fn give_back(&self, consumer: Consumer) {
        let parts = consumer.into_parts();
        debug_assert!(parts.is_some(), "a ring was given back while it was in use");
        lock(&self.shelf).free.extend(parts);
    }

    /// Leases no ring from now on.
    pub(crate) fn close(&self) {
        lock(&self.shelf).closed = true;
    }

    /// Frames dropped for want of room, on all rings ever.
    pub(crate) fn dropped(&self) -> u64 {
        lock(&self.shelf).all.iter().map(|ring| ring.dropped()).sum()
    }

    /// How many rings there are, leased or free.
    pub(crate) fn rings(&self) -> usize {
        lock(&self.shelf).all.len()
    }
}
