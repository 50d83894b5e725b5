//! Waking the flusher, and waiting for it.
//!
//! A wake-up is a token: [`Signal::wake`] after publishing leaves it behind if the flusher is awake, and the flusher's
//! next [`Sleeper::sleep`] returns at once. Whoever consumes the token sees what was published before it was left.
//!
//! A flush is an epoch: the caller takes a number, wakes the flusher and waits until the flusher has *completed* that
//! number, which it does after it has drained every ring since it read the number, and settled all of it.

use super::sync::{Condvar, Mutex, MutexGuard, Parker, Unparker, lock};
use std::time::{Duration, Instant};

/// The callers' side.
#[derive(Debug)]
pub(crate) struct Signal {
    unparker: Unparker,
    state: Mutex<State>,
    changed: Condvar,
}

/// The flusher's side: the one thread that sleeps.
#[derive(Debug)]
pub(crate) struct Sleeper {
    parker: Parker,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// The latest flush asked for.
    requested: u64,
    /// The latest flush done.
    completed: u64,
    /// When shutdown was asked for: by when the flusher must be done.
    stop_by: Option<Instant>,
    /// The flusher is gone; nothing will be completed any more.
    stopped: bool,
}

/// What the flusher is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    /// Complete this flush.
    pub(crate) epoch: u64,
    /// Stop, by this time.
    pub(crate) stop_by: Option<Instant>,
}

/// How a wait for the flusher ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// What was waited for has happened.
    Done,
    /// It has not happened in time.
    TimedOut,
    /// It will never happen: the flusher is gone.
    Stopped,
}

impl Signal {
    /// Both sides.
    pub(crate) fn new() -> (Signal, Sleeper) {
        let parker = Parker::new();
        let signal = Signal { unparker: parker.unparker().clone(), state: Mutex::default(), changed: Condvar::new() };
        (signal, Sleeper { parker })
    }

    /// Makes the flusher look at the rings, now or as soon as it is done with what it is at.
    pub(crate) fn wake(&self) {
        self.unparker.unpark();
    }

    /// Waits until everything published before this call has been settled, or `deadline` has passed.
    pub(crate) fn flush(&self, deadline: Instant) -> Waited {
        let mut state = lock(&self.state);
        state.requested += 1;
        let epoch = state.requested;
        self.wake();
        self.wait(state, deadline, |state| state.completed >= epoch)
    }

    /// As [`Signal::flush`], for one who will not wait for it.
    pub(crate) fn begin_flush(&self) {
        lock(&self.state).requested += 1;
        self.wake();
    }

    /// Asks the flusher to settle what it can by `stop_by`, and to stop. A second call may only bring the time forward.
    pub(crate) fn stop(&self, stop_by: Instant) {
        let mut state = lock(&self.state);
        state.stop_by = Some(state.stop_by.map_or(stop_by, |earlier| earlier.min(stop_by)));
        self.wake();
    }

    /// Waits until the flusher is gone.
    pub(crate) fn wait_stopped(&self, deadline: Instant) -> Waited {
        let state = lock(&self.state);
        match self.wait(state, deadline, |_| false) {
            Waited::Stopped => Waited::Done,
            other => other,
        }
    }

    fn wait(&self, mut state: MutexGuard<'_, State>, deadline: Instant, done: impl Fn(&State) -> bool) -> Waited {
        loop {
            if done(&state) {
                return Waited::Done;
            }
            if state.stopped {
                return Waited::Stopped;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Waited::TimedOut;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }

    /// Flusher: what is asked for now. To be read *before* the rings are.
    pub(crate) fn request(&self) -> Request {
        let state = lock(&self.state);
        Request { epoch: state.requested, stop_by: state.stop_by }
    }

    /// Flusher: everything that was published before `epoch` was requested is settled.
    pub(crate) fn complete(&self, epoch: u64) {
        let mut state = lock(&self.state);
        if state.completed < epoch {
            state.completed = epoch;
            self.changed.notify_all();
        }
    }

    /// Flusher: gone.
    pub(crate) fn stopped(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_all();
    }
}

impl Sleeper {
    /// Sleeps until woken, at most for `timeout`. Returns at once if a wake-up came since the last sleep.
    pub(crate) fn sleep(&self, timeout: Duration) {
        self.parker.park_timeout(timeout);
    }
}
