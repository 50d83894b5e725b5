//! Which lock is taken while which other one is held: what the order graph is drawn from. The analysis looks for deadlocks
//! with more care (who may be where at once); this only counts.

use super::text;
use serde::Serialize;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use trackside_wire::{Batch, Event, Kind, RunId};

/// How many orders are told apart.
const EDGES_MAX: usize = 2_000;
/// How many of the locks that a strand holds are looked at.
const HELD_MAX: usize = 16;

/// An order in which two locks are taken, by their names.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OrderEdge {
    pub(crate) service: String,
    pub(crate) holds: String,
    pub(crate) takes: String,
    /// How often it was met.
    pub(crate) count: u64,
    /// Where the second one was taken, the first time.
    pub(crate) place: Option<String>,
}

/// A lock of a run: by its id, or by its name if it has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum LockKey {
    Id(u64),
    Name(String),
}

#[derive(Debug, Default)]
pub(super) struct Orders {
    edges: HashMap<(RunId, LockKey, LockKey), (u64, Option<String>)>,
    /// What strands hold, of those that hold any; by run and number.
    held: HashMap<(RunId, u64), Vec<LockKey>>,
    names: HashMap<(RunId, u64), String>,
    services: HashMap<RunId, String>,
    left_out: u64,
}

impl Orders {
    pub(super) fn take_in(&mut self, batch: &Batch<'_>) {
        let run = batch.header.run;
        self.services.entry(run).or_insert_with(|| text::name(batch.header.service));
        let mut begun = vec![false; batch.lanes.len()];
        for event in batch.events() {
            let Some(lane) = batch.lanes.get(event.lane as usize) else { continue };
            let Some(strand) = batch.strands.get(lane.strand as usize) else { continue };
            let strand = (run, strand.number);
            if !std::mem::replace(&mut begun[event.lane as usize], true) && lane.lost_before > 0 {
                self.held.insert(strand, lane.held.iter().map(|id| LockKey::Id(*id)).collect());
            }
            match event.kind {
                Kind::LockAcquire => self.acquire(strand, batch, &event),
                Kind::LockRelease => self.release(strand, &key(batch, &event)),
                _ => {}
            }
        }
    }

    fn acquire(&mut self, strand: (RunId, u64), batch: &Batch<'_>, event: &Event<'_>) {
        let key = key(batch, event);
        self.learn(strand.0, &key, batch, event);
        let mut held = self.held.remove(&strand).unwrap_or_default();
        for holds in held.iter().filter(|holds| **holds != key) {
            self.count(strand.0, holds, &key, batch, event);
        }
        if !held.contains(&key) && held.len() < HELD_MAX {
            held.push(key);
        }
        self.held.insert(strand, held);
    }

    fn release(&mut self, strand: (RunId, u64), key: &LockKey) {
        let Entry::Occupied(mut held) = self.held.entry(strand) else { return };
        held.get_mut().retain(|held| held != key);
        if held.get().is_empty() {
            held.remove();
        }
    }

    fn learn(&mut self, run: RunId, key: &LockKey, batch: &Batch<'_>, event: &Event<'_>) {
        if let (LockKey::Id(id), Some(name)) = (key, event.name)
            && self.names.len() < 4 * EDGES_MAX
        {
            self.names.entry((run, *id)).or_insert_with(|| text::name(batch.string(name)));
        }
    }

    fn count(&mut self, run: RunId, holds: &LockKey, takes: &LockKey, batch: &Batch<'_>, event: &Event<'_>) {
        let full = self.edges.len() >= EDGES_MAX;
        match self.edges.entry((run, holds.clone(), takes.clone())) {
            Entry::Occupied(mut edge) => edge.get_mut().0 += 1,
            Entry::Vacant(_) if full => self.left_out += 1,
            Entry::Vacant(edge) => drop(edge.insert((1, place(batch, event)))),
        }
    }

    /// The orders, those met most often first, and how often others were met. Locks of one name are one.
    pub(super) fn finish(self) -> (Vec<OrderEdge>, u64) {
        let mut merged = HashMap::<[String; 3], (u64, Option<String>)>::new();
        for ((run, holds, takes), (count, place)) in &self.edges {
            let service = self.services.get(run).cloned().unwrap_or_default();
            let key = [service, self.name(*run, holds), self.name(*run, takes)];
            let edge = merged.entry(key).or_insert((0, place.clone()));
            edge.0 += count;
            // The same one in whatever order they come.
            edge.1 = edge.1.clone().min(place.clone());
        }
        let edge = |([service, holds, takes], (count, place)): ([String; 3], _)| OrderEdge {
            service,
            holds,
            takes,
            count,
            place,
        };
        let mut edges: Vec<OrderEdge> = merged.into_iter().map(edge).collect();
        edges.sort_by(|a, b| {
            let names = |edge: &OrderEdge| [edge.service.clone(), edge.holds.clone(), edge.takes.clone()];
            b.count.cmp(&a.count).then_with(|| names(a).cmp(&names(b)))
        });
        (edges, self.left_out)
    }

    fn name(&self, run: RunId, key: &LockKey) -> String {
        match key {
            LockKey::Name(name) => name.clone(),
            LockKey::Id(id) => self.names.get(&(run, *id)).cloned().unwrap_or_else(|| format!("lock {id}")),
        }
    }
}

fn key(batch: &Batch<'_>, event: &Event<'_>) -> LockKey {
    let by_name = || LockKey::Name(event.name.map_or_else(String::new, |name| text::name(batch.string(name))));
    if event.a.is_nil() {
        return by_name();
    }
    event.a.as_u64().map_or_else(|| LockKey::Name(text::bounded(event.a, text::NAME_MAX)), LockKey::Id)
}

fn place(batch: &Batch<'_>, event: &Event<'_>) -> Option<String> {
    let site = batch.sites.get(event.site? as usize)?;
    Some(format!("{}:{}", text::name(batch.string(site.file)), site.line))
}
