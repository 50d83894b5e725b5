use super::respond::{PRIVATE, json};
use super::router::{App, take_in};
use crate::refusal::Refusal;
use crate::view::Timeline;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use trackside_analysis::Finding;

/// The report of all that is stored at this moment.
pub(super) async fn all(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Refusal> {
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

#[derive(Serialize)]
struct OneFinding<'a> {
    id: &'a str,
    finding: &'a Finding,
    timeline: Timeline,
}

/// A finding of the latest analysis, with the events around it.
pub(super) async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let snapshot = app.analyses.look().snapshot.ok_or(Refusal::NotYet)?;
    if snapshot.finding(&id).is_none() {
        return Err(Refusal::NotFound);
    }
    let _turn = app.readings.acquire().await.map_err(|_| Refusal::Analysis)?;
    let batches = app.store.batches();
    let read = move || {
        let finding = snapshot.finding(&id).ok_or(Refusal::NotFound)?;
        json(&OneFinding { id: &id, finding, timeline: Timeline::read(finding, batches) })
    };
    tokio::task::spawn_blocking(read).await.map_err(|_| Refusal::Analysis)?
}
