use super::MutexGuard;
use crate::ring::raw_mutex;
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// [`parking_lot::Condvar`](::parking_lot::Condvar), for this module's [`Mutex`](super::Mutex).
///
/// A wait is recorded as what it is to the mutex: it is given back, and taken again. A notification is not recorded: by itself
/// it orders nothing, what does is the mutex.
///
/// # Examples
///
/// ```
/// use trackside::parking_lot::{Condvar, named_mutex};
///
/// let (ready, changed) = (named_mutex("ready", false), Condvar::new());
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock() = true;
///         changed.notify_one();
///     });
///     changed.wait_while(&mut ready.lock(), |ready| !*ready);
/// });
/// assert!(ready.into_inner());
/// ```
#[derive(Default)]
pub struct Condvar(::parking_lot::Condvar);

/// Whether a wait ended because its time was over.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    #[inline]
    #[must_use]
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(::parking_lot::Condvar::new())
    }

    /// Wakes one of those who wait. Whether there was one.
    #[inline]
    pub fn notify_one(&self) -> bool {
        self.0.notify_one()
    }

    /// Wakes all who wait. How many they were.
    #[inline]
    pub fn notify_all(&self) -> usize {
        self.0.notify_all()
    }

    /// Gives the mutex back, waits to be notified, and takes it again.
    ///
    /// # Panics
    /// If others wait with another mutex.
    #[inline]
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>) {
        raw_mutex::wait(&self.0, mutex_guard, None, Location::caller());
    }

    /// As [`Condvar::wait`], until `timeout` at most.
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[inline]
    #[track_caller]
    pub fn wait_until<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Instant) -> WaitTimeoutResult {
        WaitTimeoutResult(raw_mutex::wait(&self.0, mutex_guard, Some(timeout), Location::caller()))
    }

    /// As [`Condvar::wait`], for `timeout` at most.
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[inline]
    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        WaitTimeoutResult(raw_mutex::wait(&self.0, mutex_guard, deadline(timeout), Location::caller()))
    }

    /// Waits as long as `condition` is true of what the mutex guards.
    ///
    /// # Panics
    /// If `condition` does; and as [`Condvar::wait`].
    #[inline]
    #[track_caller]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_and_until(mutex_guard, condition, None);
    }

    /// As [`Condvar::wait_while`], until `timeout` at most.
    ///
    /// # Panics
    /// As [`Condvar::wait_while`].
    #[inline]
    #[track_caller]
    pub fn wait_while_until<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_and_until(mutex_guard, condition, Some(timeout))
    }

    /// As [`Condvar::wait_while`], for `timeout` at most.
    ///
    /// # Panics
    /// As [`Condvar::wait_while`].
    #[inline]
    #[track_caller]
    pub fn wait_while_for<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_and_until(mutex_guard, condition, deadline(timeout))
    }

    #[track_caller]
    fn wait_while_and_until<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        mut condition: F,
        until: Option<Instant>,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        let site = Location::caller();
        let mut timed_out = false;
        while !timed_out && condition(&mut **mutex_guard) {
            timed_out = raw_mutex::wait(&self.0, mutex_guard, until, site);
        }
        WaitTimeoutResult(timed_out)
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `None` if it is too far away for the clock.
fn deadline(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}
