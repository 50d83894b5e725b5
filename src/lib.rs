#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! [`Client`] records and delivers; [`Builder`] configures it, and [`Settings`] are what can be changed later.
//! [`mod@sync`] is std's `sync`, atomics included, and [`mod@thread`] std's `thread`, with what they order recorded;
//! [`TrackedMutex`] is its mutex, and a [`Tracked`] value records its own reads and writes. [`Stats`] are the books. [`Transport`] is where batches go, if not over HTTP or
//! into a file. [`propagation`] takes a trace from one service to the next. [`doc_go_manual`] is the manual of Raceway's
//! Go SDK, call by call.

#![cfg_attr(not(feature = "tracked"), expect(dead_code, reason = "what records is compiled, and nobody comes there"))]

/// Raceway's Go manual, call by call.
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/go-manual.md")]
#[cfg_attr(feature = "tower", doc = include_str!("../docs/go-manual-middleware.md"))]
pub mod doc_go_manual {}

mod attach;
mod client;
mod clock;
mod config;
mod context;
mod deadlock;
mod encode;
mod error;
mod flusher;
mod integration;
mod lock_record;
mod operation;
pub mod propagation;
mod record;
mod recorder;
mod ring;
mod stats;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg_attr(not(feature = "tracked"), path = "thread/plain.rs")]
pub mod thread;
mod transport;
mod value;

pub use client::{Client, FunctionGuard, Task, TaskGuard, TrackErr, TrackedFuture, TrackedGuard, Variable};
pub use config::{Builder, Settings, Timestamps};
pub use context::{Attached, Context, Current, Finished, InContext, WithContext};
pub use deadlock::{Deadlock, StuckThread};
pub use error::{BuildError, EnvError, FlushError, NoContext, ReconfigureError};
pub use flusher::{ManualFlusher, Warning};
#[cfg(feature = "parking_lot")]
pub use integration::parking_lot;
#[cfg(feature = "tokio")]
pub use integration::tokio;
#[cfg(feature = "tower")]
pub use integration::tower;
#[cfg(feature = "tracing")]
pub use integration::tracing;
pub use propagation::{SpanId, TraceId};
pub use ring::pipe::Overflow;
pub use stats::{Lost, Stats};
pub use sync::{
    Condvar as TrackedCondvar, Mutex as TrackedMutex, MutexGuard as TrackedMutexGuard, RwLock as TrackedRwLock,
    RwLockReadGuard as TrackedRwLockReadGuard, RwLockWriteGuard as TrackedRwLockWriteGuard, Tracked,
};
pub use trackside_wire::{Access, Kind, Kinds, RunId, ThreadId};
pub use transport::{ApiKey, Cause, FileTransport, Form, MemoryTransport, Outcome, SealedBatch, Transport};
pub use value::{Name, Value};
