//! Signal handlers that record on the very thread that is recording: turned away, counted, and nothing torn.

#![cfg(unix)]
#![expect(unsafe_code, reason = "a signal handler cannot be installed without")]
#![expect(clippy::disallowed_types, reason = "tests count with plain atomics; loom looks at src/ring")]

mod atomics;
mod events;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
/// How many of the handler's events are to be turned away, and how many are to get in between others, before the storm
/// ends. How many signals that takes, and how many of the thread's own events, is up to the system.
const ENOUGH: u64 = if cfg!(debug_assertions) { 100 } else { 1000 };

/// Locks and atomics record into the client that was built last: one test at a time.
fn turn() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs a handler that does only what a handler may.
fn install(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) {
    // SAFETY: all zeroes is a valid sigaction: no flags, no signals blocked.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the action is initialised, its handler lives for ever and touches only what a handler may.
    let result = unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// Sends the calling thread signal upon signal, from another thread, while `work` runs: with so long a pause in between that
/// it gets something done besides handling them.
fn under_fire(signal: libc::c_int, pause: u32, work: impl FnOnce()) {
    // SAFETY: always succeeds.
    let target = unsafe { libc::pthread_self() };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // SAFETY: the thread waits for this one at the scope's end, so it is alive.
                unsafe { libc::pthread_kill(target, signal) };
                thread::yield_now();
                (0..pause).for_each(|_| std::hint::spin_loop());
            }
        });
        work();
        done.store(true, Ordering::Relaxed);
    });
}
