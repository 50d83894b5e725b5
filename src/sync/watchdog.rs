//! Sees deadlocks while they happen, for a client that has asked for it: who is about to wait says so, and what he holds.
//!
//! All of it is on the way of those who have to wait. Who takes a lock that is free, or finds no client that asks, does not
//! come here.

use super::turn::{about_to_wait, client};
use crate::deadlock::{Deadlock, OnDeadlock, Waiter, Waiters, steps};
use crate::lock_record::Mode;
use crate::record::{Arg, Bytes, Name, Record};
use crate::ring::held::LockPlace;
use crate::ring::sync::{Arc, Mutex, lock};
use crate::ring::{local, pipe};
use crate::value::{PackBuf, Value};
use arc_swap::ArcSwapOption;
use std::ops::Range;
use std::panic::Location;
use trackside_wire::Kind;

/// What the client that asks for it is told, and those who wait. It is made anew with each client, so that a forked child,
/// which finds every lock as it was, uses none that somebody else may hold.
struct Watch {
    key: u64,
    waiters: Mutex<Waiters>,
    tell: OnDeadlock,
}

static WATCH: ArcSwapOption<Watch> = ArcSwapOption::const_empty();

/// The client with this key is told of deadlocks, while it is the one that locks record into.
pub(crate) fn begin(key: u64, tell: OnDeadlock) {
    WATCH.store(Some(Arc::new(Watch { key, waiters: Mutex::default(), tell })));
}

/// It is told no more.
pub(crate) fn end(key: u64) {
    let now = WATCH.load();
    if now.as_ref().is_some_and(|watch| watch.key == key) {
        // Unless there is another by now.
        WATCH.compare_and_swap(&*now, None);
    }
}

/// That the calling thread waits, until this is dropped.
pub(super) struct Waiting {
    watch: Arc<Watch>,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.watch.waiters).remove(self.number);
    }
}

/// The calling thread is about to wait for a lock, which is at this place, and of which what lies inside of it takes up so
/// many bytes, less its value. Returns when that is, as [`about_to_wait`].
pub(super) fn about_to_wait_for(
    place: LockPlace,
    bytes: usize,
    mode: Mode,
    site: &'static Location<'static>,
) -> (u64, Option<Waiting>) {
    let start = about_to_wait();
    let lies = place.address()..place.address().saturating_add(bytes);
    let watch = WATCH.load_full();
    (start, watch.and_then(|watch| wait(watch, lies, mode, site)))
}

/// Nothing if the thread is not recorded by the client that asks.
#[cold]
fn wait(watch: Arc<Watch>, lies: Range<usize>, mode: Mode, site: &'static Location<'static>) -> Option<Waiting> {
    let key = watch.key;
    if key != client() || pipe::key_is_foreign(key) {
        return None;
    }
    let (strand, held) = {
        let mut entered = local::enter_default(key)?;
        let ring = entered.ring();
        (ring.strand(), ring.held.clone())
    };
    let thread = std::thread::current().name().map(str::to_owned);
    let waiter = Waiter { strand, thread, lies, reads: mode.is_shared(), location: site, held };
    let mut waiters = lock(&watch.waiters);
    let number = waiters.add(waiter);
    let circle = waiters.circle();
    let (steps, deadlock) = (steps(&circle), Deadlock::of(&circle));
    drop(waiters);
    let waiting = Waiting { watch, number };
    record(key, mode, &steps, site);
    if !steps.is_empty() {
        if let Some(pipe) = pipe::default_pipe().filter(|pipe| pipe.key() == key) {
            pipe.signal.begin_flush();
        }
        // Last of all: whatever this does, the record is on its way.
        (waiting.watch.tell)(&deadlock);
    }
    Some(waiting)
}

/// How many strands of a circle are recorded. The analysis says nothing of a larger one.
const STRANDS_MAX: usize = 15;

fn record(key: u64, mode: Mode, circle: &[(u64, u64)], site: &'static Location<'static>) {
    let mut bytes = [0; 32 + 19 * STRANDS_MAX];
    let mut buf = PackBuf::new(&mut bytes);
    let told = (1..=STRANDS_MAX).contains(&circle.len());
    buf.array(if told { 3 } else { 2 });
    buf.push(&Value::NIL);
    buf.push(&Value::from(mode.text()));
    if told {
        buf.array(circle.len() as u8);
        for (strand, lock) in circle {
            buf.array(2);
            buf.push(&Value::from(*strand));
            buf.push(&Value::from(*lock));
        }
    }
    let (bytes, cut) = buf.finish();
    let a = circle.first().map_or(Arg::Nil, |(_, lock)| Arg::UInt(*lock));
    let b = Arg::Packed(Bytes { bytes, cut });
    if let Some(mut entered) = local::enter_default(key) {
        let ring = entered.ring();
        let (name, ticks) = (Name::None, ring.ticks());
        Record { kind: Kind::LockWait.code(), site: Some(site.into()), name, ticks, a, b }.write(ring);
    }
}
