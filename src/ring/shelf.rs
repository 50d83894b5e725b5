//! A thread's rings of the clients that it does not record for just now; all of its rings are closed when it exits.

use super::local;
use super::pipe::{self, Pipe};
use super::sync::{Arc, AtomicU64};
use super::thread_ring::ThreadRing;
use std::cell::RefCell;

thread_local! {
    static SHELF: Shelf = const { Shelf { rings: RefCell::new(Vec::new()) } };
}

struct Shelf {
    rings: RefCell<Vec<ThreadRing>>,
}

/// This thread's ring of `pipe`: the one it used before, or a new one. If there is none to be had, where that is counted.
pub(super) fn lease(pipe: &Arc<Pipe>) -> Result<ThreadRing, &AtomicU64> {
    let away = &pipe.turned_away;
    // First, so that the thread's exit is noticed from now on; fails where that has come already.
    let known = SHELF.try_with(|shelf| shelf.take(pipe.key())).map_err(|_| &away.thread_exit)?;
    if let Some(ring) = known {
        return Ok(ring);
    }
    let producer = match pipe.registry.lease() {
        Some(producer) => producer,
        None if pipe.is_open() => return Err(&away.no_ring),
        None => return Err(&away.after_shutdown),
    };
    pipe::prepare_thread();
    Ok(ThreadRing::new(producer, pipe))
}

/// Keeps a ring of another client for when the thread records for that client again.
pub(super) fn put(ring: Option<ThreadRing>) {
    if let Some(ring) = ring.filter(|ring| ring.pipe().is_open()) {
        // Where the thread is exiting, the ring is dropped with the closure, and so closed.
        let _ = SHELF.try_with(|shelf| shelf.rings.borrow_mut().push(ring));
    }
}

/// Looks at the ring of the client with this key, if there is one.
pub(super) fn look<R>(key: u64, look: impl FnOnce(&mut ThreadRing) -> R) -> Option<R> {
    SHELF
        .try_with(|shelf| {
            let mut rings = shelf.rings.try_borrow_mut().ok()?;
            rings.iter_mut().find(|ring| ring.pipe().key() == key).map(look)
        })
        .ok()?
}

impl Shelf {
    fn take(&self, key: u64) -> Option<ThreadRing> {
        let mut rings = self.rings.borrow_mut();
        rings.retain(|ring| ring.pipe().is_open());
        let at = rings.iter().position(|ring| ring.pipe().key() == key)?;
        Some(rings.swap_remove(at))
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        local::exit().into_iter().chain(self.rings.get_mut().drain(..)).for_each(ThreadRing::close);
    }
}
