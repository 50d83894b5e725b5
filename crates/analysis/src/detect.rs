//! What the engine does at an access: asks both detectors, and hands on what they find.

use crate::collect::Collector;
use crate::engine::Engine;
use crate::evidence::{Claim, RETURNED};
use crate::explain::Example;
use crate::log::{AccessOp, Op, Record};
use crate::report::{Confidence, FindingKind};
use crate::resolve::Seen;
use crate::strand::Acc;
use crate::update::Update;
use crate::value::Val;
use crate::window::Access;
use std::rc::Rc;

/// Why a race is not confirmed when both strands use atomics that are not tracked.
const ATOMICS: &str = "the two strands also use atomic operations or fences, and order through those is not known here";

impl Engine<'_> {
    /// An access, with the values before and after it; a read has its value in the second. It is looked at later, together
    /// with others of its variable.
    pub(crate) fn access(
        &mut self,
        strand: u32,
        record: &Record,
        op: AccessOp,
        (old, new): (Val, Val),
        collector: &mut Collector,
    ) {
        let run = self.resolved.roster.strands[strand as usize].run;
        let Some(variable) = self.resolved.variable(run, record.name) else { return };
        let state = &mut self.states[strand as usize];
        let stance = state.stance(&mut self.signatures);
        let (at, stretch, met, site) = (state.at, state.stretch, self.met, record.site);
        self.met = self.met.saturating_add(1);
        if self.window.add(Access { variable, strand, at, site, met, stretch, op, old, new, stance }) {
            self.catch_up(collector);
        }
    }

    /// Looks at all accesses that were met and not looked at yet.
    pub(crate) fn catch_up(&mut self, collector: &mut Collector) {
        let window = std::mem::take(&mut self.window);
        window.by_variable().for_each(|access| self.look_at(access, collector));
        self.window = window.emptied();
    }

    fn look_at(&mut self, access: &Access, collector: &mut Collector) {
        let Access { variable, strand, at, met, stretch, op, old, .. } = *access;
        let (stance, variable) = (&access.stance, variable as usize);
        let mut acc = Acc { strand, at, epoch: stance.now.epoch(), met, stamp: None, stance: Rc::clone(stance) };

        let kept = &mut self.variables[variable];
        let read = op.write.then(|| kept.take_read(strand, stretch)).flatten().filter(|_| !op.read);
        kept.charge(op, read.is_some());
        if op.write {
            let base = old.known().or_else(|| read.as_ref().map(|read| self.values(read).1)).unwrap_or(Val::Unknown);
            acc.stamp = self.variables[variable].updates.stamp(base, &stance.now);
            self.write(access, &acc, read, collector);
        } else {
            kept.was_read(stretch, acc.clone());
        }
        let mut races = Vec::new();
        self.variables[variable].races(&acc, op, &stance.now, &mut races);
        for earlier in races {
            self.race(&earlier, &acc, collector);
        }
        self.used(&acc, access);
        self.variables[variable].keep(acc, op);
    }

    /// The values before and after an access that was met.
    pub(crate) fn values(&self, acc: &Acc) -> (Val, Val) {
        self.record(acc).op.access().map_or((Val::Unknown, Val::Unknown), |(_, old, new)| (old, new))
    }

    /// The record of an access that was met.
    pub(crate) fn record(&self, acc: &Acc) -> &Record {
        self.record_at(acc.strand, acc.at)
    }

    /// The record of a strand at this index.
    pub(crate) fn record_at(&self, strand: u32, at: u32) -> &Record {
        &self.resolved.roster.strands[strand as usize].log.records[at as usize]
    }

    fn write(&mut self, access: &Access, acc: &Acc, read: Option<Acc>, collector: &mut Collector) {
        let Access { op, old, new, .. } = *access;
        let (now, variable) = (&access.stance.now, access.variable as usize);
        let update = Update { read, write: acc.clone() };
        let dependent = !op.read && (update.read.is_some() || old != Val::Unknown);
        let mut suspects: Vec<(Update, Acc, bool)> = Vec::new();
        let kept = &self.variables[variable];
        for open in kept.updates.open(acc, now) {
            // Where each of the two writes could be lost to the other, that is one finding, told once; which of them
            // is shown to overwrite is for people, so the timestamp may decide.
            let mutual = dependent && open.read.is_some() == update.read.is_some() && update.may_lose(&open.write);
            if mutual && self.shown(&open.write) <= self.shown(acc) {
                suspects.push((update.clone(), open.write.clone(), false));
            } else if open.read.is_some() || update.read.is_none() {
                suspects.push((open.clone(), acc.clone(), false));
            }
        }
        if update.read.is_some() && !op.read {
            let told = suspects.len();
            for foreign in kept.writes().filter(|foreign| update.may_lose(foreign)) {
                if !suspects[..told].iter().any(|(told, other, _)| other.is(foreign) || told.write.is(foreign)) {
                    suspects.push((update.clone(), foreign.clone(), foreign.before(now)));
                }
            }
        }
        for (update, foreign, between) in suspects {
            self.lost_update(variable, &update, &foreign, between, collector);
        }
        self.unsettled[variable].wrote(new, now);
        let updates = &mut self.variables[variable].updates;
        updates.wrote(acc, new, now);
        if dependent {
            updates.keep(update, now);
        }
    }

    fn lost_update(
        &mut self,
        variable: usize,
        update: &Update,
        foreign: &Acc,
        between: bool,
        collector: &mut Collector,
    ) {
        let read = update.read.as_ref();
        let mut doubt = self.doubt(foreign, &update.write);
        if let Some(read) = read {
            doubt = doubt.or_else(|| self.doubt(foreign, read));
        }
        doubt = doubt.or_else(|| self.access_doubt(foreign, &update.write));
        let Seen { tally, gaps } = &self.resolved.variables[variable];
        let mut claim = Claim {
            read: update.read.as_ref().map(|read| self.values(read).1),
            write: self.values(&update.write),
            foreign: self.values(foreign),
            between,
            was_state: between && self.variables[variable].updates.is_state(foreign),
            no_return: foreign.stamp.is_some() && foreign.stamp == update.write.stamp,
            foreign_rmw: matches!(self.record(foreign).op, Op::Access { kind, .. } if kind.read && kind.write),
            surplus: None,
        };
        let once = gaps.is_none() && claim.shows_start() && tally.came_once(claim.base());
        claim.no_return |= once;
        claim.surplus =
            tally.surplus(claim.base()).filter(|_| gaps.is_none() && doubt.is_none() && claim.shows_start());
        let Some(mut verdict) = claim.judge() else { return };
        if gaps.is_some() && verdict.confidence == Confidence::Confirmed {
            (verdict.confidence, verdict.reserve) = (Confidence::Likely, *gaps);
        }
        let example = Example {
            kind: FindingKind::LostUpdate,
            first: foreign,
            second: &update.write,
            read,
            claim: Some(claim),
            told: None,
            confidence: verdict.confidence,
            reserve: verdict.reserve,
            by_count: verdict.by_count,
            doubt,
        };
        let settled = once || verdict.by_count.is_some();
        if example.confidence != Confidence::Confirmed || example.doubt.is_some() || settled {
            self.report(&example, collector);
            return;
        }
        // Confirmed, unless a write that is yet to be met turns out to bring the old value back.
        let mut for_now = Example { by_count: claim.surplus, ..example.clone() };
        if for_now.by_count.is_none() {
            (for_now.confidence, for_now.reserve) = (Confidence::Likely, Some(RETURNED));
        }
        let number = self.report(&for_now, collector);
        let Some(number) = number.filter(|number| collector.wants(*number, example.rank())) else { return };
        if self.unsettled[variable].has_room(number) {
            let writes = [foreign, &update.write].map(|write| (write.strand, write.epoch));
            let finding = self.finding(&example);
            self.unsettled[variable].wait(claim.base(), number, writes, finding);
        }
    }

    fn race(&mut self, earlier: &Acc, acc: &Acc, collector: &mut Collector) {
        let doubt = self.doubt(earlier, acc);
        let atomics = self.atomics_between(earlier, acc) || self.atomics_between(acc, earlier);
        let likely = atomics || doubt.is_some();
        let confidence = if likely { Confidence::Likely } else { Confidence::Confirmed };
        let (first, second) = if self.shown(earlier) <= self.shown(acc) { (earlier, acc) } else { (acc, earlier) };
        let example = Example {
            kind: FindingKind::DataRace,
            first,
            second,
            read: None,
            claim: None,
            told: None,
            confidence,
            reserve: atomics.then_some(ATOMICS),
            by_count: None,
            doubt,
        };
        self.report(&example, collector);
    }

    /// Where an access stands among others on the page: by its timestamp, which is for people and proves nothing.
    fn shown(&self, acc: &Acc) -> (u64, u32, u32) {
        (self.record(acc).time_unix_ns, acc.strand, acc.at)
    }

    /// Whether `from`'s strand stores atomically after it and `to`'s strand loads atomically before it: a message
    /// that may order the two.
    fn atomics_between(&self, from: &Acc, to: &Acc) -> bool {
        let atomics = &self.resolved.atomics;
        self.is_same_run(from, to)
            && atomics[from.strand as usize].last_store.is_some_and(|at| at > from.at)
            && atomics[to.strand as usize].first_load.is_some_and(|at| at < to.at)
    }

    pub(crate) fn is_same_run(&self, a: &Acc, b: &Acc) -> bool {
        let run = |acc: &Acc| self.resolved.roster.strands[acc.strand as usize].run;
        run(a) == run(b)
    }

    /// What could be missing that orders the two, or that tells which locks they held.
    fn doubt(&self, a: &Acc, b: &Acc) -> Option<String> {
        if let Some(point) = self.holes.doubt(a.holes(), b.holes()) {
            return Some(self.doubt_text(point, [a.strand, b.strand]));
        }
        if !self.is_same_run(a, b) {
            return None;
        }
        let unsure = [a, b].into_iter().find(|acc| acc.locks().unsure)?;
        let thread = self.thread(unsure.strand, self.record(unsure).step);
        Some(format!("which locks {thread} held is not known for sure: one of them may have kept the two apart"))
    }

    /// Counts the pair to its finding, and shows it if it is the best example so far.
    pub(crate) fn report(&mut self, example: &Example<'_>, collector: &mut Collector) -> Option<usize> {
        let (first, second) = (self.record(example.first), self.record(example.second));
        let place = |acc: &Acc, record: &Record| (self.resolved.roster.strands[acc.strand as usize].run, record.site);
        let mut places = [place(example.first, first), place(example.second, second)];
        places.sort_unstable();
        let known = (example.kind, first.name, places);
        let mut number = self.known.get(&known).copied();
        if number.is_none() {
            let key = self.key(example);
            number = collector.find(&key);
            if number.is_none() && collector.has_room() {
                number = collector.add(key, self.finding(example));
            }
            if let Some(number) = number {
                self.known.insert(known, number);
            }
        }
        collector.count(number);
        let number = number?;
        if collector.wants(number, example.rank()) {
            let finding = self.finding(example);
            collector.replace(number, finding);
        }
        Some(number)
    }
}
