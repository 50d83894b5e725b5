//! Whose turn it is: strands that can go on, and lists of those that wait, by what they wait for.
//!
//! Of the strands that can go on, the one whose next event has the earliest timestamp goes first. That is a heuristic,
//! not evidence: what can go on is decided by synchronisation alone, and any order among that is a true one. But what
//! happened at about the same time is then met one after the other, while the detectors still keep it, so the examples
//! they show are close to what went wrong. Equal timestamps go by the strand's number.

use crate::intern::Map;
use crate::locks::Need;
use crate::value::Val;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// What one strand tells others that come after it. Strands and calls are given by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// The `AsyncSpawn` of a run's task.
    Spawned(u32, Val),
    /// The `TaskEnd` of a run's task.
    Ended(u32, Val),
    /// This many of a strand's records are done.
    Passed(u32, u32),
    /// A call was made.
    Called(u32),
    /// A strand that took a call has answered it.
    Answered(u32),
    /// What a message, a signal or an atomic tells.
    Step(u32),
}

/// What a strand waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wait {
    /// What another strand tells.
    Topic(Topic),
    /// Releases of a lock.
    Lock(u32, LockNeed),
}

/// A [`Need`] that can be hashed beside the others.
pub(crate) type LockNeed = (bool, u32);

impl Wait {
    /// To wait for releases of a lock.
    pub(crate) fn lock(lock: u32, need: Need) -> Self {
        Wait::Lock(lock, (need.exclusive, need.count))
    }
}

/// The strands that are not finished.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// By the time of the next event, then by number; the earliest on top.
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    /// When the next event of each strand was that is not running.
    times: Vec<u64>,
    waiting: Vec<Option<Wait>>,
    blocked: BTreeSet<u32>,
    for_topics: Map<Topic, Vec<u32>>,
    for_locks: BTreeMap<(u32, bool, u32), Vec<u32>>,
}

impl Schedule {
    /// All strands are ready; given is when the first event of each was.
    pub(crate) fn new(times: Vec<u64>) -> Self {
        Self {
            ready: (0_u32..).zip(&times).map(|(strand, time)| Reverse((*time, strand))).collect(),
            waiting: vec![None; times.len()],
            times,
            blocked: BTreeSet::new(),
            for_topics: Map::default(),
            for_locks: BTreeMap::new(),
        }
    }

    /// The next strand to go on. The flag says that it was blocked, like all others, and has to go on nevertheless.
    pub(crate) fn next(&mut self) -> Option<(u32, bool)> {
        if let Some(Reverse((_, strand))) = self.ready.pop() {
            return Some((strand, false));
        }
        let strand = self.blocked.pop_first()?;
        self.waiting[strand as usize] = None;
        Some((strand, true))
    }

    /// Whether another strand should go on before an event of this time. On equal times there is no need to switch.
    #[inline]
    pub(crate) fn is_others_turn(&self, time: u64) -> bool {
        self.ready.peek().is_some_and(|Reverse((earliest, _))| *earliest < time)
    }

    /// The strand stays ready; its next event has this time.
    pub(crate) fn pause(&mut self, strand: u32, time: u64) {
        self.times[strand as usize] = time;
        self.ready.push(Reverse((time, strand)));
    }

    /// The strand waits, with an event of this time.
    pub(crate) fn wait(&mut self, strand: u32, time: u64, wait: Wait) {
        self.times[strand as usize] = time;
        self.waiting[strand as usize] = Some(wait);
        self.blocked.insert(strand);
        match wait {
            Wait::Lock(lock, (exclusive, count)) => {
                self.for_locks.entry((lock, exclusive, count)).or_default().push(strand);
            }
            Wait::Topic(topic) => self.for_topics.entry(topic).or_default().push(strand),
        }
    }

    /// This has been told.
    pub(crate) fn wake(&mut self, topic: Topic) {
        for strand in self.for_topics.remove(&topic).unwrap_or_default() {
            self.make_ready(strand, Wait::Topic(topic));
        }
    }

    /// This much of what strands wait for at the lock has happened.
    pub(crate) fn wake_lock(&mut self, lock: u32, done: Need) {
        let range = (lock, done.exclusive, 0)..=(lock, done.exclusive, done.count);
        while let Some((key, strands)) = self.for_locks.range(range.clone()).next() {
            let (key, strands) = (*key, strands.clone());
            self.for_locks.remove(&key);
            for strand in strands {
                self.make_ready(strand, Wait::Lock(lock, (key.1, key.2)));
            }
        }
    }

    fn make_ready(&mut self, strand: u32, wait: Wait) {
        // A strand that was forced on is still in the list, but no longer waits for this.
        if self.waiting[strand as usize] == Some(wait) {
            self.waiting[strand as usize] = None;
            self.blocked.remove(&strand);
            self.ready.push(Reverse((self.times[strand as usize], strand)));
        }
    }
}
