use super::called::{Called, Turned, acquired, guards_move};
use super::reads::{self, Ended};
use crate::lock_record::Mode;
use crate::ring::raw_rwlock::{RwLockWitness, WitnessedRwLock};
use crate::ring::turns::SharedTurns;
use crate::ring::witness::Taken;
use crate::sync::turn::{Meta, about_to_wait, client, shared_turn, turn_alone};
use ::parking_lot::lock_api;

/// [`parking_lot::RwLock`](::parking_lot::RwLock), which also records who held it in which order.
///
/// # Examples
///
/// ```
/// use trackside::parking_lot::{RwLock, RwLockWriteGuard};
///
/// let rates = RwLock::new(vec![1]);
/// let mut writing = rates.write();
/// writing.push(2);
/// let reading = RwLockWriteGuard::downgrade(writing);
/// assert_eq!(reading.len() + rates.read().len(), 4);
/// ```
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;

/// Holds an [`RwLock`] for reading; dropping it records the release and gives it back.
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;

/// Holds an [`RwLock`] for writing; dropping it records the release and gives it back.
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;

/// Holds an [`RwLock`] for reading, and can begin to write; dropping it records the release and gives it back.
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;

/// Holds an [`RwLock`] for reading, and gives out a part of what it guards.
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;

/// Holds an [`RwLock`] for writing, and gives out a part of what it guards.
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;

/// The raw lock of [`RwLock`].
pub type RawRwLock = WitnessedRwLock<Several>;

/// An unlocked lock.
pub const fn const_rwlock<T>(val: T) -> RwLock<T> {
    RwLock::new(val)
}

/// An unlocked lock with a name of its own, of which the first 255 bytes are told.
pub const fn named_rwlock<T>(name: &'static str, val: T) -> RwLock<T> {
    RwLock::from_raw(RawRwLock::with(Several::called(Some(name))), val)
}

/// What there is beside a lock. All but who can write is shared by those who read.
#[derive(Debug)]
pub struct Several {
    called: Called,
    turns: SharedTurns,
    writing: Option<Turned>,
    /// The right to upgrade: a lock of its own, that whoever has it holds beside this one.
    upgrade: Called,
    upgrade_turns: SharedTurns,
}

impl Several {
    const fn called(name: Option<&'static str>) -> Self {
        Self {
            called: Called::new(name),
            turns: SharedTurns::new(),
            writing: None,
            upgrade: Called::new(None),
            upgrade_turns: SharedTurns::new(),
        }
    }
}

impl RwLockWitness for Several {
    const NEW: Self = Self::called(None);

    fn about_to_wait() -> u64 {
        about_to_wait()
    }

    #[inline(always)]
    fn reading(&self, taken: Taken, recursive: bool) {
        let Some(turn) = shared_turn(&self.turns) else { return };
        let meta = self.called.meta(&taken);
        // Who reads already and does not wait for those who wait to write cannot wait for anybody.
        let patient = taken.patient && !(recursive && reads::has(meta.id()));
        share(meta, if patient { Mode::Read } else { Mode::TryRead }, turn, &taken);
    }

    #[inline(always)]
    fn has_read(&self) {
        end_sharing(&self.called, Mode::Read);
    }

    #[inline(always)]
    fn writing(&mut self, taken: Taken) {
        let mode = if taken.patient { Mode::Write } else { Mode::TryWrite };
        self.writing = turn_alone(&mut self.turns).map(|turn| acquired(self.called.meta(&taken), mode, turn, &taken));
    }

    #[inline(always)]
    fn has_written(&mut self) {
        if let (Some(turned), Some(meta)) = (&self.writing, self.called.known()) {
            meta.released(Mode::Write, turned.sequence, &turned.holding);
        }
    }

    fn upgradable(&self, taken: Taken) {
        if let Some(turn) = shared_turn(&self.upgrade_turns) {
            let meta = self.upgrade.meta_after(self.called.meta(&taken));
            // How long was waited is told of the lock itself.
            let taken = Taken { since: None, ..taken };
            share(meta, if taken.patient { Mode::Upgradable } else { Mode::TryUpgradable }, turn, &taken);
        }
        self.reading(taken, false);
    }

    fn no_longer_upgradable(&self) {
        end_sharing(&self.upgrade, Mode::Upgradable);
    }
}

/// Records that a lock was taken by one of several, and remembers the turn.
#[inline(always)]
fn share(meta: &Meta, mode: Mode, turn: (u64, u64), taken: &Taken) {
    reads::begin(meta.id(), acquired(meta, mode, turn, taken));
}

/// Records that a lock is given back by one of several.
#[inline(always)]
fn end_sharing(called: &Called, mode: Mode) {
    let Some(meta) = called.known() else { return };
    match reads::end(meta.id()) {
        Ended::Turn(turned) => meta.released(mode, turned.sequence, &turned.holding),
        Ended::None if !guards_move() => {}
        Ended::Unknown | Ended::None => meta.released_by_somebody(mode, client()),
    }
}
