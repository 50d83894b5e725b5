//! What counting proves of a variable's values, in whatever order its accesses happened.
//!
//! A value that came to be only once was there for one stretch of time. Of two writes that were both computed from it,
//! whichever came second overwrote the first. And if more writes were computed from a value than times that it came to
//! be, two of them go back to the same time, and one of those two is lost; which ones, counting does not say.

use crate::intern::Map;
use crate::log::AccessOp;
use crate::value::Val;

/// Per variable, what one strand read last and has not written since; nothing after a write.
pub(crate) type LastReads = Map<u32, Option<Val>>;

/// The values of one variable in a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    values: Map<Val, Count>,
    /// Whether some value is not known, so that nothing can be counted.
    opaque: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    /// How many writes wrote the value.
    written: u32,
    /// Whether some strand met it first: the variable may have begun with it.
    first: bool,
    /// How many writes of another value were computed from a read of it.
    used: u32,
    /// Where those are, as the numbers of the first and the last place met.
    sites: Option<(u32, u32)>,
}

/// More writes were computed from a value than times that it came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Surplus {
    /// How many writes were computed from the value; all are at one place.
    pub(crate) used: u32,
    /// How many times it came to be, at most.
    pub(crate) came: u32,
}

impl Surplus {
    /// How many of the writes are lost, at least.
    pub(crate) fn lost(self) -> u32 {
        self.used - self.came
    }
}

impl Tally {
    /// Takes note of an access; `read` is the entry of its variable in its strand's [`LastReads`], if there is one.
    pub(crate) fn note(&mut self, op: AccessOp, (old, new): (Val, Val), site: u32, read: Option<Option<Val>>) {
        if read.is_none() {
            let met = if op.write { old } else { new };
            self.opaque |= is_opaque(met);
            self.values.entry(met).or_default().first = true;
        }
        if !op.write {
            return;
        }
        self.opaque |= is_opaque(new);
        self.values.entry(new).or_default().written += 1;
        let base = read.flatten().filter(|base| !op.read && *base != new && old.known_eq(*base) != Some(false));
        if let Some(base) = base {
            let count = self.values.entry(base).or_default();
            count.used += 1;
            // One more place is enough to know that there is more than one.
            let (first, last) = count.sites.unwrap_or((site, site));
            count.sites = Some((first, if first == last { site } else { last }));
        }
    }

    /// Whether the value cannot have come to be more than once.
    pub(crate) fn came_once(&self, value: Val) -> bool {
        self.count(value).is_some_and(|count| count.came() <= 1)
    }

    /// Whether more writes were computed from the value than times that it came to be, all of them at one place.
    pub(crate) fn surplus(&self, value: Val) -> Option<Surplus> {
        let count = self.count(value)?;
        let surplus = Surplus { used: count.used, came: count.came() };
        let one_place = count.sites.is_some_and(|(first, last)| first == last);
        (one_place && surplus.used > surplus.came).then_some(surplus)
    }

    fn count(&self, value: Val) -> Option<Count> {
        (!self.opaque && !is_opaque(value)).then(|| self.values.get(&value).copied().unwrap_or_default())
    }
}

impl Count {
    fn came(self) -> u32 {
        self.written + u32::from(self.first)
    }
}

fn is_opaque(value: Val) -> bool {
    matches!(value, Val::Unknown | Val::Cut(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: AccessOp = AccessOp { write: false, read: true, atomic: false };
    const WRITE: AccessOp = AccessOp { write: true, read: false, atomic: false };
    const RMW: AccessOp = AccessOp { write: true, read: true, atomic: true };

    /// Notes accesses as strand, operation, old, new and place.
    fn tally(accesses: &[(usize, AccessOp, i64, i64, u32)]) -> Tally {
        let mut tally = Tally::default();
        let mut reads = [None; 4];
        for (strand, op, old, new, site) in accesses {
            let old = if op.write { Val::Int(*old) } else { Val::Unknown };
            tally.note(*op, (old, Val::Int(*new)), *site, reads[*strand]);
            reads[*strand] = Some((!op.write).then_some(Val::Int(*new)));
        }
        tally
    }

    #[test]
    fn a_value_comes_to_be_by_each_write_and_perhaps_at_the_beginning() {
        let tally = tally(&[(0, READ, 0, 5, 1), (0, WRITE, 5, 6, 2), (1, READ, 0, 6, 1), (1, WRITE, 6, 7, 2)]);
        assert!(tally.came_once(Val::Int(5)) && tally.came_once(Val::Int(7)));
        assert!(
            !tally.came_once(Val::Int(6)),
            "strand 1 met it first, so it may also have been there at the beginning"
        );
        assert!(!tally.came_once(Val::Unknown));
    }

    #[test]
    fn more_uses_than_times_are_a_surplus() {
        let twice = [(0, READ, 0, 5, 1), (1, READ, 0, 5, 1), (0, WRITE, 5, 6, 2), (1, WRITE, 5, 7, 2)];
        let surplus = tally(&twice).surplus(Val::Int(5));
        assert_eq!(surplus, Some(Surplus { used: 2, came: 1 }));
        assert_eq!(surplus.map(Surplus::lost), Some(1));
        let back = [twice.as_slice(), &[(2, READ, 0, 7, 1), (2, WRITE, 7, 5, 2)]].concat();
        assert_eq!(tally(&back).surplus(Val::Int(5)), None, "the value came back once");
    }

    #[test]
    fn what_is_not_a_use_is_not_counted() {
        let others = [
            // No read since the last write; nothing changed; an atomic one; another place; not what was read.
            [(0, READ, 0, 5, 1), (0, WRITE, 5, 6, 2), (0, WRITE, 5, 7, 2)].as_slice(),
            &[(0, READ, 0, 5, 1), (0, WRITE, 5, 6, 2), (1, READ, 0, 5, 1), (1, WRITE, 5, 5, 2)],
            &[(0, READ, 0, 5, 1), (0, WRITE, 5, 6, 2), (1, READ, 0, 5, 1), (1, RMW, 5, 7, 2)],
            &[(0, READ, 0, 5, 1), (0, WRITE, 5, 6, 2), (1, READ, 0, 5, 1), (1, WRITE, 5, 7, 3)],
            &[(0, READ, 0, 5, 1), (0, WRITE, 5, 6, 2), (1, READ, 0, 5, 1), (1, WRITE, 9, 7, 2)],
        ];
        for accesses in others {
            assert_eq!(tally(accesses).surplus(Val::Int(5)), None, "{accesses:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_known_forbids_to_count() {
        let mut tally = tally(&[(0, READ, 0, 5, 1), (1, READ, 0, 5, 1), (0, WRITE, 5, 6, 2), (1, WRITE, 5, 7, 2)]);
        tally.note(WRITE, (Val::Int(7), Val::Cut(0)), 2, Some(None));
        assert!(!tally.came_once(Val::Int(5)) && tally.surplus(Val::Int(5)).is_none());
    }
}
