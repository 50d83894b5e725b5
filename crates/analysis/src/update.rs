//! The lost update detector: a strand reads, another one writes, the first one writes what it computed from its read.
//!
//! A foreign write f can be lost to the read r and the dependent write w of one strand when f does not happen before r
//! and w does not happen before f. When w is met, the writes kept of the variable are looked through for such an f;
//! when a write is met later, it is looked at as an f of the updates that are kept here: the last ones of each strand.
//! An update is dropped when a later one comes after it: whatever would be lost to it, or it to that, is lost to the
//! later one as well.

use crate::clock::Snapshot;
use crate::intern::Map;
use crate::lockset::{Held, exclude};
use crate::strand::Acc;
use crate::value::Val;
use std::borrow::Cow;
use std::rc::Rc;

/// A read and the write that depends on it.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    /// The read; nothing if the write alone says what it was computed from.
    pub(crate) read: Option<Acc>,
    pub(crate) write: Acc,
}

impl Update {
    /// Whether a write that does not happen after this update's write could be lost to it.
    pub(crate) fn may_lose(&self, foreign: &Acc) -> bool {
        foreign.strand != self.write.strand
            && !self.read.as_ref().is_some_and(|read| foreign.before(read.knew()))
            && !exclude(&self.section(), &foreign.locks().held)
    }

    /// The locks held all the way from the read to the write.
    fn section(&self) -> Cow<'_, [Held]> {
        let locks = self.write.locks();
        match &self.read {
            Some(read) if !Rc::ptr_eq(&read.stance, &self.write.stance) => locks.since(read.locks()).copied().collect(),
            _ => Cow::Borrowed(&locks.held),
        }
    }

    /// Whether each uncounted lock that excuses this update excuses the other one too.
    fn excuses_no_more_than(&self, other: &Update) -> bool {
        if self.write.stance.signature == 0 {
            return true;
        }
        let (own, other) = (self.section(), other.section());
        own.iter()
            .filter(|held| !held.counted)
            .all(|a| other.iter().any(|b| a.lock == b.lock && (a.shared || !b.shared)))
    }
}

/// The updates kept of a variable, and the values written to it.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    kept: Vec<Update>,
    written: Map<Val, Chain>,
    /// All writes.
    all: Chain,
    /// Whether a write was met whose value is not known.
    opaque: bool,
}

/// Whether some writes are all ordered one after the other, as met.
#[derive(Debug, Default)]
struct Chain {
    count: u32,
    broken: bool,
    last: Option<Written>,
}

/// A write, as its strand, record and epoch.
#[derive(Debug, Clone, Copy)]
struct Written {
    strand: u32,
    at: u32,
    epoch: u32,
}

impl Written {
    fn before(self, moment: &Snapshot) -> bool {
        moment.knows(self.strand, self.epoch)
    }
}

impl Chain {
    fn add(&mut self, write: &Acc, now: &Snapshot) {
        self.count += 1;
        self.broken |= self.last.as_ref().is_some_and(|last| !last.before(now));
        self.last = Some(Written { strand: write.strand, at: write.at, epoch: write.epoch });
    }
}

impl Updates {
    /// The updates that a new write may be lost to, or they to it.
    pub(crate) fn open<'a>(&'a self, write: &'a Acc, now: &'a Snapshot) -> impl Iterator<Item = &'a Update> {
        self.kept.iter().filter(move |update| !update.write.before(now) && update.may_lose(write))
    }

    /// Keeps an update, and drops those that it makes irrelevant.
    pub(crate) fn keep(&mut self, update: Update, now: &Snapshot) {
        self.kept.retain(|kept| !(kept.write.before(now) && update.excuses_no_more_than(kept)));
        self.kept.push(update);
    }

    /// Takes note of a write and the value it wrote.
    pub(crate) fn wrote(&mut self, write: &Acc, value: Val, now: &Snapshot) {
        self.all.add(write, now);
        match value {
            Val::Unknown | Val::Cut(_) => self.opaque = true,
            value => self.written.entry(value).or_default().add(write, now),
        }
    }

    /// How many writes of `value` happen before now; nothing if that is not so of all that were met.
    pub(crate) fn stamp(&self, value: Val, now: &Snapshot) -> Option<u32> {
        if self.opaque || matches!(value, Val::Unknown | Val::Cut(_)) {
            return None;
        }
        let Some(chain) = self.written.get(&value) else { return Some(0) };
        let known = !chain.broken && chain.last.as_ref().is_none_or(|last| last.before(now));
        known.then_some(chain.count)
    }

    /// Whether all writes met so far are ordered, and this is the last of them.
    pub(crate) fn is_state(&self, write: &Acc) -> bool {
        !self.opaque
            && !self.all.broken
            && self.all.last.is_some_and(|last| (last.strand, last.at) == (write.strand, write.at))
    }

    /// How many updates are kept.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Keeps only the newest `count`. True if any went.
    pub(crate) fn truncate(&mut self, count: usize) -> bool {
        let surplus = self.kept.len().saturating_sub(count);
        self.kept.drain(..surplus);
        surplus > 0
    }
}
