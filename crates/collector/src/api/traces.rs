use super::query::span;
use super::respond::{json, tagged};
use super::router::App;
use crate::refusal::Refusal;
use crate::view::{TraceRow, Waterfall};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Traces<'a> {
    total: u64,
    /// How many of them can be looked at: the latest.
    kept: usize,
    traces: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    processes: &'a [String],
    /// As text: a browser's numbers have no room for it.
    start_unix_ns: String,
    duration_ns: u64,
    events: u64,
    strands: u64,
    calls: usize,
    orphans: usize,
    errors: u64,
}

/// The traces of the latest analysis, the latest first.
pub(super) async fn list(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let span = span(&uri)?;
    let snapshot = app.analyses.look().snapshot.ok_or(Refusal::NotYet)?;
    tagged(&format!("{}-{}", snapshot.number, uri.query().unwrap_or("")), &headers, || {
        let from = match span.after {
            None => 0,
            Some(id) => 1 + snapshot.traces.iter().position(|row| row.trace.id == id).ok_or(Refusal::NotFound)?,
        };
        let traces = snapshot.traces.iter().skip(from).take(span.limit).map(row).collect();
        json(&Traces { total: snapshot.traces_total, kept: snapshot.traces.len(), traces })
    })
}

fn row(row: &TraceRow) -> Row<'_> {
    let TraceRow { trace, span } = row;
    Row {
        id: &trace.id,
        processes: &trace.processes,
        start_unix_ns: span.start_unix_ns.to_string(),
        duration_ns: span.duration_ns(),
        events: trace.events,
        strands: trace.strands,
        calls: trace.calls.len(),
        orphans: trace.orphans.len(),
        errors: span.errors,
    }
}

/// What happened in a trace.
pub(super) async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let snapshot = app.analyses.look().snapshot.ok_or(Refusal::NotYet)?;
    if snapshot.trace(&id).is_none() {
        return Err(Refusal::NotFound);
    }
    let _turn = app.readings.acquire().await.map_err(|_| Refusal::Analysis)?;
    let batches = app.store.batches();
    let read = move || json(&Waterfall::read(snapshot.trace(&id).ok_or(Refusal::NotFound)?, batches));
    tokio::task::spawn_blocking(read).await.map_err(|_| Refusal::Analysis)?
}
