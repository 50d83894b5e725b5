//! Signals that several may give at once, and that are noticed by whoever finds them given: each comes after all that were
//! given before.
//!
//! That this is true is with the user, whose object has to work that way. What this adds is the number: a signal gets it
//! before it can be noticed, and who notices one looks for the last number then. So no order is missed. Of signals that are
//! being given at that very moment, it may be that they are counted in.

use super::object::{Object, Site};
use crate::ring::pipe::{self, Group};
use crate::ring::turns::SharedTurns;
use trackside_wire::Kind;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Signal {
    object: Object,
    given: SharedTurns,
}

impl Signal {
    pub(crate) const fn new(object: Object) -> Self {
        Self { object, given: SharedTurns::new() }
    }

    /// It is about to be given.
    #[inline]
    pub(crate) fn give(&self, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        if key != 0
            && let Some(number) = self.given.take(key)
        {
            self.object.record(Kind::SyncRelease, key, number, site);
        }
    }

    /// It was found given, if it ever was.
    #[inline]
    pub(crate) fn notice(&self, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        if key != 0
            && let number @ 1.. = self.given.present(key)
        {
            self.object.acquire(key, number, site);
        }
    }
}
