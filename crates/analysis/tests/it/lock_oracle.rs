//! What is wrong with locks in a program, found the slow way: by looking at all ways to put its acquisitions in a circle, and
//! at all pairs of accesses.

use crate::oracle::{Oracle, lock_of, variable_of};
use crate::program::{Event, Program, V, process};
use std::collections::{BTreeMap, BTreeSet};
use trackside_wire::Kind;

type Lock = (u64, String);

/// A lock that a strand holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hold {
    lock: Lock,
    shared: bool,
    /// The acquisition's event.
    at: usize,
}

/// An acquisition, while another lock is held.
struct Step {
    held: Hold,
    lock: Lock,
    shared: bool,
    at: usize,
    /// All locks held.
    all: Vec<Hold>,
}

/// A process, and the lines where one lock was taken and another one was asked for.
pub(crate) type Lines = (u64, BTreeSet<(u32, u32)>);

/// A lock that was forgotten.
#[derive(Debug, PartialEq)]
pub(crate) struct Forgotten {
    pub(crate) process: u64,
    pub(crate) variable: String,
    pub(crate) lock: String,
    /// How many accesses hold it of how many.
    pub(crate) held: u64,
    pub(crate) accesses: u64,
    /// The lines that do not.
    pub(crate) without: BTreeSet<u32>,
}

pub(crate) struct LockOracle<'a> {
    events: &'a [Event],
    /// Locks order nothing in the one, and do in the other.
    firm: Oracle<'a>,
    all: Oracle<'a>,
    /// For each event, what its strand holds before it.
    held: Vec<Vec<Hold>>,
}

impl<'a> LockOracle<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        let events = &program.events[..];
        let mut now: BTreeMap<u64, Vec<Hold>> = BTreeMap::new();
        let held = events.iter().enumerate().map(|(at, event)| {
            let own = now.entry(event.strand).or_default();
            let before = own.clone();
            match event.kind {
                Kind::LockAcquire => own.push(Hold { lock: lock_of(event), shared: is_shared(event), at }),
                Kind::LockRelease => {
                    let number = number(event);
                    let this = |hold: &Hold| hold.lock == lock_of(event) && number == self::number(&events[hold.at]);
                    own.retain(|hold| !this(hold));
                }
                _ => {}
            }
            before
        });
        Self { events, held: held.collect(), firm: Oracle::without_locks(program), all: Oracle::new(program) }
    }

    fn can_meet(&self, a: usize, b: usize) -> bool {
        self.events[a].strand != self.events[b].strand && !self.firm.ordered(a, b)
    }

    fn acquisitions(&self) -> impl Iterator<Item = usize> {
        (0..self.events.len()).filter(|at| self.events[*at].kind == Kind::LockAcquire)
    }

    /// The lines of each cycle.
    pub(crate) fn deadlocks(&self) -> BTreeSet<Lines> {
        let mut steps = Vec::new();
        for at in self.acquisitions().filter(|at| !is_tried(&self.events[*at])) {
            let (lock, shared) = (lock_of(&self.events[at]), is_shared(&self.events[at]));
            let all = &self.held[at];
            if all.iter().any(|hold| hold.lock == lock) {
                continue;
            }
            for (number, held) in all.iter().enumerate() {
                if !all[..number].iter().any(|before| before.lock == held.lock) {
                    steps.push(Step { held: held.clone(), lock: lock.clone(), shared, at, all: all.clone() });
                }
            }
        }
        let mut found = BTreeSet::new();
        for step in &steps {
            self.extend(&steps, &mut vec![step], &mut found);
        }
        found
    }

    fn extend<'b>(&self, steps: &'b [Step], path: &mut Vec<&'b Step>, found: &mut BTreeSet<Lines>) {
        let (first, last) = (path[0], path[path.len() - 1]);
        let waits = |asks: &Step, holds: &Step| asks.lock == holds.held.lock && !(asks.shared && holds.held.shared);
        if path.len() > 1 && waits(last, first) {
            let line = |at: usize| self.events[at].line.unwrap();
            let lines = path.iter().map(|step| (line(step.held.at), line(step.at))).collect();
            found.insert((process(self.events[first.at].strand).0, lines));
        }
        for step in steps {
            let meets = |other: &&&Step| self.can_meet(other.at, step.at) && !exclude(&other.all, &step.all);
            let new = path.iter().all(|other| other.held.lock != step.held.lock);
            if new && waits(last, step) && path.iter().filter(meets).count() == path.len() {
                path.push(step);
                self.extend(steps, path, found);
                path.pop();
            }
        }
    }

    /// The process, the lines of the two reads, and whether a writer could ask in between.
    pub(crate) fn recursive_reads(&self) -> BTreeSet<(u64, u32, u32, bool)> {
        let mut found = BTreeMap::new();
        for at in self.acquisitions().filter(|at| !is_tried(&self.events[*at]) && is_shared(&self.events[*at])) {
            let lock = lock_of(&self.events[at]);
            let Some(first) = self.held[at].iter().find(|hold| hold.lock == lock) else { continue };
            let writes = |other: &usize| lock_of(&self.events[*other]) == lock && !is_shared(&self.events[*other]);
            let met = self.acquisitions().filter(writes).any(|other| self.can_meet(other, at));
            let line = |at: usize| self.events[at].line.unwrap();
            *found.entry((lock.0, line(first.at), line(at))).or_default() |= met;
        }
        found.into_iter().map(|((process, first, second), met)| (process, first, second, met)).collect()
    }

    /// What can be told of each variable: of several locks, any will do.
    pub(crate) fn forgotten(&self) -> Vec<Vec<Forgotten>> {
        let plain = |at: &usize| matches!(self.events[*at].kind, Kind::Read | Kind::Write);
        let plain: Vec<usize> = (0..self.events.len()).filter(plain).collect();
        let variables: BTreeSet<_> = plain.iter().map(|at| variable_of(&self.events[*at])).collect();
        let own = |variable| plain.iter().copied().filter(move |at| variable_of(&self.events[*at]) == variable);
        variables.into_iter().map(|variable| self.forgotten_of(&own(variable).collect::<Vec<_>>())).collect()
    }

    /// Of all accesses of a variable.
    fn forgotten_of(&self, own: &[usize]) -> Vec<Forgotten> {
        let strand = |at: usize| self.events[at].strand;
        let initial =
            |at: usize| own.iter().all(|other| strand(*other) == strand(at) || self.all.is_before(at, *other));
        let live: Vec<usize> = own.iter().copied().filter(|at| !initial(*at)).collect();
        let writes = |at: usize| self.events[at].kind == Kind::Write;
        let holds = |at: usize, lock: &Lock| {
            self.held[at].iter().any(|hold| hold.lock == *lock && !(writes(at) && hold.shared))
        };
        let locks: BTreeSet<&Lock> = live.iter().flat_map(|at| &self.held[*at]).map(|hold| &hold.lock).collect();
        let count = |lock: &Lock| live.iter().filter(|at| holds(**at, lock)).count();
        let most = locks.iter().map(|lock| count(lock)).max().unwrap_or(0);
        if most < 3 || most < 2 * (live.len() - most) {
            return Vec::new();
        }
        let told = locks.into_iter().filter(|lock| count(lock) == most).map(|lock| {
            let conflict = |a: usize, b: usize| (writes(a) || writes(b)) && !exclude(&self.held[a], &self.held[b]);
            let with = |b: usize| holds(b, lock);
            let forgot = |a: &usize| live.iter().any(|b| with(*b) && conflict(*a, *b) && self.can_meet(*a, *b));
            let without = live.iter().copied().filter(|at| !holds(*at, lock)).filter(forgot);
            let without = without.map(|at| self.events[at].line.unwrap()).collect();
            let (process, variable) = (process(strand(own[0])).0, self.events[own[0]].name.clone());
            let (held, accesses) = (most as u64, live.len() as u64);
            Forgotten { process, variable, lock: lock.1.clone(), held, accesses, without }
        });
        told.filter(|told| !told.without.is_empty()).collect()
    }
}

/// Whether two strands cannot hold these locks at the same time.
fn exclude(a: &[Hold], b: &[Hold]) -> bool {
    a.iter().any(|one| b.iter().any(|other| one.lock == other.lock && !(one.shared && other.shared)))
}

fn detail(event: &Event) -> &[V] {
    let V::List(list) = &event.b else { panic!("not of a lock: {event:?}") };
    list
}

fn number(event: &Event) -> &V {
    &detail(event)[0]
}

fn is_shared(event: &Event) -> bool {
    matches!(&detail(event)[1], V::Text(text) if text.starts_with("RwLock-Read"))
}

fn is_tried(event: &Event) -> bool {
    matches!(&detail(event)[1], V::Text(text) if text.ends_with("-Try"))
}
