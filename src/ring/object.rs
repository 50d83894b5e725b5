//! The number of an object that is made where nothing can be counted, such as in a `const fn`.

use super::pipe::new_lock_id;
use super::sync::{AtomicU64, Ordering};

/// Given when it is asked for first. Unlike a `OnceLock`, no signal handler waits here for the thread it has interrupted.
#[derive(Debug)]
pub(crate) struct ObjectId(AtomicU64);

impl ObjectId {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The number, from 1, unique within the process. Relaxed: nothing but the number itself is handed over.
    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            0 => self.give(),
            number => number,
        }
    }

    #[cold]
    fn give(&self) -> u64 {
        let new = new_lock_id();
        self.0.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed).err().unwrap_or(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_ask_get_the_same_number_and_no_other_object_has_it() {
        let (one, other) = (ObjectId::new(), ObjectId::new());
        let asked =
            std::thread::scope(|scope| [0; 4].map(|_| scope.spawn(|| one.get())).map(|thread| thread.join().unwrap()));
        assert_eq!(asked, [one.get(); 4]);
        assert!(one.get() != 0 && other.get() != 0 && one.get() != other.get());
    }
}
