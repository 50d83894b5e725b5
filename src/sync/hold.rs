//! Locks whose guards may go from one strand to another, and be dropped there: those of tasks.
//!
//! What a thread's ring remembers of locks does not fit them: a lock is taken by a task, which goes on elsewhere. So both
//! records are written at once, and the thread's list of held locks does not have them.

use super::turn::{client, put, put_at_once};
use crate::clock;
use crate::lock_record::{ACQUIRE, Mode, RELEASE, Turn};
use crate::ring::apart::Known;
use crate::ring::frame::FixedName;
use crate::ring::local::{self, guards};
use std::panic::Location;

/// That a lock is held: until this is dropped, which records the release. To be dropped before the lock is given back.
#[derive(Debug)]
pub(crate) struct Hold {
    /// The client that the acquisition was recorded for, or 0.
    key: u64,
    name: FixedName,
    turn: Turn,
    /// Where it was acquired.
    site: &'static Location<'static>,
}

impl Hold {
    /// A lock was taken, and is held; it was waited for since `start`, if that is some.
    #[inline]
    pub(crate) fn new(known: &Known, mode: Mode, start: Option<u64>, site: &'static Location<'static>) -> Self {
        let none = Turn { id: 0, mode, sequence: 0 };
        let mut hold = Self { key: 0, name: known.name, turn: none, site };
        let key = client();
        if key != 0
            && let Some(sequence) = known.turns.take(key)
        {
            hold.key = key;
            hold.turn = Turn { id: known.id.get(), mode, sequence };
            hold.record(ACQUIRE, start.map(|start| clock::ticks().saturating_sub(start)));
            guards::taken();
            hold.turn.mode = mode.patient();
        }
        hold
    }

    /// The lock is held in another way from now on, and was not given back in between: a release, and an acquisition.
    pub(crate) fn renew(&mut self, known: &Known, mode: Mode, site: &'static Location<'static>) {
        drop(std::mem::replace(self, Self { key: 0, ..*self }));
        *self = Self::new(known, mode, None, site);
    }

    #[inline]
    fn record(&self, kind: u8, waited: Option<u64>) {
        if waited.is_none()
            && let Some(mut entered) = local::enter_at_once(self.key)
            && put_at_once(entered.ring(), self.key, (kind, self.turn), self.name, self.site)
        {
            return;
        }
        self.record_anyhow(kind, waited);
    }

    #[cold]
    #[inline(never)]
    fn record_anyhow(&self, kind: u8, waited: Option<u64>) {
        if let Some(mut entered) = local::enter_default(self.key) {
            put(entered.ring(), (kind, self.turn), waited, self.name, Some(self.site));
        }
    }
}

impl Drop for Hold {
    #[inline]
    fn drop(&mut self) {
        if self.key != 0 {
            guards::dropped();
            self.record(RELEASE, None);
        }
    }
}

/// When somebody begins to wait, in ticks; `None` while nothing is recorded, or the clock does not run yet.
pub(crate) fn start() -> Option<u64> {
    (client() != 0).then(clock::ticks).filter(|start| *start != 0)
}
