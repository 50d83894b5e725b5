use crate::record::{MUTEX_ACQUIRE, MUTEX_RELEASE};
use crate::ring::pipe::Group;
use std::fmt;
use trackside_wire::Kind;

/// A set of kinds of events, such as those that a client records.
///
/// # Examples
///
/// ```
/// use trackside::{Kind, Kinds};
///
/// let kinds = Kinds::ALL.without(Kind::FunctionCall).without(Kind::FunctionReturn);
/// assert!(kinds.contains(Kind::Error) && !kinds.contains(Kind::FunctionCall));
/// assert_eq!(format!("{:?}", Kinds::only([Kind::Read, Kind::Write])), "{Read, Write}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kinds(u32);

impl Kinds {
    /// No kind.
    pub const NONE: Kinds = Kinds(0);

    /// Every kind.
    pub const ALL: Kinds = {
        let (mut all, mut at) = (Kinds::NONE, 0);
        while at < Kind::ALL.len() {
            all = all.with(Kind::ALL[at]);
            at += 1;
        }
        all
    };

    /// These kinds and no other.
    pub const fn only<const N: usize>(kinds: [Kind; N]) -> Self {
        let (mut only, mut at) = (Kinds::NONE, 0);
        while at < N {
            only = only.with(kinds[at]);
            at += 1;
        }
        only
    }

    /// The set, and `kind`.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Kinds(self.0 | 1 << kind.code())
    }

    /// The set, less `kind`.
    #[must_use]
    pub const fn without(self, kind: Kind) -> Self {
        Kinds(self.0 & !(1 << kind.code()))
    }

    /// Whether `kind` is in the set.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind.code()) != 0
    }

    /// Its kinds, by ascending code.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.contains(*kind))
    }

    /// Whether tracked locks are recorded: an acquisition without its release would tell of no order.
    pub(crate) const fn has_locks(self) -> bool {
        self.groups() & Group::Locks.bit() != 0
    }

    /// The groups of kinds that tracked objects record: each is wanted as a whole or not at all.
    pub(crate) const fn groups(self) -> u64 {
        let (mut groups, mut at) = (0, 0);
        while at < Group::ALL.len() {
            let group = Group::ALL[at];
            let [one, other] = match group {
                Group::Locks => [Kind::LockAcquire, Kind::LockRelease],
                Group::Messages => [Kind::MessageSent, Kind::MessageReceived],
                Group::Signals => [Kind::SyncRelease, Kind::SyncAcquire],
            };
            if self.contains(one) && self.contains(other) {
                groups |= group.bit();
            }
            at += 1;
        }
        groups
    }

    /// A bit for each kind of record; the kinds of records that tracked locks have go with the kinds of events that they
    /// become.
    pub(crate) const fn record_bits(self) -> u64 {
        let events = self.0 as u64;
        if self.has_locks() { events | 1 << MUTEX_ACQUIRE | 1 << MUTEX_RELEASE } else { events }
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<T: IntoIterator<Item = Kind>>(kinds: T) -> Self {
        kinds.into_iter().fold(Kinds::NONE, Kinds::with)
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        for kind in Kinds::ALL.iter() {
            let (one, others) = (Kinds::only([kind]), Kinds::ALL.without(kind));
            assert!(one.contains(kind) && !others.contains(kind));
            assert_eq!(one.iter().collect::<Vec<_>>(), [kind]);
            assert_eq!(others.with(kind), Kinds::ALL);
            assert_eq!(others.iter().collect::<Kinds>(), others);
        }
        assert_eq!(Kinds::ALL.iter().count(), Kind::ALL.len());
        assert_eq!(Kinds::NONE.iter().count(), 0);
    }

    #[test]
    fn a_group_is_wanted_with_all_of_its_kinds() {
        let all = Group::ALL.iter().fold(0, |all, group| all | group.bit());
        assert_eq!((Kinds::ALL.groups(), Kinds::NONE.groups()), (all, 0));
        let pairs = [
            (Group::Locks, Kind::LockAcquire, Kind::LockRelease),
            (Group::Messages, Kind::MessageSent, Kind::MessageReceived),
            (Group::Signals, Kind::SyncRelease, Kind::SyncAcquire),
        ];
        for (group, one, other) in pairs {
            assert_eq!(Kinds::only([one, other]).groups(), group.bit());
            assert_eq!(Kinds::only([one]).groups() | Kinds::only([other]).groups(), 0);
        }
    }

    #[test]
    fn tracked_locks_go_with_both_kinds_of_lock_events() {
        let mutex = 1 << MUTEX_ACQUIRE | 1 << MUTEX_RELEASE;
        assert_eq!(Kinds::ALL.record_bits() & mutex, mutex);
        for one in [Kind::LockAcquire, Kind::LockRelease] {
            assert_eq!(Kinds::ALL.without(one).record_bits() & mutex, 0);
            assert!(!Kinds::only([one]).has_locks());
        }
        assert_eq!(Kinds::NONE.record_bits(), 0);
    }
}
