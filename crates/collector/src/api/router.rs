use super::{findings, live, locks, overview, traces};
use crate::auth::ApiKey;
use crate::body::BodyReader;
use crate::download::download;
use crate::fault::FaultPlan;
use crate::guard::guard;
use crate::host::AllowedHosts;
use crate::ingest::ingest;
use crate::limiter::RateLimiter;
use crate::page;
use crate::refusal::Refusal;
use crate::stock::Converter;
use crate::store::{Batches, Store};
use crate::view::Analyses;
use axum::routing::{get, post};
use axum::{Router, middleware};
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, watch};
use trackside_analysis::Analyzer;
use trackside_wire::Batch;

/// Everything that the requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) bodies: BodyReader,
    pub(crate) hosts: AllowedHosts,
    pub(crate) key: Option<ApiKey>,
    pub(crate) faults: FaultPlan,
    /// None if clients may send as often as they like.
    pub(crate) limiter: Option<RateLimiter>,
    /// Makes batches of JSON, one body at a time.
    pub(crate) stock: Mutex<Converter>,
    /// One analysis at a time: each wants a core and memory for itself.
    pub(crate) analysis: Semaphore,
    /// Looks at single findings and traces: each reads all batches, one at a time.
    pub(crate) readings: Semaphore,
    pub(crate) analyses: Analyses,
    /// How many may watch at once: each keeps a connection.
    pub(crate) watchers: Arc<Semaphore>,
    /// Turns true when the collector stops.
    pub(crate) stop: watch::Sender<bool>,
}

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/events", post(ingest))
        .route("/api/findings", get(findings::all))
        .route("/api/findings/{id}", get(findings::one))
        .route("/api/overview", get(overview::overview))
        .route("/api/traces", get(traces::list))
        .route("/api/traces/{id}", get(traces::one))
        .route("/api/locks", get(locks::locks))
        .route("/api/live", get(live::live))
        .route("/api/batches", get(download))
        .route("/api/stats", get(overview::stats))
        .route("/health", get(async || "ok\n"))
        .route("/", get(page::index))
        .route("/page/{file}", get(page::file))
        .fallback(async || Refusal::NotFound)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app)
}

/// An analyzer that has taken in `batches`, which were checked when they were stored.
pub(crate) fn take_in(batches: Batches) -> Analyzer {
    let mut analyzer = Analyzer::new();
    for bytes in batches {
        if let Ok(batch) = Batch::decode(&bytes) {
            analyzer.ingest(&batch);
        }
    }
    analyzer
}
