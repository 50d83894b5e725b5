//! The collector of `trackside`: it takes in the batches that the SDK sends, keeps them in memory, and says which of
//! the accesses in them raced.
//!
//! The binary `trackside` is this library with a command line. In a test or an example the library is enough; it runs
//! on a thread of its own and needs no async runtime around it:
//!
//! ```
//! use trackside_collector::Collector;
//!
//! let collector = Collector::builder().start()?;
//! // Build the client under test with collector.url(), let it record, flush it.
//! println!("listening on {}", collector.url());
//! assert_eq!(collector.stats().events, 0);
//! assert!(collector.report().findings.is_empty());
//! # Ok::<(), trackside_collector::StartError>(())
//! ```
//!
//! # HTTP
//!
//! | request | answer |
//! |---|---|
//! | `POST /events` | stores a native batch (`Content-Type: application/vnd.trackside.v1+msgpack`); 200 with a [`trackside_wire::Ack`] |
//! | `GET /api/findings` | the [`Report`](trackside_analysis::Report) of all that is stored, as JSON; `?format=text` for people |
//! | `GET /api/stats` | [`CollectorStats`] as JSON |
//! | `GET /health` | `ok`; needs no key |
//!
//! A batch is acknowledged once it is in memory, and never otherwise. What is refused is answered with a line of text
//! and 400 (not a batch), 401 (no key), 408 (too slow), 413 (too large), 415 (another media type), 421 (a host that is
//! not ours) or 503 with `Retry-After` (full).

mod api;
mod auth;
mod body;
mod builder;
mod collector;
mod error;
mod fault;
mod guard;
mod host;
mod ingest;
mod intervals;
mod received;
mod refusal;
mod server;
mod stats;
mod store;
mod sync;

pub use builder::CollectorBuilder;
pub use collector::Collector;
pub use error::StartError;
pub use fault::Fault;
pub use stats::{CollectorStats, RunStats};
