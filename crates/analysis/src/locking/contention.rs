//! Who waited for whom, and for how long: counts for people, which no finding rests on.
//!
//! How long an acquisition waited, it says itself. How long a lock was held is the difference of two timestamps, so it is as
//! coarse as the clock: what took less than that clock's step counts as 0. Who held the lock meanwhile follows from the
//! acquisitions' numbers: whoever waits to write waits for the acquisition before, whoever waits to read for the last
//! exclusive one; where that one is not in the record, or the lock does not count, nobody is named.

use crate::intern::Map;
use crate::locking::orders::Asked;
use std::cmp::Reverse;

/// How many waiters of one lock are told apart, by place, strand and holder. The half that waited least goes if there are
/// more.
const WAITERS_MAX: usize = 512;

/// Durations, in nanoseconds: how many, and how long.
#[derive(Debug, Clone, Default)]
pub(crate) struct Durations {
    pub(crate) count: u64,
    pub(crate) total: u64,
    pub(crate) max: u64,
    /// Bucket 0 is for 0, bucket n for those from 2^(n-1) up and below 2^n; no longer than the last one that is not empty.
    pub(crate) buckets: Vec<u64>,
}

impl Durations {
    pub(crate) fn add(&mut self, nanos: u64) {
        self.count += 1;
        self.total = self.total.saturating_add(nanos);
        self.max = self.max.max(nanos);
        let bucket = (u64::BITS - nanos.leading_zeros()) as usize;
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
    }

    /// These, too.
    fn and(&mut self, others: &Durations) {
        self.count += others.count;
        self.total = self.total.saturating_add(others.total);
        self.max = self.max.max(others.max);
        if self.buckets.len() < others.buckets.len() {
            self.buckets.resize(others.buckets.len(), 0);
        }
        self.buckets.iter_mut().zip(&others.buckets).for_each(|(all, others)| *all += others);
    }
}

/// What is counted for a lock, and for each place that takes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Use {
    pub(crate) acquisitions: u64,
    pub(crate) wait: Durations,
    pub(crate) hold: Durations,
    /// The part of `hold` that was held across an await.
    pub(crate) across: Durations,
}

/// Which strands have taken a lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Takers {
    #[default]
    None,
    One(u32),
    Several,
}

/// Who waits: the place and the strand; and the place where the holder had taken the lock, if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WaiterKey {
    pub(crate) site: u32,
    pub(crate) strand: u32,
    pub(crate) holder_site: Option<u32>,
}

/// How often somebody waited, for how long, and the last step at which it did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waited {
    pub(crate) times: u64,
    pub(crate) total: u64,
    pub(crate) max: u64,
    pub(crate) step: u64,
}

/// One lock.
#[derive(Debug, Default)]
pub(crate) struct LockUse {
    /// By the place, and whether others may hold the lock too.
    pub(crate) sites: Map<(u32, bool), Use>,
    pub(crate) waiters: Map<WaiterKey, Waited>,
    pub(crate) takers: Takers,
    /// The number and the place of the highest acquisition met, and of the highest exclusive one.
    last: Option<(u64, u32)>,
    last_exclusive: Option<(u64, u32)>,
}

/// An acquisition's number, and whether the record has the one that it comes directly after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered {
    pub(crate) seq: u64,
    pub(crate) knows_holder: bool,
}

impl LockUse {
    /// An acquisition at a step, which had to wait for so many nanoseconds, if it had to.
    pub(crate) fn took(&mut self, asked: &Asked, step: u64, number: Option<Numbered>, waited: Option<u64>) {
        let using = self.sites.entry((asked.site, asked.shared)).or_default();
        using.acquisitions += 1;
        if let Some(waited) = waited {
            using.wait.add(waited);
        }
        self.takers = match self.takers {
            Takers::None => Takers::One(asked.strand),
            Takers::One(strand) if strand != asked.strand => Takers::Several,
            same => same,
        };
        if let Some(waited) = waited {
            let before = if asked.shared { self.last_exclusive } else { self.last };
            let holder = before.filter(|(seq, _)| number.is_some_and(|own| own.knows_holder && own.seq > *seq));
            let holder_site = holder.map(|(_, site)| site);
            self.waited(WaiterKey { site: asked.site, strand: asked.strand, holder_site }, step, waited);
        }
        if let Some(Numbered { seq, .. }) = number {
            let this = Some((seq, asked.site));
            self.last = self.last.max(this);
            if !asked.shared {
                self.last_exclusive = self.last_exclusive.max(this);
            }
        }
    }

    /// A release of what was taken at this place so many nanoseconds ago, and maybe held across an await.
    pub(crate) fn gave_back(&mut self, site: u32, shared: bool, held_for: u64, awaited: bool) {
        let using = self.sites.entry((site, shared)).or_default();
        using.hold.add(held_for);
        if awaited {
            using.across.add(held_for);
        }
    }

    /// What is counted for all places together.
    pub(crate) fn all(&self) -> Use {
        let mut all = Use::default();
        for using in self.sites.values() {
            all.acquisitions += using.acquisitions;
            let both = [(&mut all.wait, &using.wait), (&mut all.hold, &using.hold), (&mut all.across, &using.across)];
            both.into_iter().for_each(|(all, using)| all.and(using));
        }
        all
    }

    fn waited(&mut self, key: WaiterKey, step: u64, waited: u64) {
        let waiter = self.waiters.entry(key).or_default();
        waiter.times += 1;
        waiter.total = waiter.total.saturating_add(waited);
        waiter.max = waiter.max.max(waited);
        waiter.step = step;
        if self.waiters.len() > WAITERS_MAX {
            let mut waiters: Vec<_> = self.waiters().collect();
            waiters.sort_unstable_by_key(|(key, waited)| (Reverse((waited.total, waited.times)), *key));
            for (key, _) in waiters.split_off(WAITERS_MAX / 2) {
                self.waiters.remove(&key);
            }
        }
    }

    /// Those who waited, in no order.
    pub(crate) fn waiters(&self) -> impl Iterator<Item = (WaiterKey, Waited)> + '_ {
        self.waiters.iter().map(|(key, waited)| (*key, *waited))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_end_below_powers_of_two() {
        let mut durations = Durations::default();
        for nanos in [0, 1, 2, 3, 4, 1023, 1024, u64::MAX, u64::MAX] {
            durations.add(nanos);
        }
        let filled: Vec<(usize, u64)> = durations.buckets.iter().copied().enumerate().filter(|(_, n)| *n > 0).collect();
        assert_eq!(filled, [(0, 1), (1, 1), (2, 2), (3, 1), (10, 1), (11, 1), (64, 2)]);
        assert_eq!((durations.count, durations.total, durations.max), (9, u64::MAX, u64::MAX));
    }

    #[test]
    fn who_waited_longest_stays_among_many_waiters() {
        let mut lock = LockUse::default();
        for strand in 0..10_000 {
            let asked = Asked { strand, run: 0, lock: 0, site: 1, shared: false };
            lock.took(&asked, 0, None, Some(if strand == 77 { 5_000 } else { u64::from(strand % 100) }));
        }
        assert!(lock.waiters.len() <= WAITERS_MAX);
        assert!(lock.waiters().any(|(key, _)| key.strand == 77));
        assert_eq!((lock.all().acquisitions, lock.all().wait.count), (10_000, 10_000));
    }
}
