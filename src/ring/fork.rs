//! A forked child must keep off its parent's rings, locks and sockets: it is one thread in a copy of a process whose
//! other threads are gone in the middle of whatever they did.
//!
//! A `pthread_atfork` handler counts forks and closes the forking thread's slot in the child. Everything that could
//! block or send compares the count with the one at its client's birth first. The handler only stores: no allocation,
//! no lock, no log, so it is safe after a fork in any state.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::sync::{AtomicU64, Ordering};

/// How many forks lie between the first process and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The number of forks that this process has behind it.
pub(crate) fn generation() -> u64 {
    // Relaxed: only the forking thread changes it, in a child that has no other thread.
    GENERATION.load(Ordering::Relaxed)
}

/// Installs the handler, once a process.
pub(crate) fn watch() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(install);
}

#[cfg(unix)]
fn install() {
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
        super::local::close_after_fork();
        super::gates::close_after_fork();
        super::stripes::free_after_fork();
    }
    // SAFETY: the handler is a function that lives for ever, does not unwind, and only stores to memory of its own.
    // An error (out of memory) leaves forks unnoticed, as they are on systems without fork handlers.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

#[cfg(not(unix))]
fn install() {}
