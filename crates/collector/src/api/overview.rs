use super::query::span;
use super::respond::{PRIVATE, json, tagged};
use super::router::App;
use crate::refusal::Refusal;
use crate::view::{Current, FindingRow, Snapshot};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use trackside_analysis::Summary;

#[derive(Serialize)]
struct Overview<'a> {
    analysis: Analysis,
    /// Of the latest analysis; none before the first one.
    summary: Option<&'a Summary>,
    findings_total: usize,
    findings: Vec<FindingRow<'a>>,
}

/// Which analysis is shown, and whether there will be a newer one.
#[derive(Serialize)]
struct Analysis {
    number: u64,
    /// How old it was when this was answered.
    age_ms: Option<u64>,
    took_ms: Option<u64>,
    /// Bytes of the oldest batches that it does not take into account.
    left_out_bytes: u64,
    running: bool,
    outdated: bool,
    /// The last attempt broke down, and what is shown is older.
    failed: bool,
}

/// The findings of the latest analysis, as a list.
pub(super) async fn overview(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let span = span(&uri)?;
    let current = app.analyses.look();
    let snapshot = current.snapshot.as_deref();
    let Current { running, outdated, failed, .. } = current;
    let number = snapshot.map_or(0, |snapshot| snapshot.number);
    let flags = [running, outdated, failed].iter().fold(0, |flags, flag| 2 * flags + u8::from(*flag));
    tagged(&format!("{number}-{flags}-{}", uri.query().unwrap_or("")), &headers, || {
        let from = match (span.after, snapshot) {
            (Some(id), Some(snapshot)) => 1 + snapshot.place(id).ok_or(Refusal::NotFound)?,
            (Some(_), None) => return Err(Refusal::NotYet),
            (None, _) => 0,
        };
        json(&Overview {
            analysis: Analysis {
                number,
                age_ms: snapshot.map(|snapshot| snapshot.made.elapsed().as_millis() as u64),
                took_ms: snapshot.map(|snapshot| snapshot.took.as_millis() as u64),
                left_out_bytes: snapshot.map_or(0, |snapshot| snapshot.left_out),
                running,
                outdated,
                failed,
            },
            summary: snapshot.map(|snapshot| &snapshot.report.summary),
            findings_total: snapshot.map_or(0, Snapshot::findings_total),
            findings: snapshot.into_iter().flat_map(|snapshot| snapshot.rows(from, span.limit)).collect(),
        })
    })
}

pub(super) async fn stats(State(app): State<Arc<App>>) -> Response {
    let stats = app.store.stats();
    (PRIVATE, Json(stats)).into_response()
}
