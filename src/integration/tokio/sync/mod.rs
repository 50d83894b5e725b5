//! [`tokio::sync`], which also tells what it orders (feature `tokio`): change the `use`, and the analysis knows which task
//! held which lock, and what happened before what.
//!
//! **Locks.** [`Mutex`] and [`RwLock`] number their acquisitions, and record each, with its place and for how long it had to
//! be waited for, and its release. A lock is held by the task that took it (see [`task`](super::task)), on whatever worker
//! that goes on, until the guard is dropped, by whomever. A future that is dropped before it is ready has recorded nothing,
//! because it has taken nothing.
//!
//! They are called after the place where they are made; `named` and `const_named` give them names of their own.
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

mod mutex;
mod rwlock;
mod wait;

pub use crate::ring::apart::{Mutex, RwLock};
pub use mutex::{MappedMutexGuard, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLockMappedWriteGuard, RwLockReadGuard,
    RwLockWriteGuard,
};
pub use tokio::sync::{AcquireError, SetError, SetOnce, SetOnceError, TryAcquireError, TryLockError};
