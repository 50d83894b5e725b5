//! Locks that know what happened before what, in place of the standard library's.

mod condvar;
mod mutex;
mod rwlock;
pub(crate) mod turn;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
