//! [`tokio::sync`], which also tells what it orders (feature `tokio`): change the `use`, and the analysis knows which task
//! held which lock, and what happened before what. Everything of `tokio::sync` is in here, under its names.
//!
//! **Locks.** [`Mutex`] and [`RwLock`] number their acquisitions, and record each, with its place and for how long it had to
//! be waited for, and its release. A lock is held by the task that took it (see [`task`](super::task)), on whatever worker
//! that goes on, until the guard is dropped, by whomever. A future that is dropped before it is ready has recorded nothing,
//! because it has taken nothing.
//!
//! **Channels.** In [`mpsc`], [`oneshot`] and [`broadcast`], each message has a number that travels with it: what was done
//! before it was sent happens before what is done after it was received. In [`watch`], who looks at the value comes after all
//! who changed it. The ends of channels, and the room in bounded ones, order what they order in tokio.
//!
//! **Signals.** [`Semaphore`]: who acquires comes after all who have put permits back. [`Notify`]: who was notified comes after
//! all who have notified. [`Barrier`]: whatever came before it happens before whatever comes after it, in each generation.
//! [`OnceCell`]: who finds the value comes after who put it there. What is given at the very moment at which another one is
//! noticed may be counted in; nothing that was given before is left out. [`SetOnce`] is tokio's own, of which nothing is
//! recorded yet.
//!
//! They are called after the place where they are made; `named` and `const_named` give them names of their own.
//!
//! **Without the feature `tracked`** they are tokio's, under these names, and nothing is recorded. Their guards and permits are
//! tokio's own, so what leads from one of those back to its lock or semaphore, such as [`MutexGuard::mutex`], leads to tokio's.
//!
//! # Examples
//!
//! ```
//! use trackside::tokio::{sync::Mutex, task};
//! use trackside::{Client, MemoryTransport};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
//! let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! runtime.block_on(async {
//!     let total = Arc::new(Mutex::new(1));
//!     let shared = total.clone();
//!     let deposit = task::spawn(async move { *shared.lock().await += 1 });
//!     *total.lock().await += 1;
//!     deposit.await.expect("it does not panic");
//!     assert_eq!(*total.lock().await, 3);
//! });
//! # Ok(())
//! # }
//! ```

#[cfg_attr(not(feature = "tracked"), path = "plain/barrier.rs")]
mod barrier;
#[cfg_attr(not(feature = "tracked"), path = "plain/broadcast.rs")]
pub mod broadcast;
#[cfg(feature = "tracked")]
mod end;
#[cfg_attr(not(feature = "tracked"), path = "plain/mpsc.rs")]
pub mod mpsc;
#[cfg_attr(not(feature = "tracked"), path = "plain/mutex.rs")]
mod mutex;
#[cfg_attr(not(feature = "tracked"), path = "plain/notify.rs")]
mod notify;
#[cfg_attr(not(feature = "tracked"), path = "plain/once_cell.rs")]
mod once_cell;
#[cfg_attr(not(feature = "tracked"), path = "plain/oneshot.rs")]
pub mod oneshot;
#[cfg_attr(not(feature = "tracked"), path = "plain/rwlock.rs")]
mod rwlock;
#[cfg_attr(not(feature = "tracked"), path = "plain/semaphore.rs")]
mod semaphore;
#[cfg(feature = "tracked")]
mod wait;
#[cfg_attr(not(feature = "tracked"), path = "plain/watch.rs")]
pub mod watch;

/// Named future types.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}

pub use crate::ring::apart::{Mutex, RwLock};
pub use barrier::{Barrier, BarrierWaitResult};
pub use mutex::{MappedMutexGuard, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once_cell::OnceCell;
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLockMappedWriteGuard, RwLockReadGuard,
    RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use tokio::sync::{AcquireError, SetError, SetOnce, SetOnceError, TryAcquireError, TryLockError};
