//! Which lock protects a variable, and who forgot to take it: locksets, after Eraser (Savage et al., 1997).
//!
//! A variable most of whose accesses hold one lock is taken to be protected by it. An access without that lock is told if
//! another strand has one *with* it that it conflicts with and could meet, were it not for the order in which locks happened
//! to be taken this time. So nothing is said of what starts and ends, messages or calls order, of reads where nobody else
//! writes, nor where another lock keeps the two apart.
//!
//! What a variable's first strand does before any other one gets to see it needs no lock, however it was handed over: an
//! access is *initial* if it happens before every access of any other strand, by whatever order there is, locks included.
//! It counts for nothing. Nor do atomic accesses, nor those of strands of which a hole hides what they hold.

use crate::intern::Map;
use crate::locking::moment::{Sample, Samples};
use crate::lockset::LockSet;
use crate::strand::Acc;
use crate::window::Access;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// How many accesses have to hold the lock, and how many times as many as do not.
const HELD_MIN: u64 = 3;
const HELD_TIMES: u64 = 2;

/// How many epochs of a shape are told apart before a second strand is met: the last ones.
const EPOCHS_MAX: usize = 32;

/// How many shapes of accesses of one variable are told apart.
const SHAPES_MAX: usize = 128;

/// What makes two accesses of a variable the same to this analysis: the place, whether it writes, the set of locks held,
/// and whether no other strand had been met yet.
type ShapeKey = (u32, bool, u32, bool);

/// The accesses of one shape.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) site: u32,
    write: bool,
    locks: Rc<LockSet>,
    samples: Samples,
    /// If no other strand had been met yet: how many there are of each epoch, the last epoch last.
    early: Option<VecDeque<(u32, u64)>>,
}

/// The accesses of one variable that are not atomic.
#[derive(Debug, Default)]
pub(crate) struct VariableUse {
    /// The strand that was met first, and its run.
    first: Option<(u32, u32)>,
    /// Up to which epoch of that strand everything happens before each access of any other one, once there is one.
    initial: Option<u32>,
    shapes: Vec<Shape>,
    numbers: Map<ShapeKey, u32>,
    last: Option<(ShapeKey, u32)>,
    /// The accesses for whose shapes there was no room.
    others: Others,
    /// Whether several runs use it: then it is in a place that locks do not reach.
    abroad: bool,
}

/// Accesses that are only counted: how many there are, and how many of them hold each lock as they should.
#[derive(Debug, Clone, Default)]
struct Others {
    accesses: u64,
    held: BTreeMap<u32, u64>,
}

/// What is to be said of a variable.
#[derive(Debug)]
pub(crate) enum Judgement<'a> {
    /// Nothing.
    Sound,
    /// A lock was forgotten.
    Forgot(Verdict<'a>),
    /// Some accesses do not hold the lock that most do; those are not among the ones that are kept.
    Bounded,
}

/// A lock that most accesses hold.
#[derive(Debug)]
pub(crate) struct Verdict<'a> {
    pub(crate) lock: u32,
    /// How many accesses hold it, of how many.
    pub(crate) held: u64,
    pub(crate) accesses: u64,
    /// The shapes that do not and should: each with an example, and one of an access that it can meet.
    pub(crate) without: Vec<Forgotten<'a>>,
}

/// Accesses without the lock.
#[derive(Debug)]
pub(crate) struct Forgotten<'a> {
    pub(crate) site: u32,
    pub(crate) count: u64,
    pub(crate) example: (&'a Sample, &'a Rc<LockSet>),
    pub(crate) meets: (&'a Sample, &'a Rc<LockSet>),
}

impl VariableUse {
    /// An access, to which a strand of the run has come.
    pub(crate) fn note(&mut self, acc: &Acc, run: u32, access: &Access) {
        let Access { site, op, ref stance, .. } = *access;
        let write = op.write;
        let (first, first_run) = *self.first.get_or_insert((acc.strand, run));
        self.abroad |= first_run != run;
        if acc.strand != first {
            let known = stance.now.get(first);
            self.initial = Some(self.initial.map_or(known, |before| before.min(known)));
        }
        if stance.unsure && stance.locks.unsure {
            return;
        }
        let early = (acc.strand == first && self.initial.is_none()).then_some(acc.epoch);
        let key = (site, write, stance.set, early.is_some());
        let known = self.last.filter(|(last, _)| *last == key).map(|(_, number)| number);
        let Some(number) = known.or_else(|| self.number(key, acc)) else {
            // Early ones without room are taken for initial, as most of them are.
            if early.is_none() {
                self.others.accesses += 1;
                protecting(acc.locks(), write).for_each(|lock| *self.others.held.entry(lock).or_default() += 1);
            }
            return;
        };
        self.last = Some((key, number));
        let shape = &mut self.shapes[number as usize];
        if let (Some(epochs), Some(epoch)) = (&mut shape.early, early) {
            count_epoch(epochs, epoch);
        }
        shape.samples.add(&stance.here(acc.strand, acc.at), None);
    }

    fn number(&mut self, key: ShapeKey, acc: &Acc) -> Option<u32> {
        if let Some(number) = self.numbers.get(&key) {
            return Some(*number);
        }
        if self.shapes.len() == SHAPES_MAX {
            return None;
        }
        let (site, write, _, early) = key;
        let early = early.then(VecDeque::new);
        let (locks, samples) = (Rc::clone(&acc.stance.locks), Samples::default());
        self.shapes.push(Shape { site, write, locks, samples, early });
        let number = self.shapes.len() as u32 - 1;
        self.numbers.insert(key, number);
        Some(number)
    }

    /// Which lock protects the variable, and whether it was forgotten.
    pub(crate) fn judge(&self) -> Judgement<'_> {
        let (accesses, held, locks) = self.locks();
        let mut judgement = Judgement::Sound;
        for lock in locks {
            let (with, without): (Vec<&Shape>, Vec<&Shape>) = self
                .shapes
                .iter()
                .filter(|shape| self.live(shape) > 0)
                .partition(|shape| protecting(&shape.locks, shape.write).any(|other| other == lock));
            let without = without.into_iter().filter_map(|shape| self.forgot(shape, &with));
            let without: Vec<Forgotten<'_>> = without.collect();
            if !without.is_empty() {
                return Judgement::Forgot(Verdict { lock, held, accesses, without });
            }
            if self.others.accesses > self.others.held.get(&lock).copied().unwrap_or(0) {
                judgement = Judgement::Bounded;
            }
        }
        judgement
    }

    /// How many accesses there are; how many of them hold the lock that most of them do; and which lock that is: several, if
    /// they are held equally often, and none, if it is not enough of them, or all.
    fn locks(&self) -> (u64, u64, Vec<u32>) {
        let Others { mut accesses, mut held } = self.others.clone();
        for shape in &self.shapes {
            let live = self.live(shape);
            accesses += live;
            protecting(&shape.locks, shape.write).for_each(|lock| *held.entry(lock).or_default() += live);
        }
        let most = held.values().copied().max().unwrap_or(0);
        let mostly = most >= HELD_MIN && most >= (accesses - most).saturating_mul(HELD_TIMES);
        if self.abroad || !mostly || most == accesses {
            return (accesses, most, Vec::new());
        }
        (accesses, most, held.into_iter().filter(|(_, held)| *held == most).map(|(lock, _)| lock).collect())
    }

    /// How many of the shape's accesses count: those that are not initial.
    fn live(&self, shape: &Shape) -> u64 {
        let Some(epochs) = &shape.early else { return shape.samples.count };
        let Some(initial) = self.initial else { return 0 };
        epochs.iter().filter(|(epoch, _)| *epoch > initial).map(|(_, count)| count).sum()
    }

    /// The shape as one without the lock that the others hold, if some access can meet one of theirs.
    ///
    /// The examples may be initial. But where one of those can meet an access of another strand, so can a later one that is
    /// not initial: it does not come before that access if the first does not, nor after, as no other strand had been met.
    fn forgot<'a>(&'a self, shape: &'a Shape, with: &[&'a Shape]) -> Option<Forgotten<'a>> {
        let conflicts = |other: &&&Shape| (shape.write || other.write) && !shape.locks.excludes(&other.locks);
        with.iter().filter(conflicts).find_map(|other| {
            let (one, two) = shape.samples.meeting(&other.samples)?;
            let (example, meets) = ((one, &shape.locks), (two, &other.locks));
            Some(Forgotten { site: shape.site, count: self.live(shape), example, meets })
        })
    }
}

/// Counts an access of an epoch that is no lower than those counted before. The oldest are merged.
fn count_epoch(epochs: &mut VecDeque<(u32, u64)>, epoch: u32) {
    match epochs.back_mut() {
        Some((last, count)) if *last == epoch => *count += 1,
        _ => epochs.push_back((epoch, 1)),
    }
    if epochs.len() > EPOCHS_MAX
        && let (Some((_, oldest)), Some((_, next))) = (epochs.pop_front(), epochs.front_mut())
    {
        *next += oldest;
    }
}

/// The locks that are held in the way that an access needs: for a write, exclusively.
fn protecting(locks: &LockSet, write: bool) -> impl Iterator<Item = u32> {
    let held = locks.held.iter().filter(move |held| !(write && held.shared));
    let mut before = None;
    held.map(|held| held.lock).filter(move |lock| before.replace(*lock) != Some(*lock))
}
