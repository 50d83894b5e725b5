//! One client's pipe from all recording threads to its flusher: registry, signal, and the counts of what was turned away
//! before it reached a ring.

use super::fork;
use super::frame::GAP;
use super::gates;
use super::registry::Registry;
use super::signal::{Signal, Sleeper};
use super::sticky::Sticky;
use super::sync::{Arc, AtomicU64, CachePadded, Ordering};
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
#[derive(Debug, Clone)]
pub(crate) struct PipeOptions {
    pub(crate) ring_words: NonZeroUsize,
    pub(crate) most_rings: usize,
    pub(crate) overflow: Overflow,
    /// What becomes of what happens outside of any context.
    pub(crate) background: Background,
    /// Whether the time of an event is that of the last [`Pipe::publish_tick`].
    pub(crate) coarse: bool,
    /// Finds out, and tells the flusher through the ring, whose events the calling thread records into it.
    pub(crate) announce: Announce,
    /// Tells the time, in ticks, off the hot path.
    pub(crate) clock: fn() -> u64,
    pub(crate) identity: Identity,
}

/// What becomes of what happens outside of any context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Background {
    Recorded,
    /// Only errors are recorded, and the record says so: what is not there could order what is.
    Silent,
    /// As `Silent`, and nobody misses it: what happens in contexts has nothing to do with it.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "recordings of tests are such"))]
    Unrelated,
}

/// Finds out whose events the calling thread records, and tells the flusher through the ring if that is news to it. The
/// truth value says that the event at hand is to be recorded whatever the sampling says.
pub(crate) type Announce = fn(&mut ThreadRing, bool) -> Whose;

/// Whose the calling thread's events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The flusher knows.
    Known,
    /// They are not to be recorded, but this one is, and the flusher knows whose it is.
    Exception,
    /// They are not to be recorded.
    Nobodys,
    /// The flusher could not be told, for want of room: the event was dropped, and counted.
    Dropped,
    /// It cannot be found out now: that is being changed.
    Busy,
}

/// Who records: what each batch says, and the headers of calls to other services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The number of the client's run.
    pub(crate) run: u64,
    /// The trace of what is recorded outside of any context.
    pub(crate) trace: u128,
    pub(crate) service: Box<str>,
    pub(crate) instance: Box<str>,
    pub(crate) pid: u32,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Pipe {
    key: u64,
    /// One for each kind of record: the key while its events are taken, [`DISABLED`] while they are not wanted, [`CLOSED`]
    /// after shutdown. One load tells a recording thread both whether it may record and whether the ring it has at hand
    /// is the right one. Padded, so that what is counted beside them costs no load of theirs.
    gates: CachePadded<[AtomicU64; KINDS]>,
    /// Bit by bit, which gates are to be anything but [`DISABLED`].
    kinds: AtomicU64,
    /// The time of events, in ticks, where timestamps are coarse. Stored every so often, and so on a line of its own.
    tick: CachePadded<AtomicU64>,
    /// Bit by bit, which gates have been [`DISABLED`] at some moment. Bits are only ever added.
    off: Sticky,
    pub(crate) registry: Registry,
    pub(crate) signal: Signal,
    pub(crate) turned_away: TurnedAway,
    pub(crate) overflow: Overflow,
    /// Whether what is recorded outside of any context is recorded at all.
    pub(crate) background: Background,
    pub(crate) announce: Announce,
    /// Tells the time, in ticks, where it is not the counter that does.
    pub(crate) clock: fn() -> u64,
    pub(crate) identity: Identity,
    numbers: AtomicU64,
    /// See [`Pipe::samples`].
    sample_below: AtomicU64,
    /// Contexts begun of traces that are not recorded.
    pub(crate) unsampled: AtomicU64,
    /// Which tracked objects are recorded, if this is the pipe they are recorded into: [`Group::bit`] each.
    groups: AtomicU64,
}

/// Kinds of events that tracked objects record into the default pipe, all of the group or none: one without the other
/// would tell of no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Locks acquired and released.
    Locks,
    /// Messages sent and received.
    Messages,
    /// Signals released and acquired.
    Signals,
}

impl Group {
    pub(crate) const ALL: [Group; 3] = [Group::Locks, Group::Messages, Group::Signals];

    /// Its bit in a set of groups.
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u64
    }
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

/// What the gates of a closed pipe hold; no pipe's key.
pub(crate) const CLOSED: u64 = u64::MAX;

/// What the gate of a kind holds that is not to be recorded; no pipe's key.
pub(crate) const DISABLED: u64 = u64::MAX - 1;

/// How many kinds of records there can be: a frame's head has six bits for them.
pub(super) const KINDS: usize = 64;

/// The kind of gap frames: no event has it, so its gate tells of nothing but [`CLOSED`].
const NO_EVENT: u8 = GAP;

/// How many low bits of a key tell the fork generation in which it was made.
pub(super) const GENERATION_BITS: u32 = 16;

/// The bit of a key that says that its pipe's timestamps are coarse.
const COARSE: u64 = 1 << 63;

/// How many pipes a process can have before their keys run into the bits that mean something else.
const NUMBERS: u64 = 1 << 44;

impl Pipe {
    pub(crate) fn new(options: PipeOptions) -> (Arc<Pipe>, Sleeper) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        fork::watch();
        let (signal, sleeper) = Signal::new();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let coarse = if options.coarse { COARSE } else { 0 };
        let key = coarse | ((number % NUMBERS) << GENERATION_BITS) | generation_bits();
        let pipe = Pipe {
            key,
            gates: CachePadded::new(std::array::from_fn(|_| AtomicU64::new(key))),
            kinds: AtomicU64::new(u64::MAX),
            tick: CachePadded::new(AtomicU64::new(0)),
            off: Sticky::new(),
            registry: Registry::new(options.ring_words, options.most_rings),
            signal,
            turned_away: TurnedAway::default(),
            overflow: options.overflow,
            background: options.background,
            announce: options.announce,
            clock: options.clock,
            identity: options.identity,
            numbers: AtomicU64::new(0),
            sample_below: AtomicU64::new(u64::MAX),
            unsampled: AtomicU64::new(0),
            groups: AtomicU64::new(u64::MAX),
        };
        (Arc::new(pipe), sleeper)
    }

    /// Distinguishes this pipe from every other of the process; never 0 or [`CLOSED`].
    pub(crate) fn key(&self) -> u64 {
        self.key
    }

    /// The key, [`DISABLED`] or [`CLOSED`]. Relaxed: a thread that does not know yet that the pipe was closed records into
    /// its ring, which is swept when the books are read.
    #[inline(always)]
    pub(crate) fn gate(&self, kind: u8) -> u64 {
        self.gates[usize::from(kind) % KINDS].load(Ordering::Relaxed)
    }

    /// The time, in ticks, as of the last [`Pipe::publish_tick`]. Relaxed: nothing is ordered by it.
    #[inline(always)]
    pub(crate) fn tick(&self) -> u64 {
        self.tick.load(Ordering::Relaxed)
    }

    /// Events with coarse timestamps have this time from now on, unless a later one was published: there are two who do,
    /// and one may have read the clock long before he gets here.
    pub(crate) fn publish_tick(&self, ticks: u64) {
        self.tick.fetch_max(ticks, Ordering::Relaxed);
    }

    /// Whether events are still taken.
    pub(crate) fn is_open(&self) -> bool {
        self.gate(NO_EVENT) != CLOSED
    }

    /// Whether events of this kind are wanted, or would be if the pipe were not closed: what is not wanted is not missed.
    pub(crate) fn wants(&self, kind: u8) -> bool {
        self.kinds.load(Ordering::Relaxed) & (1 << kind) != 0
    }

    /// Which kinds were not wanted at some moment so far, bit by bit. If an event that was drained before comes after one
    /// that found its gate [`DISABLED`], the kind of that one is among them: see [`super::sticky`].
    pub(crate) fn off(&self) -> u64 {
        self.off.read()
    }

    /// How many contexts record nothing but errors, so far. All that is outside of any context counts as one. Relaxed: it
    /// is counted by whoever makes a context, before anything is done in it, and a counter's later values are not unread by
    /// who comes after that.
    pub(crate) fn silent_contexts(&self) -> u64 {
        counted(&self.unsampled) + u64::from(self.background == Background::Silent)
    }

    /// From now on takes only events of the kinds whose bits are set; of tracked objects those of these groups.
    pub(crate) fn take_only(&self, kinds: u64, groups: u64) {
        // Before the gates change.
        self.off.add(!kinds);
        self.kinds.store(kinds, Ordering::Relaxed);
        for (kind, gate) in self.gates.iter().enumerate() {
            let wanted = kind == usize::from(NO_EVENT) || kinds & (1 << kind) != 0;
            let to = if wanted { self.key } else { DISABLED };
            // A pipe that was closed meanwhile stays so. Relaxed, as in `gate`.
            let _ = gate.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now != CLOSED).then_some(to));
        }
        self.groups.store(groups, Ordering::Relaxed);
        if !self.is_default() {
            return;
        }
        // Only 0 and this pipe's key are exchanged: another pipe may become the default at any moment.
        for group in Group::ALL {
            let (from, to) = if groups & group.bit() != 0 { (0, self.key) } else { (self.key, 0) };
            replace_default_key(group, from, to);
        }
        gates::change(self.key, kinds);
        if !(self.is_open() && self.is_default()) {
            Group::ALL.iter().for_each(|group| replace_default_key(*group, self.key, 0));
            gates::change(self.key, 0);
        }
    }

    /// From now on, new traces are recorded if the random bits of their ids are below this: none at 0, and, so that all can
    /// be, all at [`u64::MAX`].
    pub(crate) fn sample_below(&self, below: u64) {
        self.sample_below.store(below, Ordering::Relaxed);
    }

    /// Whether a new trace is to be recorded, by 64 random bits of its id.
    #[inline]
    pub(crate) fn samples(&self, trace: u64) -> bool {
        // Relaxed: a rate that was just changed may be heard of one trace later.
        let below = self.sample_below.load(Ordering::Relaxed);
        trace < below || below == u64::MAX
    }

    /// Takes no event from now on.
    pub(crate) fn close(&self) {
        // No lock: a forked child would find it as it was.
        self.gates.iter().for_each(|gate| gate.store(CLOSED, Ordering::Relaxed));
        self.registry.close();
        let default = DEFAULT.load();
        if default.as_ref().is_some_and(|default| default.key == self.key) {
            // Unless there is another by now.
            DEFAULT.compare_and_swap(&*default, None);
            Group::ALL.iter().for_each(|group| replace_default_key(*group, self.key, 0));
            gates::change(self.key, 0);
        }
    }

    fn is_default(&self) -> bool {
        DEFAULT.load().as_ref().is_some_and(|default| default.key == self.key)
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

/// Whether the pipe of this key has coarse timestamps.
#[inline(always)]
pub(crate) fn key_is_coarse(key: u64) -> bool {
    key & COARSE != 0
}

/// Tells apart the clients of a process, but for those that have 65,535 others between them.
#[inline(always)]
pub(super) fn key_tag(key: u64) -> u64 {
    (key >> GENERATION_BITS) & 0xffff
}

/// Whether a pipe of this key was made before this process was forked off.
pub(crate) fn key_is_foreign(key: u64) -> bool {
    key & ((1 << GENERATION_BITS) - 1) != generation_bits()
}

/// The pipe that tracked objects record into. Lock-free, because a forked child finds every lock as it was.
static DEFAULT: ArcSwapOption<Pipe> = ArcSwapOption::const_empty();
/// For each group, the pipe's key, or 0 while the group is not recorded; read on each operation of a tracked object.
static DEFAULT_KEYS: CachePadded<[AtomicU64; Group::ALL.len()]> =
    CachePadded::new([const { AtomicU64::new(0) }; Group::ALL.len()]);

/// Makes `pipe` the one that tracked objects record into, in place of any other.
pub(crate) fn make_default(pipe: &Arc<Pipe>) {
    DEFAULT.store(Some(pipe.clone()));
    // Relaxed: a thread that still sees the old key records into the old pipe once more.
    let groups = pipe.groups.load(Ordering::Relaxed);
    for group in Group::ALL {
        let key = if groups & group.bit() != 0 { pipe.key } else { 0 };
        DEFAULT_KEYS[group as usize].store(key, Ordering::Relaxed);
    }
    gates::open(pipe.key, pipe.kinds.load(Ordering::Relaxed));
}

/// Relaxed, as in [`make_default`].
fn replace_default_key(group: Group, from: u64, to: u64) {
    // If it is another one, there is nothing to be replaced.
    let _ = DEFAULT_KEYS[group as usize].compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
}

/// The default pipe's key, or 0 if there is none that records locks.
#[inline(always)]
pub(crate) fn default_key() -> u64 {
    default_key_of(Group::Locks)
}

/// The default pipe's key, or 0 if there is none that records this group.
#[inline(always)]
pub(crate) fn default_key_of(group: Group) -> u64 {
    DEFAULT_KEYS[group as usize].load(Ordering::Relaxed)
}

/// The default pipe.
pub(crate) fn default_pipe() -> Option<Arc<Pipe>> {
    DEFAULT.load_full()
}

/// Looks at the default pipe for the calling thread's first time, which allocates: so that no later look does.
pub(super) fn prepare_thread() {
    drop(DEFAULT.load());
}

/// A number for a lock or another tracked object, from 1, unique within the process.
pub(crate) fn new_lock_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
