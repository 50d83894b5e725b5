use crate::ring::pipe::Group;
use trackside_wire::{Kind, Kinds};

/// The groups of kinds that tracked objects record: each is wanted as a whole or not at all.
pub(crate) const fn groups(kinds: Kinds) -> u64 {
    let (mut groups, mut at) = (0, 0);
    while at < Group::ALL.len() {
        let group = Group::ALL[at];
        let [one, other] = match group {
            Group::Locks => [Kind::LockAcquire, Kind::LockRelease],
            Group::Messages => [Kind::MessageSent, Kind::MessageReceived],
            Group::Signals => [Kind::SyncRelease, Kind::SyncAcquire],
        };
        if kinds.contains(one) && kinds.contains(other) {
            groups |= group.bit();
        }
        at += 1;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_wanted_with_all_of_its_kinds() {
        let all = Group::ALL.iter().fold(0, |all, group| all | group.bit());
        assert_eq!((groups(Kinds::ALL), groups(Kinds::NONE)), (all, 0));
        let pairs = [
            (Group::Locks, Kind::LockAcquire, Kind::LockRelease),
            (Group::Messages, Kind::MessageSent, Kind::MessageReceived),
            (Group::Signals, Kind::SyncRelease, Kind::SyncAcquire),
        ];
        for (group, one, other) in pairs {
            assert_eq!(groups(Kinds::only([one, other])), group.bit());
            assert_eq!(groups(Kinds::only([one])) | groups(Kinds::only([other])), 0);
        }
    }
}
