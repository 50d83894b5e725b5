//! What the memory model says of a program's tracked atomics, found the slow way.

use crate::oracle::{number, variable_of};
use crate::program::{Event, Program, V};
use std::collections::BTreeSet;
use trackside_wire::Kind;

/// Pairs of events of which the first synchronises with the second through a tracked atomic, fences included.
pub(crate) fn synchronised(program: &Program) -> BTreeSet<(usize, usize)> {
    let events = &program.events;
    let mut pairs = BTreeSet::new();
    for (load, reader) in events.iter().enumerate().filter(|(_, event)| is_read(event)) {
        let read = if reader.kind == Kind::AtomicUpdate { number(reader) - 1 } else { number(reader) };
        let acquirers: Vec<usize> = ordered_by(program, load, ["Acquire", "AcqRel", "SeqCst"], |fence| fence > load);
        for (head, writer) in events.iter().enumerate().filter(|(_, event)| is_write(event)) {
            let same = |event: &Event| variable_of(event) == variable_of(writer);
            let update = |wanted: u64| {
                events.iter().any(|event| same(event) && event.kind == Kind::AtomicUpdate && number(event) == wanted)
            };
            let sequence = number(writer)..=read;
            if same(reader) && sequence.contains(&read) && sequence.skip(1).all(update) {
                let releasers = ordered_by(program, head, ["Release", "AcqRel", "SeqCst"], |fence| fence < head);
                pairs.extend(releasers.iter().flat_map(|from| acquirers.iter().map(move |to| (*from, *to))));
            }
        }
    }
    pairs
}

/// The access itself, if it has one of these orderings, and the fences of its strand that have.
fn ordered_by(program: &Program, access: usize, orderings: [&str; 3], fences: impl Fn(usize) -> bool) -> Vec<usize> {
    let own = &program.events[access];
    let ordering = |event: &Event| match (&event.b, event.kind) {
        (_, Kind::MemoryFence) => event.a.clone(),
        (V::List(detail), _) => detail[1].clone(),
        _ => V::Nil,
    };
    let fences = |at: usize, event: &Event| event.kind == Kind::MemoryFence && event.strand == own.strand && fences(at);
    let candidates = program.events.iter().enumerate().filter(|(at, event)| *at == access || fences(*at, event));
    let fitting = candidates.filter(|(_, event)| orderings.iter().any(|wanted| ordering(event) == V::from(*wanted)));
    fitting.map(|(at, _)| at).collect()
}

/// Load and store of one strand, and each foreign write between the two by its number; of those whose value that was
/// loaded, and the one that was there in the end, `matter`.
pub(crate) fn overwritten(program: &Program, matter: impl Fn(&V, &V) -> bool) -> BTreeSet<(usize, usize, usize)> {
    let events = &program.events;
    let mut found = BTreeSet::new();
    for (store, event) in events.iter().enumerate().filter(|(_, event)| event.kind == Kind::AtomicStore) {
        let same = |other: &Event| is_atomic(other) && variable_of(other) == variable_of(event);
        let own = |at: &usize| events[*at].strand == event.strand && same(&events[*at]);
        let Some(load) = (0..store).rev().find(own).filter(|at| events[*at].kind == Kind::AtomicLoad) else { continue };
        let between = number(&events[load]) + 1..number(event);
        let is_between = |other: &Event| same(other) && is_write(other) && between.contains(&number(other));
        let foreign: Vec<usize> = (0..events.len()).filter(|at| is_between(&events[*at])).collect();
        let last = foreign.iter().copied().max_by_key(|at| number(&events[*at]));
        if last.is_some_and(|last| matter(value(&events[load]), value(&events[last]))) {
            found.extend(foreign.iter().map(|foreign| (load, store, *foreign)));
        }
    }
    found
}

/// The value that an access to a tracked atomic read or left.
fn value(event: &Event) -> &V {
    let V::List(detail) = &event.b else { panic!("{event:?} has no value") };
    detail.last().expect("a value")
}

pub(crate) fn is_atomic(event: &Event) -> bool {
    is_read(event) || is_write(event)
}

fn is_read(event: &Event) -> bool {
    matches!(event.kind, Kind::AtomicLoad | Kind::AtomicUpdate)
}

fn is_write(event: &Event) -> bool {
    matches!(event.kind, Kind::AtomicStore | Kind::AtomicUpdate)
}
