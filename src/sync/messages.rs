//! Messages, whatever carries them: each gets a number, which travels with it.

use super::object::{Object, Site};
use crate::ring::pipe::{self, Group};
use crate::ring::sync::{AtomicU64, Ordering};
use trackside_wire::Kind;

/// The messages of one channel.
#[derive(Debug)]
pub(crate) struct Messages {
    object: Object,
    /// How many have been given a number.
    numbered: AtomicU64,
}

/// A message, on its way.
#[derive(Debug, Clone)]
pub(crate) struct Sent<T> {
    /// The key of the client that has in its record that it was sent; 0 for none.
    key: u64,
    number: u64,
    pub(crate) value: T,
}

impl<T> Sent<T> {
    /// A message of which nothing is recorded.
    #[inline]
    pub(crate) fn unrecorded(value: T) -> Self {
        Self { key: 0, number: 0, value }
    }
}

impl Messages {
    pub(crate) const fn new(object: Object) -> Self {
        Self { object, numbered: AtomicU64::new(0) }
    }

    /// A message is about to be sent.
    #[inline]
    pub(crate) fn send<T>(&self, value: T, site: Site) -> Sent<T> {
        let key = pipe::default_key_of(Group::Messages);
        if key == 0 {
            return Sent::unrecorded(value);
        }
        // Relaxed: which number it is does not matter, as long as it is no other's.
        let number = self.numbered.fetch_add(1, Ordering::Relaxed) + 1;
        let recorded = self.object.record(Kind::MessageSent, key, number, site);
        Sent { key: if recorded { key } else { 0 }, number, value }
    }

    /// A message has been received.
    #[inline]
    pub(crate) fn received<T>(&self, sent: Sent<T>, site: Site) -> T {
        if sent.key != 0 && sent.key == pipe::default_key_of(Group::Messages) {
            self.object.record(Kind::MessageReceived, sent.key, sent.number, site);
        }
        sent.value
    }
}
