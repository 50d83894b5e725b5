//! What happens before what, by what a receiver is told.

use super::Seen;
use std::collections::{BTreeMap, BTreeSet};
use trackside::MemoryTransport;
use trackside_analysis::Analyzer;
use trackside_wire::{Batch, Kind};

/// What the receiver got, event by event: its strand, and what happens before it, as the numbers of events that it got
/// earlier. Fails if a cause comes later than its effect, or an event of a strand is missing.
pub(crate) fn received(events: &[Seen]) -> Vec<(u64, BTreeSet<u64>)> {
    let mut strands: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut all: Vec<(u64, BTreeSet<u64>)> = Vec::new();
    for (number, seen) in (0..).zip(events) {
        let mut before = BTreeSet::new();
        let mut learn = |event: u64, all: &[(u64, BTreeSet<u64>)]| {
            before.insert(event);
            before.extend(&all[event as usize].1);
        };
        for (strand, steps) in &seen.after {
            let events = strands.get(strand).map_or(&[][..], |events| &events[..]);
            assert!(events.len() as u64 >= *steps, "{seen:?} comes before what happens before it");
            // Of a strand that came to its end without an event, there is none to be found.
            steps.checked_sub(1).into_iter().for_each(|last| learn(events[last as usize], &all));
        }
        let own = strands.entry(seen.strand).or_default();
        assert_eq!(seen.step, own.len() as u64, "{seen:?}");
        own.last().into_iter().for_each(|last| learn(*last, &all));
        own.push(number);
        all.push((seen.strand, before));
    }
    all
}

/// The order of custom events, by their names.
#[derive(Debug)]
pub(crate) struct Order {
    events: Vec<Seen>,
    before: Vec<BTreeSet<u64>>,
}

impl Order {
    pub(crate) fn of(events: Vec<Seen>) -> Self {
        let before = received(&events).into_iter().map(|(_, before)| before).collect();
        Self { events, before }
    }

    /// As [`Order::of`], with what messages and signals order beside. Their ends may come in any order; each that is received
    /// or acquired has its other end.
    #[track_caller]
    pub(crate) fn synchronised(events: Vec<Seen>) -> Self {
        let mut direct: Vec<Vec<usize>> = vec![Vec::new(); events.len()];
        let steps: BTreeMap<(u64, u64), usize> =
            (0..).zip(&events).map(|(at, seen)| ((seen.strand, seen.step), at)).collect();
        for (at, seen) in events.iter().enumerate() {
            let own = seen.step.checked_sub(1).map(|step| (seen.strand, step));
            let after = seen.after.iter().map(|(strand, steps)| (*strand, steps - 1));
            direct[at].extend(own.into_iter().chain(after).map(|step| steps[&step]));
            let mut sources =
                (0..).zip(&events).filter(|(_, source)| is_source(source, seen)).map(|(at, _)| at).peekable();
            let is_end = matches!(seen.kind, Kind::MessageReceived | Kind::SyncAcquire);
            assert!(!is_end || sources.peek().is_some(), "nothing before {seen:?} in {events:#?}");
            direct[at].extend(sources);
        }
        let before = (0..events.len()).map(|at| all_before(at, &direct)).collect();
        Self { events, before }
    }

    #[track_caller]
    fn at(&self, name: &str) -> usize {
        let named = |seen: &Seen| seen.kind == Kind::Custom && seen.name.as_deref() == Some(name);
        let mut found = (0..).zip(&self.events).filter(|(_, seen)| named(seen));
        let (at, _) = found.next().unwrap_or_else(|| panic!("no {name} in {:#?}", self.events));
        assert!(found.next().is_none(), "two of {name} in {:#?}", self.events);
        at
    }

    #[track_caller]
    pub(crate) fn event(&self, name: &str) -> &Seen {
        &self.events[self.at(name)]
    }

    /// Whether the one is known to happen before the other.
    #[track_caller]
    pub(crate) fn is_before(&self, earlier: &str, later: &str) -> bool {
        self.before[self.at(later)].contains(&(self.at(earlier) as u64))
    }

    /// Whether all events called the one thing are known to happen before the one called the other.
    #[track_caller]
    pub(crate) fn is_before_all(&self, earlier: &str, later: &str) -> bool {
        let before = &self.before[self.at(later)];
        let mut all = (0..).zip(&self.events).filter(|(_, seen)| seen.name.as_deref() == Some(earlier));
        all.all(|(at, _)| before.contains(&at))
    }

    /// Asserts that each of these happens before the next.
    #[track_caller]
    pub(crate) fn assert_chain(&self, names: &[&str]) {
        for pair in names.windows(2) {
            assert!(self.is_before(pair[0], pair[1]), "{pair:?} in {:#?}", self.events);
        }
    }

    /// Asserts that neither is known to happen before the other.
    #[track_caller]
    pub(crate) fn assert_apart(&self, one: &str, other: &str) {
        assert!(!self.is_before(one, other) && !self.is_before(other, one), "{one}, {other} in {:#?}", self.events);
    }

    pub(crate) fn events(&self) -> &[Seen] {
        &self.events
    }
}

/// The number of a message or signal.
#[track_caller]
pub(crate) fn number(seen: &Seen) -> u64 {
    seen.b.trim_start_matches('[').split(',').next().and_then(|text| text.parse().ok()).expect("it has a number")
}

/// Whether the first is the message that the second has received, or a signal that it has noticed.
fn is_source(source: &Seen, end: &Seen) -> bool {
    match (source.kind, end.kind) {
        (Kind::MessageSent, Kind::MessageReceived) => (&source.a, &source.b) == (&end.a, &end.b),
        (Kind::SyncRelease, Kind::SyncAcquire) => source.a == end.a && number(source) <= number(end),
        _ => false,
    }
}

fn all_before(at: usize, direct: &[Vec<usize>]) -> BTreeSet<u64> {
    let (mut before, mut todo) = (BTreeSet::new(), direct[at].clone());
    while let Some(next) = todo.pop() {
        if before.insert(next as u64) {
            todo.extend(&direct[next]);
        }
    }
    assert!(!before.contains(&(at as u64)), "an event that comes before itself");
    before
}

/// The variables of which the analysis has findings, in what `memory` was sent.
pub(crate) fn findings(memory: &MemoryTransport) -> BTreeSet<String> {
    let mut analyzer = Analyzer::new();
    memory.batches().iter().for_each(|batch| analyzer.ingest(&Batch::decode(&batch.bytes).expect("well-formed")));
    let report = analyzer.finish();
    assert!(report.summary.is_complete(), "{report:?}");
    report.findings.iter().map(|finding| finding.variable.clone()).collect()
}
