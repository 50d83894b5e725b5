use super::batch::{Draft, Position};
use super::calls::{Call, Calls, own_count};
use super::hash::hash;
use super::lines::{Line, Lines, Process, Run};
use super::making::{Making, foreign_id, seq};
use super::own::Own;
use super::recover::learn;
use super::row::{Cell, Said, made};
use super::schema::{Event, Posted};
use crate::store::Store;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use trackside_wire::{Batch, EventId, Kind, Kinds, RunId};

/// The kinds that order events and that the stock SDKs have no words for.
const NEVER_RECORDED: Kinds = Kinds::only([
    Kind::TaskBegin,
    Kind::TaskEnd,
    Kind::MessageSent,
    Kind::MessageReceived,
    Kind::SyncRelease,
    Kind::SyncAcquire,
]);

/// What became of the events of one process.
#[derive(Debug)]
pub(crate) struct Part {
    /// The batch that was made of them. None if all of them are known.
    pub(crate) bytes: Option<Vec<u8>>,
    /// How many of those that were posted are known already.
    pub(crate) duplicates: u64,
}

/// Makes batches of posted events. Each is to be settled before the next one is made.
#[derive(Debug)]
pub(crate) struct Converter {
    lines: Lines,
    calls: Calls,
}

impl Converter {
    pub(crate) fn new() -> Self {
        Self::remembering(131_072)
    }

    /// One that has the places of so many events at hand; older ones are no parents any more, and still known.
    fn remembering(events: usize) -> Self {
        Self { lines: Lines::new(events), calls: Calls::new() }
    }

    /// Makes a batch of the events of one process.
    pub(crate) fn convert(&mut self, run: RunId, events: &[&Event<'_>], store: &Store) -> Part {
        self.settle(false);
        self.recover(run, store);
        let Some(first) = events.first() else { return Part { bytes: None, duplicates: 0 } };
        let off = if Own::of(first).is_some() { Kinds::NONE } else { NEVER_RECORDED };
        let known = self.lines.runs.get(&run).cloned().unwrap_or_else(|| Run::new(Process::of(first)));
        let base = events.iter().map(|event| event.timestamp.0).min().unwrap_or(0);
        let mut making = Making::new(run, known, base, &mut self.lines, &mut self.calls);
        let mut duplicates = 0;
        for event in events {
            let own = Own::of(event);
            let id = own.map_or_else(|| foreign_id(run, event.id), |own| own.id);
            if making.knows(id) || store.knows(id) {
                duplicates += 1;
                continue;
            }
            match own {
                Some(own) => making.own(event, own),
                None => making.foreign(event, id),
            }
        }
        Part { bytes: making.finish(first, off), duplicates }
    }

    /// Makes the next batch that tells of a call.
    pub(crate) fn next_call(&mut self, store: &Store) -> Option<Vec<u8>> {
        self.settle(false);
        loop {
            let call = self.calls.next()?;
            let span = call.taken.span.to_be_bytes();
            let parts = [&b"call"[..], &call.trace.to_be_bytes(), &call.upstream.to_be_bytes(), &span];
            let id = EventId { run: call.run, ring: 0, seq: seq(&parts) };
            if let Some(known) = self.lines.runs.get(&call.run).cloned().filter(|_| !store.knows(id)) {
                return Some(self.call(&call, id, known));
            }
            self.calls.settle(true);
        }
    }

    /// Says whether the batch that was made last is stored. If not, what it was made of is news when it comes again.
    pub(crate) fn settle(&mut self, stored: bool) {
        self.lines.settle(stored);
        self.calls.settle(stored);
    }

    /// Leaves calls that are not stored yet for later.
    pub(crate) fn leave_calls(&mut self) {
        self.settle(false);
        self.calls.give_up();
    }

    /// Reads a run that is stored and not remembered.
    fn recover(&mut self, run: RunId, store: &Store) {
        if self.lines.runs.get(&run).is_some() || !store.knows_run(run) {
            return;
        }
        for bytes in store.batches() {
            let Ok(batch) = Batch::decode(&bytes) else { continue };
            if batch.header.run == run {
                learn(&mut self.lines, run, &batch);
                self.lines.settle(true);
            }
        }
    }

    fn call(&mut self, call: &Call, id: EventId, mut known: Run) -> Vec<u8> {
        let line = Line { number: known.next_strand, trace: call.trace, span: call.upstream, ..Line::default() };
        known.next_strand += 1;
        let a = made(|packer| packer.uint(call.taken.span));
        let said = Said { kind: Kind::CallSent, name: None, place: None, a, b: Cell::Nil };
        let position = Position { id, step: 0, time_ns: 0, after: call.after.into_iter().collect() };
        let mut draft = Draft::default();
        draft.push(line.number, position, &said, |_| line.strand(None));
        known.seal(draft.events);
        let bytes = draft.finish(&known.header(call.run, Vec::new(), call.taken.time_unix_ns, NEVER_RECORDED));
        self.lines.runs.put(call.run, known);
        bytes
    }
}

impl<'a> Posted<'a> {
    /// The processes that the events are of, each with its events in the order in which they are to be converted.
    pub(crate) fn processes(&self) -> Vec<(RunId, Vec<&Event<'a>>)> {
        let mut processes: Vec<(RunId, Vec<&Event<'a>>)> = Vec::new();
        let mut places: HashMap<RunId, usize> = HashMap::new();
        for event in &self.events {
            let run = run_of(event);
            match places.entry(run) {
                Entry::Occupied(place) => processes[*place.get()].1.push(event),
                Entry::Vacant(place) => {
                    place.insert(processes.len());
                    processes.push((run, vec![event]));
                }
            }
        }
        processes.iter_mut().for_each(|(_, events)| in_order(events));
        processes
    }
}

fn run_of(event: &Event<'_>) -> RunId {
    if let Some(own) = Own::of(event) {
        return own.id.run;
    }
    let Process { service, instance, environment, pid, .. } = Process::of(event);
    let pid = pid.to_be_bytes();
    RunId::new(hash(&[service.as_bytes(), instance.as_bytes(), environment.as_bytes(), &pid]))
}

/// Puts the events of each thread in one context into the order of their own count, where all of them have one.
fn in_order(events: &mut [&Event<'_>]) {
    let mut threads: HashMap<_, Vec<(usize, Option<u64>)>> = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        let count = own_count(event, &Process::of(event).component);
        let context = (&*event.metadata.thread_id, event.trace_id, event.metadata.distributed_span_id.as_deref());
        threads.entry(context).or_default().push((at, count));
    }
    let orders: Vec<Vec<(usize, Option<u64>)>> = threads.into_values().collect();
    for mut order in orders {
        if order.is_sorted_by_key(|(_, count)| *count) || order.iter().any(|(_, count)| count.is_none()) {
            continue;
        }
        let places: Vec<usize> = order.iter().map(|(at, _)| *at).collect();
        order.sort_by_key(|(_, count)| *count);
        let sorted: Vec<_> = order.iter().map(|(at, _)| events[*at]).collect();
        places.into_iter().zip(sorted).for_each(|(place, event)| events[place] = event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::received::Received;
    use crate::store::Capacity;
    use serde_json::json;

    fn posted(numbers: std::ops::Range<u128>) -> Vec<u8> {
        let event = |number: u128| {
            json!({
                "id": format!("{number:032x}"), "trace_id": format!("{:032x}", 1), "timestamp": "2026-01-02T03:04:05Z",
                "kind": {"DatabaseResult": {"rows_affected": 1}}, "causality_vector": [], "lock_set": [],
                "metadata": {"thread_id": "t", "process_id": 1, "service_name": "s", "environment": "", "tags": {}},
            })
        };
        json!({"events": numbers.map(event).collect::<Vec<_>>()}).to_string().into_bytes()
    }

    #[test]
    fn an_event_is_known_long_after_its_place_was_forgotten() {
        let capacity = Capacity { max_bytes: 1 << 30, max_index_bytes: None, max_age: None, evict_oldest: false };
        let store = Store::in_memory(capacity);
        let mut converter = Converter::remembering(4);
        let mut send = |numbers| {
            let body = posted(numbers);
            let posted = Posted::read(&body).unwrap();
            let [(run, events)] = &posted.processes()[..] else { panic!("one process") };
            let part = converter.convert(*run, events, &store);
            let stored = part
                .bytes
                .map_or(0, |bytes| store.ingest(Received::decode(&bytes).unwrap(), &bytes.into(), 0).unwrap().stored);
            converter.settle(true);
            (stored, part.duplicates)
        };
        assert_eq!((send(0..100), send(100..200)), ((100, 0), (100, 0)));
        assert_eq!((send(0..200), send(0..201)), ((0, 200), (1, 200)));
    }
}
