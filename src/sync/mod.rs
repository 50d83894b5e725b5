//! [`std::sync`], with objects that know what happened before what: change the `use`, and the analysis knows it too.
//!
//! Everything of `std::sync` is in here. What of it has a counterpart that records is that counterpart, with the same
//! names, signatures and behaviour: [`Once`], [`OnceLock`], [`LazyLock`], [`Barrier`], and the channels of [`mpsc`].
//! The rest, such as [`Arc`] and the errors, is std's own.
//!
//! They record into the client that was built last (see [`Builder::record_locks`](crate::Builder::record_locks)), from the
//! moment it is built; without one, they are std's and a load. What is recorded are events of the kinds
//! [`MessageSent`](crate::Kind::MessageSent) and [`MessageReceived`](crate::Kind::MessageReceived), and
//! [`SyncRelease`](crate::Kind::SyncRelease) and [`SyncAcquire`](crate::Kind::SyncAcquire). Each of these pairs can be
//! switched off, by [`Kinds`](crate::Kinds) less one of them or both: half a pair would tell of no order.
//!
//! An object is called after the place in the source where it is made, or as its `named` says.
//!
//! Without the feature `tracked` they are std's, of the same size and with std's own guards, under these names: see
//! [Switching it off](crate#switching-it-off).
//!
//! # Examples
//!
//! ```
//! use trackside::{Client, MemoryTransport, sync::mpsc, thread};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
//! let (jobs, queue) = mpsc::channel();
//! let worker = thread::spawn({
//!     let client = client.clone();
//!     move || {
//!         for job in queue {
//!             client.track_write("total", 0, job);
//!         }
//!     }
//! });
//! client.track_write("total", 1, 0);
//! // No race: the write above happens before that of whoever receives this.
//! jobs.send(7)?;
//! drop(jobs);
//! worker.join().expect("it does not panic");
//! # Ok(())
//! # }
//! ```

#![cfg_attr(
    feature = "tracked",
    expect(clippy::disallowed_types, reason = "the types of the ring's facade, for counters; clippy sees through it")
)]

pub mod atomic;
#[cfg_attr(not(feature = "tracked"), path = "plain/barrier.rs")]
mod barrier;
#[cfg_attr(not(feature = "tracked"), path = "plain/condvar.rs")]
mod condvar;
#[cfg(feature = "tracked")]
mod default;
#[cfg(all(feature = "tokio", feature = "tracked"))]
pub(crate) mod hold;
#[cfg_attr(not(feature = "tracked"), path = "plain/lazy_lock.rs")]
mod lazy_lock;
#[cfg(feature = "tracked")]
pub(crate) mod messages;
#[cfg_attr(not(feature = "tracked"), path = "plain/mpsc.rs")]
pub mod mpsc;
#[cfg_attr(not(feature = "tracked"), path = "plain/mutex.rs")]
mod mutex;
#[cfg(feature = "tracked")]
pub(crate) mod object;
#[cfg_attr(not(feature = "tracked"), path = "plain/once.rs")]
mod once;
#[cfg_attr(not(feature = "tracked"), path = "plain/once_lock.rs")]
mod once_lock;
#[cfg_attr(not(feature = "tracked"), path = "plain/rwlock.rs")]
mod rwlock;
#[cfg(all(feature = "tokio", feature = "tracked"))]
pub(crate) mod signal;
#[cfg_attr(not(feature = "tracked"), path = "plain/tracked.rs")]
mod tracked;
#[cfg(feature = "tracked")]
pub(crate) mod turn;
#[cfg_attr(not(feature = "tracked"), path = "plain/watchdog.rs")]
pub(crate) mod watchdog;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
#[expect(deprecated, reason = "std has it still, and who uses it is told by std's own words")]
pub use once::ONCE_INIT;
pub use once::Once;
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use tracked::{Tracked, WriteGuard};
// The names above go before those of a glob.
pub use std::sync::*;
