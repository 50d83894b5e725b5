//! From the recording threads to the flusher, without a lock: the only home of `unsafe` and of atomics as a protocol.
//!
//! Read in this order: [`frame`] says what a record looks like in a ring, [`spsc`] moves frames from one thread to
//! another, a [`draft`] is a frame that can still be added to, [`registry`] lets threads come and go, [`signal`] wakes the
//! flusher and waits for it, [`local`] finds the calling thread's ring, a [`thread_ring`], beside those on its [`shelf`],
//! which are closed at the [`last`] moment, and whose events it takes, a [`stay`], and which signals it need not tell again, those [`passed`], [`fork`] notices a forked
//! child, [`pipe`] ties them together. [`turns`] numbers locks and those who hold them. [`scope`] is for threads that are lent
//! what is on a stack, [`closing`] for guards that must be taken apart, a [`sticky`] set remembers what was off for a moment.
//! `apart` has tokio's locks, and `peeled` is its twin where the feature `tracked` is off; `raw_mutex` and `raw_rwlock` have
//! parking_lot's, with a `witness` of who takes them. [`gates`] say what the default client takes, and a [`version`] numbers an
//! atomic's writes, in a [`section`] of its own, under a lock of the [`stripes`].
//!
//! **Invariant:** nothing in here knows what an event is, allocates after a thread's first event, or blocks (but for
//! `Overflow::Block`, and the locks of parking_lot's, which the user asked for).

#![expect(clippy::disallowed_types, reason = "these are the facade's types, which clippy sees through")]

#[cfg(feature = "tokio")]
#[cfg_attr(not(feature = "tracked"), path = "peeled.rs")]
pub(crate) mod apart;
#[cfg(feature = "tracked")]
pub(crate) mod closing;
pub(crate) mod draft;
pub(crate) mod fork;
pub(crate) mod frame;
pub(crate) mod gates;
pub(crate) mod held;
mod last;
pub(crate) mod local;
pub(crate) mod passed;
pub(crate) mod pipe;
#[cfg(all(feature = "parking_lot", feature = "tracked"))]
pub(crate) mod raw_mutex;
#[cfg(all(feature = "parking_lot", feature = "tracked"))]
pub(crate) mod raw_rwlock;
pub(crate) mod registry;
#[cfg(feature = "tracked")]
pub(crate) mod scope;
pub(crate) mod section;
mod shelf;
pub(crate) mod signal;
pub(crate) mod spsc;
pub(crate) mod stay;
pub(crate) mod sticky;
pub(crate) mod stripes;
pub(crate) mod sync;
pub(crate) mod thread_ring;
pub(crate) mod tsc;
pub(crate) mod turns;
pub(crate) mod version;
#[cfg(all(feature = "parking_lot", feature = "tracked"))]
pub(crate) mod witness;

#[cfg(test)]
mod tests;
