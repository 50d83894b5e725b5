//! What locks are called. The stock server knows a lock by its text alone, so two locks must not share one.

use crate::ring::sync::Arc;
use foldhash::{HashMap, HashMapExt};

/// How many locks are remembered. What comes later is called by name and number, which needs no memory.
const MOST: usize = 16 * 1024;

/// A lock is called by its name; by name and number if another lock had the name before it.
#[derive(Debug)]
pub(super) struct LockNames {
    by_id: HashMap<u64, Arc<str>>,
    first: HashMap<Arc<str>, u64>,
}

impl LockNames {
    pub(super) fn new() -> Self {
        Self { by_id: HashMap::new(), first: HashMap::new() }
    }

    /// What the lock with this number, if it has one, and this name is called: always the same.
    pub(super) fn name(&mut self, id: Option<u64>, name: &str) -> Arc<str> {
        let Some(id) = id else { return name.into() };
        if let Some(known) = self.by_id.get(&id) {
            return Arc::clone(known);
        }
        let room = self.by_id.len() < MOST;
        let numbered = || Arc::from(format!("{name}#{id}"));
        if !room || self.first.contains_key(name) {
            let text: Arc<str> = numbered();
            if room {
                self.by_id.insert(id, Arc::clone(&text));
            }
            return text;
        }
        let text: Arc<str> = if name.is_empty() { numbered() } else { name.into() };
        self.first.insert(name.into(), id);
        self.by_id.insert(id, Arc::clone(&text));
        text
    }

    /// What a lock is called of which only the number is known.
    pub(super) fn by_id(&self, id: u64) -> Arc<str> {
        self.by_id.get(&id).map_or_else(|| format!("#{id}").into(), Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shared_by_no_two_locks_and_stay() {
        let mut names = LockNames::new();
        for _ in 0..2 {
            assert_eq!(&*names.name(Some(5), "pool"), "pool");
            assert_eq!(&*names.name(Some(9), "pool"), "pool#9");
            assert_eq!(&*names.name(Some(7), "cache"), "cache");
            assert_eq!(&*names.name(None, "pool"), "pool");
            assert_eq!(&*names.name(Some(8), ""), "#8");
        }
        assert_eq!((&*names.by_id(9), &*names.by_id(1)), ("pool#9", "#1"));
    }

    #[test]
    fn memory_is_bounded_and_names_still_differ() {
        let mut names = LockNames::new();
        (0..MOST as u64).for_each(|id| drop(names.name(Some(id), "l")));
        for id in 0..3 {
            assert_eq!(&*names.name(Some(MOST as u64 + id), "late"), format!("late#{}", MOST as u64 + id));
        }
        assert_eq!((names.by_id.len(), &*names.name(Some(0), "l")), (MOST, "l"));
    }
}
