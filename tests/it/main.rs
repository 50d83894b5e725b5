//! The SDK as a program meets it: through its public API, with all that can go wrong around it.
//!
//! Tests in here share a process, and tracked locks record into the client that was built last, whoever built it. So
//! every client but those of the tests of locks, which take [`mutex::turn`]s, is built with `record_locks(false)`; see [`support::builder`].

#![expect(clippy::disallowed_types, reason = "tests count with plain atomics; loom looks at src/ring")]

mod atomics;
mod awaits;
mod books;
mod condvar;
mod config;
mod context;
mod delivery;
mod drafts;
mod events;
mod executors;
mod lifecycle;
mod limits;
mod lock_order;
mod manual;
mod mutex;
mod park;
mod partly;
mod reentrancy;
mod rwlock;
mod secrets;
mod settings;
mod stock;
mod support;
mod sync;
mod sync_barrier;
mod sync_channel;
mod sync_once;
#[cfg(feature = "tokio")]
mod tasks;
mod threads;
mod timestamps;
mod tls;
#[cfg(feature = "tokio")]
mod tokio_sync;
#[cfg(feature = "tracing")]
mod tracing;
mod tracked;
mod watchdog;
