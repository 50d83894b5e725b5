//! What a report calls locks, places, and acquisitions.

use crate::engine::Engine;
use crate::intern::Map;
use crate::locking::contention::Durations;
use crate::locking::report::{Place, Times, TimesBucket};
use crate::lockset::LockSet;
use crate::log::NONE;

/// The run of each lock, and what a report calls it.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) names: Vec<String>,
    pub(crate) runs: Vec<u32>,
}

impl Labels {
    /// All locks of the engine. Those of one run that have a name in common are told apart by their ids.
    pub(crate) fn new(engine: &Engine<'_>) -> Self {
        let count = engine.resolved.locks.len();
        let (mut runs, mut ids) = (vec![0; count], vec![None; count]);
        for (run, id, number) in engine.resolved.lock_ids() {
            (runs[number as usize], ids[number as usize]) = (run, id);
        }
        let name = |lock: usize| engine.resolved.lock_name(lock as u32);
        let mut same: Map<(u32, &str), u32> = Map::default();
        for (lock, run) in runs.iter().enumerate() {
            *same.entry((*run, name(lock))).or_default() += 1;
        }
        let label = |lock: usize| match ids[lock].and_then(|id| id.text(&engine.names.values)) {
            Some(id) if same[&(runs[lock], name(lock))] > 1 => format!("{} ({id})", name(lock)),
            _ => name(lock).to_owned(),
        };
        Self { names: (0..count).map(label).collect(), runs }
    }

    /// What a report calls the lock.
    pub(crate) fn of(&self, lock: u32) -> &str {
        self.names.get(lock as usize).map_or("", String::as_str)
    }

    /// The locks of a set, those that others may hold too marked.
    pub(crate) fn of_set(&self, locks: &LockSet) -> Vec<String> {
        let label = |lock: u32, shared: bool| format!("{}{}", self.of(lock), if shared { " (shared)" } else { "" });
        locks.held.iter().map(|held| label(held.lock, held.shared)).collect()
    }
}

impl Engine<'_> {
    /// The place with this number.
    pub(crate) fn place(&self, site: u32) -> Place {
        let Some(site) = self.names.sites.get(site as usize) else { return Place::default() };
        let file = (site.file != NONE).then(|| self.names.text(site.file).to_owned());
        Place { file, line: Some(site.line), column: Some(site.column) }
    }
}

impl From<&Durations> for Times {
    fn from(durations: &Durations) -> Self {
        let Durations { count, total, max, buckets } = durations;
        let from = |bucket: usize| bucket.checked_sub(1).map_or(0, |power| 1_u64 << power);
        let filled = buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        let buckets = filled.map(|(bucket, count)| TimesBucket { from_ns: from(bucket), count: *count }).collect();
        Times { count: *count, total_ns: *total, max_ns: *max, buckets }
    }
}
