//! Whose turn it is: strands that can go on, and lists of those that wait, by what they wait for.

use crate::intern::Map;
use crate::locks::Need;
use crate::value::Val;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a strand waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wait {
    /// The task's `AsyncSpawn`.
    Spawn(Val),
    /// The task's `TaskEnd`.
    End(Val),
    /// Releases of a lock.
    Lock(u32, LockNeed),
}

/// A [`Need`] that can be hashed beside the others.
pub(crate) type LockNeed = (bool, u32);

impl Wait {
    /// To wait for releases of a lock.
    pub(crate) fn lock(lock: u32, need: Need) -> Self {
        Wait::Lock(lock, (need.exclusive, need.count))
    }
}

/// The strands of a run that are not finished.
#[derive(Debug)]
pub(crate) struct Schedule {
    ready: VecDeque<u32>,
    waiting: Vec<Option<Wait>>,
    blocked: BTreeSet<u32>,
    for_tasks: Map<Wait, Vec<u32>>,
    for_locks: BTreeMap<(u32, bool, u32), Vec<u32>>,
}

impl Schedule {
    /// All of `strands` strands are ready, in the order of their numbers.
    pub(crate) fn new(strands: usize) -> Self {
        Self {
            ready: (0..strands as u32).collect(),
            waiting: vec![None; strands],
            blocked: BTreeSet::new(),
            for_tasks: Map::default(),
            for_locks: BTreeMap::new(),
        }
    }

    /// The next strand to go on. The flag says that it was blocked, like all others, and has to go on nevertheless.
    pub(crate) fn next(&mut self) -> Option<(u32, bool)> {
        if let Some(strand) = self.ready.pop_front() {
            return Some((strand, false));
        }
        let strand = self.blocked.pop_first()?;
        self.waiting[strand as usize] = None;
        Some((strand, true))
    }

    /// The strand waits.
    pub(crate) fn wait(&mut self, strand: u32, wait: Wait) {
        self.waiting[strand as usize] = Some(wait);
        self.blocked.insert(strand);
        match wait {
            Wait::Lock(lock, (exclusive, count)) => {
                self.for_locks.entry((lock, exclusive, count)).or_default().push(strand);
            }
            task => self.for_tasks.entry(task).or_default().push(strand),
        }
    }

    /// What these strands waited for has happened.
    pub(crate) fn wake(&mut self, wait: Wait) {
        for strand in self.for_tasks.remove(&wait).unwrap_or_default() {
            self.make_ready(strand, wait);
        }
    }

    /// This much of what strands wait for at the lock has happened.
    pub(crate) fn wake_lock(&mut self, lock: u32, done: Need) {
        let range = (lock, done.exclusive, 0)..=(lock, done.exclusive, done.count);
        while let Some((key, strands)) = self.for_locks.range(range.clone()).next() {
            let (key, strands) = (*key, strands.clone());
            self.for_locks.remove(&key);
            for strand in strands {
                self.make_ready(strand, Wait::Lock(lock, (key.1, key.2)));
            }
        }
    }

    fn make_ready(&mut self, strand: u32, wait: Wait) {
        // A strand that was forced on is still in the list, but no longer waits for this.
        if self.waiting[strand as usize] == Some(wait) {
            self.waiting[strand as usize] = None;
            self.blocked.remove(&strand);
            self.ready.push_back(strand);
        }
    }
}
