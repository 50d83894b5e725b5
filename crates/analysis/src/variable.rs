//! The data race detector: what is kept of each variable, and which earlier accesses a new one races with.
//!
//! FastTrack keeps a variable's last write and its reads since then. Here a little more is kept, so that both sides of
//! more pairs can be shown: of plain reads, plain writes, atomic reads and atomic writes each, the last one of each
//! strand (one for each different set of uncounted locks it held). A plain write drops every access that happens
//! before it: whatever would race with such an access races with the write as well. The exception is an access that
//! an uncounted lock excuses the write, but not the access, from racing with others; that one stays.
//!
//! So each variable with a race has at least one found. To bound the work on a hot variable, each access brings a
//! budget to look through the kept ones; when it is used up, only the newest are kept and, if that could hide the
//! variable's first race, the variable is called bounded.

use crate::clock::Snapshot;
use crate::intern::Map;
use crate::log::AccessOp;
use crate::strand::Acc;
use crate::update::Updates;

/// How many accesses of a class are kept when the budget is used up.
const KEPT: usize = 32;

/// Budget that an access brings, and the most that is saved up.
const BUDGET: i64 = 64;
const BUDGET_MAX: i64 = 1 << 16;

/// What is kept of one variable.
#[derive(Debug)]
pub(crate) struct Variable {
    plain_reads: Recent,
    plain_writes: Recent,
    atomic_reads: Recent,
    atomic_writes: Recent,
    /// Per strand, the last read that no write followed yet, and the stretch it belongs to.
    reads: Map<u32, (u32, Acc)>,
    /// Reads and the writes that depend on them.
    pub(crate) updates: Updates,
    budget: i64,
    /// Whether accesses were dropped that might have raced.
    pub(crate) bounded: bool,
}

impl Default for Variable {
    fn default() -> Self {
        Self {
            plain_reads: Recent::default(),
            plain_writes: Recent::default(),
            atomic_reads: Recent::default(),
            atomic_writes: Recent::default(),
            reads: Map::default(),
            updates: Updates::default(),
            budget: BUDGET_MAX,
            bounded: false,
        }
    }
}

impl Variable {
    /// Adds to `found` the earlier accesses that race with a new one, and forgets those it makes irrelevant.
    pub(crate) fn races(&mut self, acc: &Acc, op: AccessOp, now: &Snapshot, found: &mut Vec<Acc>) {
        let prune = op.write && !op.atomic;
        self.plain_writes.scan(acc, now, prune, found);
        if op.write {
            self.plain_reads.scan(acc, now, prune, found);
        }
        if !op.atomic {
            self.atomic_writes.scan(acc, now, prune, found);
        }
        if prune {
            self.atomic_reads.scan(acc, now, prune, found);
        }
    }

    /// Keeps a new access, after [`Variable::races`].
    pub(crate) fn keep(&mut self, acc: Acc, op: AccessOp) {
        match (op.write, op.atomic) {
            (false, false) => self.plain_reads.insert(acc),
            (true, false) => self.plain_writes.insert(acc),
            (false, true) => self.atomic_reads.insert(acc),
            (true, true) => self.atomic_writes.insert(acc),
        }
    }

    /// A strand has read the variable, and not written it since, in this stretch.
    pub(crate) fn was_read(&mut self, stretch: u32, read: Acc) {
        self.reads.insert(read.strand, (stretch, read));
    }

    /// A strand is about to write: what it has read, if that was in the same stretch.
    pub(crate) fn take_read(&mut self, strand: u32, stretch: u32) -> Option<Acc> {
        let (of, read) = self.reads.remove(&strand)?;
        (of == stretch).then_some(read)
    }

    /// The last writes that are kept.
    pub(crate) fn writes(&self) -> impl Iterator<Item = &Acc> {
        self.plain_writes.entries.iter().chain(&self.atomic_writes.entries).map(|entry| &entry.acc)
    }

    /// Charges for what a new access is going to look through; to be called before it does. `dependent` says that it is
    /// a write whose strand has read the variable.
    pub(crate) fn charge(&mut self, op: AccessOp, dependent: bool) {
        let Self { plain_reads, plain_writes, atomic_reads, atomic_writes, updates, .. } = self;
        let cost = |len: usize, looked_at: bool| if looked_at { len.saturating_sub(KEPT) as i64 } else { 0 };
        let cost = cost(plain_writes.entries.len(), true)
            + cost(plain_reads.entries.len(), op.write)
            + cost(atomic_writes.entries.len(), !op.atomic || dependent)
            + cost(atomic_reads.entries.len(), op.write && !op.atomic)
            + cost(updates.len(), op.write);
        let kept = [plain_reads, plain_writes, atomic_reads, atomic_writes];
        self.budget = (self.budget + BUDGET - cost).min(BUDGET_MAX);
        if self.budget < 0 {
            for kept in kept {
                self.bounded |= kept.truncate();
            }
            self.bounded |= self.updates.truncate(KEPT);
        }
    }
}

/// The last accesses of one class.
#[derive(Debug, Default)]
struct Recent {
    entries: Vec<Entry>,
    /// Where a strand's entry is, for each set of uncounted locks.
    places: Map<(u32, u32), u32>,
}

#[derive(Debug)]
struct Entry {
    acc: Acc,
    /// The number of its set of uncounted locks.
    signature: u32,
    /// Whether it was found to race: then the variable has its finding, and the entry may go.
    raced: bool,
}

impl Entry {
    fn key(&self) -> (u32, u32) {
        (self.acc.strand, self.signature)
    }
}

impl Recent {
    fn insert(&mut self, acc: Acc) {
        let entry = Entry { signature: acc.stance.signature, acc, raced: false };
        let next = self.entries.len() as u32;
        let at = *self.places.entry(entry.key()).or_insert(next) as usize;
        if at < self.entries.len() {
            self.entries[at] = entry;
        } else {
            self.entries.push(entry);
        }
    }

    fn scan(&mut self, acc: &Acc, now: &Snapshot, prune: bool, found: &mut Vec<Acc>) {
        let (mut at, own) = (0, acc.stance.signature);
        while let Some(entry) = self.entries.get_mut(at) {
            if !entry.acc.before(now) {
                if !entry.acc.locks().excludes(acc.locks()) {
                    entry.raced = true;
                    found.push(entry.acc.clone());
                }
            } else if prune && (own == 0 || acc.locks().excuses_no_more_than(entry.acc.locks())) {
                self.remove(at);
                continue;
            }
            at += 1;
        }
    }

    fn remove(&mut self, at: usize) {
        let gone = self.entries.swap_remove(at);
        self.places.remove(&gone.key());
        if let Some(moved) = self.entries.get(at) {
            self.places.insert(moved.key(), at as u32);
        }
    }

    /// Keeps only the newest. True if one went that was not known to race.
    fn truncate(&mut self) -> bool {
        if self.entries.len() <= KEPT {
            return false;
        }
        self.entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.acc.met));
        let innocent = self.entries.drain(KEPT..).any(|entry| !entry.raced);
        self.places = self.entries.iter().enumerate().map(|(at, entry)| (entry.key(), at as u32)).collect();
        innocent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hole::HoleId;
    use crate::lockset::Signatures;
    use crate::strand::StrandState;

    const READ: AccessOp = AccessOp { write: false, read: true, atomic: false };
    const WRITE: AccessOp = AccessOp { write: true, read: false, atomic: false };

    /// Accesses by as many strands, which nothing orders: how many kept ones they are compared with, and the variable.
    fn compared(strands: u32, op: impl Fn(u32) -> AccessOp) -> (usize, Variable) {
        let (mut variable, mut signatures, mut found) = (Variable::default(), Signatures::default(), Vec::new());
        let mut compared = 0;
        for strand in 0..strands {
            let mut state = StrandState::new(strand, strands as usize, HoleId::NONE);
            let stance = state.stance(&mut signatures);
            let acc = Acc { strand, at: 0, epoch: 1, met: strand, stamp: None, stance };
            let op = op(strand);
            variable.charge(op, false);
            compared += variable.plain_writes.entries.len();
            compared += if op.write { variable.plain_reads.entries.len() } else { 0 };
            variable.races(&acc, op, acc.knew(), &mut found);
            found.clear();
            variable.keep(acc, op);
        }
        (compared, variable)
    }

    #[test]
    fn the_work_on_a_hot_variable_grows_as_its_accesses_do() {
        let mixed = |strand: u32| if strand.is_multiple_of(2) { WRITE } else { READ };
        for (what, op) in [("writes", (|_| WRITE) as fn(u32) -> AccessOp), ("both", mixed)] {
            let [one, two, four] = [10_000, 20_000, 40_000].map(|strands| compared(strands, op).0);
            assert!(four < 200 * 40_000, "{what}: {four} comparisons, some {} an access", four / 40_000);
            assert!(two - one > 0 && four - two < 3 * (two - one), "{what}: {one}, {two}, {four}");
        }
    }

    #[test]
    fn what_is_dropped_and_could_have_raced_is_told() {
        let last = |strands: u32| move |strand: u32| if strand + 1 == strands { WRITE } else { READ };
        assert!(!compared(1_000, last(1_000)).1.bounded);
        assert!(compared(100_000, last(100_000)).1.bounded);
        assert!(!compared(20_000, |_| WRITE).1.bounded, "all that were dropped had raced");
    }
}
