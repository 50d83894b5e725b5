//! Which locks a strand holds.

use crate::intern::Map;
use std::cmp::Ordering;
use std::rc::Rc;

/// How many locks a strand is taken to hold at once; further ones are not kept, and the set is called unsure.
const HELD_MAX: usize = 64;

/// A lock that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) lock: u32,
    pub(crate) shared: bool,
    /// Whether the acquisition was numbered, so that happens-before knows of it.
    pub(crate) counted: bool,
    /// The acquisition: its number on the lock, and the index of its record. Nothing if it was lost.
    pub(crate) taken: Option<(Option<u64>, u32)>,
    /// Tells apart the acquisitions of a strand: one critical section.
    section: u32,
    /// Whether it is held across an await.
    pub(crate) awaited: bool,
}

/// The locks held at an access.
#[derive(Debug, Default)]
pub(crate) struct LockSet {
    /// Sorted by lock, of one lock the exclusive acquisitions first.
    pub(crate) held: Vec<Held>,
    /// Whether locks may be held that are not in `held`.
    pub(crate) unsure: bool,
    /// A number for the set of locks that are not counted; 0 if there are none.
    pub(crate) signature: u32,
    /// A number for the set of all of them, and how they are held; 0 if there are none.
    pub(crate) number: u32,
}

impl LockSet {
    /// Whether a lock that both hold, one of them exclusively, keeps the two accesses apart.
    pub(crate) fn excludes(&self, other: &LockSet) -> bool {
        exclude(&self.held, &other.held)
    }

    /// As [`LockSet::excludes`], by a lock that this strand has taken since an `earlier` access of its own.
    pub(crate) fn excludes_since(&self, earlier: &LockSet, other: &LockSet) -> bool {
        let is_new = |now: &&Held| earlier.held.iter().all(|then| then.section != now.section);
        let taken: Vec<Held> = self.held.iter().filter(is_new).copied().collect();
        exclude(&taken, &other.held)
    }

    /// Whether each uncounted lock that could excuse an access with these locks also excuses one with `other`.
    pub(crate) fn excuses_no_more_than(&self, other: &LockSet) -> bool {
        self.signature == 0
            || self.signature == other.signature
            || self
                .held
                .iter()
                .filter(|a| !a.counted)
                .all(|a| other.held.iter().any(|b| a.lock == b.lock && (a.shared || !b.shared)))
    }

    /// The locks held without interruption from an earlier access of the strand to this one.
    pub(crate) fn since<'a>(&'a self, earlier: &'a LockSet) -> impl Iterator<Item = &'a Held> {
        self.held.iter().filter(|now| earlier.held.iter().any(|then| then.section == now.section))
    }
}

/// Whether two strands cannot hold these locks at the same time. Both are sorted, as in [`LockSet::held`].
pub(crate) fn exclude(mut a: &[Held], mut b: &[Held]) -> bool {
    while let ([one, ..], [other, ..]) = (a, b) {
        match one.lock.cmp(&other.lock) {
            Ordering::Less => a = &a[1..],
            Ordering::Greater => b = &b[1..],
            // Of a lock held twice, the exclusive acquisition comes first.
            Ordering::Equal if one.shared && other.shared => (a, b) = (&a[1..], &b[1..]),
            Ordering::Equal => return true,
        }
    }
    false
}

/// The locks a running strand holds.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    held: Vec<Held>,
    unsure: bool,
    /// How many locks may be held whose guards go to another strand, or come from one: see [`crate::handover`].
    passing: u32,
    sections: u32,
    /// The set as accesses see it, until it changes.
    set: Option<Rc<LockSet>>,
}

impl Holding {
    /// A lock was acquired; `taken` is as in [`Held`].
    pub(crate) fn acquire(&mut self, lock: u32, shared: bool, taken: Option<(Option<u64>, u32)>) {
        self.set = None;
        if self.held.len() == HELD_MAX {
            self.unsure = true;
            return;
        }
        self.sections += 1;
        let counted = taken.is_some_and(|(seq, _)| seq.is_some());
        self.held.push(Held { lock, shared, counted, taken, section: self.sections, awaited: false });
    }

    /// A lock was released: the acquisition with this number ends, or else the last one of the lock. It is returned.
    pub(crate) fn release(&mut self, lock: u32, seq: Option<u64>) -> Option<Held> {
        let numbered = |held: &Held| seq.is_some() && held.taken.is_some_and(|(taken, _)| taken == seq);
        let this = self.held.iter().rposition(|held| held.lock == lock && numbered(held));
        let at = this.or_else(|| self.held.iter().rposition(|held| held.lock == lock))?;
        self.set = None;
        Some(self.held.remove(at))
    }

    /// All that is held is held across an await. Returns what was not until now.
    pub(crate) fn suspend(&mut self) -> Vec<Held> {
        let first = |held: &mut Held| (!std::mem::replace(&mut held.awaited, true)).then_some(*held);
        self.held.iter_mut().filter_map(first).collect()
    }

    /// Whether other locks may be held than those that are known, or in another way.
    pub(crate) fn is_unsure(&self) -> bool {
        self.unsure || self.passing > 0 || self.held.iter().any(|held| held.taken.is_none())
    }

    /// The locks, in the order in which they were taken.
    pub(crate) fn held(&self) -> &[Held] {
        &self.held
    }

    /// There is one lock more, or one less, that may be held because its guard goes from strand to strand.
    pub(crate) fn pass(&mut self, begins: bool) {
        self.set = None;
        self.passing = if begins { self.passing.saturating_add(1) } else { self.passing.saturating_sub(1) };
    }

    /// After a hole: these locks are held, as far as is known. How they are held is not.
    pub(crate) fn reset(&mut self, locks: impl Iterator<Item = u32>, unsure: bool) {
        self.held.clear();
        self.unsure = unsure;
        self.set = None;
        for lock in locks {
            self.acquire(lock, false, None);
        }
    }

    /// The set, for an access.
    pub(crate) fn set(&mut self, signatures: &mut Signatures) -> Rc<LockSet> {
        let Self { held, unsure, passing, set, .. } = self;
        let make = || {
            let (mut held, unsure) = (held.clone(), *unsure || *passing > 0);
            held.sort_unstable_by_key(|held| (held.lock, held.shared, held.section));
            let signature = signatures.number(held.iter().filter(|held| !held.counted));
            let number = signatures.number(held.iter());
            Rc::new(LockSet { signature, number, held, unsure })
        };
        Rc::clone(set.get_or_insert_with(make))
    }
}

/// Numbers for sets of locks.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    numbers: Map<Vec<(u32, bool)>, u32>,
    /// The set that is looked for.
    asked: Vec<(u32, bool)>,
}

impl Signatures {
    fn number<'a>(&mut self, held: impl Iterator<Item = &'a Held>) -> u32 {
        self.asked.clear();
        self.asked.extend(held.map(|held| (held.lock, held.shared)));
        if self.asked.is_empty() {
            return 0;
        }
        self.asked.sort_unstable();
        if let Some(number) = self.numbers.get(&self.asked) {
            return *number;
        }
        let next = self.numbers.len() as u32 + 1;
        self.numbers.insert(self.asked.clone(), next);
        next
    }
}
