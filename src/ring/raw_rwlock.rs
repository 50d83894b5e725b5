//! lock_api's reader-writer lock over parking_lot's, with a witness beside who is told who takes it and gives it back: as
//! [`super::raw_mutex`], but that those who read share the witness.

#![expect(unsafe_code, reason = "lock_api's traits are unsafe to implement, and guards are made again")]

use super::witness::{Keep, Taken, keep_at_once, keep_or_wait, keep_waited};
use ::parking_lot::lock_api::{
    self, RawRwLockDowngrade, RawRwLockFair, RawRwLockRecursive, RawRwLockRecursiveTimed, RawRwLockTimed,
    RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
};
use ::parking_lot::{RawRwLock, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
use std::fmt;
use std::mem::forget;
use std::panic::Location;
use std::time::{Duration, Instant};

/// Is told who takes a lock and gives it back, while it is held. Must not panic.
///
/// One of those who read may be *upgradable*: while it is, nobody else is, and nobody can write.
pub trait RwLockWitness: Send + Sync {
    /// The witness of a lock that nobody has taken yet.
    const NEW: Self;

    /// Somebody is about to wait for it. What is returned comes back as [`Taken::since`].
    fn about_to_wait() -> u64;

    /// The lock was taken to read; without regard to those who wait to write, if it is `recursive`.
    fn reading(&self, taken: Taken, recursive: bool);

    /// Somebody is about to have read.
    fn has_read(&self);

    /// The lock was taken to write.
    fn writing(&mut self, taken: Taken);

    /// Somebody is about to have written.
    fn has_written(&mut self);

    /// The lock was taken to read, by somebody upgradable.
    fn upgradable(&self, taken: Taken);

    /// Somebody upgradable is about to be no more than any other reader, or has just ceased to read.
    fn no_longer_upgradable(&self);
}

/// A raw lock of lock_api's: parking_lot's, and its witness.
pub struct WitnessedRwLock<W>(RwLock<W>);

impl<W> WitnessedRwLock<W> {
    /// An unlocked lock with this witness.
    pub(crate) const fn with(witness: W) -> Self {
        Self(RwLock::from_raw(<RawRwLock as lock_api::RawRwLock>::INIT, witness))
    }
}

impl<W: RwLockWitness> WitnessedRwLock<W> {
    /// # Safety
    /// The caller must read.
    #[inline(always)]
    unsafe fn has_read(&self) -> RwLockReadGuard<'_, W> {
        // SAFETY: the caller's promise; the guard that locked it was forgotten.
        let guard = unsafe { self.0.make_read_guard_unchecked() };
        guard.has_read();
        guard
    }

    /// # Safety
    /// The caller must write.
    #[inline(always)]
    unsafe fn has_written(&self) -> RwLockWriteGuard<'_, W> {
        // SAFETY: the caller's promise; the guard that locked it was forgotten.
        let mut guard = unsafe { self.0.make_write_guard_unchecked() };
        guard.has_written();
        guard
    }

    /// # Safety
    /// The caller must be upgradable.
    #[inline(always)]
    unsafe fn has_read_upgradable(&self) -> RwLockUpgradableReadGuard<'_, W> {
        // SAFETY: the caller's promise; the guard that locked it was forgotten.
        let guard = unsafe { self.0.make_upgradable_guard_unchecked() };
        guard.has_read();
        guard.no_longer_upgradable();
        guard
    }

    /// # Safety
    /// The caller must be upgradable.
    #[inline(always)]
    unsafe fn no_longer_upgradable(&self) -> RwLockUpgradableReadGuard<'_, W> {
        // SAFETY: the caller's promise; the guard that locked it was forgotten.
        let guard = unsafe { self.0.make_upgradable_guard_unchecked() };
        guard.no_longer_upgradable();
        guard
    }

    /// # Safety
    /// The caller must be upgradable. If this returns true, it writes, and else it still is.
    #[inline]
    unsafe fn upgrade_or<'a>(
        &'a self,
        patient: bool,
        site: &'static Location<'static>,
        wait: impl FnOnce(RwLockUpgradableReadGuard<'a, W>) -> Upgrade<'a, W>,
    ) -> bool {
        let keep = |upgrade: Upgrade<'a, W>| upgrade.map(Upgraded).map_err(forget).ok();
        // SAFETY: the caller's promise; the guard that locked it was forgotten.
        let guard = unsafe { self.0.make_upgradable_guard_unchecked() };
        match RwLockUpgradableReadGuard::try_upgrade(guard) {
            Ok(guard) => keep_or_wait(Some(Upgraded(guard)), patient, site, || None),
            Err(guard) => keep_waited(patient, site, || keep(wait(guard))),
        }
    }
}

type Upgrade<'a, W> = Result<RwLockWriteGuard<'a, W>, RwLockUpgradableReadGuard<'a, W>>;

/// Taken without regard to those who wait to write.
struct Recursive<'a, W>(RwLockReadGuard<'a, W>);

/// Taken to read, and then to write.
struct Upgraded<'a, W>(RwLockWriteGuard<'a, W>);

impl<W: RwLockWitness> Keep for RwLockReadGuard<'_, W> {
    fn about_to_wait() -> u64 {
        W::about_to_wait()
    }

    #[inline(always)]
    fn tell(&mut self, taken: Taken) {
        self.reading(taken, false);
    }
}

impl<W: RwLockWitness> Keep for Recursive<'_, W> {
    fn about_to_wait() -> u64 {
        W::about_to_wait()
    }

    #[inline(always)]
    fn tell(&mut self, taken: Taken) {
        self.0.reading(taken, true);
    }
}

impl<W: RwLockWitness> Keep for RwLockWriteGuard<'_, W> {
    fn about_to_wait() -> u64 {
        W::about_to_wait()
    }

    #[inline(always)]
    fn tell(&mut self, taken: Taken) {
        self.writing(taken);
    }
}

impl<W: RwLockWitness> Keep for RwLockUpgradableReadGuard<'_, W> {
    fn about_to_wait() -> u64 {
        W::about_to_wait()
    }

    #[inline(always)]
    fn tell(&mut self, taken: Taken) {
        self.upgradable(taken);
    }
}

impl<W: RwLockWitness> Keep for Upgraded<'_, W> {
    fn about_to_wait() -> u64 {
        W::about_to_wait()
    }

    fn tell(&mut self, taken: Taken) {
        // Nobody has written in between, and nobody else reads any longer.
        self.0.has_read();
        self.0.no_longer_upgradable();
        self.0.writing(taken);
    }
}

// SAFETY: it is held exactly as the lock in it, whose guards are forgotten and made again; that one keeps those who write alone.
unsafe impl<W: RwLockWitness> lock_api::RawRwLock for WitnessedRwLock<W> {
    const INIT: Self = Self::with(W::NEW);

    type GuardMarker = <RawRwLock as lock_api::RawRwLock>::GuardMarker;

    #[inline]
    #[track_caller]
    fn lock_shared(&self) {
        keep_or_wait(self.0.try_read(), true, Location::caller(), || Some(self.0.read()));
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> bool {
        keep_at_once(self.0.try_read(), Location::caller())
    }

    #[inline]
    unsafe fn unlock_shared(&self) {
        // SAFETY: the caller reads.
        drop(unsafe { self.has_read() });
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive(&self) {
        keep_or_wait(self.0.try_write(), true, Location::caller(), || Some(self.0.write()));
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> bool {
        keep_at_once(self.0.try_write(), Location::caller())
    }

    #[inline]
    unsafe fn unlock_exclusive(&self) {
        // SAFETY: the caller writes.
        drop(unsafe { self.has_written() });
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.0.is_locked_exclusive()
    }
}

// SAFETY: as above; all is done by the lock in it. Bumps are told as given back and taken again: see `raw_mutex`.
unsafe impl<W: RwLockWitness> RawRwLockFair for WitnessedRwLock<W> {
    #[inline]
    unsafe fn unlock_shared_fair(&self) {
        // SAFETY: the caller reads.
        RwLockReadGuard::unlock_fair(unsafe { self.has_read() });
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self) {
        // SAFETY: the caller writes.
        RwLockWriteGuard::unlock_fair(unsafe { self.has_written() });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_shared(&self) {
        // SAFETY: the caller reads, and will when this returns.
        let mut guard = unsafe { self.has_read() };
        RwLockReadGuard::bump(&mut guard);
        guard.keep(Taken { patient: true, since: None, site: Location::caller() });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_exclusive(&self) {
        // SAFETY: the caller writes, and will when this returns.
        let mut guard = unsafe { self.has_written() };
        RwLockWriteGuard::bump(&mut guard);
        guard.keep(Taken { patient: true, since: None, site: Location::caller() });
    }
}

// SAFETY: as above; all is done by the lock in it.
unsafe impl<W: RwLockWitness> RawRwLockDowngrade for WitnessedRwLock<W> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self) {
        // SAFETY: the caller writes, and from then on reads.
        let guard = RwLockWriteGuard::downgrade(unsafe { self.has_written() });
        // It cannot wait for anybody, as if it had been tried for.
        keep_at_once(Some(guard), Location::caller());
    }
}

// SAFETY: as above; all is done by the lock in it.
unsafe impl<W: RwLockWitness> RawRwLockTimed for WitnessedRwLock<W> {
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_shared_for(&self, timeout: Duration) -> bool {
        keep_or_wait(self.0.try_read(), false, Location::caller(), || self.0.try_read_for(timeout))
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_until(&self, timeout: Instant) -> bool {
        keep_or_wait(self.0.try_read(), false, Location::caller(), || self.0.try_read_until(timeout))
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> bool {
        keep_or_wait(self.0.try_write(), false, Location::caller(), || self.0.try_write_for(timeout))
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_until(&self, timeout: Instant) -> bool {
        keep_or_wait(self.0.try_write(), false, Location::caller(), || self.0.try_write_until(timeout))
    }
}

// SAFETY: as above; all is done by the lock in it.
unsafe impl<W: RwLockWitness> RawRwLockRecursive for WitnessedRwLock<W> {
    #[inline]
    #[track_caller]
    fn lock_shared_recursive(&self) {
        let first = self.0.try_read_recursive().map(Recursive);
        keep_or_wait(first, true, Location::caller(), || Some(Recursive(self.0.read_recursive())));
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive(&self) -> bool {
        keep_at_once(self.0.try_read_recursive().map(Recursive), Location::caller())
    }
}

// SAFETY: as above; all is done by the lock in it.
unsafe impl<W: RwLockWitness> RawRwLockRecursiveTimed for WitnessedRwLock<W> {
    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_for(&self, timeout: Duration) -> bool {
        let wait = || self.0.try_read_recursive_for(timeout).map(Recursive);
        keep_or_wait(self.0.try_read_recursive().map(Recursive), false, Location::caller(), wait)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_until(&self, timeout: Instant) -> bool {
        let wait = || self.0.try_read_recursive_until(timeout).map(Recursive);
        keep_or_wait(self.0.try_read_recursive().map(Recursive), false, Location::caller(), wait)
    }
}

// SAFETY: as above; all is done by the lock in it.
unsafe impl<W: RwLockWitness> RawRwLockUpgrade for WitnessedRwLock<W> {
    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) {
        keep_or_wait(self.0.try_upgradable_read(), true, Location::caller(), || Some(self.0.upgradable_read()));
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> bool {
        keep_at_once(self.0.try_upgradable_read(), Location::caller())
    }

    #[inline]
    unsafe fn unlock_upgradable(&self) {
        // SAFETY: the caller is upgradable.
        drop(unsafe { self.has_read_upgradable() });
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self) {
        let wait = |guard| Ok(RwLockUpgradableReadGuard::upgrade(guard));
        // SAFETY: the caller is upgradable, and from then on writes.
        unsafe { self.upgrade_or(true, Location::caller(), wait) };
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(&self) -> bool {
        // SAFETY: the caller is upgradable, and from then on writes if this is true.
        unsafe { self.upgrade_or(false, Location::caller(), Err) }
    }
}

// SAFETY: as above; all is done by the lock in it.
unsafe impl<W: RwLockWitness> RawRwLockUpgradeFair for WitnessedRwLock<W> {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self) {
        // SAFETY: the caller is upgradable.
        RwLockUpgradableReadGuard::unlock_fair(unsafe { self.has_read_upgradable() });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_upgradable(&self) {
        // SAFETY: the caller is upgradable, and will be when this returns.
        let mut guard = unsafe { self.has_read_upgradable() };
        RwLockUpgradableReadGuard::bump(&mut guard);
        guard.keep(Taken { patient: true, since: None, site: Location::caller() });
    }
}

// SAFETY: as above; all is done by the lock in it.
unsafe impl<W: RwLockWitness> RawRwLockUpgradeDowngrade for WitnessedRwLock<W> {
    #[inline]
    unsafe fn downgrade_upgradable(&self) {
        // SAFETY: the caller is upgradable, and from then on reads as any other.
        let guard = unsafe { self.no_longer_upgradable() };
        forget(RwLockUpgradableReadGuard::downgrade(guard));
    }

    #[inline]
    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self) {
        // SAFETY: the caller writes, and from then on is upgradable.
        let guard = RwLockWriteGuard::downgrade_to_upgradable(unsafe { self.has_written() });
        // As in `downgrade`.
        keep_at_once(Some(guard), Location::caller());
    }
}

// SAFETY: as above; all is done by the lock in it.
unsafe impl<W: RwLockWitness> RawRwLockUpgradeTimed for WitnessedRwLock<W> {
    #[inline]
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> bool {
        let wait = || self.0.try_upgradable_read_for(timeout);
        keep_or_wait(self.0.try_upgradable_read(), false, Location::caller(), wait)
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable_until(&self, timeout: Instant) -> bool {
        let wait = || self.0.try_upgradable_read_until(timeout);
        keep_or_wait(self.0.try_upgradable_read(), false, Location::caller(), wait)
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_for(&self, timeout: Duration) -> bool {
        let wait = |guard| RwLockUpgradableReadGuard::try_upgrade_for(guard, timeout);
        // SAFETY: the caller is upgradable, and from then on writes if this is true.
        unsafe { self.upgrade_or(false, Location::caller(), wait) }
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_until(&self, timeout: Instant) -> bool {
        let wait = |guard| RwLockUpgradableReadGuard::try_upgrade_until(guard, timeout);
        // SAFETY: the caller is upgradable, and from then on writes if this is true.
        unsafe { self.upgrade_or(false, Location::caller(), wait) }
    }
}

impl<W> fmt::Debug for WitnessedRwLock<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRwLock").finish_non_exhaustive()
    }
}
