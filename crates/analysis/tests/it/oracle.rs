//! What is true of a program, found the slow way: by looking at every pair of its events.

use crate::memory_model::{overwritten, synchronised};
use crate::program::{Event, Program, V, process};
use std::collections::{BTreeMap, BTreeSet};
use trackside_analysis::AccessInfo;
use trackside_wire::Kind;

/// A program, and the reachability of each event from each other one.
pub(crate) struct Oracle<'a> {
    pub(crate) program: &'a Program,
    /// The program as it was recorded: the same events, but some that nobody knows of.
    told: &'a Program,
    /// For each event, the events that happen before it.
    before: Vec<BTreeSet<usize>>,
    /// For each event, the locks its strand holds: the acquisition's event, and whether it is shared.
    held: Vec<BTreeMap<(u64, String), (usize, bool)>>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        Self::ordered_by(program, orders)
    }

    /// What would hold if locks ordered nothing.
    pub(crate) fn without_locks(program: &'a Program) -> Self {
        Self::ordered_by(program, |program, first, second| {
            let (a, b) = (&program.events[first], &program.events[second]);
            let of_lock = (a.kind, b.kind) == (Kind::LockRelease, Kind::LockAcquire) && a.strand != b.strand;
            if of_lock { follows(program, first, second) } else { orders(program, first, second) }
        })
    }

    fn ordered_by(program: &'a Program, orders: impl Fn(&Program, usize, usize) -> bool) -> Self {
        let events = &program.events;
        let synchronised = synchronised(program);
        let mut before: Vec<BTreeSet<usize>> = Vec::new();
        let mut held = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let ordered = |earlier: usize| orders(program, earlier, at) || synchronised.contains(&(earlier, at));
            let direct = (0..at).filter(|earlier| ordered(*earlier));
            let set: BTreeSet<usize> =
                direct.flat_map(|earlier| before[earlier].iter().copied().chain([earlier])).collect();
            before.push(set);
            let mut locks = BTreeMap::new();
            for (number, earlier) in
                events.iter().enumerate().take(at).filter(|(_, other)| other.strand == event.strand)
            {
                match earlier.kind {
                    // A lock that another strand gives back is in nobody's set: of whom it protects, the order tells.
                    Kind::LockAcquire if is_handed_over(program, earlier) => {}
                    Kind::LockRelease if is_foreign(program, earlier) => {}
                    Kind::LockAcquire => drop(locks.insert(lock_of(earlier), (number, is_shared(&earlier.b)))),
                    Kind::LockRelease => drop(locks.remove(&lock_of(earlier))),
                    _ => {}
                }
            }
            held.push(locks);
        }
        Self { program, told: program, before, held }
    }

    /// Speaks of events as a report on this record of the program does.
    pub(crate) fn of_record(self, told: &'a Program) -> Self {
        Self { told, ..self }
    }

    /// Whether the first event happens before the second.
    pub(crate) fn is_before(&self, a: usize, b: usize) -> bool {
        self.before[b].contains(&a)
    }

    pub(crate) fn ordered(&self, a: usize, b: usize) -> bool {
        self.before[a].contains(&b) || self.before[b].contains(&a)
    }

    fn excluded(&self, a: &BTreeMap<(u64, String), (usize, bool)>, b: usize) -> bool {
        a.iter().any(|(lock, (_, one))| self.held[b].get(lock).is_some_and(|(_, other)| !(*one && *other)))
    }

    fn accesses(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.before.len()).filter(|at| self.program.events[*at].kind.access().is_some())
    }

    /// The pairs that race.
    pub(crate) fn races(&self) -> BTreeSet<(usize, usize)> {
        let events = &self.program.events;
        let race = |a: usize, b: usize| {
            let (one, other) = (events[a].kind.access().unwrap(), events[b].kind.access().unwrap());
            variable_of(&events[a]) == variable_of(&events[b])
                && (one.is_write() || other.is_write())
                && !(one.is_atomic() && other.is_atomic())
                && !self.ordered(a, b)
                && !self.excluded(&self.held[a], b)
        };
        self.accesses()
            .flat_map(|b| self.accesses().filter(move |a| *a < b).map(move |a| (a, b)))
            .filter(|(a, b)| race(*a, *b))
            .collect()
    }

    /// The read that a write depends on.
    pub(crate) fn origin(&self, write: usize) -> Option<usize> {
        let events = &self.program.events;
        if !matches!(events[write].kind, Kind::Write | Kind::AtomicWrite) {
            return None;
        }
        let same = |at: &usize| events[*at].strand == events[write].strand && events[*at].name == events[write].name;
        let last = self.accesses().filter(|at| *at < write).filter(same).last()?;
        matches!(events[last].kind, Kind::Read | Kind::AtomicRead).then_some(last)
    }

    /// Read, write, and a foreign write that may be lost to them.
    pub(crate) fn losses(&self) -> BTreeSet<(usize, usize, usize)> {
        let events = &self.program.events;
        let mut losses = overwritten(self.program, |_, _| true);
        for write in self.accesses() {
            let Some(read) = self.origin(write) else { continue };
            let mut section = self.held[write].clone();
            section.retain(|lock, acquired| self.held[read].get(lock) == Some(acquired));
            for foreign in self.accesses() {
                let writes = events[foreign].kind.access().unwrap().is_write();
                if writes
                    && events[foreign].strand != events[write].strand
                    && variable_of(&events[foreign]) == variable_of(&events[write])
                    && !self.before[read].contains(&foreign)
                    && !self.before[foreign].contains(&write)
                    && !self.excluded(&section, foreign)
                {
                    losses.insert((read, write, foreign));
                }
            }
        }
        losses
    }

    /// How many writes were computed from a read of `base`, and replaced something else. Variables begin with 0; the
    /// variable is the one that this event accesses.
    pub(crate) fn stale(&self, access: usize, base: i64) -> usize {
        let mut now = V::Int(0);
        let mut stale = 0;
        let variable = variable_of(&self.program.events[access]);
        for at in self.accesses().filter(|at| variable_of(&self.program.events[*at]) == variable) {
            let event = &self.program.events[at];
            if event.kind.access().is_some_and(|access| access.is_write()) {
                stale += usize::from(self.origin(at).is_some() && event.a == V::Int(base) && now != event.a);
                now = event.b.clone();
            }
        }
        stale
    }

    /// The event that a finding speaks of.
    pub(crate) fn event(&self, info: &AccessInfo) -> usize {
        let number: u64 = info.thread_id.rsplit('-').next().unwrap().parse().unwrap();
        let run = u64::from_str_radix(&info.run, 16).unwrap();
        let strand = crate::program::remote(run - self.program.run, number);
        let known = |event: &Event| (event.strand, event.step) == (strand, info.step) && !event.is_unknown();
        self.told.events.iter().position(known).expect("the event exists")
    }

    /// The places of a pair, as a finding would tell them.
    pub(crate) fn places(&self, a: usize, b: usize) -> (String, u32, u32) {
        let (a, b) = (&self.program.events[a], &self.program.events[b]);
        let (one, other) = (a.line.unwrap(), b.line.unwrap());
        (a.name.clone(), one.min(other), one.max(other))
    }
}

/// Whether the program orders the second event directly after the first.
fn orders(program: &Program, first: usize, second: usize) -> bool {
    let (a, b) = (&program.events[first], &program.events[second]);
    let exclusive = !(is_shared(&a.b) && is_shared(&b.b));
    let counted = |detail: &V| matches!(detail, V::List(list) if list[0] != V::Nil);
    let same_process = process(a.strand).0 == process(b.strand).0;
    let begins = || !program.events[..second].iter().any(|event| event.strand == b.strand);
    let contexts = || Some((program.contexts.get(&a.strand)?, program.contexts.get(&b.strand)?));
    a.strand == b.strand
        || follows(program, first, second)
        || (same_process && a.kind == Kind::AsyncSpawn && b.kind == Kind::TaskBegin && a.a == b.a)
        || (same_process && a.kind == Kind::TaskEnd && b.kind == Kind::AsyncAwait && a.a == b.a)
        || (a.kind == Kind::LockRelease
            && b.kind == Kind::LockAcquire
            && lock_of(a) == lock_of(b)
            && exclusive
            && counted(&a.b))
        || is_turn(a, b)
        || (same_process
            && (a.kind, b.kind) == (Kind::MessageSent, Kind::MessageReceived)
            && (&a.name, number(a)) == (&b.name, number(b)))
        || (same_process
            && (a.kind, b.kind) == (Kind::SyncRelease, Kind::SyncAcquire)
            && a.name == b.name
            && number(a) <= number(b))
        || (a.kind == Kind::CallSent
            && begins()
            && contexts().is_some_and(|(from, to)| to.entry && to.trace == from.trace && a.a == V::Int(to.span as i64)))
        || (a.kind == Kind::HttpResponse
            && b.kind == Kind::CallReturned
            && matches!(b.a, V::Int(span) if program.answers.get(&(span as u64)) == Some(&a.strand)))
}

/// Whether the second event gives back what the first one took, by its number.
fn is_turn(a: &Event, b: &Event) -> bool {
    let number = |event: &Event| match &event.b {
        V::List(list) => Some(list[0].clone()).filter(|number| *number != V::Nil),
        _ => None,
    };
    (a.kind, b.kind) == (Kind::LockAcquire, Kind::LockRelease)
        && lock_of(a) == lock_of(b)
        && number(a).is_some()
        && number(a) == number(b)
}

fn is_handed_over(program: &Program, taken: &Event) -> bool {
    program.events.iter().any(|event| is_turn(taken, event) && event.strand != taken.strand)
}

fn is_foreign(program: &Program, released: &Event) -> bool {
    program.events.iter().any(|event| is_turn(event, released) && event.strand != released.strand)
}

/// The number of a message, of a signal or of an atomic's write.
pub(crate) fn number(event: &Event) -> u64 {
    let V::List(detail) = &event.b else { panic!("{event:?} has no number") };
    let V::Int(number) = detail[0] else { panic!("{event:?} has no number") };
    number as u64
}

/// Whether the second event says that it comes after the first.
fn follows(program: &Program, first: usize, second: usize) -> bool {
    let (a, b) = (&program.events[first], &program.events[second]);
    b.after.iter().any(|(strand, steps)| *strand == a.strand && a.step < *steps)
}

/// What tells a lock apart from others.
pub(crate) fn lock_of(event: &Event) -> (u64, String) {
    (process(event.strand).0, event.name.clone())
}

/// What tells a variable apart from others.
pub(crate) fn variable_of(event: &Event) -> (Option<u64>, &str) {
    let shared = event.name.starts_with("shared:");
    ((!shared).then_some(process(event.strand).0), &event.name)
}

fn is_shared(detail: &V) -> bool {
    matches!(detail, V::List(list) if matches!(&list[1], V::Text(text) if text.starts_with("RwLock-Read")))
}
