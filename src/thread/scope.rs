use super::{Builder, Scope, Thread};
use crate::context::Awaited;
use crate::ring;
use std::panic::Location;

/// As [`std::thread::scope`]. When it ends, what its threads did happens before what the calling thread does next; each
/// that was not joined by then is recorded as a task awaited.
///
/// # Panics
/// If a thread panicked that was not joined.
///
/// # Examples
///
/// ```
/// use trackside::thread;
///
/// let (numbers, mut sum) = (vec![1, 2, 3], 0);
/// thread::scope(|scope| {
///     scope.spawn(|| println!("{numbers:?}"));
///     scope.spawn(|| sum = numbers.iter().sum());
/// });
/// assert_eq!(sum, 6);
/// ```
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    ring::scope::scope(Location::caller(), f)
}

impl<'scope> Scope<'scope, '_> {
    /// As [`std::thread::Scope::spawn`].
    ///
    /// # Panics
    /// If the system does not create a thread: see [`Builder::spawn_scoped`].
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new().spawn_scoped(self, f).expect("failed to spawn thread")
    }
}

/// As [`std::thread::ScopedJoinHandle`]. Made by [`Scope::spawn`] and [`Builder::spawn_scoped`].
pub struct ScopedJoinHandle<'scope, T> {
    thread: std::thread::ScopedJoinHandle<'scope, T>,
    handle: Thread,
    awaited: Awaited,
}

impl<'scope, T> ScopedJoinHandle<'scope, T> {
    pub(super) fn new(
        scope: &Scope<'scope, '_>,
        handle: Thread,
        thread: std::thread::ScopedJoinHandle<'scope, T>,
        awaited: Awaited,
    ) -> Self {
        let end = awaited.clone();
        scope.at_end(move |site| end.join(site));
        Self { thread, handle, awaited }
    }

    /// The thread's handle.
    pub fn thread(&self) -> &Thread {
        &self.handle
    }

    /// Waits for the thread's end. All that it did happens before what the calling thread does next, which is recorded as
    /// a task awaited.
    ///
    /// # Errors
    /// If the thread panicked; the error is what it panicked with.
    #[track_caller]
    pub fn join(self) -> super::Result<T> {
        let result = self.thread.join();
        self.awaited.join(Location::caller());
        result
    }

    /// Whether the thread has come to its end. That orders nothing: see [`ScopedJoinHandle::join`].
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

impl<T> std::fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.thread.fmt(f)
    }
}
