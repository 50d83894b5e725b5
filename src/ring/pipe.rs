//! One client's pipe from all recording threads to its flusher: registry, signal, and the counts of what was turned away
//! before it reached a ring.

use super::fork;
use super::registry::Registry;
use super::signal::{Signal, Sleeper};
use super::sync::{Arc, AtomicU64, Ordering};
use super::thread_ring::ThreadRing;
use arc_swap::ArcSwapOption;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What happens to an event that finds its thread's ring full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The event is dropped and counted; the thread never waits. The default.
    #[default]
    DropNewest,
    /// The thread waits for room, at most this long for one event; then the event is dropped and counted.
    ///
    /// Meant for tests and batch jobs, where completeness is worth a stall.
    Block {
        /// The longest one event may make its thread wait.
        timeout: Duration,
    },
}

/// Sizes and policies of a pipe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PipeOptions {
    pub(crate) ring_words: NonZeroUsize,
    pub(crate) most_rings: usize,
    pub(crate) overflow: Overflow,
    /// Tells the flusher, through a new ring, which thread it belongs to.
    pub(crate) announce: fn(&mut ThreadRing),
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Pipe {
    key: u64,
    /// The key while events are taken, [`CLOSED`] afterwards: one load tells a recording thread both whether it may record
    /// and whether the ring it has at hand is the right one.
    gate: AtomicU64,
    pub(crate) registry: Registry,
    pub(crate) signal: Signal,
    pub(crate) turned_away: TurnedAway,
    pub(crate) overflow: Overflow,
    pub(crate) announce: fn(&mut ThreadRing),
    numbers: AtomicU64,
}

/// Events that never reached a ring, by reason. Counted where they are turned away, off the hot path.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway {
    /// Recorded from within the recording of another event: a signal handler, an allocator.
    pub(crate) reentrant: AtomicU64,
    /// Recorded by a thread whose thread-locals are gone already.
    pub(crate) thread_exit: AtomicU64,
    /// Recorded in a forked child, with a client of its parent.
    pub(crate) forked: AtomicU64,
    /// Recorded after shutdown.
    pub(crate) after_shutdown: AtomicU64,
    /// Recorded by a thread for which there was no ring.
    pub(crate) no_ring: AtomicU64,
}

/// Counts one event turned away. Relaxed: a statistic, ordered by nothing.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// How many were counted. Relaxed, as above.
pub(crate) fn counted(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// What the gate of a closed pipe holds; no pipe's key.
pub(crate) const CLOSED: u64 = u64::MAX;

/// How many low bits of a key tell the fork generation in which it was made.
const GENERATION_BITS: u32 = 16;

impl Pipe {
    pub(crate) fn new(options: &PipeOptions) -> (Arc<Pipe>, Sleeper) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        fork::watch();
        let (signal, sleeper) = Signal::new();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let key = (number << GENERATION_BITS) | generation_bits();
        let pipe = Pipe {
            key,
            gate: AtomicU64::new(key),
            registry: Registry::new(options.ring_words, options.most_rings),
            signal,
            turned_away: TurnedAway::default(),
            overflow: options.overflow,
            announce: options.announce,
            numbers: AtomicU64::new(0),
        };
        (Arc::new(pipe), sleeper)
    }

    /// Distinguishes this pipe from every other of the process; never 0 or [`CLOSED`].
    pub(crate) fn key(&self) -> u64 {
        self.key
    }

    /// The key, or [`CLOSED`]. Relaxed: a thread that does not know yet that the pipe was closed records into its ring,
    /// which is swept when the books are read.
    #[inline(always)]
    pub(crate) fn gate(&self) -> u64 {
        self.gate.load(Ordering::Relaxed)
    }

    /// Whether events are still taken.
    pub(crate) fn is_open(&self) -> bool {
        self.gate() != CLOSED
    }

    /// Takes no event from now on.
    pub(crate) fn close(&self) {
        self.gate.store(CLOSED, Ordering::Relaxed);
        self.registry.close();
        let current = DEFAULT.load();
        if current.as_ref().is_some_and(|default| default.key == self.key) {
            DEFAULT.store(None);
            DEFAULT_KEY.store(0, Ordering::Relaxed);
        }
    }

    /// Whether this process is a forked child of the one that made the pipe.
    pub(crate) fn is_foreign(&self) -> bool {
        key_is_foreign(self.key)
    }

    /// A number for a new strand or task, from 1, unique within the pipe.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
}

fn generation_bits() -> u64 {
    fork::generation() & ((1 << GENERATION_BITS) - 1)
}

/// Whether a pipe of this key was made before this process was forked off.
pub(crate) fn key_is_foreign(key: u64) -> bool {
    key & ((1 << GENERATION_BITS) - 1) != generation_bits()
}

/// The pipe that tracked locks record into. Lock-free, because a forked child finds every lock as it was.
static DEFAULT: ArcSwapOption<Pipe> = ArcSwapOption::const_empty();
/// Its key, or 0; read on each lock operation.
static DEFAULT_KEY: AtomicU64 = AtomicU64::new(0);

/// Makes `pipe` the one that tracked locks record into, in place of any other.
pub(crate) fn make_default(pipe: &Arc<Pipe>) {
    DEFAULT.store(Some(pipe.clone()));
    // Relaxed: a thread that still sees the old key records into the old pipe once more.
    DEFAULT_KEY.store(pipe.key, Ordering::Relaxed);
}

/// The default pipe's key, or 0 if there is none.
#[inline(always)]
pub(crate) fn default_key() -> u64 {
    DEFAULT_KEY.load(Ordering::Relaxed)
}

/// The default pipe.
pub(crate) fn default_pipe() -> Option<Arc<Pipe>> {
    DEFAULT.load_full()
}

/// A number for a lock, from 1, unique within the process.
pub(crate) fn new_lock_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
