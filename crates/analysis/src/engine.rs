//! All runs, from their first events to their last, in an order that their synchronisation allows.

use crate::clock::Snapshot;
use crate::collect::{Collector, Unsettled};
use crate::hole::{Cause, HoleId, HolePoint, Holes};
use crate::intern::Map;
use crate::locking::{LockReport, Watch};
use crate::lockset::Signatures;
use crate::log::{LockOp, NONE, Names, Op, Record, RunLog};
use crate::report::{FindingKind, Hole, Summary};
use crate::resolve::Resolved;
use crate::roster::{RunRef, StrandRef};
use crate::schedule::{Schedule, Topic, Wait};
use crate::steps::Steps;
use crate::strand::StrandState;
use crate::variable::Variable;
use std::collections::BTreeMap;
use trackside_wire::RunId;

/// How many holes a report tells in full.
const HOLES_TOLD: usize = 32;

/// What a strand leaves for those who wait for it: what it knew, what of that it did not learn from locks, and holes.
type Message = (Snapshot, Snapshot, HoleId);

/// The findings met: kind, variable's name and the two places, each of a run, and their numbers in the collector.
pub(crate) type Known = Map<(FindingKind, u32, [(u32, u32); 2]), usize>;

/// The analysis of all runs.
#[derive(Debug)]
pub(crate) struct Engine<'a> {
    pub(crate) names: &'a Names,
    pub(crate) resolved: Resolved<'a>,
    pub(crate) states: Vec<StrandState>,
    pub(crate) holes: Holes,
    pub(crate) signatures: Signatures,
    pub(crate) variables: Vec<Variable>,
    pub(crate) unsettled: Vec<Unsettled>,
    pub(crate) known: Known,
    pub(crate) watch: Watch,
    /// As those that are resolved, for what strands know if locks order nothing.
    pub(crate) firm_steps: Steps,
    /// How many accesses were met.
    pub(crate) met: u32,
    pub(crate) schedule: Schedule,
    told: Map<Topic, Message>,
}

impl<'a> Engine<'a> {
    /// Prepares the analysis of runs whose strands are settled.
    pub(crate) fn new(runs: &'a BTreeMap<RunId, RunLog>, names: &'a Names) -> Self {
        let resolved = Resolved::new(runs, names);
        let (strands, variables) = (resolved.roster.strands.len(), resolved.variables.len());
        let watch = Watch::new(resolved.locks.len(), variables);
        let before = |strand: u32| {
            let hides = resolved.roster.run_of(strand).log.partial.hides_order();
            if hides { HoleId::MANY } else { HoleId::NONE }
        };
        let state = |strand| StrandState { holes: before(strand), ..StrandState::new(strand, strands) };
        let began = |strand: &StrandRef<'_>| strand.log.records.first().map_or(0, |record| record.time_unix_ns);
        let schedule = Schedule::new(resolved.roster.strands.iter().map(began).collect());
        let mut states: Vec<StrandState> = (0..strands as u32).map(state).collect();
        resolved.handovers.receivers().for_each(|strand| states[strand as usize].locks.pass(true));
        let firm_steps = resolved.steps.clone();
        Self {
            names,
            resolved,
            firm_steps,
            states,
            holes: Holes::default(),
            signatures: Signatures::default(),
            variables: (0..variables).map(|_| Variable::default()).collect(),
            unsettled: (0..variables).map(|_| Unsettled::default()).collect(),
            known: Known::default(),
            watch,
            met: 0,
            schedule,
            told: Map::default(),
        }
    }

    /// Runs all strands to their ends. Returns what is to be said of the locks, beside findings.
    pub(crate) fn run(mut self, collector: &mut Collector, summary: &mut Summary) -> Vec<LockReport> {
        while let Some((strand, forced)) = self.schedule.next() {
            self.holes.enter(self.resolved.roster.strands[strand as usize].run);
            if forced {
                self.hole(strand, Cause::Contradiction);
            }
            self.go_on(strand, forced, collector);
        }
        self.report_overwrites(collector);
        for unsettled in std::mem::take(&mut self.unsettled) {
            unsettled.settle(collector);
        }
        summary.variables += self.variables.len() as u64 + self.resolved.tracked;
        summary.variables_bounded += self.variables.iter().filter(|variable| variable.bounded).count() as u64;
        summary.holes += self.holes.points().len() as u64;
        for point in self.holes.points() {
            if summary.first_holes.len() < HOLES_TOLD {
                let (thread, step) = (self.thread(point.strand, point.step), point.step);
                let place = self.resolved.roster.run_of(point.strand).place();
                summary.first_holes.push(Hole { place, thread, step, what: point.cause.to_string() });
            }
        }
        self.tell_locks(collector, summary)
    }

    /// Lets a strand go on until it ends, has to wait, or comes to an event that others were earlier than; if `forced`,
    /// it neither waits nor stops at its first event.
    fn go_on(&mut self, strand: u32, mut forced: bool, collector: &mut Collector) {
        let records = &self.resolved.roster.strands[strand as usize].log.records;
        while let Some(record) = records.get(self.states[strand as usize].at as usize) {
            if !self.states[strand as usize].entered {
                self.enter(strand, record);
            }
            let topic = self.arrive(strand, forced).or_else(|| self.notice(strand, forced));
            let wait = topic.map(Wait::Topic).or_else(|| self.wait(strand, record));
            if let Some(wait) = wait.filter(|_| !forced) {
                self.schedule.wait(strand, record.time_unix_ns, wait);
                return;
            }
            if !forced && self.schedule.is_others_turn(record.time_unix_ns) {
                self.schedule.pause(strand, record.time_unix_ns);
                return;
            }
            forced = false;
            match record.op {
                Op::Access { kind, old, new } => self.access(strand, record, kind, (old, new), collector),
                Op::Atomic { .. } => self.atomic(strand),
                op => self.synchronise(strand, record, op),
            }
            self.tell_steps(strand);
            let state = &mut self.states[strand as usize];
            state.at += 1;
            state.entered = false;
            self.pass(strand);
        }
    }

    /// Sees to a hole before the record, if there is one.
    fn enter(&mut self, strand: u32, record: &Record) {
        let StrandRef { run, log, .. } = self.resolved.roster.strands[strand as usize];
        let state = &mut self.states[strand as usize];
        state.entered = true;
        let before = (state.at as usize).checked_sub(1).and_then(|at| log.records.get(at));
        let expected = before.map_or(0, |before| before.step.saturating_add(1));
        let skipped = record.step.saturating_sub(expected);
        let (mut lost, mut held) = (0, None);
        while let Some(lane) = log.lanes.get(state.lane).filter(|lane| lane.step <= record.step) {
            state.lane += 1;
            if lane.lost_before > 0 && lane.step == record.step {
                lost = lane.lost_before;
                held = Some(&lane.held);
            }
        }
        if skipped == 0 && lost == 0 {
            return;
        }
        let resolved = &self.resolved;
        let locks = held.into_iter().flatten().filter_map(|id| resolved.lock_by_id(run, *id));
        // What a thread is told to hold is what it took: of the locks of tasks it does not know.
        state.locks.reset(locks, held.is_none() || resolved.travelling[run as usize]);
        // What was read before the hole may have been read again, or written, in it.
        state.reads.clear();
        self.hole(strand, if lost > 0 { Cause::Lost(lost.max(skipped)) } else { Cause::Missing(skipped) });
    }

    /// From now on the strand comes after a hole.
    pub(crate) fn hole(&mut self, strand: u32, cause: Cause) {
        let state = &mut self.states[strand as usize];
        let log = self.resolved.roster.strands[strand as usize].log;
        let step = log.records.get(state.at as usize).map_or(0, |record| record.step);
        state.holes = self.holes.add(state.holes, HolePoint { strand, step, cause });
    }

    /// Lets the strand come after all that its next record has to come after, as far as it has been told. What is yet to
    /// be told is returned, unless the strand is forced to go on without.
    fn arrive(&mut self, strand: u32, forced: bool) -> Option<Topic> {
        loop {
            let state = &mut self.states[strand as usize];
            let next = self.resolved.edges[strand as usize].into.get(state.edge);
            let edge = next.filter(|edge| edge.at <= state.at)?;
            if let Some(topic) = edge.from {
                match self.told.get(&topic) {
                    Some((knew, firmly, holes)) => {
                        state.clock.acquire(knew);
                        state.firm.acquire(firmly);
                        state.holes = self.holes.union(state.holes, *holes);
                    }
                    None if forced => {}
                    None => return Some(topic),
                }
            }
            state.edge += 1;
            if let Some(cause) = edge.missing {
                self.hole(strand, cause);
            }
        }
    }

    /// Which lock the strand has to wait for before this event, if any.
    fn wait(&self, strand: u32, record: &Record) -> Option<Wait> {
        let Op::Acquire(op) = record.op else { return None };
        let lock = self.resolved.lock(self.resolved.roster.strands[strand as usize].run, &op, record.name)?;
        let need = self.resolved.locks[lock as usize].wait(op.seq?)?;
        Some(Wait::lock(lock, need))
    }

    fn synchronise(&mut self, strand: u32, record: &Record, op: Op) {
        let StrandRef { run, log, .. } = self.resolved.roster.strands[strand as usize];
        match op {
            Op::Spawn(task) => self.tell(strand, Topic::Spawned(run, task)),
            Op::End(task) => self.tell(strand, Topic::Ended(run, task)),
            Op::Sent(span) => {
                if let Some(call) = self.resolved.calls.number(log.info.trace, span) {
                    self.tell(strand, Topic::Called(call));
                }
            }
            Op::Respond if self.resolved.edges[strand as usize].answer == Some(self.states[strand as usize].at) => {
                self.tell(strand, Topic::Answered(strand));
            }
            Op::Acquire(op) => self.acquire(strand, record, op),
            Op::Release(op) => self.release(strand, record, op),
            Op::Suspend => self.suspended(strand),
            Op::Begin(_) | Op::Await(_) | Op::Returned(_) | Op::Respond => {}
            Op::Other
            | Op::Wait
            | Op::Fence(_)
            | Op::Tell(_)
            | Op::Notice(_)
            | Op::Access { .. }
            | Op::Atomic { .. } => {}
        }
    }

    /// Tells those who wait for how far the strand has come.
    fn pass(&mut self, strand: u32) {
        let state = &mut self.states[strand as usize];
        let points = &self.resolved.edges[strand as usize].points;
        if points.get(state.point).is_some_and(|point| *point == state.at) {
            state.point += 1;
            let at = state.at;
            self.tell(strand, Topic::Passed(strand, at));
        }
    }

    fn tell(&mut self, strand: u32, topic: Topic) {
        let state = &mut self.states[strand as usize];
        self.told.insert(topic, (state.clock.release(), state.firm.release(), state.holes));
        self.schedule.wake(topic);
    }

    fn acquire(&mut self, strand: u32, record: &Record, op: LockOp) {
        let run = self.resolved.roster.strands[strand as usize].run;
        let Some(lock) = self.resolved.lock(run, &op, record.name) else { return };
        let handover = op.seq.and_then(|seq| self.resolved.handovers.get(lock, seq));
        if handover.is_none() {
            self.took(strand, record, lock, op);
        }
        let state = &mut self.states[strand as usize];
        match handover {
            None => state.locks.acquire(lock, op.shared, Some((op.seq, state.at))),
            Some(_) => state.locks.pass(true),
        }
        let Some(seq) = op.seq else { return };
        let timeline = &mut self.resolved.locks[lock as usize];
        if !timeline.acquire(seq, &mut state.clock, &mut state.holes, &mut self.holes) {
            self.hole(strand, Cause::NoPartner("an earlier release of the lock that is acquired here"));
        }
    }

    fn release(&mut self, strand: u32, record: &Record, op: LockOp) {
        let run = self.resolved.roster.strands[strand as usize].run;
        let Some(lock) = self.resolved.lock(run, &op, record.name) else { return };
        let handover = op.seq.and_then(|seq| self.resolved.handovers.get(lock, seq));
        match handover {
            None => {
                let ended = self.states[strand as usize].locks.release(lock, op.seq);
                self.gave_back(strand, record, lock, ended);
            }
            Some(both) => both.iter().for_each(|strand| self.states[*strand as usize].locks.pass(false)),
        }
        let state = &mut self.states[strand as usize];
        let Some(seq) = op.seq else { return };
        let knew = state.clock.release();
        let done = self.resolved.locks[lock as usize].release(seq, knew, state.holes, &mut self.holes);
        for done in done {
            self.schedule.wake_lock(lock, done);
        }
    }

    /// What a report calls a strand at one of its steps: a task may go from thread to thread.
    pub(crate) fn thread(&self, strand: u32, step: u64) -> String {
        let id = self.thread_id(strand);
        match self.strand_name(strand).or_else(|| self.thread_name(strand, step)) {
            Some(name) => format!("{name} ({id})"),
            None => id,
        }
    }

    /// The strand's id, short: a finding tells the run elsewhere.
    pub(crate) fn thread_id(&self, strand: u32) -> String {
        let StrandRef { id, .. } = self.resolved.roster.strands[strand as usize];
        format!("rust-{}-{id}", self.run_of(strand).log.meta.pid)
    }

    /// What the strand itself is called, if it is not a thread's own.
    pub(crate) fn strand_name(&self, strand: u32) -> Option<&'a str> {
        let name = self.resolved.roster.strands[strand as usize].log.info.name;
        Some(self.names.text(name)).filter(|text| name != NONE && !text.is_empty())
    }

    /// The name of the thread that ran the strand at a step, if it has one.
    pub(crate) fn thread_name(&self, strand: u32, step: u64) -> Option<&'a str> {
        let lanes = &self.resolved.roster.strands[strand as usize].log.lanes;
        let begun = lanes.partition_point(|lane| lane.step <= step);
        lanes[..begun].last()?.thread.as_deref().filter(|name| !name.is_empty())
    }

    /// The run of a strand.
    pub(crate) fn run_of(&self, strand: u32) -> &RunRef<'a> {
        self.resolved.roster.run_of(strand)
    }
}
