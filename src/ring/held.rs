//! The tracked locks that a thread holds, as far as there is room for them: their ids, and as which strand it took them.

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Held {
    ids: [u64; Held::MOST],
    strands: [u64; Held::MOST],
    len: usize,
}

impl Held {
    /// How many locks at once are remembered. One beyond is recorded like any other, but not told again after a gap.
    const MOST: usize = 16;

    #[inline(always)]
    pub(super) fn push(&mut self, id: u64, strand: u64) {
        if let (Some(place), Some(whose)) = (self.ids.get_mut(self.len), self.strands.get_mut(self.len)) {
            (*place, *whose) = (id, strand);
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
            self.strands[..len].copy_within(at + 1.., at);
            self.len -= 1;
        }
    }

    /// Whether one of them was taken as this strand.
    pub(super) fn is_of(&self, strand: u64) -> bool {
        self.strands[..self.len.min(Self::MOST)].contains(&strand)
    }

    /// The ids, oldest first.
    pub(crate) fn ids(&self) -> &[u64] {
        &self.ids[..self.len.min(Self::MOST)]
    }
}

impl Default for Held {
    fn default() -> Self {
        Self { ids: [0; Self::MOST], strands: [0; Self::MOST], len: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_forgotten_in_whatever_order_they_are_released() {
        let mut held = Held::default();
        (1..=4).for_each(|id| held.push(id, 10 * id));
        for (id, left) in [(2, &[1, 3, 4][..]), (9, &[1, 3, 4]), (4, &[1, 3]), (1, &[3]), (3, &[]), (3, &[])] {
            held.remove(id);
            assert_eq!(held.ids(), left);
            assert!((1..=4).all(|id| held.is_of(10 * id) == left.contains(&id)));
        }
        (0..100).for_each(|id| held.push(id, id));
        (0..100).for_each(|id| held.remove(id));
        assert!(held.ids().is_empty());
    }
}
