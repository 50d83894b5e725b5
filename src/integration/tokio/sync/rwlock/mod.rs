//! The lock of many readers or one writer, and its guards.

mod lock;
mod owned;
mod read;
mod write;

pub use owned::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard};
pub use read::{OwnedRwLockReadGuard, RwLockReadGuard};
pub use write::{RwLockMappedWriteGuard, RwLockWriteGuard};
