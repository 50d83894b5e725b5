//! Calls between processes that report in JSON.
//!
//! A stock SDK records no event for a call: who makes the headers adds 1 to its clock, and who gets them has that clock, the
//! caller's span as its upstream span, and a span of its own. So who called is known when both have reported, in either
//! order, and then a `CallSent` is stored for it, on a strand of its own in the caller's run. That strand comes after what
//! the caller had done by then, which are the events with a lower count; the callee, as with any call, after the `CallSent`.
//! Where the callee's clock has no count of the caller (TypeScript's has not), the call is stored without that order.

use super::lines::Process;
use super::remembered::Remembered;
use super::schema::Event;
use std::sync::Arc;
use trackside_wire::RunId;

/// How many of a caller's latest events are remembered, each with its count.
const POINTS_MAX: usize = 64;

/// How many calls of one context wait for their caller to report.
const WAITING_MAX: usize = 64;

/// A context, by trace and span.
type Key = (u128, u64);

/// A context that may have made calls.
#[derive(Debug, Clone)]
struct Caller {
    run: RunId,
    process: Arc<Process>,
    /// Its latest events: count, strand, and steps of that up to it.
    points: Vec<(u64, u64, u64)>,
}

/// A context that was called.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) span: u64,
    pub(super) time_unix_ns: u64,
    clock: Vec<(Box<str>, u64)>,
}

/// A call of which both ends are known.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) run: RunId,
    pub(super) trace: u128,
    /// The caller's span.
    pub(super) upstream: u64,
    pub(super) taken: Taken,
    /// What the caller had done before: a strand, and how many of its steps.
    pub(super) after: Option<(u64, u64)>,
}

#[derive(Debug)]
pub(super) struct Calls {
    callers: Remembered<Key, Caller>,
    waiting: Remembered<Key, Vec<Taken>>,
    /// Contexts that may have calls to be stored.
    due: Vec<Key>,
}

impl Calls {
    pub(super) fn new() -> Self {
        Self { callers: Remembered::new(32_768), waiting: Remembered::new(8192), due: Vec::new() }
    }

    pub(super) fn settle(&mut self, keep: bool) {
        self.callers.settle(keep);
        self.waiting.settle(keep);
    }

    /// A context has recorded an event, which stands there.
    pub(super) fn passed(&mut self, run: (RunId, &Arc<Process>), event: &Event<'_>, span: u64, at: (u64, u64)) {
        if span == 0 {
            return;
        }
        let (run, process) = run;
        let key = (event.trace_id.0, span);
        let point = (own_count(event, &process.component).unwrap_or(0), at.0, at.1);
        match self.callers.change(&key) {
            // Two that were called with the same headers share a span: whose calls are whose, nobody can tell.
            Some(caller) if caller.run != run => return,
            Some(caller) => {
                if caller.points.len() == POINTS_MAX {
                    caller.points.remove(0);
                }
                caller.points.push(point);
            }
            None => {
                let caller = Caller { run, process: Arc::clone(process), points: vec![point] };
                self.callers.put(key, caller);
            }
        }
        if self.waiting.get(&key).is_some_and(|waiting| !waiting.is_empty()) {
            self.due.push(key);
        }
    }

    /// A context has begun that was called by another one.
    pub(super) fn taken(&mut self, event: &Event<'_>, span: u64, upstream: u64) {
        let key = (event.trace_id.0, upstream);
        let clock = event.causality_vector.0.iter().map(|(component, count)| ((**component).into(), *count));
        let taken = Taken { span, time_unix_ns: event.timestamp.0, clock: clock.collect() };
        match self.waiting.change(&key) {
            Some(waiting) if waiting.len() < WAITING_MAX => waiting.push(taken),
            Some(_) => {}
            None => self.waiting.put(key, vec![taken]),
        }
        self.due.push(key);
    }

    /// The next call that can be stored.
    pub(super) fn next(&mut self) -> Option<Call> {
        while let Some(key) = self.due.last().copied() {
            let found = self.callers.get(&key).zip(self.waiting.get(&key)).and_then(|(caller, waiting)| {
                waiting.iter().enumerate().find_map(|(at, taken)| Some((at, caller.run, caller.before(taken)?)))
            });
            let Some((at, run, after)) = found else {
                self.due.pop();
                continue;
            };
            let Some(waiting) = self.waiting.change(&key) else { continue };
            return Some(Call { run, trace: key.0, upstream: key.1, taken: waiting.remove(at), after });
        }
        None
    }

    /// Forgets which calls may be stored: they are looked at again when their callers go on.
    pub(super) fn give_up(&mut self) {
        self.due.clear();
    }
}

impl Caller {
    /// What the context had done before it made a call. Nothing as long as it may not have reported all of that.
    fn before(&self, taken: &Taken) -> Option<Option<(u64, u64)>> {
        let count =
            taken.clock.iter().find(|(component, _)| **component == *self.process.component).map(|(_, count)| *count);
        let Some(count) = count else { return Some(None) };
        let (last, ..) = self.points.last()?;
        if last.saturating_add(1) < count {
            return None;
        }
        let before = self.points.iter().rev().find(|(at, ..)| *at < count);
        Some(before.map(|(_, strand, steps)| (*strand, *steps)))
    }
}

/// What the event's clock counts of its own process.
pub(super) fn own_count(event: &Event<'_>, component: &str) -> Option<u64> {
    event.causality_vector.0.iter().find(|(name, _)| **name == *component).map(|(_, count)| *count)
}
