//! Locks that one strand takes and another gives back: the guards of tasks may be sent.
//!
//! A release that has a number ends the acquisition of that number, whoever it is that gives the lock back. That one comes
//! after the acquisition, because it got the guard from there, and whoever takes the lock next comes after the release, as
//! always. What the record does not say is when the guard went from the one to the other. So the lock is in the lock set of
//! neither, and as long as it may be with one of them, which locks that one holds is not known for sure: for who took it,
//! from then to the release; for who gives it back, up to the release.

use crate::edges::{Edge, StrandEdges};
use crate::intern::Map;
use crate::schedule::Topic;

/// A strand's record.
type Place = (u32, u32);

/// The numbered acquisitions that end in another strand than they began in.
#[derive(Debug, Default)]
pub(crate) struct Handovers {
    /// Per lock and number, who gave it back without having taken it; then, once that is known, who took it.
    turns: Map<(u32, u64), (Place, Option<Place>)>,
}

/// What the strand that is looked at has taken and not given back: locks and numbers.
#[derive(Debug, Default)]
pub(crate) struct Taken(Vec<(u32, u64)>);

impl Handovers {
    /// The strand takes the lock, or gives it back.
    pub(crate) fn look_at(&mut self, taken: &mut Taken, turn: (u32, u64), release: bool, place: Place) {
        if !release {
            taken.0.push(turn);
        } else if let Some(at) = taken.0.iter().rposition(|mine| *mine == turn) {
            taken.0.swap_remove(at);
        } else {
            self.turns.entry(turn).or_insert((place, None));
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// The strand takes the lock: to be told of each, after all of them were looked at.
    pub(crate) fn look_again(&mut self, turn: (u32, u64), place: Place) {
        if let Some((_, from)) = self.turns.get_mut(&turn) {
            from.get_or_insert(place);
        }
    }

    /// Who gives the lock back comes after who took it. What nobody took, as far as the record has it, is nobody's.
    pub(crate) fn link(&mut self, edges: &mut [StrandEdges]) {
        self.turns.retain(|_, (to, from)| from.is_some_and(|from| from.0 != to.0));
        for ((strand, at), from) in self.turns.values() {
            let Some((taker, taken_at)) = *from else { continue };
            let count = taken_at.saturating_add(1);
            edges[taker as usize].points.push(count);
            edges[*strand as usize].into.push(Edge { at: *at, from: Some(Topic::Passed(taker, count)), missing: None });
        }
        if !self.is_empty() {
            edges.iter_mut().for_each(StrandEdges::sort);
        }
    }

    /// The strands that took the lock and give it back, if those are two.
    pub(crate) fn get(&self, lock: u32, number: u64) -> Option<[u32; 2]> {
        let (to, from) = self.turns.get(&(lock, number))?;
        from.map(|from| [from.0, to.0])
    }

    /// The strands that give a lock back for another one: each as often as it does.
    pub(crate) fn receivers(&self) -> impl Iterator<Item = u32> {
        self.turns.values().map(|(to, _)| to.0)
    }
}
