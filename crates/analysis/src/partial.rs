//! What a run did not record, by its own account, and what that leaves in doubt.
//!
//! Two things can be missing of which no gap tells: what was done in contexts that are not sampled, and events of kinds
//! that were off for a while. Either may have been what ordered two accesses of the run, at any moment of any of its
//! strands. So all of its strands come after a hole ([`HoleId::MANY`](crate::hole::HoleId::MANY)), and so does, through the
//! synchronisation that is known, whatever they made wait: the last missing part of a path ends in a strand of such a
//! run, and goes on from there by what is recorded. Calls between runs have ends in two; for what that means, see `edges`.
//!
//! An access that was not recorded may have changed a value, so where there may be one, values prove nothing.

use trackside_wire::{Header, Kind, Kinds};

/// Why values prove nothing where contexts are not sampled.
const UNSAMPLED: &str = "some contexts were not sampled, and one of them may have accessed the variable in between";

/// Why values prove nothing where accesses were off.
const ACCESSES_OFF: &str = "reads or writes were switched off for some or all of the run, and one of them may have come in \
                            between";

/// What a run says that it did not record.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Partial {
    /// How many contexts record nothing but errors.
    pub(crate) unsampled: u64,
    /// The kinds that were off at some moment.
    off: Kinds,
}

/// What an event of some kind means to the analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It orders events; the word for it.
    Order(&'static str),
    /// It is a plain access; the word for it.
    Access(&'static str),
    /// It tells of something that is wrong by itself.
    Sign,
    /// It is an access that others may be ordered by.
    Both(&'static str),
    /// Nothing.
    None,
}

impl Partial {
    /// Takes in what another batch says: both only ever grow, whichever batch comes last.
    pub(crate) fn note(&mut self, header: &Header<'_>) {
        self.unsampled = self.unsampled.max(header.unsampled);
        self.off = self.off.union(header.off);
    }

    /// Whether something may be missing that orders events.
    pub(crate) fn hides_order(&self) -> bool {
        self.unsampled > 0 || self.off.iter().any(|kind| matches!(role(kind), Role::Order(_) | Role::Both(_)))
    }

    /// Whether locks may have been given back of which nothing tells.
    pub(crate) fn hides_locks(&self) -> bool {
        self.off.contains(Kind::LockAcquire) || self.off.contains(Kind::LockRelease)
    }

    /// Whether calls may have been made of which nothing tells.
    pub(crate) fn hides_calls(&self) -> bool {
        self.off.contains(Kind::CallSent)
    }

    /// Whether calls may have been answered, or even taken, without a trace.
    pub(crate) fn hides_answers(&self) -> bool {
        self.off.contains(Kind::HttpResponse)
    }

    /// Why values prove nothing, if they do not.
    pub(crate) fn hides_values(&self) -> Option<&'static str> {
        let accesses = self.hides_accesses().then_some(ACCESSES_OFF);
        if self.unsampled > 0 { Some(UNSAMPLED) } else { accesses }
    }

    /// Whether accesses may be missing of strands that are in the record.
    pub(crate) fn hides_accesses(&self) -> bool {
        self.off.iter().any(|kind| matches!(role(kind), Role::Access(_) | Role::Both(_)))
    }

    /// The kinds that were off and that findings rest on.
    pub(crate) fn off(&self) -> impl Iterator<Item = Kind> {
        self.off.iter().filter(|kind| role(*kind) != Role::None)
    }

    /// What was not recorded, in words.
    pub(crate) fn text(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        for kind in self.off() {
            let (Role::Order(word) | Role::Access(word) | Role::Both(word)) = role(kind) else { continue };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let contexts = match self.unsampled {
            0 => None,
            1 => Some("1 context was not sampled".to_owned()),
            count => Some(format!("{count} contexts were not sampled")),
        };
        let off = words.split_last().map(|(last, others)| {
            let list = if others.is_empty() { (*last).to_owned() } else { format!("{} and {last}", others.join(", ")) };
            format!("{list} events were switched off for some or all of the run")
        });
        contexts.into_iter().chain(off).collect::<Vec<_>>().join(", and ")
    }
}

/// Of no kind may it be forgotten to say; a test sees to that.
fn role(kind: Kind) -> Role {
    match kind {
        Kind::Read => Role::Access("read"),
        Kind::Write => Role::Access("write"),
        Kind::AtomicRead | Kind::AtomicWrite | Kind::AtomicRmw => Role::Both("atomic"),
        Kind::AtomicLoad | Kind::AtomicStore | Kind::AtomicUpdate => Role::Order("atomic"),
        Kind::AsyncSpawn | Kind::TaskBegin | Kind::TaskEnd | Kind::AsyncAwait => Role::Order("task"),
        Kind::LockAcquire | Kind::LockRelease => Role::Order("lock"),
        Kind::MemoryFence => Role::Order("fence"),
        Kind::Suspended | Kind::LockWait => Role::Sign,
        Kind::CallSent | Kind::CallReturned | Kind::HttpResponse => Role::Order("call"),
        Kind::MessageSent | Kind::MessageReceived => Role::Order("message"),
        Kind::SyncRelease | Kind::SyncAcquire => Role::Order("signal"),
        _ => Role::None,
    }
}
