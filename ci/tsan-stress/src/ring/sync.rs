//! The product's facade with locks that ThreadSanitizer can see.
//!
//! The precompiled standard library is not instrumented: a contended `Mutex` is taken, and a `Condvar` takes its mutex
//! back, in code that the sanitizer does not see, and so it reports races on what they guard. These locks spin.

#![expect(unsafe_code, reason = "a lock is made of it")]

pub(crate) use super::facade::{
    Arc, AtomicBool, AtomicU32, AtomicU64, CachePadded, Ordering, Parker, Unparker, Word, copy_in, words,
};
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::LockResult;
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Mutex<T> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `value` is reached through a guard only, and there is one guard at a time, see `lock`.
unsafe impl<T: Send> Sync for Mutex<T> {}

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Acquire: pairs with the Release in MutexGuard::drop.
    while mutex.locked.swap(true, Ordering::Acquire) {
        std::thread::yield_now();
    }
    MutexGuard { mutex }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `lock`.
        self.mutex.locked.store(false, Ordering::Release);
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: whoever has the guard has the lock.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: whoever has the guard has the lock, and the guard is borrowed uniquely.
        unsafe { &mut *self.mutex.value.get() }
    }
}

/// A condition variable whose every wake-up is spurious.
#[derive(Debug, Default)]
pub(crate) struct Condvar;

impl Condvar {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        let mutex = guard.mutex;
        drop(guard);
        std::thread::sleep(timeout.min(Duration::from_micros(50)));
        Ok((lock(mutex), ()))
    }

    pub(crate) fn notify_all(&self) {}
}
