//! Locks that a strand holds while its future waits for something else.
//!
//! A lock for which threads wait, such as std's `Mutex`, stops whatever thread asks for it. If a task holds it across an
//! await, its thread goes on with other tasks; one of those that asks for the lock stops the thread on which the holder
//! would have to go on. So that is a finding, whether or not anybody asked this time. The locks of tasks are made for being
//! held across awaits; it only adds to what they cost, so it is counted there.
//!
//! What a strand holds, its acquisitions tell, and no acquisition is taken for granted after a hole. The event that tells of
//! the await says nothing but that there was one.

use crate::collect::{Collector, Key};
use crate::engine::Engine;
use crate::locking::contention::Takers;
use crate::locking::findings::finding;
use crate::locking::label::Labels;
use crate::locking::moment::{Sample, Samples};
use crate::locking::words::await_words;
use crate::log::Op;
use crate::report::{Confidence, Finding, FindingKind};

/// A lock of threads, where it was taken, and whether others may hold it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Awaited {
    lock: u32,
    site: u32,
    shared: bool,
}

/// Why it is only possible that it does harm.
const NO_OTHER: &str = "no other strand was seen to take the lock in a way that would have to wait";

impl Engine<'_> {
    /// The strand's future was not ready.
    pub(crate) fn suspended(&mut self, strand: u32) {
        let log = self.resolved.roster.strands[strand as usize].log;
        let state = &mut self.states[strand as usize];
        for held in state.locks.suspend() {
            let Some((_, at)) = held.taken else { continue };
            let Some(taken) = log.records.get(at as usize) else { continue };
            if matches!(taken.op, Op::Acquire(op) if !op.travels) {
                let awaited = Awaited { lock: held.lock, site: taken.site, shared: held.shared };
                self.watch.awaits.add(awaited, &state.here(strand), Some(at));
            }
        }
    }

    /// Tells which locks were held across an await.
    pub(super) fn tell_awaits(&self, labels: &Labels, collector: &mut Collector) {
        for (awaited, samples) in &self.watch.awaits.all {
            self.tell_await(labels, *awaited, samples, collector);
        }
    }

    fn tell_await(&self, labels: &Labels, awaited: Awaited, samples: &Samples, collector: &mut Collector) {
        let Awaited { lock, site, shared } = awaited;
        let Some(Sample { strand, at, taken: Some(taken), .. }) = samples.kept.first() else { return };
        let variable = labels.of(lock).to_owned();
        let held = format!("{variable}{}", if shared { " (shared)" } else { "" });
        let records = &self.resolved.roster.strands[*strand as usize].log.records;
        let later = records.iter().enumerate().skip(*at as usize);
        let next = later.clone().find(|(_, record)| record.op != Op::Suspend).map(|(at, _)| at as u32);
        let first = self.event_info(*strand, *taken, Vec::new());
        let second = self.event_info(*strand, next.unwrap_or(*at), vec![held]);
        let kind = FindingKind::HeldAcrossAwait;
        let key: Key = (kind, self.site_key(*strand, &[site]), Default::default());
        let words = await_words(&variable, &first);
        let contended = if shared {
            let writers = &self.watch.orders.writers[lock as usize].kept;
            writers.iter().any(|writer| writer.strand != *strand)
        } else {
            self.watch.locks[lock as usize].takers == Takers::Several
        };
        let (confidence, reserve) =
            if contended { (Confidence::Likely, None) } else { (Confidence::Possible, Some(NO_OTHER.to_owned())) };
        let partial = &self.run_of(*strand).log.partial;
        let incomplete = partial.hides_locks().then(|| {
            let text = partial.text();
            format!("{text}: the lock may have been given back before the await without a trace")
        });
        let finding = finding(kind, variable, (first, second), words, samples.count);
        collector.tell(key, Finding { confidence, reserve, incomplete, ..finding });
    }
}
