use std::collections::BTreeMap;
use std::ops::Range;

/// A set of numbers kept as disjoint half-open intervals: what a ring's sequence numbers, or a run's batch numbers,
/// are once they have arrived. Memory is one entry for each gap, not for each number.
///
/// **Invariant**: no two intervals overlap or touch, and none is empty; so the smallest number of intervals is used.
#[derive(Debug, Default)]
pub(super) struct IntervalSet {
    /// Start to end, the end excluded.
    intervals: BTreeMap<u64, u64>,
}

impl IntervalSet {
    /// Adds `range` and returns how many of its numbers were not in the set before.
    pub(super) fn insert(&mut self, range: Range<u64>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let Range { mut start, mut end } = range;
        let mut new = end - start;
        // Intervals that overlap or touch the range become part of it. Seen from the right, they are those that begin
        // at or before its end, until one that ends before its start.
        while let Some((&low, &high)) = self.intervals.range(..=end).next_back()
            && high >= start
        {
            new -= overlap(&range, low..high);
            self.intervals.remove(&low);
            (start, end) = (start.min(low), end.max(high));
        }
        self.intervals.insert(start, end);
        new
    }

    /// Whether every number of `range` is in the set; so for an empty one.
    pub(super) fn contains_all(&self, range: &Range<u64>) -> bool {
        let holder = self.intervals.range(..=range.start).next_back();
        range.is_empty() || holder.is_some_and(|(_, high)| *high >= range.end)
    }

    /// How many intervals the set takes.
    pub(super) fn intervals(&self) -> usize {
        self.intervals.len()
    }
}

fn overlap(left: &Range<u64>, right: Range<u64>) -> u64 {
    left.end.min(right.end).saturating_sub(left.start.max(right.start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_largest_range_fits() {
        let mut set = IntervalSet::default();
        assert_eq!(set.insert(0..u64::MAX), u64::MAX);
        assert_eq!(set.insert(u64::MAX - 1..u64::MAX), 0);
        assert_eq!(set.insert(7..7), 0);
        assert!(set.contains_all(&(0..u64::MAX)));
    }

    #[test]
    fn runs_that_grow_take_one_entry() {
        let mut set = IntervalSet::default();
        for start in (0..1000).step_by(10).chain((1000..2000).rev().step_by(10).map(|end| end - 9)) {
            assert_eq!(set.insert(start..start + 10), 10);
        }
        assert_eq!(set.intervals, BTreeMap::from([(0, 2000)]));
    }

    proptest! {
        /// Against a set that remembers each number.
        #[test]
        fn agrees_with_a_set_of_numbers(ranges in proptest::collection::vec((0..80_u64, 0..20_u64), 0..40)) {
            let (mut set, mut oracle) = (IntervalSet::default(), BTreeSet::new());
            for (start, len) in ranges {
                let range = start..start + len;
                prop_assert_eq!(set.contains_all(&range), range.clone().all(|number| oracle.contains(&number)));
                let before = oracle.len();
                oracle.extend(range.clone());
                prop_assert_eq!(set.insert(range), (oracle.len() - before) as u64);

                let listed: BTreeSet<u64> = set.intervals.iter().flat_map(|(low, high)| *low..*high).collect();
                prop_assert_eq!(&listed, &oracle);
                let (lows, highs) = (set.intervals.keys().skip(1), set.intervals.values());
                prop_assert!(lows.zip(highs).all(|(low, high)| low > high), "intervals touch: {:?}", set.intervals);
            }
        }
    }
}
