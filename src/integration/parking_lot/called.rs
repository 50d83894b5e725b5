//! What is known of a lock that learns where it is only when it is taken.

use crate::lock_record::Mode;
use crate::ring::held::LockPlace;
use crate::ring::witness::Taken;
use crate::sync::turn::{Holding, Meta};
use ::parking_lot::lock_api::{GuardSend, RawMutex};
use std::any::TypeId;
use std::sync::OnceLock;

/// A lock's name and number, once it has been taken.
#[derive(Debug)]
pub(super) struct Called {
    name: Option<&'static str>,
    meta: OnceLock<Meta>,
}

/// Somebody's turn at a lock.
#[derive(Debug)]
pub(super) struct Turned {
    pub(super) sequence: u64,
    pub(super) holding: Holding,
}

impl Called {
    /// A lock that will be called so, or after the place where it is first taken.
    pub(super) const fn new(name: Option<&'static str>) -> Self {
        Self { name, meta: OnceLock::new() }
    }

    /// What is known of the lock, which was taken.
    #[inline(always)]
    pub(super) fn meta(&self, taken: &Taken) -> &Meta {
        self.meta.get_or_init(|| self.name.map_or(Meta::at(taken.site), Meta::named))
    }

    /// As [`Called::meta`], for a lock of the same name as `other`.
    pub(super) fn meta_after(&self, other: &Meta) -> &Meta {
        self.meta.get_or_init(|| other.namesake())
    }

    /// What is known of the lock, if it was taken before.
    #[inline(always)]
    pub(super) fn known(&self) -> Option<&Meta> {
        self.meta.get()
    }
}

/// Records that a lock was taken; `turn` is the number of a client, which is not 0, and that of the turn.
#[inline(always)]
pub(super) fn acquired(meta: &Meta, mode: Mode, turn: (u64, u64), taken: &Taken) -> Turned {
    let holding = match taken.since {
        since if guards_move() => meta.acquired_to_move(since, mode, turn, taken.site),
        Some(since) => meta.acquired_after(LockPlace::UNKNOWN, since, mode, turn, taken.site),
        None => meta.acquired(LockPlace::UNKNOWN, mode, turn, taken.site),
    };
    Turned { sequence: turn.1, holding }
}

/// Whether a lock may be given back by another thread than the one that took it: with parking_lot's feature `send_guard`.
#[inline(always)]
pub(super) fn guards_move() -> bool {
    TypeId::of::<<::parking_lot::RawMutex as RawMutex>::GuardMarker>() == TypeId::of::<GuardSend>()
}
