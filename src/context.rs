//! Strands of execution: which thread, or task, an event belongs to.
//!
//! Each thread is a strand of its own, in the process's background trace, from its first event on; nothing needs to be
//! set up.

use crate::record::{self, Arg, Bytes, Name, Record};
use crate::ring::thread_ring::ThreadRing;

/// The longest thread name that is recorded whole, in bytes.
const THREAD_NAME_LIMIT: usize = 64;

/// Tells the flusher, through a ring that a thread has just got, whose it is.
pub(crate) fn announce(ring: &mut ThreadRing) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("");
    let record = Record {
        kind: record::ATTACH,
        site: None,
        name: Name::Copied(Bytes::of(name, THREAD_NAME_LIMIT)),
        ticks: 0,
        a: Arg::UInt(ring.strand()),
        b: Arg::Nil,
    };
    record.write(ring);
}
