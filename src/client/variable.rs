//! Variables that are named in one place, and accessed at many.

use super::Client;
use crate::ring::sync::Arc;
use crate::value::{Name, Value};
use std::panic::Location;
use trackside_wire::{Access, Kind};

/// What a name begins with that means the same in all processes. The analysis knows it as well.
const SHARED: &str = "shared:";

/// A shared variable, named once.
///
/// Put it beside the data it stands for; then its name is written in one place. Recording an access costs what it costs
/// with the name itself: a fixed one ([`Variable::new`]) is recorded as a pointer, one made up while the program runs
/// ([`Variable::dynamic`]) is formatted and allocated once, and copied from then on.
///
/// A variable belongs to its process, like the memory it stands for. If its name begins with `shared:`, it is the same
/// one in all processes that report to one collector: a row of a database, a file, an object in a store.
///
/// A variable can also be used wherever a name can: `client.track_read(&BALANCE, 100)`.
///
/// # Examples
///
/// ```
/// use trackside::{Access, Client, MemoryTransport, Variable};
///
/// static BALANCE: Variable = Variable::new("accounts.alice.balance");
///
/// // A name without its `shared:` is not even compiled.
/// static ROW: Variable = Variable::new("shared:db.accounts.alice");
/// const _: () = assert!(ROW.is_shared());
///
/// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
/// BALANCE.read(&client, 100);
/// BALANCE.write(&client, 100, 50);
/// ROW.access(&client, 100, 50, Access::AtomicRmw);
///
/// // One for each account, kept beside it.
/// let balances: Vec<_> = (0..3).map(|id| Variable::dynamic(format!("accounts.{id}.balance"))).collect();
/// balances[1].write(&client, 100, 50);
/// # Ok::<(), trackside::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variable<N = &'static str>(N);

impl Variable {
    /// A variable of this name, for a `static` or a `const`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Whether the variable is the same one in all processes: whether its name begins with `shared:`.
    pub const fn is_shared(self) -> bool {
        matches!(self.0.as_bytes().split_at_checked(SHARED.len()), Some((start, _)) if is_prefix(start))
    }
}

impl Variable<Arc<str>> {
    /// A variable whose name is made up while the program runs. Its clones share the name.
    ///
    /// A name longer than [`Name::INLINE_LIMIT`] is cut when an access is recorded.
    pub fn dynamic(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }
}

impl<N> Variable<N> {
    /// A read, and the value that was read.
    #[inline(always)]
    #[track_caller]
    pub fn read<'a>(&'a self, client: &Client, value: impl Into<Value<'a>>)
    where
        &'a Self: Into<Name<'a>>,
    {
        client.recorder.record(Kind::Read, self.into(), Value::NIL, value.into(), Location::caller());
    }

    /// A write: the value before, which may be [`Value::NIL`] if it is not known, and the value after.
    #[inline(always)]
    #[track_caller]
    pub fn write<'a>(&'a self, client: &Client, old: impl Into<Value<'a>>, new: impl Into<Value<'a>>)
    where
        &'a Self: Into<Name<'a>>,
    {
        client.recorder.record(Kind::Write, self.into(), old.into(), new.into(), Location::caller());
    }

    /// An atomic load, and the value that was loaded.
    #[inline(always)]
    #[track_caller]
    pub fn atomic_read<'a>(&'a self, client: &Client, value: impl Into<Value<'a>>)
    where
        &'a Self: Into<Name<'a>>,
    {
        client.recorder.record(Kind::AtomicRead, self.into(), Value::NIL, value.into(), Location::caller());
    }

    /// An atomic store: the value before, if it is known, and the value after.
    #[inline(always)]
    #[track_caller]
    pub fn atomic_write<'a>(&'a self, client: &Client, old: impl Into<Value<'a>>, new: impl Into<Value<'a>>)
    where
        &'a Self: Into<Name<'a>>,
    {
        client.recorder.record(Kind::AtomicWrite, self.into(), old.into(), new.into(), Location::caller());
    }

    /// An atomic read-modify-write, such as `fetch_add`: the value it found, and the value it left.
    #[inline(always)]
    #[track_caller]
    pub fn atomic_rmw<'a>(&'a self, client: &Client, old: impl Into<Value<'a>>, new: impl Into<Value<'a>>)
    where
        &'a Self: Into<Name<'a>>,
    {
        client.recorder.record(Kind::AtomicRmw, self.into(), old.into(), new.into(), Location::caller());
    }

    /// An access of any kind: as [`Client::track_state_change`].
    #[inline(always)]
    #[track_caller]
    pub fn access<'a>(&'a self, client: &Client, old: impl Into<Value<'a>>, new: impl Into<Value<'a>>, access: Access)
    where
        &'a Self: Into<Name<'a>>,
    {
        client.recorder.record(access.kind(), self.into(), old.into(), new.into(), Location::caller());
    }
}

impl<'a> From<&'a Variable> for Name<'a> {
    #[inline(always)]
    fn from(variable: &'a Variable) -> Self {
        variable.0.into()
    }
}

impl<'a> From<&'a Variable<Arc<str>>> for Name<'a> {
    #[inline(always)]
    fn from(variable: &'a Variable<Arc<str>>) -> Self {
        Name::dynamic(&variable.0)
    }
}

/// Whether the bytes, of which there are as many, are those of [`SHARED`].
const fn is_prefix(start: &[u8]) -> bool {
    let mut at = 0;
    while at < SHARED.len() {
        if start[at] != SHARED.as_bytes()[at] {
            return false;
        }
        at += 1;
    }
    true
}
