//! [`tokio::task`] (feature `tokio`): the feature `tracked` is off, and nothing is recorded. Contexts do not go along with a
//! spawn.

pub use tokio::task::{
    AbortHandle, Id, JoinError, JoinHandle, JoinSet, LocalEnterGuard, LocalKey, LocalSet, Unconstrained,
    consume_budget, coop, futures, id, spawn, spawn_blocking, spawn_local, try_id, unconstrained, yield_now,
};
