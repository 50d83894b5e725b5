//! Locks that know what happened before what, in place of the standard library's.

mod mutex;

pub use mutex::{TrackedMutex, TrackedMutexGuard};
