//! Locks that know what happened before what, in place of the standard library's.

pub mod atomic;
mod default;
mod mutex;

pub use mutex::{TrackedMutex, TrackedMutexGuard};
