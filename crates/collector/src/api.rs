use crate::auth::ApiKey;
use crate::body::BodyReader;
use crate::fault::FaultPlan;
use crate::guard::guard;
use crate::host::AllowedHosts;
use crate::ingest::ingest;
use crate::limiter::RateLimiter;
use crate::openapi::openapi;
use crate::refusal::Refusal;
use crate::stock::Converter;
use crate::stock_api;
use crate::store::{Batches, Store};
use axum::extract::State;
use axum::http::{HeaderName, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router, middleware};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
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
}

/// Something that can be asked for.
#[derive(Debug)]
pub(crate) struct Route {
    /// In lower case. What the handler answers to; it does not tell.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the comparison with openapi.json asks for it"))]
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    handler: MethodRouter<Arc<App>>,
}

/// All of it. The router is made of this list, and `openapi.json` is compared with it.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route { method: "post", path: "/events", handler: post(ingest) },
        Route { method: "get", path: "/api/findings", handler: get(findings) },
        Route { method: "get", path: "/api/stats", handler: get(stats) },
        Route { method: "get", path: "/health", handler: get(async || "ok\n") },
        Route { method: "get", path: "/openapi.json", handler: get(openapi) },
        Route { method: "get", path: "/api/traces", handler: get(stock_api::traces) },
        Route { method: "get", path: "/api/services", handler: get(stock_api::services) },
        Route { method: "get", path: "/api/services/{name}/traces", handler: get(stock_api::traces_of) },
        Route { method: "get", path: "/api/services/{name}/dependencies", handler: get(stock_api::dependencies) },
        Route { method: "get", path: "/api/distributed/edges", handler: get(stock_api::edges) },
        Route { method: "get", path: "/api/distributed/hotspots", handler: get(stock_api::hotspots) },
        Route { method: "get", path: "/api/distributed/global-races", handler: get(stock_api::global_races) },
        Route { method: "get", path: "/api/analyze/global", handler: get(stock_api::global) },
    ]
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let add = |router: Router<Arc<App>>, route: Route| router.route(route.path, route.handler);
    routes()
        .into_iter()
        .fold(Router::new(), add)
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

/// What browsers may do with an answer: not guess its type, not keep it.
pub(crate) const PRIVATE: [(HeaderName, &str); 2] =
    [(header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::CACHE_CONTROL, "no-store")];

async fn findings(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Refusal> {
    let text = match uri.query() {
        None | Some("" | "format=json") => false,
        Some("format=text") => true,
        Some(_) => return Err(Refusal::Query("the query may be format=json or format=text")),
    };
    // Fails only if the semaphore were closed, which it never is.
    let _turn = app.analysis.acquire().await.map_err(|_| Refusal::Analysis)?;
    let batches = app.store.batches();
    let render = move || {
        let report = take_in(batches).finish();
        if text { Ok(report.to_string().into_bytes()) } else { serde_json::to_vec(&report) }
    };
    let body = tokio::task::spawn_blocking(render).await.map_err(|_| Refusal::Analysis)?;
    let body = body.map_err(|_| Refusal::Analysis)?;
    let media_type = if text { "text/plain; charset=utf-8" } else { "application/json" };
    Ok((PRIVATE, [(header::CONTENT_TYPE, media_type)], body).into_response())
}

async fn stats(State(app): State<Arc<App>>) -> Response {
    let stats = app.store.stats();
    (PRIVATE, Json(stats)).into_response()
}
