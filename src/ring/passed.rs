//! Which signals have been recorded as noticed, as far as there is room for them: by strand, because another strand on
//! the same thread has not come after what this one has.
//!
//! What a strand has come after it has come after for good, on whatever thread it goes on. So an entry is true for as long
//! as it stands; and one that is not there costs a record too many, which is true as well.

/// See the module's documentation. Direct-mapped: objects are numbered in the order of their first use, and strands in that
/// of their beginning, so those that take turns mostly have places of their own.
#[derive(Debug)]
pub(super) struct Passed(Box<[Entry; PLACES]>);

const PLACES: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// 0 for none.
    strand: u64,
    id: u64,
    number: u64,
}

impl Passed {
    pub(super) fn new() -> Self {
        Self(Box::new([Entry { strand: 0, id: 0, number: 0 }; PLACES]))
    }

    /// Whether the strand is known to have passed the object's signal of this number, or of a higher one.
    #[inline(always)]
    pub(super) fn holds(&self, strand: u64, id: u64, number: u64) -> bool {
        let entry = &self.0[place(strand, id)];
        entry.strand == strand && entry.id == id && entry.number >= number && strand != 0
    }

    /// The strand has passed it, and has recorded that.
    #[inline(always)]
    pub(super) fn note(&mut self, strand: u64, id: u64, number: u64) {
        self.0[place(strand, id)] = Entry { strand, id, number };
    }
}

#[inline(always)]
fn place(strand: u64, id: u64) -> usize {
    id.wrapping_add(strand.wrapping_mul(37)) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_noted_for_this_strand_holds() {
        let mut passed = Passed::new();
        assert!(!passed.holds(0, 0, 0), "an empty entry is nobody's");
        passed.note(7, 5, 2);
        for (strand, id, number, holds) in
            [(7, 5, 2, true), (7, 5, 1, true), (7, 5, 3, false), (8, 5, 2, false), (7, 69, 2, false), (7, 6, 2, false)]
        {
            assert_eq!(passed.holds(strand, id, number), holds, "strand {strand}, object {id}, number {number}");
        }
        passed.note(8, 5, 1);
        assert!(passed.holds(7, 5, 2) && passed.holds(8, 5, 1), "strands that take turns do not displace each other");
        passed.note(7, 69, 1);
        assert!(passed.holds(7, 69, 1) && !passed.holds(7, 5, 1), "one place, one entry");
    }
}
