use std::collections::HashMap;
use std::hash::Hash;

/// A map within a bounded number of entries, whose changes count once they are settled.
///
/// Two generations: when the young ones are many, they become the old ones, and the old ones are forgotten. Who is changed
/// is young again.
#[derive(Debug)]
pub(super) struct Remembered<K, V> {
    /// How many entries are kept at least; at most twice as many.
    most: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// What is not settled yet.
    touched: HashMap<K, V>,
}

impl<K: Copy + Eq + Hash, V: Clone> Remembered<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, young: HashMap::new(), old: HashMap::new(), touched: HashMap::new() }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.touched.get(key).or_else(|| self.young.get(key)).or_else(|| self.old.get(key))
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        self.touched.insert(key, value);
    }

    /// The entry, to be changed.
    pub(super) fn change(&mut self, key: &K) -> Option<&mut V> {
        if !self.touched.contains_key(key) {
            let value = self.get(key)?.clone();
            self.touched.insert(*key, value);
        }
        self.touched.get_mut(key)
    }

    /// Makes what was changed since the last time good, or undoes it.
    pub(super) fn settle(&mut self, keep: bool) {
        if !keep {
            self.touched.clear();
        }
        for (key, value) in self.touched.drain() {
            if self.young.len() >= self.most {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_are_not_kept_never_were() {
        let mut map = Remembered::new(10);
        map.put(1, "a");
        map.settle(true);
        *map.change(&1).unwrap() = "b";
        map.put(2, "c");
        assert_eq!((map.get(&1), map.get(&2)), (Some(&"b"), Some(&"c")));
        map.settle(false);
        assert_eq!((map.get(&1), map.get(&2)), (Some(&"a"), None));
        assert_eq!(map.change(&2), None);
    }

    #[test]
    fn the_latest_are_kept_and_no_more_than_two_generations() {
        let mut map = Remembered::new(10);
        map.put(0, 0);
        for key in 1..1000_u32 {
            map.put(key, key);
            assert!(map.change(&0).is_some(), "in use");
            map.settle(true);
            assert!((key.saturating_sub(4)..=key).all(|key| map.get(&key) == Some(&key)));
            assert!(map.young.len() + map.old.len() <= 20);
        }
        assert_eq!(map.get(&900), None);
    }
}
