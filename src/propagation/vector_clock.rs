//! Vector clocks of bounded size.

/// How much of each instance's doings something knows about: a list of components (`service#instance`) with their
/// counts, in the order in which they arrived.
///
/// A clock is bounded, because other people's clocks flow into it:
///
/// - It holds at most [`MAX_COMPONENTS`](Self::MAX_COMPONENTS) components. What comes from elsewhere, by
///   [`observe`](Self::observe) and [`merge`](Self::merge), finds a place only while another one is free after it; the
///   last place is kept for the component that [`advance`](Self::advance)s. What finds no place is left out. A component
///   that is in a clock never leaves it, so a clock never goes backwards.
/// - A component is 1 to [`MAX_COMPONENT_BYTES`](Self::MAX_COMPONENT_BYTES) bytes without control characters; any other
///   one is left out.
/// - A component occurs once, at its first position, with the largest count that was seen of it.
/// - A count that comes from elsewhere is taken as at most [`MAX_OBSERVED`](Self::MAX_OBSERVED), so that whatever others
///   claim about us, there are as many counts again for ourselves.
///
/// # Examples
///
/// ```
/// use trackside::propagation::VectorClock;
///
/// let mut ours = VectorClock::new();
/// ours.advance("bank#1");
/// let theirs: VectorClock = [("shop#1", 5), ("bank#1", 0)].into_iter().collect();
/// ours.merge(&theirs);
/// assert_eq!(ours.iter().collect::<Vec<_>>(), [("bank#1", 1), ("shop#1", 5)]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VectorClock {
    /// In order of arrival. Components are distinct, counts at most `MAX_COUNT`.
    entries: Vec<(Box<str>, u64)>,
}

impl VectorClock {
    /// How many components a clock can hold.
    pub const MAX_COMPONENTS: usize = 64;

    /// How long a component can be.
    pub const MAX_COMPONENT_BYTES: usize = 256;

    /// The largest count: the last one that every JSON reader can tell from its neighbours (2^53 - 1).
    pub const MAX_COUNT: u64 = (1 << 53) - 1;

    /// The largest count that is taken from elsewhere (2^52).
    pub const MAX_OBSERVED: u64 = 1 << 52;

    /// A clock that knows nothing.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Makes the component known, with the count 0 if it is new. Returns whether the clock has it now.
    pub fn add(&mut self, component: &str) -> bool {
        self.entry(component, Self::MAX_COMPONENTS).is_some()
    }

    /// Counts the component on by one, up to [`MAX_COUNT`](Self::MAX_COUNT), and returns the new count; 0 if the clock
    /// does not have it and cannot take it.
    pub fn advance(&mut self, component: &str) -> u64 {
        self.entry(component, Self::MAX_COMPONENTS).map_or(0, |count| {
            *count = Self::MAX_COUNT.min(*count + 1);
            *count
        })
    }

    /// Takes in what somebody else says about a component: its count is at least this. Returns whether the clock has the
    /// component now.
    pub fn observe(&mut self, component: &str, count: u64) -> bool {
        self.raise(component, count.min(Self::MAX_OBSERVED))
    }

    /// Takes in another clock: each component has the larger of its two counts afterwards, and new ones are appended.
    ///
    /// As long as all components together fit, the order of merging does not matter to any count, nor does merging the
    /// same clock twice. Counts never become smaller, whether they fit or not.
    pub fn merge(&mut self, other: &VectorClock) {
        for (component, count) in other.iter() {
            self.raise(component, count);
        }
    }

    /// The component's count; 0 if the clock does not have it.
    pub fn value(&self, component: &str) -> u64 {
        self.iter().find(|(known, _)| *known == component).map_or(0, |(_, count)| count)
    }

    /// How many components there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The components and their counts, in order of arrival.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, u64)> + Clone {
        self.entries.iter().map(|(component, count)| (&**component, *count))
    }

    fn raise(&mut self, component: &str, count: u64) -> bool {
        let known = self.entry(component, Self::MAX_COMPONENTS - 1);
        known.map(|known| *known = count.max(*known)).is_some()
    }

    /// The component's count, which is new if there are fewer than `places` so far.
    fn entry(&mut self, component: &str, places: usize) -> Option<&mut u64> {
        let at = match self.entries.iter().position(|(known, _)| **known == *component) {
            Some(at) => at,
            None if self.entries.len() < places && is_component(component) => {
                self.entries.push((component.into(), 0));
                self.entries.len() - 1
            }
            None => return None,
        };
        self.entries.get_mut(at).map(|(_, count)| count)
    }
}

/// As [`VectorClock::observe`], one after the other.
impl<S: AsRef<str>> FromIterator<(S, u64)> for VectorClock {
    fn from_iter<I: IntoIterator<Item = (S, u64)>>(entries: I) -> Self {
        let mut clock = Self::new();
        for (component, count) in entries {
            clock.observe(component.as_ref(), count);
        }
        clock
    }
}

fn is_component(text: &str) -> bool {
    (1..=VectorClock::MAX_COMPONENT_BYTES).contains(&text.len()) && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Oracle = BTreeMap<String, u64>;

    fn map(clock: &VectorClock) -> Oracle {
        clock.iter().map(|(component, count)| (component.to_owned(), count)).collect()
    }

    fn merged(a: &VectorClock, b: &VectorClock) -> VectorClock {
        let mut merged = a.clone();
        merged.merge(b);
        merged
    }

    fn assert_covers(later: &VectorClock, earlier: &VectorClock) {
        assert!(earlier.iter().all(|(component, count)| later.value(component) >= count), "{earlier:?} to {later:?}");
        let order: Vec<_> = later.iter().map(|(component, _)| component).take(earlier.len()).collect();
        assert!(earlier.iter().map(|(component, _)| component).eq(order), "places have changed");
    }

    /// Clocks of up to `most` components out of `names`, some advanced beyond what can be observed.
    fn clocks(names: u32, most: usize) -> impl Strategy<Value = VectorClock> {
        let count = prop_oneof![0..5_u64, Just(u64::MAX), any::<u64>()];
        (proptest::collection::vec((0..names, count), 0..most), 0..3_u64, 0..names).prop_map(
            |(entries, advances, own)| {
                let entries = entries.into_iter().map(|(name, count)| (format!("c#{name}"), count));
                let mut clock: VectorClock = entries.collect();
                for _ in 0..advances {
                    clock.advance(&format!("c#{own}"));
                }
                clock
            },
        )
    }

    proptest! {
        #[test]
        fn merging_is_the_maximum(a in clocks(20, 20), b in clocks(20, 20), c in clocks(20, 20)) {
            let mut oracle = map(&a);
            for (component, count) in map(&b) {
                let known = oracle.entry(component).or_default();
                *known = count.max(*known);
            }
            let ab = merged(&a, &b);
            prop_assert_eq!(map(&ab), oracle);
            prop_assert_eq!(map(&ab), map(&merged(&b, &a)));
            prop_assert_eq!(map(&merged(&ab, &c)), map(&merged(&a, &merged(&b, &c))));
            prop_assert_eq!(merged(&a, &a), a.clone());
            prop_assert_eq!(merged(&ab, &b), ab);
        }

        #[test]
        fn nothing_goes_backwards_however_full(a in clocks(100, 100), b in clocks(100, 100)) {
            let ab = merged(&a, &b);
            assert_covers(&ab, &a);
            prop_assert!(ab.len() <= VectorClock::MAX_COMPONENTS);
            prop_assert_eq!(&merged(&ab, &b), &ab);
            let mut advanced = ab.clone();
            let before = advanced.value("own#1");
            if advanced.len() < VectorClock::MAX_COMPONENTS {
                prop_assert_eq!(advanced.advance("own#1"), before + 1);
            }
            assert_covers(&advanced, &ab);
        }

        #[test]
        fn observations_are_the_largest_of_each(entries in proptest::collection::vec((0..9_u32, any::<u64>()), 0..50)) {
            let mut oracle = Oracle::new();
            for (name, count) in &entries {
                let known = oracle.entry(name.to_string()).or_default();
                *known = (*count).min(VectorClock::MAX_OBSERVED).max(*known);
            }
            let clock: VectorClock = entries.iter().map(|(name, count)| (name.to_string(), *count)).collect();
            prop_assert_eq!(map(&clock), oracle);
            let mut first_seen: Vec<String> = Vec::new();
            for (name, _) in entries {
                if !first_seen.contains(&name.to_string()) {
                    first_seen.push(name.to_string());
                }
            }
            prop_assert_eq!(clock.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>(), first_seen);
        }
    }

    #[test]
    fn there_is_always_a_place_for_our_own() {
        let mut clock: VectorClock = (0..1000).map(|name| (format!("c#{name}"), 7)).collect();
        assert_eq!((clock.len(), clock.value("c#62"), clock.value("c#63")), (63, 7, 0));
        assert!(!clock.observe("late#1", 1));
        assert!(clock.observe("c#62", 8));
        assert_eq!((clock.advance("own#1"), clock.advance("own#1")), (1, 2));
        assert_eq!((clock.len(), clock.advance("another#1"), clock.add("another#1")), (64, 0, false));
        assert!(clock.add("own#1"));
        assert_eq!((clock.value("c#62"), clock.value("own#1")), (8, 2));
    }

    #[test]
    fn counts_leave_room() {
        let mut clock = VectorClock::new();
        clock.observe("own#1", u64::MAX);
        assert_eq!(clock.value("own#1"), 1 << 52);
        assert_eq!(clock.advance("own#1"), (1 << 52) + 1);
        // Merging does not clamp: what a clock of ours says about us is true.
        assert_eq!(merged(&VectorClock::new(), &clock).value("own#1"), (1 << 52) + 1);
        clock.entries[0].1 = VectorClock::MAX_COUNT - 1;
        assert_eq!((clock.advance("own#1"), clock.advance("own#1")), (VectorClock::MAX_COUNT, VectorClock::MAX_COUNT));
    }

    #[test]
    fn what_is_no_component() {
        let mut clock = VectorClock::new();
        for component in ["", "a\nb", "a\0", "\u{7f}", "\u{85}", &"x".repeat(257)] {
            assert!(!clock.observe(component, 1) && !clock.add(component), "{component:?}");
            assert_eq!((clock.advance(component), clock.value(component)), (0, 0));
        }
        assert!(clock.is_empty());
        assert!(clock.observe(&"x".repeat(256), 1) && clock.observe("\"'\\ü\u{202e}", 2));
    }
}
