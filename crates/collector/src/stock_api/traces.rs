use super::answer::{Found, census, look, number};
use crate::api::App;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use trackside_analysis::TraceTally;
use trackside_wire::UnixNanos;

/// How many traces a page has at most.
const PAGE_MAX: usize = 100;

/// `GET /api/traces?page&page_size&min_events`: the traces, those with the latest events first.
pub(crate) async fn traces(State(app): State<Arc<App>>, uri: Uri) -> Response {
    look(app, move |batches| page(&uri, census(batches).traces())).await
}

/// A page of these traces.
pub(super) fn page<'a>(uri: &Uri, traces: impl Iterator<Item = &'a TraceTally>) -> Found {
    let page = number(uri, "page", 1)?.max(1);
    let page_size = number(uri, "page_size", 20)?.clamp(1, PAGE_MAX);
    let min_events = number(uri, "min_events", 0)? as u64;
    let mut traces: Vec<&TraceTally> = traces.filter(|trace| trace.events >= min_events).collect();
    traces.sort_by_key(|trace| (std::cmp::Reverse(trace.last_unix_ns), trace.trace));
    let shown: Vec<Value> =
        traces.iter().skip((page - 1).saturating_mul(page_size)).take(page_size).map(summary).collect();
    Ok(json!({
        "total_traces": traces.len(),
        "page": page,
        "page_size": page_size,
        "total_pages": traces.len().div_ceil(page_size),
        "traces": shown,
    }))
}

fn summary(trace: &&TraceTally) -> Value {
    json!({
        "trace_id": uuid(trace.trace),
        "event_count": trace.events,
        "first_timestamp": UnixNanos(trace.first_unix_ns).to_string(),
        "last_timestamp": UnixNanos(trace.last_unix_ns).to_string(),
        "service_count": trace.services.len(),
        "services": trace.services.keys().collect::<Vec<_>>(),
    })
}

/// A trace's id as text.
pub(super) fn uuid(id: u128) -> String {
    let text = format!("{id:032x}");
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
