//! What events say of the things that number what goes through them: channels, signals and tracked atomics.

use crate::log::{AccessOp, NONE, Names, Op};
use crate::value::Val;
use trackside_wire::{Event, Kind, Raw};

/// What tells one such thing apart from others of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ObjectKey {
    family: Family,
    id: Val,
    /// The number of its name; [`NONE`] where it has an id.
    name: u32,
}

/// Ids of things of two families need not differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family {
    Channel,
    Signal,
    Atomic,
}

/// A message or a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Numbered {
    pub(crate) object: u32,
    pub(crate) number: u64,
    /// Whether who notices a number comes after all lower ones too: so it is with signals, not with messages.
    pub(crate) cumulative: bool,
    /// Whether several may tell one number, as the threads that meet at a barrier do.
    pub(crate) shared: bool,
}

/// An access to a tracked atomic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AtomicOp {
    /// Of a write its own number, of a load that of the write whose value it read.
    pub(crate) number: u64,
    pub(crate) object: u32,
    pub(crate) access: AccessOp,
    pub(crate) order: Order,
}

/// A memory ordering, as far as it orders two strands. The total order of SeqCst orders nothing beyond that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    pub(crate) acquires: bool,
    pub(crate) releases: bool,
}

impl Order {
    /// A text that is no ordering orders nothing.
    pub(crate) fn new(ordering: Raw<'_>) -> Self {
        let ordering = ordering.as_str().unwrap_or("");
        Self {
            acquires: matches!(ordering, "Acquire" | "AcqRel" | "SeqCst"),
            releases: matches!(ordering, "Release" | "AcqRel" | "SeqCst"),
        }
    }
}

/// What an event of a channel, a signal or a tracked atomic means; its name is given by its number. Nothing if it is
/// none of them, or does not say what it has to.
pub(crate) fn numbered(event: &Event<'_>, name: u32, names: &mut Names) -> Option<Op> {
    let family = match event.kind {
        Kind::MessageSent | Kind::MessageReceived => Family::Channel,
        Kind::SyncRelease | Kind::SyncAcquire => Family::Signal,
        Kind::AtomicLoad | Kind::AtomicStore | Kind::AtomicUpdate => Family::Atomic,
        _ => return None,
    };
    let id = Val::new(event.a, &mut names.values);
    let key = ObjectKey { family, id, name: if id == Val::Unknown { name } else { NONE } };
    let mut detail = event.b.elements();
    let number = detail.next()?.as_u64()?;
    let object = names.object(key);
    let told = |shared: bool| Numbered { object, number, cumulative: family == Family::Signal, shared };
    let mut is_barrier =
        || detail.next().and_then(Raw::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("barrier"));
    Some(match event.kind {
        Kind::MessageSent | Kind::SyncRelease => Op::Tell(told(is_barrier())),
        Kind::MessageReceived | Kind::SyncAcquire => Op::Notice(told(is_barrier())),
        kind => {
            let access = AccessOp { write: kind != Kind::AtomicLoad, read: kind != Kind::AtomicStore, atomic: true };
            // Writes are numbered from 1.
            number.checked_sub(u64::from(access.write))?;
            let order = Order::new(detail.next()?);
            let mut value = || detail.next().map_or(Val::Unknown, |raw| Val::new(raw, &mut names.values));
            let old = if kind == Kind::AtomicUpdate { value() } else { Val::Unknown };
            Op::Atomic { op: AtomicOp { number, object, access, order }, old, new: value() }
        }
    })
}
