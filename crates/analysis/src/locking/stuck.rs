//! Deadlocks that happened: a client that watches for them says which strands wait for each other.
//!
//! Who closes the circle names the strands in it. Where each of them waits, and where it took what the one before it waits
//! for, stands in their own events. Those come last of all that the strands did, unless somebody put an end to it, so they
//! are looked for from there on backwards.

use crate::collect::{Collector, Key};
use crate::engine::Engine;
use crate::locking::findings::finding;
use crate::locking::label::Labels;
use crate::locking::report::LockOrder;
use crate::locking::words::stuck_words;
use crate::log::Op;
use crate::report::{Confidence, Finding, FindingKind};

/// A strand that waits: its number, the index of the record that says so, and the lock.
type Stuck = (u32, u32, u32);

impl Engine<'_> {
    /// Tells of all circles that were closed.
    pub(super) fn tell_stuck(&self, labels: &Labels, collector: &mut Collector) {
        for (strand, place) in (0..).zip(&self.resolved.roster.strands) {
            for (step, circle) in &place.log.circles {
                self.tell_circle(labels, strand, *step, circle, collector);
            }
        }
    }

    fn tell_circle(&self, labels: &Labels, closer: u32, step: u64, circle: &[(u64, u64)], collector: &mut Collector) {
        let run = self.resolved.roster.strands[closer as usize].run;
        let stuck = |(id, lock): &(u64, u64)| {
            let strand = self.resolved.roster.strand(run, *id)?;
            let waits = self.last_wait(strand, if strand == closer { step } else { u64::MAX })?;
            Some((strand, waits, self.resolved.lock_by_id(run, *lock)?))
        };
        // Somebody's wait is not in the record where that was lost: then the rest is no circle.
        let stuck: Option<Vec<Stuck>> = circle.iter().map(stuck).collect();
        let Some(stuck) = stuck.filter(|stuck| stuck.first().is_some_and(|(strand, ..)| *strand == closer)) else {
            return;
        };
        let step = |at: usize| {
            let (strand, waits, asks) = stuck[at];
            let (_, _, holds) = stuck[(at + stuck.len() - 1) % stuck.len()];
            LockOrder {
                holds: labels.of(holds).to_owned(),
                asks: labels.of(asks).to_owned(),
                held: self.last_taken(strand, waits, holds).map(|at| self.event_info(strand, at, Vec::new())),
                asked: self.event_info(strand, waits, vec![labels.of(holds).to_owned()]),
                count: 1,
            }
        };
        let orders: Vec<LockOrder> = (0..stuck.len()).map(step).collect();
        let (first, second) = match &orders[..] {
            [] => return,
            [itself] => (itself.held.clone().unwrap_or_else(|| itself.asked.clone()), itself.asked.clone()),
            [first, second, ..] => (first.asked.clone(), second.asked.clone()),
        };
        let mut places: Vec<String> =
            stuck.iter().map(|(strand, at, _)| self.site_key(*strand, &[self.record_at(*strand, *at).site])).collect();
        places.sort_unstable();
        let variable = orders.iter().map(|order| order.holds.as_str()).collect::<Vec<_>>().join(", ");
        let kind = FindingKind::Deadlock;
        let key: Key = (kind, places.join("\n"), Default::default());
        let finding = finding(kind, variable, (first, second), stuck_words(&orders), 1);
        collector.tell(key, Finding { confidence: Confidence::Confirmed, orders, ..finding });
    }

    /// The last record of the strand that says that it waits, up to a step.
    fn last_wait(&self, strand: u32, step: u64) -> Option<u32> {
        let records = &self.resolved.roster.strands[strand as usize].log.records;
        let known = &records[..records.partition_point(|record| record.step <= step)];
        known.iter().rposition(|record| record.op == Op::Wait).map(|at| at as u32)
    }

    /// Where the strand took the lock last, before a record.
    fn last_taken(&self, strand: u32, before: u32, lock: u32) -> Option<u32> {
        let place = self.resolved.roster.strands[strand as usize];
        let took =
            |op: Op, name| matches!(op, Op::Acquire(op) if self.resolved.lock(place.run, &op, name) == Some(lock));
        let at = place.log.records[..before as usize].iter().rposition(|record| took(record.op, record.name));
        at.map(|at| at as u32)
    }
}
