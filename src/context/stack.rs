//! The strands that the calling thread runs as, one within the other, and how the flusher gets to know of them.
//!
//! Attaching and detaching only change the stack, and mark the thread's ring as one that has to ask whose events it takes.
//! The thread's next event asks ([`announce`]): a strand that records nothing costs the record nothing.

use super::strand::Strand;
use crate::attach::{About, Attach};
use crate::recorder::Recorder;
use crate::ring::local::{self, guards};
use crate::ring::pipe::{Background, Whose};
use crate::ring::stay::{Edge, Progress};
use crate::ring::thread_ring::ThreadRing;
use std::cell::RefCell;
use std::thread::Thread;
use trackside_wire::Kind;

// Boxed, because each poll of a future puts its strand here and takes it back.
type Stack = Vec<Box<Strand>>;

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Vec::new()) };
}

/// Looks at the stack. `None` where the thread is so far in exiting that it is gone, or if it is being changed just now: by
/// code that this code has called, an allocator.
fn with_stack<R>(look: impl FnOnce(&mut Stack) -> R) -> Option<R> {
    STACK.try_with(|stack| stack.try_borrow_mut().ok().map(|mut stack| look(&mut stack))).ok()?
}

/// Which strand on the stack is meant: the client's key, and the strand's number.
pub(super) type Id = (u64, u64);

/// The calling thread runs as `strand` from now on. If it cannot, the strand is given back.
pub(super) fn push(strand: Box<Strand>) -> Result<Id, Box<Strand>> {
    if !local::turn() {
        return Err(strand);
    }
    let mut strand = Some(strand);
    let pushed = with_stack(|stack| {
        let pushed = strand.take()?;
        let id = pushed.id();
        stack.push(pushed);
        Some(id)
    });
    match (pushed.flatten(), strand) {
        (Some(id), _) => Ok(id),
        // The closure ran if it took the strand, and then it returned the id.
        (None, Some(strand)) => Err(strand),
        (None, None) => unreachable!("a strand that was taken is on the stack"),
    }
}

/// The calling thread ceases to run as the strand, which is returned; it need not be the innermost. `None` if it is not
/// there, or cannot be let go of now.
pub(super) fn remove(id: Id) -> Option<Box<Strand>> {
    if !local::turn() {
        return None;
    }
    let mut strand = with_stack(|stack| {
        let at = stack.iter().rposition(|strand| strand.id() == id)?;
        Some(stack.remove(at))
    })??;
    settle(&mut strand);
    Some(strand)
}

/// The future that runs as the innermost strand of its client is not ready. If that is the one meant, and it may hold locks,
/// it is recorded that it holds them from now on while it is not polled.
pub(super) fn suspend((key, number): Id) {
    if guards::may_hold(key, number) {
        record_suspension((key, number));
    }
}

#[cold]
fn record_suspension(id: Id) {
    let recorder = with_innermost(id.0, |strand| {
        let strand = strand.filter(|strand| strand.id() == id && strand.recorder.wants(Kind::Suspended))?;
        // What it holds changes with its events: if there was none since the last time, that still says all.
        let steps = strand.progress.steps();
        if strand.suspended == steps {
            return None;
        }
        strand.suspended = steps + 1;
        Some(strand.recorder.clone())
    });
    if let Some(Some(recorder)) = recorder {
        recorder.record_bare(Kind::Suspended);
    }
}

/// Brings a strand's progress up to date, if this thread has run as it.
fn settle(strand: &mut Strand) {
    let Strand { recorder, progress, .. } = strand;
    local::with_ring(recorder.pipe(), false, |ring| ring.settle(progress));
}

/// Looks at the innermost strand of the client with this key; at none, if there is none.
pub(super) fn with_innermost<R>(key: u64, look: impl FnOnce(Option<&mut Strand>) -> R) -> Option<R> {
    with_stack(|stack| {
        let strand = stack.iter_mut().rev().find(|strand| strand.is_of(key));
        look(strand.map(|strand| {
            settle(strand);
            &mut **strand
        }))
    })
}

/// Looks at the innermost strand of any client.
pub(super) fn with_any<R>(look: impl FnOnce(&mut Strand) -> R) -> Option<R> {
    with_stack(|stack| {
        stack.last_mut().map(|strand| {
            settle(strand);
            look(strand)
        })
    })?
}

/// Looks at a strand on the stack.
pub(super) fn with_strand<R>(id: Id, look: impl FnOnce(&mut Strand) -> R) -> Option<R> {
    with_stack(|stack| {
        let strand = stack.iter_mut().rev().find(|strand| strand.id() == id)?;
        settle(strand);
        Some(look(strand))
    })?
}

/// All that the calling thread has done so far, as the strand that it runs as for this client: a context's, or its own.
pub(super) fn so_far(recorder: &Recorder) -> Vec<Edge> {
    let pipe = recorder.pipe();
    with_innermost(pipe.key(), |strand| match strand {
        Some(strand) => strand.progress.so_far(),
        None => local::with_ring(pipe, false, |ring| ring.own().so_far()).unwrap_or_default(),
    })
    .unwrap_or_default()
}

/// What the calling thread does from now on, for this client, comes after `edges`.
pub(super) fn follow(recorder: &Recorder, edges: &[Edge]) {
    if edges.is_empty() {
        return;
    }
    let pipe = recorder.pipe();
    with_innermost(pipe.key(), |strand| match strand {
        Some(strand) => strand.progress.follow(edges),
        None => {
            local::with_ring(pipe, true, |ring| ring.own().follow(edges));
        }
    });
    local::turn();
}

/// Finds out whose the calling thread's events are, and tells the flusher through the ring if that is news to it.
pub(crate) fn announce(ring: &mut ThreadRing, always: bool) -> Whose {
    let announced = STACK.try_with(|stack| {
        let Ok(mut stack) = stack.try_borrow_mut() else { return Whose::Busy };
        let key = ring.pipe().key();
        let mut innermost = None;
        for strand in stack.iter_mut().filter(|strand| strand.is_of(key)) {
            ring.settle(&mut strand.progress);
            innermost = Some(strand);
        }
        match innermost {
            Some(strand) => announce_strand(ring, strand, always),
            None => announce_thread(ring, always),
        }
    });
    announced.unwrap_or_else(|_| announce_thread(ring, always))
}

fn announce_strand(ring: &mut ThreadRing, strand: &mut Strand, always: bool) -> Whose {
    let sampled = strand.shared.sampled;
    if !sampled && !always {
        return Whose::Nobodys;
    }
    if ring.turn_to(Some(&strand.progress)) {
        let (about, progress) = strand.about();
        if !tell(ring, about, progress) {
            return Whose::Dropped;
        }
        ring.told(Some(progress));
    }
    if sampled { Whose::Known } else { Whose::Exception }
}

fn announce_thread(ring: &mut ThreadRing, always: bool) -> Whose {
    let recorded = ring.pipe().background == Background::Recorded;
    if !recorded && !always {
        return Whose::Nobodys;
    }
    if ring.turn_to(None) {
        let about = About::background(ring.pipe().identity.trace);
        let own = ring.own().clone();
        if !tell(ring, about, &own) {
            return Whose::Dropped;
        }
        ring.told(None);
    }
    if recorded { Whose::Known } else { Whose::Exception }
}

/// Tells the flusher whose events follow. If there is no room for that, there is none for the event: it is dropped.
fn tell(ring: &mut ThreadRing, about: About<'_>, progress: &Progress) -> bool {
    let thread = ring.thread();
    let attach = Attach {
        strand: progress.number(),
        first_step: progress.steps(),
        seq: ring.events(),
        last: progress.last(),
        dropped: ring.dropped_untold(),
        about,
        after: progress.after(),
        thread: thread.as_ref().and_then(Thread::name).unwrap_or(""),
    };
    let told = attach.write(ring);
    if !told {
        ring.drop_event();
    }
    told
}
