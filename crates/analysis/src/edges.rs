//! What each strand has to come after, beside its own earlier events and the locks it takes: worked out up front, so that
//! a run only has to look at the next edge.

use crate::calls::Calls;
use crate::hole::Cause;
use crate::intern::Map;
use crate::log::{Names, Op};
use crate::roster::Roster;
use crate::schedule::Topic;
use crate::value::Val;
use foldhash::fast::FixedState;
use std::collections::HashSet;

/// Something that happens before a record of a strand.
#[derive(Debug)]
pub(crate) struct Edge {
    /// Index of the record.
    pub(crate) at: u32,
    /// What is told by whoever comes first, if it is in the record.
    pub(crate) from: Option<Topic>,
    /// What makes the place a hole, if not all that comes first is in the record.
    pub(crate) missing: Option<Cause>,
}

/// The edges into one strand, and the places where others have theirs from it.
#[derive(Debug, Default)]
pub(crate) struct StrandEdges {
    /// By `at`.
    pub(crate) into: Vec<Edge>,
    /// Numbers of records after which somebody wants to know what the strand knew, ascending.
    pub(crate) points: Vec<u32>,
    /// Index of the record that answers the call the strand took, if anybody waits for that.
    pub(crate) answer: Option<u32>,
}

/// Which halves of tasks the record has, by run and task.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    pub(crate) spawned: HashSet<(u32, Val), FixedState>,
    pub(crate) ended: HashSet<(u32, Val), FixedState>,
    /// Records that have to come after something: strand and index.
    pub(crate) asking: Vec<(u32, u32)>,
}

/// Works out the edges of all strands, by their numbers.
pub(crate) fn edges(roster: &Roster<'_>, names: &Names, calls: &Calls, tasks: &Tasks) -> Vec<StrandEdges> {
    let mut edges: Vec<StrandEdges> = roster.strands.iter().map(|_| StrandEdges::default()).collect();
    let hiding = Hiding::new(roster, names);
    let mut named: Vec<Named> = roster.strands.iter().map(|_| Named::default()).collect();
    for strand in 0..roster.strands.len() as u32 {
        let caller_is_hidden = || hiding.has_caller_of(roster, strand, names);
        edges[strand as usize].into.extend(called(roster, calls, strand, caller_is_hidden));
        followed(roster, strand, &mut edges, &mut named[strand as usize]);
    }
    let answers = Answers { roster, calls, hiding: &hiding };
    let mut answered: Map<u32, (Option<Topic>, Option<Cause>)> = Map::default();
    for (strand, at) in tasks.asking.iter().copied() {
        let place = &roster.strands[strand as usize];
        let record = &place.log.records[at as usize];
        let (from, missing) = match record.op {
            Op::Begin(task) => {
                let there = tasks.spawned.contains(&(place.run, task));
                half(there, Topic::Spawned(place.run, task), "the start of the task that begins here")
            }
            // A strand that was joined has no end of its own: the lane says that all of it comes before.
            Op::Await { task, steps: Some(steps) }
                if named[strand as usize].joins(task, steps, record.step.saturating_add(1)) =>
            {
                continue;
            }
            Op::Await { task, .. } => {
                let there = tasks.ended.contains(&(place.run, task));
                half(there, Topic::Ended(place.run, task), "the end of the task that is awaited here")
            }
            Op::Returned(span) => match calls.number(place.log.info.trace, span) {
                Some(number) => *answered.entry(number).or_insert_with(|| answers.to(number, &mut edges)),
                None if hiding.has_taker_of(place.run) => {
                    (None, Some(Cause::NoPartner("who took the call that returns here")))
                }
                None => continue,
            },
            _ => continue,
        };
        edges[strand as usize].into.push(Edge { at, from, missing });
    }
    edges.iter_mut().for_each(StrandEdges::sort);
    edges
}

impl StrandEdges {
    /// To be called once there are all.
    pub(crate) fn sort(&mut self) {
        self.into.sort_by_key(|edge| edge.at);
        self.points.sort_unstable();
        self.points.dedup();
    }
}

fn half(there: bool, topic: Topic, what: &'static str) -> (Option<Topic>, Option<Cause>) {
    (there.then_some(topic), (!there).then_some(Cause::NoPartner(what)))
}

/// The runs that miss events which may have been whole strands, or the last ones of some: lost on the way, or of kinds that
/// were off.
struct Hiding {
    /// Which of the runs may have answered a call without a trace.
    answers: Vec<bool>,
    /// The runs in which kinds were off, so that not even who took a call need be in the record.
    takers: Vec<u32>,
    /// What clocks call those that may have made one so, as numbers of texts.
    processes: HashSet<u32, FixedState>,
}

impl Hiding {
    fn new(roster: &Roster<'_>, names: &Names) -> Self {
        let answers = roster.runs.iter().map(|run| run.log.hides_events() || run.log.partial.hides_answers()).collect();
        let hiding = roster.runs.iter().filter(|run| run.log.hides_events() || run.log.partial.hides_calls());
        let processes = hiding.filter_map(|run| names.texts.find(run.process().as_str())).collect();
        let takers = (0..).zip(&roster.runs).filter(|(_, run)| run.log.partial.hides_answers()).map(|(at, _)| at);
        Self { answers, takers: takers.collect(), processes }
    }

    /// Whether another run may have taken and answered a call of this one, and left no trace of that.
    fn has_taker_of(&self, run: u32) -> bool {
        self.takers.iter().any(|taker| *taker != run)
    }

    /// Whether one of them, beside the strand's own, is in the strand's past.
    fn has_caller_of(&self, roster: &Roster<'_>, strand: u32, names: &Names) -> bool {
        if self.processes.is_empty() {
            return false;
        }
        let own = names.texts.find(roster.run_of(strand).process().as_str());
        let past = &roster.strands[strand as usize].log.info.past;
        past.iter().any(|component| Some(*component) != own && self.processes.contains(component))
    }
}

/// A strand that took a call comes after the call was made.
fn called(roster: &Roster<'_>, calls: &Calls, strand: u32, caller_is_hidden: impl Fn() -> bool) -> Option<Edge> {
    let place = &roster.strands[strand as usize];
    let info = &place.log.info;
    let number = calls.number(info.trace, info.span).filter(|_| info.entry)?;
    let from = (!calls.get(number).senders.is_empty()).then_some(Topic::Called(number));
    // Many callers do not record. Where this one does, it is there, or in the part of a run that is hidden.
    let lost = from.is_none() && (calls.is_orphan(roster, strand) || caller_is_hidden());
    let missing = lost.then_some(Cause::NoPartner("the call that is taken here"));
    (from.is_some() || lost).then_some(Edge { at: 0, from, missing })
}

/// A lane comes after what it says.
fn followed(roster: &Roster<'_>, strand: u32, edges: &mut [StrandEdges], named: &mut Named) {
    let place = &roster.strands[strand as usize];
    for lane in &place.log.lanes {
        let at = place.log.records.partition_point(|record| record.step < lane.step) as u32;
        for (number, steps) in &lane.after {
            let reach = roster.reach(place.run, *number, *steps);
            let from = reach.records.map(|(other, count)| Topic::Passed(other, count));
            if let Some((other, count)) = reach.records {
                edges[other as usize].points.push(count);
            }
            let missing = reach.missing.then_some(Cause::NoPartner("an event of another strand that this comes after"));
            if from.is_some() || missing.is_some() {
                edges[strand as usize].into.push(Edge { at, from, missing });
            }
            named.add(*number, lane.step, *steps);
        }
    }
}

/// The strands that the lanes of one strand come after: where that is said, and how many steps of them those are.
#[derive(Default)]
struct Named {
    strands: Map<u64, Vec<(u64, u64)>>,
}

impl Named {
    /// Lanes come in the order of their steps.
    fn add(&mut self, number: u64, lane: u64, steps: u64) {
        let told = self.strands.entry(number).or_default();
        let most = told.last().map_or(0, |(_, most)| *most);
        told.push((lane, steps.max(most)));
    }

    /// Whether a lane that begins at `step` or before comes after the first `steps` events of the strand that is called as a
    /// task. Of none, nothing has to be said.
    fn joins(&self, task: Val, steps: u64, step: u64) -> bool {
        let told = task.as_u64().and_then(|number| self.strands.get(&number)).map_or(&[][..], Vec::as_slice);
        let begun = told.partition_point(|(lane, _)| *lane <= step);
        told[..begun].last().map_or(0, |(_, most)| *most) >= steps
    }
}

/// What the return of a call comes after.
struct Answers<'a> {
    roster: &'a Roster<'a>,
    calls: &'a Calls,
    hiding: &'a Hiding,
}

impl Answers<'_> {
    fn to(&self, call: u32, edges: &mut [StrandEdges]) -> (Option<Topic>, Option<Cause>) {
        let entries = &self.calls.get(call).entries;
        let [entry] = entries[..] else { return (None, Some(Cause::Answers(entries.len() as u32))) };
        let place = &self.roster.strands[entry as usize];
        let records = &place.log.records;
        let last = records.iter().rposition(|record| record.op == Op::Respond);
        edges[entry as usize].answer = last.map(|at| at as u32);
        let skipped = last.map_or_else(|| place.log.skipped(), |at| place.log.skipped_after(at));
        let lost = skipped > 0 || self.hiding.answers[place.run as usize];
        let missing = lost.then_some(Cause::NoPartner("the last answer to the call that returns here"));
        (last.map(|_| Topic::Answered(entry)), missing)
    }
}
