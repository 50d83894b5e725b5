#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! [`Client`] records and delivers; [`Builder`] configures it, and [`Settings`] are what can be changed later.
//! [`TrackedMutex`] is a drop-in lock that tells the order of its critical sections. [`mod@thread`] is std's `thread`,
//! whose spawns and joins are recorded. [`Stats`] are the books. [`Transport`] is where batches go, if not over HTTP or
//! into a file. [`propagation`] takes a trace from one service to the next. [`doc_go_manual`] is the manual of Raceway's
//! Go SDK, call by call.

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
mod encode;
mod error;
mod flusher;
mod integration;
mod lock_record;
#[cfg(feature = "parking_lot")]
pub mod parking_lot;
pub mod propagation;
mod record;
mod recorder;
mod ring;
mod stats;
pub mod sync;
pub mod thread;
mod transport;
mod value;

pub use client::{Client, FunctionGuard, Task, TaskGuard, TrackErr, TrackedFuture, TrackedGuard, Variable};
pub use config::{Builder, Kinds, Settings, Timestamps};
pub use context::{Attached, Context, Current, Finished, InContext, WithContext};
pub use error::{BuildError, EnvError, FlushError, NoContext, ReconfigureError};
pub use flusher::{ManualFlusher, Warning};
#[cfg(feature = "tokio")]
pub use integration::tokio as task;
#[cfg(feature = "tower")]
pub use integration::tower;
#[cfg(feature = "tracing")]
pub use integration::tracing;
pub use propagation::{SpanId, TraceId};
pub use ring::pipe::Overflow;
pub use stats::{Lost, Stats};
pub use sync::{
    Condvar as TrackedCondvar, Mutex as TrackedMutex, MutexGuard as TrackedMutexGuard, RwLock as TrackedRwLock,
    RwLockReadGuard as TrackedRwLockReadGuard, RwLockWriteGuard as TrackedRwLockWriteGuard,
};
pub use trackside_wire::{Access, Kind, RunId, ThreadId};
pub use transport::{ApiKey, Cause, FileTransport, Form, MemoryTransport, Outcome, SealedBatch, Transport};
pub use value::{Name, Value};
