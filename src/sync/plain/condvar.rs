//! The twin of `condvar.rs` where the feature `tracked` is off: std's guards need no other.

pub use std::sync::{Condvar, WaitTimeoutResult};
