use super::batches::Source;
use super::index::Index;
use super::segment::{HEAD_LEN, HEADER_LEN};
use super::unit::{RUN_IN_UNIT_CHARGE, Segment, UNIT_CHARGE, Unit};
use crate::received::Received;
use crate::stats::{CollectorStats, DiskStats};
use std::collections::VecDeque;
use std::time::Duration;
use trackside_wire::{Ack, EventId, RunId};

/// How much to hold, and what to do when that is reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    /// Of memory, or, with `max_index_bytes`, of disk.
    pub(crate) max_bytes: u64,
    /// Of memory, for what is kept of batches that are on disk. None if they are in memory, within `max_bytes`.
    pub(crate) max_index_bytes: Option<u64>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) evict_oldest: bool,
}

/// Whether there is room for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    Enough,
    /// Not now.
    Full,
    /// It takes more than the whole cap.
    Never,
}

fn room(used: u64, more: u64, max: u64) -> Room {
    if more > max {
        Room::Never
    } else if used.saturating_add(more) > max {
        Room::Full
    } else {
        Room::Enough
    }
}

/// What is stored, and what has been.
#[derive(Debug)]
pub(super) struct Books {
    capacity: Capacity,
    index: Index,
    /// Oldest first.
    units: VecDeque<Unit>,
    /// The charge of all units.
    charge: u64,
    /// The size of all units on disk.
    size: u64,
    /// The counters; the rest of it is filled in when asked for.
    pub(super) stats: CollectorStats,
    /// The counters of the disk, likewise.
    pub(super) disk: DiskStats,
}

impl Books {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            index: Index::default(),
            units: VecDeque::new(),
            charge: 0,
            size: 0,
            stats: CollectorStats::default(),
            disk: DiskStats::default(),
        }
    }

    pub(super) fn knows(&self, received: &Received) -> bool {
        self.index.knows(received)
    }

    pub(super) fn knows_event(&self, id: EventId) -> bool {
        self.index.knows_event(id)
    }

    pub(super) fn knows_run(&self, run: RunId) -> bool {
        self.index.knows_run(run)
    }

    /// Counts a batch that is known, and acknowledges it.
    pub(super) fn recognise(&mut self, received: Received) -> Ack {
        let Received { run, batch, events, .. } = received;
        self.stats.duplicates += events;
        self.index.note(received);
        Ack { run, batch, stored: 0, duplicates: events }
    }

    /// Whether a batch of `len` bytes fits, wherever it will go.
    pub(super) fn room(&self, received: &Received, len: u64) -> Room {
        let memory = self.memory_room(received, len);
        match self.capacity.max_index_bytes {
            Some(_) => memory.max(room(self.size, len + (HEADER_LEN + HEAD_LEN) as u64, self.capacity.max_bytes)),
            None => memory,
        }
    }

    /// Whether what must be known of a batch on disk fits into memory.
    pub(super) fn has_index_room(&self, received: &Received) -> bool {
        self.memory_room(received, 0) == Room::Enough
    }

    fn memory_room(&self, received: &Received, len: u64) -> Room {
        let index = Index::most(received) + UNIT_CHARGE + RUN_IN_UNIT_CHARGE;
        match self.capacity.max_index_bytes {
            Some(max) => room(self.memory(), index, max),
            None => room(self.memory(), index + len, self.capacity.max_bytes),
        }
    }

    /// Whether more is held than may be: after a start with a smaller cap than before.
    pub(super) fn is_over(&self) -> bool {
        self.is_over_in_memory() || self.size > self.capacity.max_bytes
    }

    pub(super) fn is_over_in_memory(&self) -> bool {
        self.memory() > self.capacity.max_index_bytes.unwrap_or(self.capacity.max_bytes)
    }

    /// The number of the oldest segment, if segments may be given up and it is not the last one.
    pub(super) fn evictable(&self) -> Option<u64> {
        let oldest = self.units.front().filter(|_| self.capacity.evict_oldest && self.units.len() > 1)?;
        Some(oldest.segment()?.number)
    }

    /// Whether even the latest batch of the oldest unit is older than wanted.
    pub(super) fn has_outdated(&self, now_ms: u64) -> bool {
        let age = |unit: &Unit| Duration::from_millis(now_ms.saturating_sub(unit.newest_ms));
        let Some(max_age) = self.capacity.max_age else { return false };
        self.units.front().is_some_and(|unit| age(unit) > max_age)
    }

    /// Adds a unit behind all others.
    pub(super) fn add(&mut self, unit: Unit) {
        self.charge += unit.charge();
        self.size += unit.size();
        self.units.push_back(unit);
    }

    /// Takes in that a batch of `len` bytes has been stored in the last unit.
    pub(super) fn enter(&mut self, received: Received, len: u64, received_ms: u64) -> Ack {
        let Received { run, batch, events, .. } = received;
        self.change_last(|unit| unit.hold(run, len, received_ms));
        let stored = self.index.learn(received);
        self.stats.bytes += len;
        self.stats.batches += 1;
        self.stats.events += stored;
        self.stats.duplicates += events - stored;
        Ack { run, batch, stored, duplicates: events - stored }
    }

    /// Changes the last unit, if there is one.
    pub(super) fn change_last(&mut self, change: impl FnOnce(&mut Unit)) {
        let Some(unit) = self.units.back_mut() else { return };
        self.charge -= unit.charge();
        self.size -= unit.size();
        change(unit);
        self.charge += unit.charge();
        self.size += unit.size();
    }

    pub(super) fn oldest(&self) -> Option<&Unit> {
        self.units.front()
    }

    pub(super) fn last_segment(&self) -> Option<&Segment> {
        self.units.back().and_then(Unit::segment)
    }

    /// Takes back the last unit, and returns how many batches it held.
    pub(super) fn drop_last(&mut self) -> u64 {
        let Some(unit) = self.units.pop_back() else { return 0 };
        self.forget(&unit);
        unit.batches
    }

    /// Forgets the oldest unit, and what was known of runs that were only in there.
    pub(super) fn drop_oldest(&mut self) {
        if let Some(unit) = self.units.pop_front() {
            self.stats.evicted_batches += unit.batches;
            self.forget(&unit);
        }
    }

    /// The numbers of all segments.
    pub(super) fn segments(&self) -> Vec<u64> {
        self.units.iter().filter_map(|unit| Some(unit.segment()?.number)).collect()
    }

    /// Forgets segments whose files are not there any more.
    pub(super) fn drop_vanished(&mut self, is_there: impl Fn(u64) -> bool) {
        let units = std::mem::take(&mut self.units);
        let stays = |unit: &Unit| unit.segment().is_none_or(|segment| is_there(segment.number));
        let (there, gone): (VecDeque<Unit>, VecDeque<Unit>) = units.into_iter().partition(stays);
        self.units = there;
        for unit in gone {
            self.disk.vanished_batches += unit.batches;
            self.forget(&unit);
        }
    }

    fn forget(&mut self, unit: &Unit) {
        self.charge -= unit.charge();
        self.size -= unit.size();
        self.stats.bytes -= unit.bytes;
        self.stats.batches -= unit.batches;
        unit.runs.iter().for_each(|(run, batches)| self.index.forget(*run, *batches));
    }

    /// Where the stored batches are, oldest first.
    pub(super) fn sources(&self) -> VecDeque<Source> {
        self.units.iter().map(Unit::source).collect()
    }

    pub(super) fn stats(&self) -> CollectorStats {
        let on_disk = self.capacity.max_index_bytes.map(|max_index_bytes| DiskStats {
            segments: self.units.len() as u64,
            index_bytes: self.memory(),
            max_index_bytes,
            ..self.disk.clone()
        });
        CollectorStats {
            used_bytes: if on_disk.is_some() { self.size } else { self.memory() },
            max_bytes: self.capacity.max_bytes,
            runs: self.index.stats(),
            disk: on_disk,
            ..self.stats.clone()
        }
    }

    /// What is held in memory.
    fn memory(&self) -> u64 {
        self.charge + self.index.charge()
    }

    #[cfg(test)]
    pub(super) fn assert_sums(&self) {
        assert_eq!(self.index.charge(), self.index.recounted_charge());
        assert_eq!(self.charge, self.units.iter().map(Unit::charge).sum::<u64>());
        assert_eq!(self.size, self.units.iter().map(Unit::size).sum::<u64>());
        assert_eq!(self.stats.bytes, self.units.iter().map(|unit| unit.bytes).sum::<u64>());
        assert_eq!(self.stats.batches, self.units.iter().map(|unit| unit.batches).sum::<u64>());
        let is_memory = |unit: &Unit| matches!(unit.place, super::unit::Place::Memory(_));
        assert!(self.capacity.max_index_bytes.is_none() == self.units.iter().all(is_memory) || self.units.is_empty());
    }
}
