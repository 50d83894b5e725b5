//! Locks that know what happened before what, in place of the standard library's.

pub mod atomic;
mod default;
mod mutex;
mod tracked;

pub use mutex::{TrackedMutex, TrackedMutexGuard};
pub use tracked::{Tracked, WriteGuard};
