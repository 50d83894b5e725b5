//! A first look over all runs: which variables, locks and tasks there are, and what of them the record has.

use crate::calls::Calls;
use crate::edges::{StrandEdges, Tasks, edges};
use crate::handover::{Handovers, Taken};
use crate::intern::Map;
use crate::links::Links;
use crate::locks::Lock;
use crate::log::{LockOp, NONE, Names, Op, RunLog};
use crate::objects::Objects;
use crate::overwrites::Overwrites;
use crate::roster::{Roster, RunRef};
use crate::steps::Steps;
use crate::tally::{LastReads, Tally};
use crate::value::Val;
use std::collections::BTreeMap;
use trackside_wire::RunId;

/// Where a strand last stores or fences, and where it first loads or fences, as far as the atomics it uses are not
/// tracked: then nothing tells what is ordered by it.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Atomics {
    pub(crate) last_store: Option<u32>,
    pub(crate) first_load: Option<u32>,
}

impl Atomics {
    fn note(&mut self, at: u32, loads: bool, stores: bool) {
        if stores {
            self.last_store = Some(at);
        }
        if loads {
            self.first_load.get_or_insert(at);
        }
    }

    /// Both together.
    fn and(self, other: Atomics) -> Atomics {
        Atomics {
            last_store: self.last_store.max(other.last_store),
            first_load: self.first_load.into_iter().chain(other.first_load).min(),
        }
    }
}

/// What identifies a lock within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum LockKey {
    Id(Val),
    Name(u32),
}

/// What the names of variables begin with that are the same in all runs.
const SHARED: &str = "shared:";

/// Why a lost update is not confirmed when events are missing.
const NOT_WHOLE: &str = "events are missing, and one of them may be a write that brought the old value back";

/// Stands for the run of a variable that all runs share.
const ALL_RUNS: u32 = u32::MAX;

/// The outcome of the first look.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    pub(crate) roster: Roster<'a>,
    /// By the numbers of the strands.
    pub(crate) atomics: Vec<Atomics>,
    pub(crate) calls: Calls,
    pub(crate) edges: Vec<StrandEdges>,
    /// By the numbers of the strands: what they tell each other by messages, signals and tracked atomics.
    pub(crate) links: Vec<Links>,
    pub(crate) steps: Steps,
    pub(crate) overwrites: Overwrites,
    /// How many atomics are tracked.
    pub(crate) tracked: u64,
    pub(crate) locks: Vec<Lock>,
    pub(crate) handovers: Handovers,
    /// By the numbers of the runs: whether they have locks of tasks.
    pub(crate) travelling: Vec<bool>,
    /// By the numbers of the variables.
    pub(crate) variables: Vec<Seen>,
    /// By the run, or [`ALL_RUNS`], and the numbers of their names.
    variable_numbers: Map<(u32, u32), u32>,
    /// Whether a name is that of a variable all runs share.
    shared: Vec<bool>,
    lock_numbers: Map<(u32, LockKey), u32>,
    lock_names: Vec<String>,
}

/// A variable, before its accesses are replayed.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) tally: Tally,
    /// Why accesses may be missing, so that values prove nothing; nothing if each one is here.
    pub(crate) gaps: Option<&'static str>,
}

impl<'a> Resolved<'a> {
    /// Looks over runs whose strands are settled.
    pub(crate) fn new(runs: &'a BTreeMap<RunId, RunLog>, names: &Names) -> Self {
        let roster = Roster::new(runs);
        let calls = Calls::new(&roster);
        let mut resolved = Resolved {
            roster,
            calls,
            atomics: Vec::new(),
            edges: Vec::new(),
            links: Vec::new(),
            steps: Steps::default(),
            overwrites: Overwrites::default(),
            tracked: 0,
            locks: Vec::new(),
            handovers: Handovers::default(),
            travelling: vec![false; runs.len()],
            variables: Vec::new(),
            variable_numbers: Map::default(),
            shared: (0..names.texts.len()).map(|number| names.text(number).starts_with(SHARED)).collect(),
            lock_numbers: Map::default(),
            lock_names: Vec::new(),
        };
        let (mut tasks, mut objects) = (Tasks::default(), Objects::default());
        for (strand, at) in (0..).zip(resolved.roster.strands.clone()) {
            resolved.look_at(strand, names, &mut tasks);
            objects.look_at(strand, at.run, at.log);
        }
        resolved.edges = edges(&resolved.roster, names, &resolved.calls, &tasks);
        resolved.hand_over();
        resolved.line_up(objects);
        resolved
    }

    /// The number of a variable; the name is that of an access's record.
    pub(crate) fn variable(&self, run: u32, name: u32) -> Option<u32> {
        self.variable_numbers.get(&(self.scope(run, name), name)).copied()
    }

    /// The number of the lock in an operation; the name is that of its record.
    pub(crate) fn lock(&self, run: u32, op: &LockOp, name: u32) -> Option<u32> {
        self.lock_numbers.get(&(run, key(op.id, name))).copied()
    }

    /// The number of a lock known by its id.
    pub(crate) fn lock_by_id(&self, run: u32, id: u64) -> Option<u32> {
        self.lock_numbers.get(&(run, LockKey::Id(Val::from_u64(id)))).copied()
    }

    /// What a report calls the lock.
    pub(crate) fn lock_name(&self, lock: u32) -> &str {
        self.lock_names.get(lock as usize).map_or("", String::as_str)
    }

    /// All locks, in no particular order: the run, the id if it has one, and the number.
    pub(crate) fn lock_ids(&self) -> impl Iterator<Item = (u32, Option<Val>, u32)> {
        self.lock_numbers.iter().map(|((run, key), number)| match key {
            LockKey::Id(id) => (*run, Some(*id), *number),
            LockKey::Name(_) => (*run, None, *number),
        })
    }

    fn scope(&self, run: u32, name: u32) -> u32 {
        if self.shared.get(name as usize) == Some(&true) { ALL_RUNS } else { run }
    }

    fn look_at(&mut self, strand: u32, names: &Names, tasks: &mut Tasks) {
        let (run, log) = (self.roster.strands[strand as usize].run, self.roster.strands[strand as usize].log);
        let (mut atomics, mut fences, mut tracks) = (Atomics::default(), Atomics::default(), false);
        let (mut reads, mut taken) = (LastReads::default(), Taken::default());
        for (at, record) in (0..).zip(&log.records) {
            match record.op {
                Op::Access { kind, old, new } => {
                    let variable = self.note_variable(run, record.name);
                    let read = reads.insert(variable, (!kind.write).then_some(new));
                    self.variables[variable as usize].tally.note(kind, (old, new), record.site, read);
                }
                Op::Spawn(task) => drop(tasks.spawned.insert((run, task))),
                Op::End(task) => drop(tasks.ended.insert((run, task))),
                Op::Begin(_) | Op::Await(_) | Op::Returned(_) => tasks.asking.push((strand, at)),
                Op::Acquire(op) | Op::Release(op) => {
                    self.travelling[run as usize] |= op.travels;
                    let lock = self.note_lock(run, op.id, record.name, names);
                    if let Some(seq) = op.seq {
                        let release = matches!(record.op, Op::Release(_));
                        self.locks[lock].note(seq, op.shared, release);
                        self.handovers.look_at(&mut taken, (lock as u32, seq), release, (strand, at));
                    }
                }
                Op::Fence(_) => fences.note(at, true, true),
                Op::Atomic { .. } => tracks = true,
                Op::Other | Op::Sent(_) | Op::Respond | Op::Tell(_) | Op::Notice(_) | Op::Suspend | Op::Wait => {}
            }
            if let Op::Access { kind, .. } = record.op
                && kind.atomic
            {
                atomics.note(at, kind.read, kind.write);
            }
        }
        // Fences belong to the atomics of their strand: if all of those are tracked, it is known what they order.
        let tracked_only = tracks && atomics.first_load.is_none() && atomics.last_store.is_none();
        self.atomics.push(if tracked_only { atomics } else { atomics.and(fences) });
    }

    /// Finds who took the locks that others gave back.
    fn hand_over(&mut self) {
        if self.handovers.is_empty() {
            return;
        }
        for (strand, place) in (0..).zip(&self.roster.strands) {
            for (at, record) in (0..).zip(&place.log.records) {
                if let Op::Acquire(op) = record.op
                    && let (Some(seq), Some(lock)) = (op.seq, self.lock(place.run, &op, record.name))
                {
                    self.handovers.look_again((lock, seq), (strand, at));
                }
            }
        }
        self.handovers.link(&mut self.edges);
    }

    /// Once all strands were looked at.
    fn line_up(&mut self, objects: Objects) {
        let told = |run: &RunRef<'_>| if run.log.is_whole() { run.log.partial.hides_values() } else { Some(NOT_WHOLE) };
        let mut gaps: Vec<Option<&'static str>> = self.roster.runs.iter().map(told).collect();
        for ((run, _), lock) in &self.lock_numbers {
            // Who took the lock without a trace may also have written to variables without one.
            if self.locks[*lock as usize].line_up() {
                gaps[*run as usize].get_or_insert(NOT_WHOLE);
            }
        }
        self.tracked = objects.atomics();
        let mut whole: Vec<bool> = gaps.iter().map(Option::is_none).collect();
        (self.steps, self.links, self.overwrites) = objects.link(&self.roster, &mut whole);
        for (gap, whole) in gaps.iter_mut().zip(whole) {
            if !whole {
                gap.get_or_insert(NOT_WHOLE);
            }
        }
        let of_all = gaps.iter().copied().flatten().next();
        for ((scope, _), variable) in &self.variable_numbers {
            self.variables[*variable as usize].gaps = gaps.get(*scope as usize).copied().unwrap_or(of_all);
        }
    }

    fn note_variable(&mut self, run: u32, name: u32) -> u32 {
        let next = self.variables.len() as u32;
        let number = *self.variable_numbers.entry((self.scope(run, name), name)).or_insert(next);
        if number == next {
            self.variables.push(Seen::default());
        }
        number
    }

    fn note_lock(&mut self, run: u32, id: Val, name: u32, names: &Names) -> usize {
        let next = self.locks.len() as u32;
        let lock = *self.lock_numbers.entry((run, key(id, name))).or_insert(next) as usize;
        if lock == self.locks.len() {
            self.locks.push(Lock::default());
            self.lock_names.push(format!("lock {}", id.text(&names.values).unwrap_or_default()));
            if name != NONE {
                self.lock_names[lock] = names.text(name).to_owned();
            }
        }
        lock
    }
}

fn key(id: Val, name: u32) -> LockKey {
    match id {
        Val::Unknown => LockKey::Name(name),
        id => LockKey::Id(id),
    }
}
