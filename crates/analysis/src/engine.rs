//! One run, from its first event to its last, in an order that its synchronisation allows.

use crate::clock::Snapshot;
use crate::collect::{Collector, Unsettled};
use crate::hole::{Cause, HoleId, HolePoint, Holes};
use crate::intern::Map;
use crate::lockset::Signatures;
use crate::log::{LockOp, Names, Op, Record, RunLog};
use crate::report::{FindingKind, Hole, Summary};
use crate::resolve::{Resolved, StrandRef};
use crate::schedule::{Schedule, Wait};
use crate::strand::StrandState;
use crate::value::Val;
use crate::variable::Variable;
use trackside_wire::RunId;

/// How many holes a report tells in full.
const HOLES_TOLD: usize = 32;

/// What a strand leaves for those who wait for it.
type Message = (Snapshot, HoleId);

/// The findings met in this run: kind, variable and the two sites, and their numbers in the collector.
pub(crate) type Known = Map<(FindingKind, u32, u32, u32), usize>;

/// The analysis of one run.
#[derive(Debug)]
pub(crate) struct Engine<'a> {
    pub(crate) id: RunId,
    pub(crate) names: &'a Names,
    pub(crate) run: &'a RunLog,
    pub(crate) resolved: Resolved<'a>,
    /// Whether every event that was recorded is here.
    pub(crate) whole: bool,
    pub(crate) states: Vec<StrandState>,
    pub(crate) holes: Holes,
    pub(crate) signatures: Signatures,
    pub(crate) variables: Vec<Variable>,
    pub(crate) unsettled: Vec<Unsettled>,
    pub(crate) known: Known,
    /// How many accesses were met.
    pub(crate) met: u32,
    schedule: Schedule,
    spawned: Map<Val, Message>,
    ended: Map<Val, Message>,
}

impl<'a> Engine<'a> {
    /// Prepares the analysis of a run whose strands are settled.
    pub(crate) fn new(id: RunId, names: &'a Names, run: &'a RunLog) -> Self {
        let resolved = Resolved::new(run, names);
        let (strands, variables) = (resolved.strands.len(), resolved.variables.len());
        let began = |strand: &StrandRef<'_>| strand.log.records.first().map_or(0, |record| record.time_unix_ns);
        let schedule = Schedule::new(resolved.strands.iter().map(began).collect());
        Self {
            id,
            names,
            run,
            whole: run.is_whole(resolved.first_step),
            resolved,
            states: (0..strands as u32).map(|strand| StrandState::new(strand, strands)).collect(),
            holes: Holes::default(),
            signatures: Signatures::default(),
            variables: (0..variables).map(|_| Variable::default()).collect(),
            unsettled: (0..variables).map(|_| Unsettled::default()).collect(),
            known: Known::default(),
            met: 0,
            schedule,
            spawned: Map::default(),
            ended: Map::default(),
        }
    }

    /// Runs all strands to their ends.
    pub(crate) fn run(mut self, collector: &mut Collector, summary: &mut Summary) {
        while let Some((strand, forced)) = self.schedule.next() {
            if forced {
                self.hole(strand, Cause::Contradiction);
            }
            self.go_on(strand, forced, collector);
        }
        for unsettled in std::mem::take(&mut self.unsettled) {
            unsettled.settle(collector);
        }
        summary.variables += self.variables.len() as u64;
        summary.variables_bounded += self.variables.iter().filter(|variable| variable.bounded).count() as u64;
        summary.holes += self.holes.points().len() as u64;
        for point in self.holes.points() {
            if summary.first_holes.len() < HOLES_TOLD {
                let (thread, step) = (self.thread(point.strand, point.step), point.step);
                summary.first_holes.push(Hole { thread, step, what: point.cause.to_string() });
            }
        }
    }

    /// Lets a strand go on until it ends, has to wait, or comes to an event that others were earlier than; if `forced`,
    /// it neither waits nor stops at its first event.
    fn go_on(&mut self, strand: u32, mut forced: bool, collector: &mut Collector) {
        let records = &self.resolved.strands[strand as usize].log.records;
        while let Some(record) = records.get(self.states[strand as usize].at as usize) {
            if !self.states[strand as usize].entered {
                self.enter(strand, record);
            }
            if let Some(wait) = self.wait(record).filter(|_| !forced) {
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
                op => self.synchronise(strand, record, op),
            }
            let state = &mut self.states[strand as usize];
            state.at += 1;
            state.entered = false;
        }
    }

    /// Sees to a hole before the record, if there is one.
    fn enter(&mut self, strand: u32, record: &Record) {
        let log = self.resolved.strands[strand as usize].log;
        let state = &mut self.states[strand as usize];
        state.entered = true;
        let before = (state.at as usize).checked_sub(1).and_then(|at| log.records.get(at));
        let expected = before.map_or(self.resolved.first_step, |before| before.step.saturating_add(1));
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
        let locks = held.into_iter().flatten().filter_map(|id| resolved.lock_by_id(*id));
        state.locks.reset(locks, held.is_none());
        // What was read before the hole may have been read again, or written, in it.
        state.reads.clear();
        self.hole(strand, if lost > 0 { Cause::Lost(lost.max(skipped)) } else { Cause::Missing(skipped) });
    }

    fn hole(&mut self, strand: u32, cause: Cause) {
        let state = &mut self.states[strand as usize];
        let log = self.resolved.strands[strand as usize].log;
        let step = log.records.get(state.at as usize).map_or(0, |record| record.step);
        state.holes = self.holes.add(state.holes, HolePoint { strand, step, cause });
    }

    /// What the strand has to wait for before this event, if anything.
    fn wait(&self, record: &Record) -> Option<Wait> {
        match record.op {
            Op::Begin(task) => {
                let missing = self.resolved.spawned.contains(&task) && !self.spawned.contains_key(&task);
                missing.then_some(Wait::Spawn(task))
            }
            Op::Await(task) => {
                let missing = self.resolved.ended.contains(&task) && !self.ended.contains_key(&task);
                missing.then_some(Wait::End(task))
            }
            Op::Acquire(op) => {
                let lock = self.resolved.lock(&op, record.name)?;
                let need = self.resolved.locks[lock as usize].wait(op.seq?)?;
                Some(Wait::lock(lock, need))
            }
            _ => None,
        }
    }

    fn synchronise(&mut self, strand: u32, record: &Record, op: Op) {
        let state = &mut self.states[strand as usize];
        match op {
            Op::Spawn(task) => {
                self.spawned.insert(task, (state.clock.release(), state.holes));
                self.schedule.wake(Wait::Spawn(task));
            }
            Op::End(task) => {
                self.ended.insert(task, (state.clock.release(), state.holes));
                self.schedule.wake(Wait::End(task));
            }
            Op::Begin(task) => match self.spawned.get(&task) {
                Some(message) => receive(state, message, &mut self.holes),
                // If it is in the record, the strand was forced on, and that hole is known already.
                None if self.resolved.spawned.contains(&task) => {}
                None => self.hole(strand, Cause::NoPartner("the start of the task that begins here")),
            },
            Op::Await(task) => match self.ended.get(&task) {
                Some(message) => receive(state, message, &mut self.holes),
                None if self.resolved.ended.contains(&task) => {}
                None => self.hole(strand, Cause::NoPartner("the end of the task that is awaited here")),
            },
            Op::Acquire(op) => self.acquire(strand, record, op),
            Op::Release(op) => self.release(strand, record, op),
            Op::Other | Op::Fence | Op::Access { .. } => {}
        }
    }

    fn acquire(&mut self, strand: u32, record: &Record, op: LockOp) {
        let Some(lock) = self.resolved.lock(&op, record.name) else { return };
        let state = &mut self.states[strand as usize];
        state.locks.acquire(lock, op.shared, op.seq.is_some());
        let Some(seq) = op.seq else { return };
        let timeline = &mut self.resolved.locks[lock as usize];
        if !timeline.acquire(seq, &mut state.clock, &mut state.holes, &mut self.holes) {
            self.hole(strand, Cause::NoPartner("an earlier release of the lock that is acquired here"));
        }
    }

    fn release(&mut self, strand: u32, record: &Record, op: LockOp) {
        let Some(lock) = self.resolved.lock(&op, record.name) else { return };
        let state = &mut self.states[strand as usize];
        state.locks.release(lock);
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
        match self.thread_name(strand, step) {
            Some(name) => format!("{name} ({id})"),
            None => id,
        }
    }

    /// The strand's id, as everything that speaks Raceway knows it.
    pub(crate) fn thread_id(&self, strand: u32) -> String {
        format!("rust-{}-{}", self.run.meta.pid, self.resolved.strands[strand as usize].id)
    }

    /// The name of the thread that ran the strand at a step, if it has one.
    pub(crate) fn thread_name(&self, strand: u32, step: u64) -> Option<&str> {
        let lanes = &self.resolved.strands[strand as usize].log.lanes;
        let begun = lanes.partition_point(|lane| lane.step <= step);
        lanes[..begun].last()?.thread.as_deref().filter(|name| !name.is_empty())
    }
}

fn receive(state: &mut StrandState, message: &Message, holes: &mut Holes) {
    state.clock.acquire(&message.0);
    state.holes = holes.union(state.holes, message.1);
}
