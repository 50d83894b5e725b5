//! What is told step by step, and what those come after who notice it.
//!
//! A message is one step: the send tells it, the receives notice it. A signal is a ladder of steps, one for each number
//! that was released: who notices one comes after all below it as well. So it is with the writes of an atomic that head
//! a release sequence: whoever reads a value comes after all heads that are in force there.
//!
//! A step may be told before those below it are, and what is told above it must not be known to who notices it. So each
//! step keeps the sum of what was told up to it, from when the last of that is told until the last one has noticed it.
//! Sums share most of their trees.

use crate::clock::{Clock, Snapshot, Tree};
use crate::hole::{HoleId, Holes};
use std::ops::Range;

/// All steps of all runs, by their numbers.
#[derive(Debug, Default, Clone)]
pub(crate) struct Steps {
    steps: Vec<Step>,
}

#[derive(Debug, Default, Clone)]
struct Step {
    /// Whether it goes on from the step before it.
    follows: bool,
    /// How often it is yet to be told.
    left: u32,
    /// By how many it is yet to be noticed, the step above it included.
    asked: u32,
    /// Whether all is told, of it and of the steps below it.
    done: bool,
    /// What was told: of the step alone, or once it is done, of the steps below as well.
    known: Option<Known>,
}

/// The sum of what strands knew at some moments.
#[derive(Debug, Clone)]
struct Known {
    moments: Moments,
    holes: HoleId,
}

#[derive(Debug, Clone)]
enum Moments {
    /// One of them comes after all others.
    Last(Snapshot),
    Some(Tree),
}

impl Steps {
    /// A new step; it goes on from the last one that was added, if `follows`.
    pub(crate) fn add(&mut self, follows: bool) -> u32 {
        if let Some(below) = self.steps.last_mut().filter(|_| follows) {
            below.asked += 1;
        }
        self.steps.push(Step { follows, ..Step::default() });
        self.steps.len() as u32 - 1
    }

    /// The step is going to be told once more.
    pub(crate) fn expect(&mut self, step: u32) {
        self.steps[step as usize].left += 1;
    }

    /// The step is going to be noticed once more.
    pub(crate) fn reserve(&mut self, step: u32) {
        self.steps[step as usize].asked += 1;
    }

    /// A strand that knew this tells the step. Returns the steps that are done by that.
    pub(crate) fn tell(&mut self, step: u32, knew: &Snapshot, holes: HoleId, sets: &mut Holes) -> Range<u32> {
        let told = &mut self.steps[step as usize];
        let known = Known { moments: Moments::Last(knew.clone()), holes };
        told.known = Some(match told.known.take() {
            Some(others) => others.and(known, sets),
            None => known,
        });
        told.left = told.left.saturating_sub(1);
        let mut next = step;
        while self.is_due(next) {
            self.finish(next, sets);
            next += 1;
        }
        step..next
    }

    /// Lets the clock come after the step, and those below that it goes on from. False if they are not done yet, and
    /// `forced` does not say to go on without.
    pub(crate) fn notice(
        &mut self,
        step: u32,
        forced: bool,
        clock: &mut Clock,
        holes: &mut HoleId,
        sets: &mut Holes,
    ) -> bool {
        let told = &self.steps[step as usize];
        if !told.done && !forced {
            return false;
        }
        if let Some(known) = told.known.as_ref().filter(|_| told.done) {
            match &known.moments {
                Moments::Last(moment) => clock.acquire(moment),
                Moments::Some(tree) => clock.acquire_tree(tree),
            }
            *holes = sets.union(*holes, known.holes);
        }
        self.noticed(step);
        true
    }

    fn is_due(&self, step: u32) -> bool {
        let Some(next) = self.steps.get(step as usize) else { return false };
        next.left == 0 && !next.done && (!next.follows || self.steps[step as usize - 1].done)
    }

    fn finish(&mut self, step: u32, sets: &mut Holes) {
        if self.steps[step as usize].follows {
            let below = self.steps[step as usize - 1].known.clone();
            let own = self.steps[step as usize].known.take();
            self.steps[step as usize].known = match (below, own) {
                (Some(below), Some(own)) => Some(below.and(own, sets)),
                (below, own) => below.or(own),
            };
            self.noticed(step - 1);
        }
        let finished = &mut self.steps[step as usize];
        finished.done = true;
        if finished.asked == 0 {
            finished.known = None;
        }
    }

    fn noticed(&mut self, step: u32) {
        let step = &mut self.steps[step as usize];
        step.asked = step.asked.saturating_sub(1);
        if step.asked == 0 && step.done {
            step.known = None;
        }
    }
}

impl Known {
    /// The sum of both.
    fn and(self, other: Known, sets: &mut Holes) -> Known {
        let holes = sets.union(self.holes, other.holes);
        let moments = match (self.moments, other.moments) {
            (Moments::Last(a), Moments::Last(b)) if a.is_before(&b) => Moments::Last(b),
            (Moments::Last(a), Moments::Last(b)) if b.is_before(&a) => Moments::Last(a),
            (a, b) => {
                let mut tree = a.into_tree();
                b.join_into(&mut tree);
                Moments::Some(tree)
            }
        };
        Known { moments, holes }
    }
}

impl Moments {
    fn into_tree(self) -> Tree {
        match self {
            Moments::Some(tree) => tree,
            Moments::Last(moment) => {
                let mut tree = moment.empty_tree();
                moment.join_into(&mut tree);
                tree
            }
        }
    }

    fn join_into(&self, tree: &mut Tree) {
        match self {
            Moments::Some(other) => tree.join(other),
            Moments::Last(moment) => moment.join_into(tree),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANDS: usize = 40;

    /// Tells steps by strands 0, 1, ... in the order given, and says which strands who notices `asked` comes after.
    fn noticed(follows: &[bool], order: &[u32], asked: u32) -> Vec<u32> {
        let (mut steps, mut sets) = (Steps::default(), Holes::default());
        for follows in follows {
            let step = steps.add(*follows);
            steps.expect(step);
        }
        steps.reserve(asked);
        let (mut reader, mut holes) = (Clock::new(STRANDS as u32 - 1, STRANDS), HoleId::NONE);
        for step in order {
            let mut teller = Clock::new(*step, STRANDS);
            steps.tell(*step, &teller.release(), HoleId::NONE, &mut sets);
        }
        assert!(steps.notice(asked, false, &mut reader, &mut holes, &mut sets));
        assert!(steps.steps.iter().all(|step| step.known.is_none()), "what nobody asks for is not kept");
        (0..follows.len() as u32).filter(|strand| reader.now().knows(*strand, 1)).collect()
    }

    #[test]
    fn who_notices_a_step_comes_after_those_below_it_and_not_those_above() {
        let orders: [&[u32]; 3] = [&[0, 1, 2, 3], &[3, 2, 1, 0], &[2, 0, 3, 1]];
        for order in orders {
            assert_eq!(noticed(&[false, true, true, true], order, 2), [0, 1, 2], "{order:?}");
            assert_eq!(noticed(&[false, true, false, true], order, 3), [2, 3], "{order:?}");
        }
    }

    #[test]
    fn a_step_is_done_when_it_was_told_as_often_as_expected_and_so_are_those_below() {
        let (mut steps, mut sets) = (Steps::default(), Holes::default());
        let (low, high) = (steps.add(false), steps.add(true));
        for step in [low, low, high] {
            steps.expect(step);
        }
        let mut tell = |step, strand| steps.tell(step, &Clock::new(strand, 3).release(), HoleId::NONE, &mut sets);
        assert_eq!(tell(high, 0), high..high);
        assert_eq!(tell(low, 1), low..low);
        assert_eq!(tell(low, 2), low..high + 1);
    }
}
