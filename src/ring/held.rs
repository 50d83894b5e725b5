//! The tracked locks that a thread holds, as far as there is room for them: their ids, where they lie in memory, and as which
//! strand it took them.

/// The bits of the second word of what a lock drafts that are its number.
pub(crate) const LOCK_ID: u64 = (1 << 56) - 1;

/// A lock that is held: where it lies in memory, by which those know it who wait for it and cannot look inside; and whether
/// others may hold it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LockPlace(usize);

impl LockPlace {
    /// Nobody who waits is to know it.
    pub(crate) const UNKNOWN: LockPlace = LockPlace(0);

    /// At an address. What lies there is a lock, and so no byte: the lowest bit of the address is free.
    #[inline(always)]
    pub(crate) fn of<T: ?Sized>(lock: &T, shared: bool) -> Self {
        let address = std::ptr::from_ref(lock).addr();
        Self(if shared { address | 1 } else { address })
    }

    /// The address.
    pub(crate) fn address(self) -> usize {
        self.0 & !1
    }

    /// Whether others may hold the lock too.
    pub(crate) fn is_shared(self) -> bool {
        self.0 & 1 != 0
    }
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    ids: [u64; Held::MOST],
    places: [LockPlace; Held::MOST],
    strands: [u64; Held::MOST],
    len: usize,
}

impl Held {
    /// How many locks at once are remembered. One beyond is recorded like any other, but not told again after a gap.
    const MOST: usize = 16;

    #[inline(always)]
    pub(crate) fn push(&mut self, id: u64, place: LockPlace, strand: u64) {
        if self.len < Self::MOST {
            (self.ids[self.len], self.places[self.len], self.strands[self.len]) = (id, place, strand);
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
            self.places[..len].copy_within(at + 1.., at);
            self.strands[..len].copy_within(at + 1.., at);
            self.len -= 1;
        }
    }

    /// Whether one of them was taken as this strand.
    pub(super) fn is_of(&self, strand: u64) -> bool {
        self.strands[..self.len.min(Self::MOST)].contains(&strand)
    }

    /// The ids, and where the locks are.
    pub(crate) fn locks(&self) -> impl Iterator<Item = (u64, LockPlace)> {
        self.ids().iter().copied().zip(self.places)
    }

    /// The ids, oldest first.
    pub(crate) fn ids(&self) -> &[u64] {
        &self.ids[..self.len.min(Self::MOST)]
    }
}

impl Default for Held {
    fn default() -> Self {
        Self { ids: [0; Self::MOST], places: [LockPlace::UNKNOWN; Self::MOST], strands: [0; Self::MOST], len: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_and_whether_others_may_be_there() {
        let locks = [1_u64, 2];
        for (lock, shared) in [(&locks[0], false), (&locks[1], true)] {
            let place = LockPlace::of(lock, shared);
            assert_eq!((place.address(), place.is_shared()), (std::ptr::from_ref(lock).addr(), shared));
        }
    }

    #[test]
    fn locks_are_forgotten_in_whatever_order_they_are_released() {
        let mut held = Held::default();
        let place = |id: u64| LockPlace(100 + id as usize);
        (1..=4).for_each(|id| held.push(id, place(id), 10 * id));
        for (id, left) in [(2, &[1, 3, 4][..]), (9, &[1, 3, 4]), (4, &[1, 3]), (1, &[3]), (3, &[]), (3, &[])] {
            held.remove(id);
            assert_eq!(held.ids(), left);
            assert!((1..=4).all(|id| held.is_of(10 * id) == left.contains(&id)));
            assert!(held.locks().eq(left.iter().map(|id| (*id, place(*id)))));
        }
        (0..100).for_each(|id| held.push(id, LockPlace::UNKNOWN, id));
        (0..100).for_each(|id| held.remove(id));
        assert!(held.ids().is_empty());
    }
}
