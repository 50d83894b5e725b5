//! What must be remembered of strands from one request to the next, within bounded memory.

use super::chain::{Chain, Origin};
use super::locks::LockNames;
use crate::ring::sync::Arc;
use foldhash::{HashMap, HashMapExt};
use trackside_wire::{Lane, Strand};

/// How many strands are remembered at least; at most twice as many.
const GENERATION: usize = 4096;

/// How many locks one strand is believed to hold. More are held only by who never lets go.
const LOCKS: usize = 64;

/// How many of the strands that a strand comes after are tried for a parent.
const ORIGINS: usize = 16;

/// One strand.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    trace: u128,
    /// What has happened, whether or not the server was told of it.
    next_step: u64,
    locks: Vec<Arc<str>>,
    after: Vec<(u64, u64)>,
    /// What the server has. Nothing else may be a parent: it never shows an event whose parent it has not.
    pub(super) chain: Option<Chain>,
}

impl Line {
    /// Takes note of the step of the next event, and of what its lane says if it is the lane's first.
    pub(super) fn arrive(&mut self, strand: &Strand, lane: &Lane, step: u64, names: &LockNames) {
        self.trace = strand.trace;
        if step != self.next_step {
            // A hole. Who took or let go of what in there is not known, unless the lane says what was held behind it.
            self.locks.clear();
        }
        if step == lane.first_step {
            if lane.lost_before > 0 {
                self.locks = lane.held.iter().map(|id| names.by_id(*id)).take(LOCKS).collect();
            }
            if self.chain.is_none() && !lane.after.is_empty() {
                self.after = lane.after.iter().copied().take(ORIGINS).collect();
            }
        }
        self.next_step = step.wrapping_add(1);
    }

    pub(super) fn acquire(&mut self, lock: Arc<str>) {
        if self.locks.len() == LOCKS {
            self.locks.remove(0);
        }
        self.locks.push(lock);
    }

    pub(super) fn release(&mut self, lock: &str) {
        if let Some(at) = self.locks.iter().rposition(|held| **held == *lock) {
            self.locks.remove(at);
        }
    }

    /// The locks held, each once.
    pub(super) fn lock_set(&self) -> Vec<Arc<str>> {
        let mut set: Vec<Arc<str>> = Vec::with_capacity(self.locks.len());
        for lock in &self.locks {
            if !set.contains(lock) {
                set.push(Arc::clone(lock));
            }
        }
        set
    }
}

/// All strands: as the server knows them, and as it will know them once it has taken the request in hand.
#[derive(Debug)]
pub(super) struct Strands {
    /// Two generations: when the young ones are many, they become the old ones, and the old ones are forgotten. Who is
    /// asked for is young again.
    young: HashMap<u64, Line>,
    old: HashMap<u64, Line>,
    /// Those that the request in hand changes.
    touched: HashMap<u64, Line>,
}

impl Strands {
    pub(super) fn new() -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), touched: HashMap::new() }
    }

    /// The strand as the request in hand leaves it so far, to be changed.
    pub(super) fn touch(&mut self, number: u64) -> &mut Line {
        if !self.touched.contains_key(&number) {
            let line = self.settled(number).cloned().unwrap_or_default();
            self.touched.insert(number, line);
        }
        self.touched.entry(number).or_default()
    }

    /// What the first event of a strand hangs on that the server knows nothing of yet.
    pub(super) fn origin(&mut self, number: u64) -> Option<Origin> {
        let line = self.touched.get(&number)?;
        let (trace, after) = (line.trace, line.after.clone());
        after.into_iter().filter(|(strand, _)| *strand != number).find_map(|(strand, steps)| {
            if !self.touched.contains_key(&strand) {
                self.settled(strand)?;
            }
            let line = self.touched.get(&strand).or_else(|| self.young.get(&strand))?;
            // A parent in another trace would be none.
            line.chain.as_ref().filter(|_| line.trace == trace)?.fork(steps)
        })
    }

    /// The server has the events of the request in hand.
    pub(super) fn stored(&mut self) {
        for (number, line) in std::mem::take(&mut self.touched) {
            self.keep(number, line);
        }
    }

    /// The server may or may not have them, or some of them, and will not be sent them again.
    pub(super) fn passed(&mut self) {
        for (number, mut line) in std::mem::take(&mut self.touched) {
            line.chain = self.settled(number).and_then(|before| before.chain.clone());
            self.keep(number, line);
        }
    }

    /// It is as if the request in hand had never been.
    pub(super) fn forget(&mut self) {
        self.touched.clear();
    }

    fn settled(&mut self, number: u64) -> Option<&Line> {
        if let Some(line) = self.old.remove(&number) {
            self.keep(number, line);
        }
        self.young.get(&number)
    }

    fn keep(&mut self, number: u64, line: Line) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&number) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&number);
        self.young.insert(number, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_who_is_asked_for_is_kept() {
        let mut strands = Strands::new();
        strands.touch(0).next_step = 7;
        strands.stored();
        for number in 1..10 * GENERATION as u64 {
            strands.touch(number).next_step = 1;
            strands.stored();
            assert!(strands.young.len() + strands.old.len() <= 2 * GENERATION);
            assert!(strands.settled(number.saturating_sub(100)).is_some());
            assert_eq!(strands.settled(0).map(|line| line.next_step), Some(7));
        }
        assert!(strands.settled(1).is_none());
    }

    #[test]
    fn what_may_not_have_arrived_is_nobodys_parent() {
        let mut strands = Strands::new();
        strands.touch(1).chain = Some(Chain::new(0, 0, 0, None));
        strands.stored();
        let line = strands.touch(1);
        line.chain.as_mut().unwrap().push(0, 1, 1);
        line.acquire("a".into());
        strands.passed();
        let line = strands.settled(1).unwrap();
        assert_eq!((line.chain.as_ref().unwrap().parent().step, line.locks.len()), (0, 1));
        strands.touch(1).acquire("b".into());
        strands.forget();
        assert_eq!(strands.settled(1).unwrap().locks.len(), 1);
    }

    #[test]
    fn locks_are_a_set_and_bounded() {
        let mut line = Line::default();
        for _ in 0..2 {
            line.acquire("read".into());
        }
        assert_eq!(line.lock_set().len(), 1);
        line.release("read");
        assert_eq!(line.lock_set().len(), 1);
        line.release("read");
        line.release("never held");
        assert_eq!(line.lock_set().len(), 0);
        (0..1000).for_each(|at| line.acquire(format!("{at}").into()));
        assert_eq!(line.lock_set().len(), LOCKS);
    }
}
