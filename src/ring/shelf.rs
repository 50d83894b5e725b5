//! A thread's rings of the clients that it does not record for just now; all of its rings are closed when it exits.
//!
//! A thread-local's destructor notices the exit. Others may be yet to run, and record: so the rings are closed at the
//! [`last`] moment, where there is one.

use super::last;
use super::local;
use super::pipe::{self, Pipe};
use super::sync::{Arc, AtomicU64};
use super::thread_ring::ThreadRing;
use std::cell::{Cell, RefCell};
use std::mem::{self, ManuallyDrop};

thread_local! {
    // No destructor, as the slot: what is on it is closed by `close`, or leaks with the process's main thread.
    static SHELF: ManuallyDrop<RefCell<Vec<ThreadRing>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
    static EXIT: Cell<Exit> = const { Cell::new(Exit::Unnoticed) };
    static NOTICE: Notice = const { Notice };
}

/// How far the calling thread is in exiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// It is not, or nobody has noticed.
    Unnoticed,
    /// Its thread-locals are being destroyed; its rings will be closed after that.
    Noticed,
    /// Its rings are closed.
    Over,
}

struct Notice;

/// This thread's ring of `pipe`: the one it used before, or a new one. If there is none to be had, where that is counted.
pub(super) fn lease(pipe: &Arc<Pipe>) -> Result<ThreadRing, &AtomicU64> {
    let away = &pipe.turned_away;
    // First, so that the thread's exit is noticed from now on; or else it was, and rings are closed later.
    if NOTICE.try_with(|_| ()).is_err() && !is_exiting() {
        return Err(&away.thread_exit);
    }
    if let Some(ring) = take(pipe.key()) {
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

/// Whether the calling thread's thread-locals are being destroyed, and it still has its rings.
pub(super) fn is_exiting() -> bool {
    EXIT.get() == Exit::Noticed
}

/// Keeps a ring of another client for when the thread records for that client again.
pub(super) fn put(ring: Option<ThreadRing>) {
    if let Some(ring) = ring.filter(|ring| ring.pipe().is_open()) {
        SHELF.with(|rings| rings.borrow_mut().push(ring));
    }
}

/// Looks at the ring of the client with this key, if there is one.
pub(super) fn look<R>(key: u64, look: impl FnOnce(&mut ThreadRing) -> R) -> Option<R> {
    SHELF.with(|rings| {
        let mut rings = rings.try_borrow_mut().ok()?;
        rings.iter_mut().find(|ring| ring.pipe().key() == key).map(look)
    })
}

/// Closes all of the calling thread's rings: it records nothing any more.
pub(super) fn close() {
    EXIT.set(Exit::Over);
    let others = SHELF.with(|rings| rings.try_borrow_mut().map(|mut rings| mem::take(&mut *rings)).unwrap_or_default());
    local::exit().into_iter().chain(others).for_each(ThreadRing::close);
}

fn take(key: u64) -> Option<ThreadRing> {
    SHELF.with(|rings| {
        let mut rings = rings.borrow_mut();
        rings.retain(|ring| ring.pipe().is_open());
        let at = rings.iter().position(|ring| ring.pipe().key() == key)?;
        Some(rings.swap_remove(at))
    })
}

impl Drop for Notice {
    fn drop(&mut self) {
        EXIT.set(Exit::Noticed);
        if !last::close_later() {
            close();
        }
    }
}
