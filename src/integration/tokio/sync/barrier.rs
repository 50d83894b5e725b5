use crate::record::ObjectType;
use crate::ring::pipe::{self, Group};
use crate::ring::sync::{Mutex, lock};
use crate::sync::object::{Object, Site};
use std::fmt;
use std::panic::Location;
use tokio::sync::watch;
use trackside_wire::Kind;

/// [`tokio::sync::Barrier`], which also records what it orders: all that was done before a generation's arrivals happens
/// before what is done after any of them.
///
/// # Examples
///
/// ```
/// use trackside::tokio::{sync::Barrier, task};
/// use std::sync::Arc;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let start = Arc::new(Barrier::new(2));
/// let other = start.clone();
/// let task = task::spawn(async move { other.wait().await.is_leader() });
/// assert_ne!(start.wait().await.is_leader(), task.await.expect("it does not panic"));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Barrier {
    // It is built as tokio's is, and not upon it: with more tasks than it waits for, only the barrier itself knows in which
    // generation an arrival is.
    state: Mutex<State>,
    /// The last generation that is complete.
    passed: watch::Sender<u64>,
    tasks: usize,
    object: Object,
}

#[derive(Debug)]
struct State {
    /// The number of the present generation, from 1.
    generation: u64,
    /// How many have arrived in it.
    arrived: usize,
}

impl Barrier {
    /// A barrier for `n` tasks, called after the place in the source where it is made. For 0 it is as for 1.
    #[track_caller]
    pub fn new(n: usize) -> Self {
        Self::of(Object::here(ObjectType::Barrier), n)
    }

    /// As [`Barrier::new`], with a name of its own.
    pub fn named(name: &'static str, n: usize) -> Self {
        Self::of(Object::named(ObjectType::Barrier, name), n)
    }

    fn of(object: Object, tasks: usize) -> Self {
        let state = Mutex::new(State { generation: 1, arrived: 0 });
        Self { state, passed: watch::Sender::new(0), tasks, object }
    }

    /// As [`tokio::sync::Barrier::wait`]: waits until as many tasks have come to here as the barrier is for; then all of them
    /// go on, and the barrier is as new. The last one to come is told that it leads.
    ///
    /// Not cancel safe: who was polled has arrived, and is counted although it may go away.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        let site = Location::caller();
        async move {
            let key = pipe::default_key_of(Group::Signals);
            let (generation, is_leader) = self.arrive(key, site);
            if !is_leader {
                // It cannot be closed: the sender is here.
                let _ = self.passed.subscribe().wait_for(|passed| *passed >= generation).await;
            }
            if key != 0 {
                self.object.acquire(key, generation, site);
            }
            BarrierWaitResult(is_leader)
        }
    }

    /// In which generation, and whether as its last.
    fn arrive(&self, key: u64, site: Site) -> (u64, bool) {
        let mut state = lock(&self.state);
        let generation = state.generation;
        if key != 0 {
            // Under the lock, and so before whoever goes on because of it.
            self.object.record(Kind::SyncRelease, key, generation, site);
        }
        state.arrived += 1;
        let is_leader = state.arrived >= self.tasks;
        if is_leader {
            state.arrived = 0;
            state.generation += 1;
            self.passed.send_replace(generation);
        }
        (generation, is_leader)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("n", &self.tasks).finish_non_exhaustive()
    }
}

/// As [`tokio::sync::BarrierWaitResult`]. Made by [`Barrier::wait`].
#[derive(Debug, Clone)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this task is the one of its generation that leads.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}
