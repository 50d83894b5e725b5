//! Contexts for services made of [`tower`](https://docs.rs/tower): axum, hyper, tonic and others.
//!
//! [`ServerLayer`] gives each request that a service gets a context, and records how it goes. [`ClientLayer`] sends the
//! context along with each request to another service. Feature `tower`.
//!
//! # Examples
//!
//! Health checks, metrics, static files and bots are not traced; everything else is:
//!
//! ```
//! use axum::Router;
//! use axum::routing::{get, post};
//! use trackside::tower::ServerLayer;
//! # use trackside::{Client, MemoryTransport};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
//! let traced = ServerLayer::new(&client).skip_paths(["/health", "/metrics"]).skip_prefix("/static/").skip_bots();
//! let app: Router = Router::new()
//!     .route("/health", get(|| async { "ok" }))
//!     .route("/api/transfer", post(|| async { "done" }))
//!     .layer(traced);
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! Or route by route, which is what to do in production: what has no layer costs nothing.
//!
//! ```
//! use axum::Router;
//! use axum::routing::{get, post};
//! use trackside::tower::ServerLayer;
//! # use trackside::{Client, MemoryTransport};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
//! let app: Router = Router::new()
//!     .route("/api/transfer", post(|| async { "done" }))
//!     .route_layer(ServerLayer::new(&client))
//!     .route("/health", get(|| async { "ok" }));
//! # let _ = app;
//! # Ok(())
//! # }
//! ```

mod client;
mod rules;
mod server;

pub use client::{ClientFuture, ClientLayer, ClientService};
pub use server::{ServerFuture, ServerLayer, ServerService};
