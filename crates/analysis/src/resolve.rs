//! A first look over a run: which variables, locks and tasks there are, and what of them the record has.

use crate::intern::Map;
use crate::locks::Lock;
use crate::log::{LockOp, NONE, Names, Op, Record, RunLog, StrandLog};
use crate::tally::{LastReads, Tally};
use crate::value::Val;
use foldhash::fast::FixedState;
use std::collections::HashSet;

/// A strand of the run, by its number in the engine.
#[derive(Debug)]
pub(crate) struct StrandRef<'a> {
    pub(crate) id: u64,
    pub(crate) log: &'a StrandLog,
    /// Where it last stores atomically or fences, and where it first loads atomically or fences.
    pub(crate) last_atomic_store: Option<u32>,
    pub(crate) first_atomic_load: Option<u32>,
}

/// What identifies a lock within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum LockKey {
    Id(Val),
    Name(u32),
}

/// The outcome of the first look.
#[derive(Debug, Default)]
pub(crate) struct Resolved<'a> {
    pub(crate) strands: Vec<StrandRef<'a>>,
    /// The step at which strands begin: 0 if any does, else 1.
    pub(crate) first_step: u64,
    pub(crate) locks: Vec<Lock>,
    pub(crate) spawned: HashSet<Val, FixedState>,
    pub(crate) ended: HashSet<Val, FixedState>,
    /// Variables' numbers, by the numbers of their names.
    pub(crate) variables: Map<u32, u32>,
    /// By the numbers of the variables.
    pub(crate) tallies: Vec<Tally>,
    lock_numbers: Map<LockKey, u32>,
    lock_names: Vec<String>,
}

impl<'a> Resolved<'a> {
    /// Looks over a run whose strands are settled.
    pub(crate) fn new(run: &'a RunLog, names: &Names) -> Self {
        let mut resolved = Resolved::default();
        for (id, log) in &run.strands {
            let mut strand = StrandRef { id: *id, log, last_atomic_store: None, first_atomic_load: None };
            let mut reads = LastReads::default();
            for (at, record) in log.records.iter().enumerate() {
                resolved.look_at(record, names, &mut reads);
                note_atomics(&mut strand, at as u32, &record.op);
            }
            resolved.strands.push(strand);
        }
        let first = |log: &StrandLog| log.records.first().map_or(1, |record| record.step);
        resolved.first_step = run.strands.values().map(first).min().unwrap_or(1).min(1);
        for lock in &mut resolved.locks {
            lock.line_up();
        }
        resolved
    }

    /// The number of the lock in an operation; the name is that of its record.
    pub(crate) fn lock(&self, op: &LockOp, name: u32) -> Option<u32> {
        self.lock_numbers.get(&key(op.id, name)).copied()
    }

    /// The number of a lock known by its id.
    pub(crate) fn lock_by_id(&self, id: u64) -> Option<u32> {
        self.lock_numbers.get(&LockKey::Id(Val::from_u64(id))).copied()
    }

    /// What a report calls the lock.
    pub(crate) fn lock_name(&self, lock: u32) -> &str {
        self.lock_names.get(lock as usize).map_or("", String::as_str)
    }

    fn look_at(&mut self, record: &Record, names: &Names, reads: &mut LastReads) {
        match record.op {
            Op::Access { kind, old, new } => {
                let next = self.variables.len() as u32;
                let variable = *self.variables.entry(record.name).or_insert(next);
                if variable == next {
                    self.tallies.push(Tally::default());
                }
                let read = reads.insert(variable, (!kind.write).then_some(new));
                self.tallies[variable as usize].note(kind, (old, new), record.site, read);
            }
            Op::Spawn(task) => drop(self.spawned.insert(task)),
            Op::End(task) => drop(self.ended.insert(task)),
            Op::Acquire(op) | Op::Release(op) => {
                let lock = self.note_lock(op.id, record.name, names);
                if let Some(seq) = op.seq {
                    self.locks[lock].note(seq, op.shared, matches!(record.op, Op::Release(_)));
                }
            }
            _ => {}
        }
    }

    fn note_lock(&mut self, id: Val, name: u32, names: &Names) -> usize {
        let next = self.locks.len() as u32;
        let lock = *self.lock_numbers.entry(key(id, name)).or_insert(next) as usize;
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

fn note_atomics(strand: &mut StrandRef<'_>, at: u32, op: &Op) {
    let (loads, stores) = match op {
        Op::Fence => (true, true),
        Op::Access { kind, .. } if kind.atomic => (kind.read, kind.write),
        _ => (false, false),
    };
    if stores {
        strand.last_atomic_store = Some(at);
    }
    if loads {
        strand.first_atomic_load.get_or_insert(at);
    }
}
