use crate::api::{App, PRIVATE};
use crate::refusal::Refusal;
use crate::store::Batches;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use trackside_analysis::{Analyzer, Census};
use trackside_wire::Batch;

/// What a look at the stored batches comes to: data, or why there is none.
pub(super) type Found = Result<Value, (StatusCode, &'static str)>;

/// Looks at all that is stored, on a thread that may take its time, one at a time, and answers with what is found.
pub(super) async fn look(app: Arc<App>, find: impl FnOnce(Batches) -> Found + Send + 'static) -> Response {
    // Fails only if the semaphore were closed, which it never is.
    let Ok(_turn) = app.analysis.acquire().await else { return Refusal::Analysis.into_response() };
    let batches = app.store.batches();
    let render = move || {
        let (status, body) = match find(batches) {
            Ok(data) => (StatusCode::OK, json!({"success": true, "data": data, "error": null})),
            Err((status, error)) => (status, json!({"success": false, "data": null, "error": error})),
        };
        (status, body.to_string())
    };
    match tokio::task::spawn_blocking(render).await {
        Ok((status, body)) => (status, PRIVATE, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => Refusal::Analysis.into_response(),
    }
}

/// Counts what is stored; it was checked when it was stored.
pub(super) fn census(batches: Batches) -> Census {
    let mut census = Census::default();
    for bytes in batches {
        if let Ok(batch) = Batch::decode(&bytes) {
            census.ingest(&batch);
        }
    }
    census
}

/// Counts what is stored and takes it in to be analysed, in one pass.
pub(super) fn census_and_analyzer(batches: Batches) -> (Census, Analyzer) {
    let (mut census, mut analyzer) = (Census::default(), Analyzer::new());
    for bytes in batches {
        if let Ok(batch) = Batch::decode(&bytes) {
            census.ingest(&batch);
            analyzer.ingest(&batch);
        }
    }
    (census, analyzer)
}

/// A number in the query; `default` if it is not there.
pub(super) fn number(uri: &Uri, name: &str, default: usize) -> Result<usize, (StatusCode, &'static str)> {
    let pairs = uri.query().unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, text)) = pairs.rev().find(|(key, _)| *key == name) else { return Ok(default) };
    text.parse().map_err(|_| (StatusCode::BAD_REQUEST, "a parameter of the query is not a number"))
}
