use trackside_wire::{Kind, Kinds};

/// Whether tracked locks are recorded: an acquisition without its release would tell of no order.
pub(crate) const fn has_locks(kinds: Kinds) -> bool {
    kinds.contains(Kind::LockAcquire) && kinds.contains(Kind::LockRelease)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracked_locks_go_with_both_kinds_of_lock_events() {
        assert!(has_locks(Kinds::ALL) && !has_locks(Kinds::NONE));
        for one in [Kind::LockAcquire, Kind::LockRelease] {
            assert!(!has_locks(Kinds::ALL.without(one)) && !has_locks(Kinds::only([one])));
        }
    }
}
