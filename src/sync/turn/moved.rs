//! Locks whose guards know nothing of us: one that is given back may have been taken by another thread, or by nobody knows
//! whom.

use super::{Holding, Meta};
use crate::lock_record::{ACQUIRE, Mode, RELEASE, Turn, UNKNOWN};
use crate::ring::draft::Draft;
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

    /// As [`Meta::acquired`], by a thread that need not be the one that gives the lock back: so nothing is left to be added.
    pub(crate) fn acquired_to_move(
        &self,
        mode: Mode,
        (key, sequence): (u64, u64),
        site: &'static Location<'static>,
    ) -> Holding {
        if key != 0 {
            self.record(ACQUIRE, key, Turn { id: self.id(), mode, sequence }, None, Some(site));
        }
        Holding { key, draft: Draft::NONE, site }
    }

    /// The lock is about to be given back by somebody of whom it is not known when they took it.
    pub(crate) fn released_by_somebody(&self, mode: Mode, key: u64) {
        if key != 0 {
            self.record(RELEASE, key, Turn { id: self.id(), mode, sequence: UNKNOWN }, None, None);
        }
    }
}
