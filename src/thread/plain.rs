//! [`std::thread`]: the feature `tracked` is off, and nothing is recorded. Contexts do not go along with a spawn.

pub use std::thread::{
    AccessError, Builder, JoinHandle, LocalKey, Result, Scope, ScopedJoinHandle, Thread, ThreadId,
    available_parallelism, current, panicking, park, park_timeout, scope, sleep, spawn, yield_now,
};
#[expect(deprecated, reason = "std has them still, and who uses them is told by std's own words")]
pub use std::thread::{park_timeout_ms, sleep_ms};
