//! Numbers for texts and values, so that an event is a few words and equal things compare in one.

use foldhash::fast::FixedState;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// A hash map with a fixed seed. Nothing ever depends on its iteration order.
pub(crate) type Map<K, V> = HashMap<K, V, FixedState>;

/// Gives equal things the same number, from 0 up, in the order of first sight.
#[derive(Debug)]
pub(crate) struct Interner<T: ?Sized> {
    numbers: Map<Arc<T>, u32>,
    things: Vec<Arc<T>>,
}

impl<T: ?Sized> Default for Interner<T> {
    fn default() -> Self {
        Self { numbers: Map::default(), things: Vec::new() }
    }
}

impl<T: ?Sized + Hash + Eq> Interner<T>
where
    Arc<T>: Borrow<T> + for<'a> From<&'a T>,
{
    /// The number of `thing`.
    pub(crate) fn intern(&mut self, thing: &T) -> u32 {
        if let Some(number) = self.numbers.get(thing) {
            return *number;
        }
        let number = self.things.len() as u32;
        let thing: Arc<T> = Arc::from(thing);
        self.things.push(Arc::clone(&thing));
        self.numbers.insert(thing, number);
        number
    }

    /// How many things there are.
    pub(crate) fn len(&self) -> u32 {
        self.things.len() as u32
    }

    /// The number of `thing`, if it has one.
    pub(crate) fn find(&self, thing: &T) -> Option<u32> {
        self.numbers.get(thing).copied()
    }

    /// The thing with this number.
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.things.get(number as usize).map(|thing| &**thing)
    }
}
