use super::MutexGuard;
use std::fmt;
use std::panic::Location;
use std::sync::{LockResult, PoisonError};
use std::time::{Duration, Instant};

/// [`std::sync::Condvar`], for this module's [`Mutex`](super::Mutex).
///
/// Same methods, same guarantees. A wait is recorded as what it is to the mutex: it is given back, and taken again. A
/// notification is not recorded: by itself it orders nothing, what does is the mutex.
///
/// # Examples
///
/// ```
/// use trackside::sync::{Condvar, Mutex};
///
/// static READY: Mutex<bool> = Mutex::named("ready", false);
/// static CHANGED: Condvar = Condvar::new();
///
/// let notifier = std::thread::spawn(|| {
///     *READY.lock().unwrap() = true;
///     CHANGED.notify_one();
/// });
/// let ready = CHANGED.wait_while(READY.lock().unwrap(), |ready| !*ready).unwrap();
/// assert!(*ready);
/// # drop(ready);
/// # notifier.join().unwrap();
/// ```
#[derive(Default)]
pub struct Condvar(std::sync::Condvar);

/// Whether a wait ended because its time was over.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[must_use]
    pub const fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    /// Gives the mutex back, waits to be notified, and takes it again. May return without a notification.
    ///
    /// # Errors
    /// If a thread panicked while it held the mutex; the error holds the guard.
    ///
    /// # Panics
    /// May panic if it is used with more than one mutex: as [`std::sync::Condvar::wait`].
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let site = Location::caller();
        let inner = guard.give_back();
        match self.0.wait(inner) {
            Ok(inner) => Ok(MutexGuard::again(inner, site)),
            Err(poison) => Err(PoisonError::new(MutexGuard::again(poison.into_inner(), site))),
        }
    }

    /// Waits as long as `condition` is true of what the mutex guards.
    ///
    /// # Errors
    /// As [`Condvar::wait`].
    ///
    /// # Panics
    /// If `condition` does; and as [`Condvar::wait`].
    #[track_caller]
    pub fn wait_while<'a, T, F>(&self, mut guard: MutexGuard<'a, T>, mut condition: F) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// As [`Condvar::wait`], for at most so many milliseconds. `false` if the time was over.
    ///
    /// # Errors
    /// As [`Condvar::wait`].
    #[track_caller]
    #[deprecated = "replaced by `Condvar::wait_timeout`"]
    pub fn wait_timeout_ms<'a, T>(&self, guard: MutexGuard<'a, T>, ms: u32) -> LockResult<(MutexGuard<'a, T>, bool)> {
        match self.wait_timeout(guard, Duration::from_millis(u64::from(ms))) {
            Ok((guard, result)) => Ok((guard, !result.timed_out())),
            Err(poison) => {
                let (guard, result) = poison.into_inner();
                Err(PoisonError::new((guard, !result.timed_out())))
            }
        }
    }

    /// As [`Condvar::wait`], for at most `dur`.
    ///
    /// # Errors
    /// As [`Condvar::wait`].
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let site = Location::caller();
        let inner = guard.give_back();
        match self.0.wait_timeout(inner, dur) {
            Ok((inner, result)) => Ok((MutexGuard::again(inner, site), WaitTimeoutResult(result.timed_out()))),
            Err(poison) => {
                let (inner, result) = poison.into_inner();
                let guard = MutexGuard::again(inner, site);
                Err(PoisonError::new((guard, WaitTimeoutResult(result.timed_out()))))
            }
        }
    }

    /// As [`Condvar::wait_while`], for at most `dur` in all.
    ///
    /// # Errors
    /// As [`Condvar::wait`].
    ///
    /// # Panics
    /// As [`Condvar::wait_while`].
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let start = Instant::now();
        while condition(&mut *guard) {
            let Some(left) = dur.checked_sub(start.elapsed()) else {
                return Ok((guard, WaitTimeoutResult(true)));
            };
            guard = self.wait_timeout(guard, left)?.0;
        }
        Ok((guard, WaitTimeoutResult(false)))
    }

    /// Wakes one of those who wait, if there is one.
    #[inline]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all who wait.
    #[inline]
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
