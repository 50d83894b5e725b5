//! The ids of the tracked locks that a thread holds, as far as there is room for them.

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Held {
    ids: [u64; Held::MOST],
    len: usize,
}

impl Held {
    /// How many locks at once are remembered. One beyond is recorded like any other, but not told again after a gap.
    const MOST: usize = 16;

    #[inline(always)]
    pub(crate) fn push(&mut self, id: u64) {
        if let Some(place) = self.ids.get_mut(self.len) {
            *place = id;
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
        let ids = &mut self.ids[..self.len.min(Self::MOST)];
        if let Some(at) = ids.iter().rposition(|held| *held == id) {
            ids.copy_within(at + 1.., at);
            self.len -= 1;
        }
    }

    /// The ids, oldest first.
    pub(crate) fn ids(&self) -> &[u64] {
        &self.ids[..self.len.min(Self::MOST)]
    }
}

impl Default for Held {
    fn default() -> Self {
        Self { ids: [0; Self::MOST], len: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_forgotten_in_whatever_order_they_are_released() {
        let mut held = Held::default();
        (1..=4).for_each(|id| held.push(id));
        for (id, left) in [(2, &[1, 3, 4][..]), (9, &[1, 3, 4]), (4, &[1, 3]), (1, &[3]), (3, &[]), (3, &[])] {
            held.remove(id);
            assert_eq!(held.ids(), left);
        }
        (0..100).for_each(|id| held.push(id));
        (0..100).for_each(|id| held.remove(id));
        assert!(held.ids().is_empty());
    }
}
