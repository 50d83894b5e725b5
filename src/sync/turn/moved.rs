//! Locks whose guards know nothing of us: one that is given back may have been taken by another thread, or by nobody knows
//! whom.

use super::{Holding, Meta, put, seen};
use crate::clock;
use crate::lock_record::{ACQUIRE, Mode, RELEASE, Turn, UNKNOWN};
use crate::ring::draft::Draft;
use crate::ring::held::LockPlace;
use crate::ring::local;
use crate::ring::turns::LazyId;
use std::panic::Location;

impl Meta {
    /// The lock's number.
    #[inline(always)]
    pub(crate) fn id(&self) -> u64 {
        self.id.get()
    }

    /// Another lock of the same name.
    pub(crate) fn namesake(&self) -> Meta {
        Meta { id: LazyId::new(), name: self.name }
    }

    /// The lock was taken, after waiting for it since `start` if that is some, by a thread that need not be the one that gives
    /// it back: so nothing is left to be added, and this thread's list of held locks does not have it.
    pub(crate) fn acquired_to_move(
        &self,
        start: Option<u64>,
        mode: Mode,
        (key, sequence): (u64, u64),
        site: &'static Location<'static>,
    ) -> Holding {
        if let Some(mut entered) = local::enter_default(key) {
            let waited = start.filter(|start| *start != 0).map(|start| clock::ticks().saturating_sub(start));
            put(entered.ring(), (ACQUIRE, Turn { id: self.id(), mode, sequence }), waited, self.name, Some(site));
        }
        Holding { key: seen(key), draft: Draft::NONE, site }
    }

    /// The lock is about to be given back by somebody of whom it is not known when they took it.
    pub(crate) fn released_by_somebody(&self, mode: Mode, key: u64) {
        if key != 0 {
            let turn = Turn { id: self.id(), mode, sequence: UNKNOWN };
            self.record(RELEASE, key, (turn, LockPlace::UNKNOWN), None, None);
        }
    }
}
