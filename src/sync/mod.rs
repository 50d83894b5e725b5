//! Locks that know what happened before what, in place of the standard library's.

mod condvar;
#[cfg(feature = "tokio")]
pub(crate) mod hold;
mod mutex;
mod rwlock;
mod turn;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
