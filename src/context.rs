//! Strands of execution: which thread, or task, an event belongs to.

use crate::attach::{About, Attach};
use crate::ring::pipe::Whose;
use crate::ring::thread_ring::ThreadRing;

/// Tells the flusher whose the calling thread's events are.
pub(crate) fn announce(ring: &mut ThreadRing, _always: bool) -> Whose {
    if !ring.turn_to(None) {
        return Whose::Known;
    }
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("");
    let trace = ring.pipe().identity.trace;
    let about = About { trace, span: 0, upstream: 0, entry: false, name: "", clock: &[] };
    let dropped = ring.dropped_untold();
    let (seq, edges) = (ring.events(), ring.own().after().to_vec());
    let own = ring.own();
    let attach = Attach {
        strand: own.number(),
        first_step: own.steps(),
        seq,
        last: own.last(),
        dropped,
        about,
        after: &edges,
        thread,
    };
    if !attach.write(ring) {
        ring.drop_event();
        return Whose::Dropped;
    }
    ring.told(None);
    Whose::Known
}
