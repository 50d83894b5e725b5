//! Locks that are not ours, tracked by hand, by a guard, or around a closure.

use super::Client;
use crate::recorder::Recorder;
use crate::value::{Name, Value};
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, Mutex, PoisonError, RwLock};
use trackside_wire::Kind;

/// Tracking locks of any kind.
///
/// A lock that is tracked in one of these ways protects what is accessed under it, but tells nothing about order beyond:
/// for that, use [`crate::TrackedMutex`].
impl Client {
    /// A lock of any kind was acquired: call it right after. `lock_type` is "Mutex", "RwLock-Read", "RwLock-Write", or
    /// what you like.
    ///
    /// [`Client::with_lock`] and [`Client::track_guard`] do not forget the release.
    #[inline]
    #[track_caller]
    pub fn track_lock_acquire<'a>(&self, lock: impl Into<Name<'a>>, lock_type: &'a str) {
        record(&self.recorder, Kind::LockAcquire, lock.into(), lock_type, Location::caller());
    }

    /// A lock of any kind is about to be released: call it right before.
    #[inline]
    #[track_caller]
    pub fn track_lock_release<'a>(&self, lock: impl Into<Name<'a>>, lock_type: &'a str) {
        record(&self.recorder, Kind::LockRelease, lock.into(), lock_type, Location::caller());
    }

    /// Wraps the guard of any lock, just acquired: records that now, and the release right before the guard is dropped,
    /// be it by a panic.
    ///
    /// What a guard is does not matter: that of `parking_lot` will do, of a spin lock, or of an async mutex, held across
    /// an `await`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let accounts = tokio::sync::Mutex::new(vec![100, 100]);
    ///
    /// let mut locked = client.track_guard(accounts.lock().await, "account_lock", "Mutex");
    /// locked[0] -= 50;
    /// drop(locked);
    /// # });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn track_guard<'a, G>(
        &'a self,
        guard: G,
        lock: impl Into<Name<'a>>,
        lock_type: &'a str,
    ) -> TrackedGuard<'a, G> {
        let (lock, site) = (lock.into(), Location::caller());
        record(&self.recorder, Kind::LockAcquire, lock, lock_type, site);
        TrackedGuard { recorder: &self.recorder, lock, lock_type, site, guard }
    }

    /// Calls `critical` with the mutex locked. The acquisition is recorded right after it, the release right before it,
    /// also if `critical` panics. `lock_type` is "Mutex", unless you tell several sorts apart.
    ///
    /// What `critical` is given is what [`Mutex::lock`] returns, with a reference in the guard's place: if a thread has
    /// panicked while it held the lock, whether to go on is decided where the data is known.
    ///
    /// # Panics
    /// If `critical` does; and as [`Mutex::lock`] if this thread holds the lock already.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// # use std::sync::Mutex;
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// static ACCOUNTS: Mutex<[i64; 2]> = Mutex::new([100, 100]);
    ///
    /// let left = client.with_lock(&ACCOUNTS, "account_lock", "Mutex", |accounts| {
    ///     let accounts = accounts.unwrap();
    ///     accounts[0] -= 50;
    ///     accounts[0]
    /// });
    /// assert_eq!(left, 50);
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn with_lock<'a, T: ?Sized, R>(
        &'a self,
        mutex: &Mutex<T>,
        lock: impl Into<Name<'a>>,
        lock_type: &'a str,
        critical: impl FnOnce(LockResult<&mut T>) -> R,
    ) -> R {
        let mut locked = self.track_guard(mutex.lock(), lock, lock_type);
        critical(target_mut(&mut locked))
    }

    /// Calls `critical` with the lock held for reading: as [`Client::with_lock`], of type "RwLock-Read".
    ///
    /// # Panics
    /// If `critical` does; and as [`RwLock::read`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// # use std::sync::RwLock;
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// let rates = RwLock::new(vec![1.25]);
    /// let rate = client.with_rwlock_read(&rates, "rates", |rates| rates.unwrap()[0]);
    /// client.with_rwlock_write(&rates, "rates", |rates| rates.unwrap().push(rate));
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn with_rwlock_read<'a, T: ?Sized, R>(
        &'a self,
        rwlock: &RwLock<T>,
        lock: impl Into<Name<'a>>,
        critical: impl FnOnce(LockResult<&T>) -> R,
    ) -> R {
        let locked = self.track_guard(rwlock.read(), lock, "RwLock-Read");
        critical(match &*locked {
            Ok(guard) => Ok(guard),
            Err(poison) => Err(PoisonError::new(poison.get_ref())),
        })
    }

    /// Calls `critical` with the lock held for writing: as [`Client::with_lock`], of type "RwLock-Write".
    ///
    /// # Panics
    /// If `critical` does; and as [`RwLock::write`].
    #[inline]
    #[track_caller]
    pub fn with_rwlock_write<'a, T: ?Sized, R>(
        &'a self,
        rwlock: &RwLock<T>,
        lock: impl Into<Name<'a>>,
        critical: impl FnOnce(LockResult<&mut T>) -> R,
    ) -> R {
        let mut locked = self.track_guard(rwlock.write(), lock, "RwLock-Write");
        critical(target_mut(&mut locked))
    }
}

/// The guard of a lock that is not ours; dropping it records the release and unlocks. Made by [`Client::track_guard`].
#[derive(Debug)]
#[must_use = "if unused the lock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct TrackedGuard<'a, G> {
    recorder: &'a Recorder,
    lock: Name<'a>,
    lock_type: &'a str,
    site: &'static Location<'static>,
    guard: G,
}

impl<G> Drop for TrackedGuard<'_, G> {
    #[inline]
    fn drop(&mut self) {
        // The fields are dropped after this, so the lock is still held.
        record(self.recorder, Kind::LockRelease, self.lock, self.lock_type, self.site);
    }
}

impl<G> Deref for TrackedGuard<'_, G> {
    type Target = G;

    #[inline]
    fn deref(&self) -> &G {
        &self.guard
    }
}

impl<G> DerefMut for TrackedGuard<'_, G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut G {
        &mut self.guard
    }
}

#[inline]
fn record(recorder: &Recorder, kind: Kind, lock: Name<'_>, lock_type: &str, site: &'static Location<'static>) {
    recorder.record_parts(kind, lock, Value::NIL, &[Value::NIL, lock_type.into()], site);
}

/// The guard's target, as poisoned as the guard.
fn target_mut<G: DerefMut>(guard: &mut LockResult<G>) -> LockResult<&mut G::Target> {
    match guard {
        Ok(guard) => Ok(guard),
        Err(poison) => Err(PoisonError::new(poison.get_mut())),
    }
}
