//! The tracked locks that a thread holds, as far as there is room for them: their ids, as which strand it took them, and
//! whether others may hold them too.

use super::draft::SHARED;

/// See the module's documentation.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    ids: [u64; Held::MOST],
    /// The strand, doubled, and one more for a lock that others may hold too.
    whose: [u64; Held::MOST],
    len: usize,
}

impl Held {
    /// How many locks at once are remembered. One beyond is recorded like any other, but not told again after a gap.
    const MOST: usize = 16;

    #[inline(always)]
    pub(crate) fn push(&mut self, lock: u64, strand: u64) {
        if let (Some(place), Some(whose)) = (self.ids.get_mut(self.len), self.whose.get_mut(self.len)) {
            (*place, *whose) = (lock & !SHARED, strand << 1 | u64::from(lock & SHARED != 0));
            self.len += 1;
        }
    }

    #[inline(always)]
    pub(crate) fn remove(&mut self, id: u64) {
        // Locks are mostly released in reverse order.
        match self.ids.get(..self.len) {
            Some([.., last]) if *last == id => self.len -= 1,
            _ => self.remove_older(id),
        }
    }

    #[cold]
    fn remove_older(&mut self, id: u64) {
        let len = self.len.min(Self::MOST);
        if let Some(at) = self.ids[..len].iter().rposition(|held| *held == id) {
            self.ids[..len].copy_within(at + 1.., at);
            self.whose[..len].copy_within(at + 1.., at);
            self.len -= 1;
        }
    }

    /// Whether one of them was taken as this strand.
    pub(super) fn is_of(&self, strand: u64) -> bool {
        self.whose[..self.len.min(Self::MOST)].iter().any(|whose| whose >> 1 == strand)
    }

    /// The ids, each with whether others may hold the lock too.
    pub(crate) fn locks(&self) -> impl Iterator<Item = (u64, bool)> {
        self.ids().iter().zip(&self.whose).map(|(id, whose)| (*id, whose & 1 != 0))
    }

    /// The ids, oldest first.
    pub(crate) fn ids(&self) -> &[u64] {
        &self.ids[..self.len.min(Self::MOST)]
    }
}

impl Default for Held {
    fn default() -> Self {
        Self { ids: [0; Self::MOST], whose: [0; Self::MOST], len: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_forgotten_in_whatever_order_they_are_released() {
        let mut held = Held::default();
        let shared = |id: u64| if id == 3 { SHARED } else { 0 };
        (1..=4).for_each(|id| held.push(id | shared(id), 10 * id));
        for (id, left) in [(2, &[1, 3, 4][..]), (9, &[1, 3, 4]), (4, &[1, 3]), (1, &[3]), (3, &[]), (3, &[])] {
            held.remove(id);
            assert_eq!(held.ids(), left);
            assert!((1..=4).all(|id| held.is_of(10 * id) == left.contains(&id)));
            assert!(held.locks().eq(left.iter().map(|id| (*id, *id == 3))));
        }
        (0..100).for_each(|id| held.push(id, id));
        (0..100).for_each(|id| held.remove(id));
        assert!(held.ids().is_empty());
    }
}
