//! Messages and signals: who tells which number, who comes after it, and what of that is not in the record.
//!
//! A receive comes after the send of its number. A signal that is noticed comes after all releases of its number or a
//! lower one; number 0 tells of none. The numbers begin with 1, so one that nobody released is that of a release which
//! is not in the record, and noticing it, or a higher one, is a hole point.
//!
//! Where several releases may have one number, as those of a barrier's generation, numbers do not tell whether one of them
//! is missing. There, noticing is a hole point if anything of the run is known to be missing.

use crate::intern::Map;
use crate::links::{Ask, Links, Tell};
use crate::steps::Steps;

const SEND: &str = "the send of the message that is received here";
const RELEASE: &str = "a release of the signal that is noticed here";
const PERHAPS: &str = "perhaps one of the releases that share the number noticed here";

/// A channel or a signal.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    /// Whether who notices a number comes after all lower ones too.
    pub(crate) cumulative: bool,
    /// Whether several releases may have one number.
    pub(crate) shared: bool,
    pub(crate) tells: Vec<Place>,
    pub(crate) notices: Vec<Place>,
}

/// A number, and where it is told or noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) number: u64,
    pub(crate) strand: u32,
    pub(crate) at: u32,
}

/// What a strand noticed of an object last: there is nothing new in noticing it again.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Noticed {
    step: Option<u32>,
    /// Tells apart what was missing; 0 if nothing was.
    untold: u64,
    perhaps: u64,
}

impl Signal {
    /// Sorts what was told. True if numbers are left out between the first and the last, or some that were noticed were
    /// never told.
    pub(crate) fn line_up(&mut self) -> bool {
        self.tells.sort_unstable();
        self.shared |= self.tells.windows(2).any(|pair| pair[0].number == pair[1].number);
        let gap = |pair: &[Place]| pair[1].number > pair[0].number.saturating_add(1);
        let told = |number: u64| self.tells.binary_search_by_key(&number, |tell| tell.number).is_ok();
        let untold = |place: &Place| !(told(place.number) || (self.cumulative && place.number == 0));
        self.tells.windows(2).any(gap) || self.notices.iter().any(untold)
    }

    /// Links those who tell to those who notice; to be called after [`Signal::line_up`]. `whole` says that nothing of the
    /// run is known to be missing.
    pub(crate) fn link(&self, whole: bool, steps: &mut Steps, links: &mut [Links]) {
        // The numbers that were told, with their steps.
        let mut rungs: Vec<(u64, u32)> = Vec::new();
        for same in self.tells.chunk_by(|a, b| a.number == b.number) {
            let step = steps.add(self.cumulative && !rungs.is_empty());
            rungs.push((same[0].number, step));
            for tell in same {
                steps.expect(step);
                links[tell.strand as usize].tells.push(Tell { at: tell.at, step });
            }
        }
        let mut last: Map<u32, Noticed> = Map::default();
        for Place { number, strand, at } in self.notices.iter().copied() {
            let now = self.noticed(number, whole, &rungs);
            let known = last.insert(strand, now).unwrap_or_default();
            let missing = if now.untold > 0 && now.untold != known.untold {
                Some(if self.cumulative { RELEASE } else { SEND })
            } else {
                (now.perhaps > 0 && now.perhaps != known.perhaps).then_some(PERHAPS)
            };
            let step = now.step.filter(|_| now.step != known.step);
            step.into_iter().for_each(|step| steps.reserve(step));
            if step.is_some() || missing.is_some() {
                links[strand as usize].asks.push(Ask { at, step, missing });
            }
        }
    }

    fn noticed(&self, number: u64, whole: bool, rungs: &[(u64, u32)]) -> Noticed {
        let below = rungs.partition_point(|(told, _)| *told <= number);
        let highest = below.checked_sub(1).map(|at| rungs[at]);
        if !self.cumulative {
            let step = highest.filter(|(told, _)| *told == number).map(|(_, step)| step);
            let untold = if step.is_none() { number.saturating_add(1) } else { 0 };
            return Noticed { step, untold, perhaps: 0 };
        }
        let from_one = below as u64 - u64::from(rungs.first().is_some_and(|(told, _)| *told == 0 && below > 0));
        let perhaps = if self.shared && !whole { number } else { 0 };
        Noticed { step: highest.map(|(_, step)| step), untold: number.saturating_sub(from_one), perhaps }
    }
}
