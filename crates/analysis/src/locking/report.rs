//! What a report says of locks.

use crate::report::AccessInfo;
use serde::Serialize;

/// A step of a deadlock, or of a potential one: a strand holds one lock and asks for another one, or the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LockOrder {
    /// The lock that is held. Locks of one name are told apart by their ids, in brackets.
    pub holds: String,
    /// The lock that is asked for.
    pub asks: String,
    /// Where the first one was taken; nothing if that is not in the record.
    pub held: Option<AccessInfo>,
    /// Where the second one was asked for: recorded when it was got, and of a deadlock that happened, before that. Its
    /// `locks` are those held meanwhile.
    pub asked: AccessInfo,
    /// How many times this was done at these two places with these locks.
    pub count: u64,
}

/// How a variable is protected, where a lock was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Discipline {
    /// The lock that most accesses hold.
    pub lock: String,
    /// How many accesses hold it, of those that are not initial and not atomic.
    pub held: u64,
    /// How many of those there are.
    pub accesses: u64,
    /// The places that do not hold it and should, most often used first.
    pub without: Vec<(Place, u64)>,
}

/// What a lock cost: who took it, who had to wait, and how long it was held.
///
/// Times are no better than the clock that the client used. A section that was shorter than the clock's step counts as 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LockReport {
    /// The lock's name; locks of one name are told apart by their ids, in brackets.
    pub lock: String,
    /// The process, as `service/instance`.
    pub process: String,
    /// Its run.
    pub run: String,
    /// How many times it was taken.
    pub acquisitions: u64,
    /// How long those waited that had to: how many that were, is its count.
    pub wait: Times,
    /// How long it was held, as far as both ends are in the record.
    pub hold: Times,
    /// The part of it in which a task held it across an await, from acquisition to release. For a lock of tasks, that is
    /// what it is made for, and a cost.
    pub across_awaits: Times,
    /// The same for each place that takes it, by waiting time; the first of them.
    pub sites: Vec<LockSite>,
    /// Who waited longest; the first of them.
    pub waiters: Vec<LockWaiter>,
}

/// A place that takes a lock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LockSite {
    /// Where it is.
    pub place: Place,
    /// Whether it takes the lock in a way that lets others hold it too.
    pub shared: bool,
    /// How many times it took it.
    pub acquisitions: u64,
    /// How long those waited that had to.
    pub wait: Times,
    /// How long it held the lock.
    pub hold: Times,
    /// The part of it that was across an await.
    pub across_awaits: Times,
}

/// A strand that waited for a lock at a place, for the lock to be given back by one who had taken it at another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LockWaiter {
    /// Where it waited.
    pub place: Place,
    /// The strand, as in [`AccessInfo::thread`].
    pub thread: String,
    /// Where the holder had taken the lock; nothing if that is not in the record.
    pub held_at: Option<Place>,
    /// How many times it waited.
    pub count: u64,
    /// For how long in all.
    pub total_ns: u64,
    /// For how long at most.
    pub max_ns: u64,
}

/// Durations, in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// How many there are.
    pub count: u64,
    /// Their sum.
    pub total_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// How they are distributed: the buckets that are not empty, ascending.
    pub buckets: Vec<TimesBucket>,
}

/// Durations from a power of two up to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TimesBucket {
    /// The shortest that it has room for, in nanoseconds: 0, 1, 2, 4, 8 and so on. The next power of two is beyond it.
    pub from_ns: u64,
    /// How many there are.
    pub count: u64,
}

/// A place in the source.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Source file, if known.
    pub file: Option<String>,
    /// Line in it, from 1.
    pub line: Option<u32>,
    /// Column in it, from 1.
    pub column: Option<u32>,
}
