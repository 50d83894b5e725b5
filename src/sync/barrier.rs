use super::object::Object;
use crate::record::ObjectType;
use crate::ring::pipe::{self, Group};
use crate::ring::sync::{Condvar, Mutex, lock};
use std::fmt;
use std::panic::Location;
use std::sync::PoisonError;
use trackside_wire::Kind;

/// [`std::sync::Barrier`], which also records what it orders: all that was done before a generation's arrivals happens
/// before what is done after any of them.
///
/// # Examples
///
/// ```
/// use trackside::{sync::Barrier, thread};
///
/// static START: Barrier = Barrier::named("start", 3);
///
/// let threads: Vec<_> = (0..3).map(|_| thread::spawn(|| START.wait().is_leader())).collect();
/// let leaders = threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|leads| *leads).count();
/// assert_eq!(leaders, 1);
/// ```
pub struct Barrier {
    // It is built as std's is, and not upon it: with more threads than it waits for, only the barrier itself knows in which
    // generation an arrival is.
    state: Mutex<State>,
    passed: Condvar,
    threads: usize,
    object: Object,
}

struct State {
    /// The number of the present generation, from 1.
    generation: u64,
    /// How many have arrived in it.
    arrived: usize,
}

impl Barrier {
    /// A barrier for `n` threads, named after the place in the source where it is made. For 0 it is as for 1.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new(n: usize) -> Self {
        Self::of(Object::here(ObjectType::Barrier), n)
    }

    /// As [`Barrier::new`], with a name of its own.
    #[inline]
    #[must_use]
    pub const fn named(name: &'static str, n: usize) -> Self {
        Self::of(Object::named(ObjectType::Barrier, name), n)
    }

    const fn of(object: Object, threads: usize) -> Self {
        let state = Mutex::new(State { generation: 1, arrived: 0 });
        Self { state, passed: Condvar::new(), threads, object }
    }

    /// Waits until as many threads have called this as the barrier is for; then all of them go on, and the barrier is as
    /// new. The last one to come is told that it leads.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let (site, key) = (Location::caller(), pipe::default_key_of(Group::Signals));
        let mut state = lock(&self.state);
        let generation = state.generation;
        if key != 0 {
            // Under the lock, and so before whoever goes on because of it.
            self.object.record(Kind::SyncRelease, key, generation, site);
        }
        state.arrived += 1;
        let is_leader = state.arrived >= self.threads;
        if is_leader {
            state.arrived = 0;
            state.generation += 1;
            self.passed.notify_all();
        }
        while state.generation == generation {
            state = self.passed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        if key != 0 {
            self.object.acquire(key, generation, site);
        }
        BarrierWaitResult(is_leader)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

/// As [`std::sync::BarrierWaitResult`]. Made by [`Barrier::wait`].
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this thread is the one of its generation that leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult").field("is_leader", &self.0).finish()
    }
}
