//! Which kinds of records go with the kinds of events that are asked for.

use crate::record::{MUTEX_ACQUIRE, MUTEX_RELEASE};
use trackside_wire::{Kind, Kinds};

/// Whether tracked locks are recorded: an acquisition without its release would tell of no order.
pub(crate) const fn has_locks(kinds: Kinds) -> bool {
    kinds.contains(Kind::LockAcquire) && kinds.contains(Kind::LockRelease)
}

/// A bit for each kind of record; the kinds of records that tracked locks have go with the kinds of events that they
/// become.
pub(crate) const fn record_bits(kinds: Kinds) -> u64 {
    let events = kinds.bits();
    if has_locks(kinds) { events | 1 << MUTEX_ACQUIRE | 1 << MUTEX_RELEASE } else { events }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracked_locks_go_with_both_kinds_of_lock_events() {
        let mutex = 1 << MUTEX_ACQUIRE | 1 << MUTEX_RELEASE;
        assert_eq!(record_bits(Kinds::ALL) & mutex, mutex);
        for one in [Kind::LockAcquire, Kind::LockRelease] {
            assert_eq!(record_bits(Kinds::ALL.without(one)) & mutex, 0);
            assert!(!has_locks(Kinds::only([one])));
        }
        assert_eq!(record_bits(Kinds::NONE), 0);
    }
}
