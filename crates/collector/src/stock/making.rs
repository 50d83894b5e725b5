use super::batch::{Draft, Position};
use super::calls::{Calls, own_count};
use super::hash::hash;
use super::lines::{Line, LineKey, Lines, Run};
use super::own::{self, Own, event_id};
use super::row::{Cell, Said, lock, made};
use super::schema::{Event, KindOf};
use super::text::{Text, Uuid, span};
use std::sync::Arc;
use trackside_wire::{EventId, Kind, Kinds, RunId};

/// The type of a lock that a lock set tells of, and no event.
pub(super) const TOLD: &str = "lock_set";

/// The batch that is being made of one process's events.
#[derive(Debug)]
pub(super) struct Making<'a> {
    run: RunId,
    known: Run,
    lines: &'a mut Lines,
    calls: &'a mut Calls,
    draft: Draft,
    base_unix_ns: u64,
}

impl<'a> Making<'a> {
    pub(super) fn new(run: RunId, known: Run, base_unix_ns: u64, lines: &'a mut Lines, calls: &'a mut Calls) -> Self {
        Self { run, known, lines, calls, draft: Draft::default(), base_unix_ns }
    }

    /// Whether the event was converted a short while ago.
    pub(super) fn knows(&self, id: EventId) -> bool {
        self.lines.events.get(&id).is_some()
    }

    /// Adds an event of a stock SDK.
    pub(super) fn foreign(&mut self, event: &Event<'_>, id: EventId) {
        let thread = &*event.metadata.thread_id;
        let own_span = span(event.metadata.distributed_span_id.as_deref());
        let key = LineKey::foreign(self.run, thread, event.trace_id.0, own_span);
        let thread_key = LineKey::thread(self.run, thread);
        let before = self.lines.threads.get(&thread_key).copied();
        let parent = event.parent_id.and_then(|parent| self.lines.events.get(&foreign_id(self.run, parent)).copied());
        let parent = parent.map(|(strand, step)| (strand, step.saturating_add(1)));
        let mut line = match self.lines.lines.get(&key) {
            Some(line) => line.clone(),
            None => {
                self.known.next_strand += 1;
                self.begin(event, own_span, self.known.next_strand - 1)
            }
        };
        let come_before = before.into_iter().chain(parent);
        let after = come_before.filter(|(strand, steps)| line.follow(*strand, *steps)).collect();
        let mut adding = Adding { after, thread: Some(thread), time_ns: self.time_ns(event) };

        let said = Said::new(event);
        for (kind, name) in lock_set_changes(&mut line, event) {
            let parts = [&b"lock"[..], &event.id.0.to_be_bytes(), &[kind.code()], name.as_bytes()];
            let id = EventId { run: self.run, ring: 0, seq: seq(&parts) };
            let said = Said { kind, name: Some(&name), place: said.place, a: Cell::Nil, b: lock(TOLD) };
            let step = line.next_step;
            adding.add(self, &mut line, id, step, &said);
        }
        let step = line.next_step;
        adding.add(self, &mut line, id, step, &said);
        let reached = (line.number, line.next_step);
        self.calls.passed((self.run, &Arc::clone(&self.known.process)), event, own_span, reached);
        self.lines.threads.put(thread_key, reached);
        self.lines.lines.put(key, line);
    }

    /// Adds an event of our own SDK.
    pub(super) fn own(&mut self, event: &Event<'_>, own: Own) {
        let own_span = span(event.metadata.distributed_span_id.as_deref());
        let key = LineKey::own(self.run, own.strand);
        let mut line = match self.lines.lines.get(&key) {
            Some(line) => line.clone(),
            None => self.begin(event, own_span, own.strand),
        };
        let count = own_count(event, &self.known.process.component).unwrap_or(0);
        let is_background = own_span == 0 && event.causality_vector.0.len() == 1;
        let base = *line.base.get_or_insert(if is_background { 1 } else { count.saturating_sub(line.next_step) });
        let step = count.checked_sub(base).unwrap_or(line.next_step);

        let parent = event.parent_id.and_then(|parent| event_id(parent).filter(|parent| parent.run == self.run));
        let parent = parent.and_then(|parent| self.lines.events.get(&parent).copied());
        let mut after: Vec<(u64, u64)> = Vec::new();
        if let Some((strand, step)) = parent
            && line.follow(strand, step.saturating_add(1))
        {
            after.push((strand, step.saturating_add(1)));
        }
        let mut said = own::said(event, self.run);
        if let KindOf::AsyncAwait { future_id, .. } = &event.kind
            && let Some(joined) = own::task(future_id, self.run)
            && let Some(other) = self.lines.lines.get(&LineKey::own(self.run, joined))
        {
            // The strand has ended, and what it did has come before.
            let steps = other.next_step;
            said.b = made(|packer| packer.uint(steps));
            line.follow(joined, steps);
            after.push((joined, steps));
        }
        Adding { after, thread: None, time_ns: self.time_ns(event) }.add(self, &mut line, own.id, step, &said);
        self.lines.lines.put(key, line);
    }

    /// The batch. Nothing if there is no event in it.
    pub(super) fn finish(mut self, first: &Event<'_>, off: Kinds) -> Option<Vec<u8>> {
        if self.draft.events == 0 {
            return None;
        }
        self.known.seal(self.draft.events);
        let tags = first.metadata.tags.0.iter().map(|(Text(key), Text(value))| (&**key, &**value)).collect();
        let bytes = self.draft.finish(&self.known.header(self.run, tags, self.base_unix_ns, off));
        self.lines.runs.put(self.run, self.known);
        Some(bytes)
    }

    /// A strand that begins with this event.
    fn begin(&mut self, event: &Event<'_>, span: u64, number: u64) -> Line {
        let upstream = super::text::span(event.metadata.upstream_span_id.as_deref());
        let trace = event.trace_id.0;
        let context = (self.run, trace, span);
        let is_first = self.lines.entries.get(&context).is_none();
        self.lines.entries.put(context, ());
        // What else has its trace and span was forked from it.
        let entry = span != 0 && is_first && event.parent_id.is_none();
        if entry && upstream != 0 {
            self.calls.taken(event, span, upstream);
        }
        Line { number, trace, span, upstream, entry, ..Line::default() }
    }

    fn time_ns(&self, event: &Event<'_>) -> u64 {
        event.timestamp.0.saturating_sub(self.base_unix_ns)
    }
}

/// What the events that one posted event becomes have in common.
struct Adding<'a> {
    /// Told by the first of them.
    after: Vec<(u64, u64)>,
    /// What the strand is called, if it is not one of our own SDK.
    thread: Option<&'a str>,
    time_ns: u64,
}

impl Adding<'_> {
    fn add(&mut self, making: &mut Making<'_>, line: &mut Line, id: EventId, step: u64, said: &Said<'_>) {
        let (thread, time_ns, after) = (self.thread, self.time_ns, std::mem::take(&mut self.after));
        let described = |draft: &mut Draft| {
            let name = thread.map(|thread| draft.string(thread));
            line.strand(name)
        };
        making.draft.push(line.number, Position { id, step, time_ns, after }, said, described);
        line.next_step = line.next_step.max(step.saturating_add(1));
        making.lines.events.put(id, (line.number, step));
    }
}

/// Which locks have been taken and given back, going by the event's lock set, of which no event tells; and takes note of
/// what the event itself says.
fn lock_set_changes(line: &mut Line, event: &Event<'_>) -> Vec<(Kind, String)> {
    let set = &event.lock_set.0;
    let is_in = |locks: &[Box<str>], lock: &str| locks.iter().any(|held| **held == *lock);
    let mut changes = Vec::new();
    for gone in line.told.clone().iter().filter(|lock| !set.iter().any(|held| **held == ***lock)) {
        line.release_told(gone);
        changes.push((Kind::LockRelease, gone.to_string()));
    }
    let acquired = match &event.kind {
        KindOf::LockAcquire { lock_id, .. } => Some(&**lock_id),
        _ => None,
    };
    for lock in set {
        if acquired != Some(&**lock) && !is_in(&line.held, lock) && !is_in(&line.told, lock) {
            line.acquire_told(lock);
            changes.push((Kind::LockAcquire, lock.to_string()));
        }
    }
    match &event.kind {
        KindOf::LockAcquire { lock_id, .. } => line.acquire(lock_id),
        KindOf::LockRelease { lock_id, .. } if is_in(&line.held, lock_id) => line.release(lock_id),
        KindOf::LockRelease { lock_id, .. } => line.release_told(lock_id),
        _ => {}
    }
    changes
}

/// The id of a stock SDK's event.
pub(super) fn foreign_id(run: RunId, id: Uuid) -> EventId {
    EventId { run, ring: 0, seq: seq(&[id.0.to_be_bytes()]) }
}

/// A sequence number that no other event of the run has: as many bits as are sure not to overflow when one is added.
pub(super) fn seq<P: AsRef<[u8]>>(parts: &[P]) -> u64 {
    hash(parts) >> 2
}
