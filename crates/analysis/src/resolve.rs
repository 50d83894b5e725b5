//! A first look over all runs: which variables, locks and tasks there are, and what of them the record has.

use crate::calls::Calls;
use crate::edges::{StrandEdges, Tasks, edges};
use crate::intern::Map;
use crate::locks::Lock;
use crate::log::{LockOp, NONE, Names, Op, RunLog};
use crate::roster::Roster;
use crate::tally::{LastReads, Tally};
use crate::value::Val;
use std::collections::BTreeMap;
use trackside_wire::RunId;

/// Where a strand last stores atomically or fences, and where it first loads atomically or fences.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Atomics {
    pub(crate) last_store: Option<u32>,
    pub(crate) first_load: Option<u32>,
}

/// What identifies a lock within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum LockKey {
    Id(Val),
    Name(u32),
}

/// What the names of variables begin with that are the same in all runs.
const SHARED: &str = "shared:";

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
    pub(crate) locks: Vec<Lock>,
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
    /// Whether each access that was recorded is here.
    pub(crate) whole: bool,
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
            locks: Vec::new(),
            variables: Vec::new(),
            variable_numbers: Map::default(),
            shared: (0..names.texts.len()).map(|number| names.text(number).starts_with(SHARED)).collect(),
            lock_numbers: Map::default(),
            lock_names: Vec::new(),
        };
        let mut tasks = Tasks::default();
        for strand in 0..resolved.roster.strands.len() as u32 {
            resolved.look_at(strand, names, &mut tasks);
        }
        resolved.edges = edges(&resolved.roster, names, &resolved.calls, &tasks);
        resolved.line_up();
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
        let mut atomics = Atomics::default();
        let mut reads = LastReads::default();
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
                    let lock = self.note_lock(run, op.id, record.name, names);
                    if let Some(seq) = op.seq {
                        self.locks[lock].note(seq, op.shared, matches!(record.op, Op::Release(_)));
                    }
                }
                Op::Other | Op::Fence | Op::Sent(_) | Op::Respond => {}
            }
            note_atomics(&mut atomics, at, &record.op);
        }
        self.atomics.push(atomics);
    }

    /// Once all strands were looked at.
    fn line_up(&mut self) {
        let mut whole: Vec<bool> = self.roster.runs.iter().map(|run| run.log.is_whole()).collect();
        for ((run, _), lock) in &self.lock_numbers {
            // Who took the lock without a trace may also have written to variables without one.
            whole[*run as usize] &= !self.locks[*lock as usize].line_up();
        }
        let all_whole = whole.iter().all(|whole| *whole);
        for ((scope, _), variable) in &self.variable_numbers {
            self.variables[*variable as usize].whole = whole.get(*scope as usize).copied().unwrap_or(all_whole);
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

fn note_atomics(atomics: &mut Atomics, at: u32, op: &Op) {
    let (loads, stores) = match op {
        Op::Fence => (true, true),
        Op::Access { kind, .. } if kind.atomic => (kind.read, kind.write),
        _ => (false, false),
    };
    if stores {
        atomics.last_store = Some(at);
    }
    if loads {
        atomics.first_load.get_or_insert(at);
    }
}
