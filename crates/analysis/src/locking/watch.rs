//! What the engine lets this module see, as it comes to it.

use crate::engine::Engine;
use crate::locking::awaits::Awaited;
use crate::locking::contention::{LockUse, Numbered};
use crate::locking::discipline::VariableUse;
use crate::locking::moment::Met;
use crate::locking::orders::{Asked, Orders};
use crate::lockset::Held;
use crate::log::{LockOp, NONE, Record};
use crate::strand::Acc;
use crate::window::Access;

/// What was seen of locks, and of the variables they may protect.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) orders: Orders,
    /// Locks of threads that were held across an await.
    pub(crate) awaits: Met<Awaited>,
    /// By the numbers of the locks.
    pub(crate) locks: Vec<LockUse>,
    /// By the numbers of the variables.
    pub(crate) variables: Vec<VariableUse>,
}

impl Watch {
    /// Nothing was seen yet of so many locks and variables.
    pub(crate) fn new(locks: usize, variables: usize) -> Self {
        Self {
            orders: Orders::new(locks),
            awaits: Met::default(),
            locks: (0..locks).map(|_| LockUse::default()).collect(),
            variables: (0..variables).map(|_| VariableUse::default()).collect(),
        }
    }
}

impl Engine<'_> {
    /// A strand takes a lock; it does not count as held yet.
    pub(crate) fn took(&mut self, strand: u32, record: &Record, lock: u32, op: LockOp) {
        let place = self.resolved.roster.strands[strand as usize];
        let asked = Asked { strand, run: place.run, lock, site: record.site, shared: op.shared };
        let order = &self.resolved.locks[lock as usize];
        let number = op.seq.map(|seq| Numbered { seq, knows_holder: order.knows_holder(seq) });
        let waited = place.log.waits.get(&record.step).copied().filter(|_| !op.tried);
        self.watch.locks[lock as usize].took(&asked, record.step, number, waited);
        let state = &mut self.states[strand as usize];
        if !op.shared {
            self.watch.orders.writers[lock as usize].add(&state.here(strand), None);
        }
        if op.tried || state.locks.held().is_empty() {
            return;
        }
        let locks = state.locks.set(&mut self.signatures);
        let site_of = |at: u32| place.log.records.get(at as usize).map_or(NONE, |record| record.site);
        self.watch.orders.ask(&asked, &state.here(strand), &locks, site_of);
    }

    /// A strand gives a lock back that it had taken as told.
    pub(crate) fn gave_back(&mut self, strand: u32, record: &Record, lock: u32, taken: Option<Held>) {
        let Some(Held { shared, awaited, taken: Some((_, at)), .. }) = taken else { return };
        let log = self.resolved.roster.strands[strand as usize].log;
        let Some(taken) = log.records.get(at as usize) else { return };
        let held_for = record.time_unix_ns.saturating_sub(taken.time_unix_ns);
        self.watch.locks[lock as usize].gave_back(taken.site, shared, held_for, awaited);
    }

    /// A strand accesses a variable.
    pub(crate) fn used(&mut self, acc: &Acc, access: &Access) {
        if access.op.atomic {
            return;
        }
        let run = self.resolved.roster.strands[acc.strand as usize].run;
        self.watch.variables[access.variable as usize].note(acc, run, access);
    }
}
