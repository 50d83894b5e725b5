//! What strands tell each other by messages, signals and atomics: worked out up front, like the edges, so that the
//! engine only has to look at the next one.

use crate::engine::Engine;
use crate::hole::{Cause, HoleId};
use crate::schedule::Topic;

/// The places where one strand tells something, or has to come after what others told; each by `at`.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(crate) tells: Vec<Tell>,
    pub(crate) asks: Vec<Ask>,
}

/// After a record, the strand tells a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tell {
    /// Index of the record.
    pub(crate) at: u32,
    pub(crate) step: u32,
}

/// Before a record, the strand notices a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    /// Index of the record.
    pub(crate) at: u32,
    /// The step, if anything was told that is in the record.
    pub(crate) step: Option<u32>,
    /// What makes the place a hole, if not all that comes first is in the record.
    pub(crate) missing: Option<&'static str>,
}

impl Links {
    /// Once all are there.
    pub(crate) fn sort(&mut self) {
        self.tells.sort_by_key(|tell| tell.at);
        self.asks.sort_by_key(|ask| ask.at);
    }
}

impl Engine<'_> {
    /// Lets the strand come after what its next record notices. What is yet to be told is returned, unless the strand is
    /// forced to go on without.
    pub(crate) fn notice(&mut self, strand: u32, forced: bool) -> Option<Topic> {
        loop {
            let state = &mut self.states[strand as usize];
            let next = self.resolved.links[strand as usize].asks.get(state.ask).copied();
            let ask = next.filter(|ask| ask.at <= state.at)?;
            if let Some(step) = ask.step {
                let steps = &mut self.resolved.steps;
                if !steps.notice(step, forced, &mut state.clock, &mut state.holes, &mut self.holes) {
                    return Some(Topic::Step(step));
                }
                // What is told is told to both clocks at once, so it is there for the firm one as well.
                let mut unheard = HoleId::NONE;
                self.firm_steps.notice(step, forced, state.firm.learning(), &mut unheard, &mut self.holes);
            }
            state.ask += 1;
            if let Some(what) = ask.missing {
                self.hole(strand, Cause::NoPartner(what));
            }
        }
    }

    /// Tells what the strand's record tells, after it.
    pub(crate) fn tell_steps(&mut self, strand: u32) {
        let state = &mut self.states[strand as usize];
        let tells = &self.resolved.links[strand as usize].tells;
        let rest = &tells[state.tell..];
        let now = &rest[..rest.partition_point(|tell| tell.at <= state.at)];
        if now.is_empty() {
            return;
        }
        state.tell += now.len();
        let (knew, firmly) = (state.clock.release(), state.firm.release());
        for tell in now {
            let done = self.resolved.steps.tell(tell.step, &knew, state.holes, &mut self.holes);
            done.for_each(|step| self.schedule.wake(Topic::Step(step)));
            self.firm_steps.tell(tell.step, &firmly, HoleId::NONE, &mut self.holes);
        }
    }
}
