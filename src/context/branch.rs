//! Work that somebody starts and somebody waits for: the context it runs in, and the way of its end to who waits.

use super::future::Done;
use super::strand::Strand;
use super::{Attached, Context, current};
use crate::ring::sync::{Arc, lock};
use std::borrow::Cow;
use std::panic::Location;

/// The side of who does the work. However the work ends, done, in a panic, or never begun, the context ends with it, and
/// the other side has that.
#[derive(Debug)]
pub(crate) struct Branch {
    /// None if the work runs as whatever its thread runs as: who started it was outside of any context.
    pub(super) strand: Option<Box<Strand>>,
    pub(super) done: Option<Done>,
}

/// The side of who waits.
#[derive(Debug, Clone)]
pub(crate) struct Awaited(Option<Done>);

impl Branch {
    /// Forks what the calling thread runs as: its context, of whatever client; outside of any, its strand of the client
    /// that tracked locks record into. Where there is none of that either, both sides do nothing.
    pub(crate) fn here(name: impl Into<Cow<'static, str>>, site: &'static Location<'static>) -> (Self, Awaited) {
        let strand = current::fork_any(name.into(), site).map(|context| context.0);
        let done = strand.is_some().then(|| Done::from(Arc::default()));
        (Self { strand, done: done.clone() }, Awaited(done))
    }

    /// Does the work on a thread that is there for it alone. What that thread does afterwards, which is what its
    /// thread-locals do when they are dropped, comes after the work.
    pub(crate) fn run_thread<T>(mut self, work: impl FnOnce() -> T) -> T {
        let _running = Running::new(&mut self.strand);
        work()
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        if let (Some(strand), Some(done)) = (self.strand.take(), self.done.take()) {
            *lock(&done) = Some(Context(strand).finish());
        }
    }
}

impl Awaited {
    /// The calling thread knows of the end: the work happens before what it does next. Told once, by whoever is first.
    pub(crate) fn join(&self, site: &'static Location<'static>) {
        let finished = self.0.as_ref().and_then(|done| lock(done).take());
        if let Some(finished) = finished {
            finished.join_at(site);
        }
    }
}

/// While it lives, the calling thread runs as the strand.
struct Running<'a> {
    home: &'a mut Option<Box<Strand>>,
    attached: Option<Attached>,
}

impl<'a> Running<'a> {
    fn new(home: &'a mut Option<Box<Strand>>) -> Self {
        let attached = home.take().map(|strand| Context(strand).attach());
        Self { home, attached }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.home = self.attached.take().and_then(Attached::detach).map(|context| context.0);
    }
}
