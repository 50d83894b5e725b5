//! lock_api's mutexes over parking_lot's, with a witness beside who is told who takes them and gives them back.
//!
//! parking_lot's lock guards the witness, and by that whatever lock_api puts beside ours: who has locked ours holds a guard of
//! parking_lot's, which is forgotten, and made again when it is given back. So what the witness knows is the holder's, as the
//! value is.

#![expect(unsafe_code, reason = "lock_api's traits are unsafe to implement, and guards are made again")]

use super::witness::{Keep, Taken, keep_at_once, keep_or_wait};
use ::parking_lot::lock_api::{self, Mutex, MutexGuard, RawMutexFair, RawMutexTimed};
use ::parking_lot::{Condvar, RawMutex};
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::time::Instant;

/// Is told who takes a mutex and gives it back, while it is held. Must not panic.
pub trait MutexWitness: Send {
    /// The witness of a mutex that nobody has taken yet.
    const NEW: Self;

    /// Somebody is about to wait for it. What is returned comes back as [`Taken::since`].
    fn about_to_wait() -> u64;

    /// The mutex was taken.
    fn taken(&mut self, taken: Taken);

    /// The mutex is about to be given back.
    fn given_back(&mut self);
}

/// A raw mutex of lock_api's: one of parking_lot's, and its witness.
pub struct WitnessedMutex<R, W>(Mutex<R, W>);

impl<R: lock_api::RawMutex, W> WitnessedMutex<R, W> {
    /// An unlocked mutex with this witness.
    pub(crate) const fn with(witness: W) -> Self {
        Self(Mutex::from_raw(R::INIT, witness))
    }
}

impl<R: lock_api::RawMutex, W: MutexWitness> WitnessedMutex<R, W> {
    /// The guard again, whose witness has been told that it is about to be given back.
    ///
    /// # Safety
    /// The caller must hold the mutex.
    #[inline(always)]
    unsafe fn given_back(&self) -> MutexGuard<'_, R, W> {
        // SAFETY: the caller's promise; the guard that locked it was forgotten.
        let mut guard = unsafe { self.0.make_guard_unchecked() };
        guard.given_back();
        guard
    }
}

impl<R: lock_api::RawMutex, W: MutexWitness> Keep for MutexGuard<'_, R, W> {
    fn about_to_wait() -> u64 {
        W::about_to_wait()
    }

    #[inline(always)]
    fn tell(&mut self, taken: Taken) {
        self.taken(taken);
    }
}

// SAFETY: it is locked exactly while the mutex in it is, whose guards are forgotten and made again; that one is exclusive.
unsafe impl<R: lock_api::RawMutex, W: MutexWitness> lock_api::RawMutex for WitnessedMutex<R, W> {
    const INIT: Self = Self::with(W::NEW);

    type GuardMarker = R::GuardMarker;

    #[inline]
    #[track_caller]
    fn lock(&self) {
        keep_or_wait(self.0.try_lock(), true, Location::caller(), || Some(self.0.lock()));
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> bool {
        keep_at_once(self.0.try_lock(), Location::caller())
    }

    #[inline]
    unsafe fn unlock(&self) {
        // SAFETY: the caller holds the mutex.
        drop(unsafe { self.given_back() });
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

// SAFETY: as above; all is done by the mutex in it.
unsafe impl<R: RawMutexFair, W: MutexWitness> RawMutexFair for WitnessedMutex<R, W> {
    #[inline]
    unsafe fn unlock_fair(&self) {
        // SAFETY: the caller holds the mutex.
        MutexGuard::unlock_fair(unsafe { self.given_back() });
    }

    /// Told as given back and taken again, which orders no less and no more where nobody was waiting.
    #[inline]
    #[track_caller]
    unsafe fn bump(&self) {
        // SAFETY: the caller holds the mutex, and will when this returns.
        let mut guard = unsafe { self.given_back() };
        MutexGuard::bump(&mut guard);
        guard.keep(Taken { patient: true, since: None, site: Location::caller() });
    }
}

// SAFETY: as above; all is done by the mutex in it.
unsafe impl<R: RawMutexTimed, W: MutexWitness> RawMutexTimed for WitnessedMutex<R, W> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: Self::Duration) -> bool {
        keep_or_wait(self.0.try_lock(), false, Location::caller(), || self.0.try_lock_for(timeout))
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, timeout: Self::Instant) -> bool {
        keep_or_wait(self.0.try_lock(), false, Location::caller(), || self.0.try_lock_until(timeout))
    }
}

impl<R, W> fmt::Debug for WitnessedMutex<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawMutex").finish_non_exhaustive()
    }
}

/// Gives back the mutex of `guard`, waits for `condvar` at most until then, and takes the mutex again. Whether it was too
/// late.
///
/// # Panics
/// If others wait for `condvar` with another mutex.
#[inline]
pub(crate) fn wait<W: MutexWitness, T: ?Sized>(
    condvar: &Condvar,
    guard: &mut MutexGuard<'_, WitnessedMutex<RawMutex, W>, T>,
    until: Option<Instant>,
    site: &'static Location<'static>,
) -> bool {
    // SAFETY: it is unlocked by nothing but the condition variable, which locks it again.
    let raw = unsafe { MutexGuard::mutex(guard).raw() };
    // SAFETY: `guard` says that the caller holds the mutex.
    let inner = unsafe { raw.given_back() };
    W::about_to_wait();
    let mut retaken = Retaken { guard: ManuallyDrop::new(inner), site };
    match until {
        Some(until) => condvar.wait_until(&mut retaken.guard, until).timed_out(),
        None => {
            condvar.wait(&mut retaken.guard);
            false
        }
    }
}

/// A guard whose mutex is locked when this is dropped: also if the condition variable panics, which it does before it has
/// unlocked it.
struct Retaken<'a, W: MutexWitness> {
    guard: ManuallyDrop<MutexGuard<'a, RawMutex, W>>,
    site: &'static Location<'static>,
}

impl<W: MutexWitness> Drop for Retaken<'_, W> {
    fn drop(&mut self) {
        // It cannot have been waited for by itself, apart from the condition.
        self.guard.taken(Taken { patient: true, since: None, site: self.site });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::sync::Mutex as Log;
    use std::time::Duration;

    static LOG: Log<Vec<&str>> = Log::new(Vec::new());

    fn log(what: &'static str) {
        LOG.lock().unwrap().push(what);
    }

    /// A mutex of parking_lot's that tells which of its methods was called.
    struct Logging(RawMutex);

    // SAFETY: all is done by the mutex in it.
    unsafe impl lock_api::RawMutex for Logging {
        const INIT: Self = Self(<RawMutex as lock_api::RawMutex>::INIT);

        type GuardMarker = lock_api::GuardSend;

        fn lock(&self) {
            log("lock");
            self.0.lock();
        }

        fn try_lock(&self) -> bool {
            log("try_lock");
            self.0.try_lock()
        }

        unsafe fn unlock(&self) {
            log("unlock");
            // SAFETY: the caller's promise.
            unsafe { self.0.unlock() }
        }

        fn is_locked(&self) -> bool {
            log("is_locked");
            self.0.is_locked()
        }
    }

    // SAFETY: as above.
    unsafe impl RawMutexFair for Logging {
        unsafe fn unlock_fair(&self) {
            log("unlock_fair");
            // SAFETY: the caller's promise.
            unsafe { self.0.unlock_fair() }
        }

        unsafe fn bump(&self) {
            log("bump");
            // SAFETY: the caller's promise.
            unsafe { self.0.bump() }
        }
    }

    // SAFETY: as above.
    unsafe impl RawMutexTimed for Logging {
        type Duration = Duration;
        type Instant = Instant;

        fn try_lock_for(&self, timeout: Duration) -> bool {
            log("try_lock_for");
            self.0.try_lock_for(timeout)
        }

        fn try_lock_until(&self, timeout: Instant) -> bool {
            log("try_lock_until");
            self.0.try_lock_until(timeout)
        }
    }

    /// Tells what it is told.
    struct Told;

    impl MutexWitness for Told {
        const NEW: Self = Told;

        fn about_to_wait() -> u64 {
            log("waits");
            7
        }

        fn taken(&mut self, taken: Taken) {
            assert!(taken.since.is_none_or(|since| since == 7) && taken.site.file() == file!());
            log("taken");
        }

        fn given_back(&mut self) {
            log("given back");
        }
    }

    #[test]
    fn each_call_is_passed_on_as_what_it_is_and_told_while_the_mutex_is_held() {
        let mutex: Mutex<WitnessedMutex<Logging, Told>, ()> = Mutex::new(());
        let did = |work: &dyn Fn()| {
            work();
            std::mem::take(&mut *LOG.lock().unwrap())
        };
        assert_eq!(did(&|| drop(mutex.lock())), ["try_lock", "taken", "given back", "unlock"]);
        assert_eq!(did(&|| MutexGuard::unlock_fair(mutex.lock()))[2..], ["given back", "unlock_fair"]);
        let bumped = did(&|| MutexGuard::bump(&mut mutex.lock()));
        assert_eq!(bumped[2..5], ["given back", "bump", "taken"]);
        assert_eq!(did(&|| assert!(!mutex.is_locked())), ["is_locked"]);
        assert_eq!(did(&|| drop(mutex.try_lock_for(Duration::ZERO)))[..2], ["try_lock", "taken"]);
        let guard = mutex.lock();
        did(&|| {});
        assert_eq!(did(&|| assert!(mutex.try_lock().is_none())), ["try_lock"]);
        let tried = did(&|| assert!(mutex.try_lock_for(Duration::ZERO).is_none()));
        assert_eq!(tried, ["try_lock", "waits", "try_lock_for"]);
        let tried = did(&|| assert!(mutex.try_lock_until(Instant::now()).is_none()));
        assert_eq!(tried, ["try_lock", "waits", "try_lock_until"]);
        drop(guard);
    }
}
