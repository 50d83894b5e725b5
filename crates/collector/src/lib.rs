//! The collector of `trackside`: it takes in the batches that the SDK sends, keeps them in memory or on disk, and says
//! which of the accesses in them raced.
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
//! | `POST /events` | stores a native batch (`Content-Type: application/vnd.trackside.v1+msgpack`); 200 with a [`trackside_wire::Ack`]. Or the JSON of a stock Raceway SDK (`application/json`); 200 with `{"success":true,"data":"Ingested 7 events","error":null}` |
//! | `GET /api/findings` | the [`Report`](trackside_analysis::Report) of all that is stored, as JSON; `?format=text` for people |
//! | `GET /api/stats` | [`CollectorStats`] as JSON |
//! | `GET /health` | `ok`; needs no key |
//! | `GET /openapi.json` | all of this, as OpenAPI 3.1 has it |
//! | `GET /api/traces`, `/api/services`, `/api/services/{name}/traces`, `/api/services/{name}/dependencies`, `/api/distributed/edges`, `/api/distributed/hotspots`, `/api/distributed/global-races`, `/api/analyze/global` | what a stock Raceway server answers there, in its shapes; lists are bounded, and a member `truncated` says where |
//!
//! What is sent is acknowledged once it is stored, and never otherwise. What is refused is answered with a line of text
//! and 400 (not a batch, or JSON that is not events: it says which one, and which of its members), 401 (no key), 408 (too
//! slow), 413 (too large), 415 (another media type or encoding), 421 (a host that is not ours), 429 with `Retry-After` (more
//! requests than [`CollectorBuilder::max_requests_per_second`]) or 503 with `Retry-After` (full, or the disk does not take
//! it). Either form may come with `Content-Encoding: gzip`; it may be as large when it is inflated as it might have been
//! without. The key is looked for in `Authorization: Bearer` and in `X-Raceway-Key`.
//!
//! # Raceway's SDKs
//!
//! The stock SDKs for Go, Python, TypeScript and Rust report to a collector as they do to a Raceway server: give them its
//! URL. Their events are made native batches before they are stored, a run for each process, and so are analysed as all
//! others are: one analysis, one report. An event counts once, however often it comes, going by its id.
//!
//! What orders them is what they tell: threads, parents, locks, and calls with Raceway's headers, from and to any SDK that
//! reports in JSON. They cannot tell of messages, signals and the ends of tasks, so each finding in them says that
//! something of that kind may be missing, and none is called confirmed that this could overturn. Clocks of two contexts of
//! one process are not compared: the SDKs start each from 0.
//!
//! What a stock server refuses and its SDKs send all the same is taken: a kind `FunctionReturn`, task ids that are no UUIDs,
//! `stack_trace: null`, durations with a fraction.
//!
//! # On disk
//!
//! With [`CollectorBuilder::store`], and so for `trackside serve` without `--memory`, batches are kept in a directory of
//! segment files, as they came, with checksums. A batch is *stored* when it has been handed to the operating system as a
//! whole:
//!
//! | [`Fsync`] | `kill -9`, a panic, out of memory | the machine loses power |
//! |---|---|---|
//! | `Never` | nothing that was acknowledged is lost | what the operating system had not written yet is lost |
//! | `Segment`, the default | nothing | at most the last segment, 64 MiB unless told otherwise |
//! | `Batch` | nothing | nothing |
//!
//! A start reads what is there, whatever has happened to it. A batch that was just being written is cut off; stretches that
//! are damaged are passed over; what is there twice counts once; files of another version, and what cannot be read, are
//! left alone. All of that is counted in [`DiskStats`]. A full or broken disk never stops the collector: it answers 503,
//! and what is stored can still be looked at. A sender that does not hear that its batch is stored sends it again, and
//! its events count once.
//!
//! The oldest segments are deleted as [`CollectorBuilder::max_bytes`] and [`CollectorBuilder::max_age`] say. Memory holds
//! an index of which events are known, within [`CollectorBuilder::max_index_bytes`], and one batch at a time when they are
//! read; not what is stored.

mod api;
mod auth;
mod body;
mod builder;
mod clock;
mod collector;
mod error;
mod fault;
mod form;
mod guard;
mod host;
mod ingest;
mod limiter;
mod openapi;
mod received;
mod refusal;
mod server;
mod stats;
mod stock;
mod stock_api;
mod store;
mod sync;

pub use builder::CollectorBuilder;
pub use collector::Collector;
pub use error::StartError;
pub use fault::Fault;
pub use stats::{CollectorStats, DiskStats, RunStats};
pub use store::{Batches, Fsync};
