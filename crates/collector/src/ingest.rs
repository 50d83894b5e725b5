//! `POST /events`: from a request to an acknowledgement.

use crate::api::App;
use crate::body::{BodyError, WholeBody};
use crate::clock::now_ms;
use crate::fault::Fault;
use crate::received::Received;
use crate::refusal::Refusal;
use crate::server::CloseUnanswered;
use crate::store::StoreError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use trackside_wire::{Ack, MEDIA_TYPE};

pub(crate) async fn ingest(State(app): State<Arc<App>>, mut request: Request) -> Response {
    let fault = app.faults.next();
    if let Some(fault) = fault.filter(|fault| fault.is_before_storing()) {
        app.bodies.discard(request.body_mut()).await;
        return spoilt(fault);
    }
    match receive(&app, &mut request).await {
        Ok(ack) => fault.map_or_else(|| acknowledge(ack), spoilt),
        Err(refusal) => {
            if !refusal.is_temporary() {
                app.store.count_rejected();
            }
            app.bodies.discard(request.body_mut()).await;
            refusal.into_response()
        }
    }
}

async fn receive(app: &Arc<App>, request: &mut Request) -> Result<Ack, Refusal> {
    if !is_native(request.headers()) {
        return Err(Refusal::MediaType);
    }
    let limit = app.bodies.max_bytes() as u64;
    let body = app.bodies.read(request.body_mut()).await.map_err(|error| match error {
        BodyError::TooLarge => Refusal::TooLarge(limit),
        BodyError::TooSlow => Refusal::TooSlow,
        BodyError::Busy => Refusal::Busy,
        BodyError::Broken => Refusal::Broken,
    })?;
    // Checking takes a while and the disk may take longer; meanwhile the others are served.
    let app = Arc::clone(app);
    let stored = tokio::task::spawn_blocking(move || store(&app, &body)).await;
    // The runtime is going down, or the task has panicked: whatever is stored, it has not been said so.
    stored.unwrap_or(Err(Refusal::Disk("stopping")))
}

/// Checks a body and stores it.
fn store(app: &App, body: &WholeBody) -> Result<Ack, Refusal> {
    let received = Received::decode(&body.bytes).map_err(Refusal::Batch)?;
    let ack = app.store.ingest(received, &body.bytes, now_ms()).map_err(|error| match error {
        StoreError::Full => Refusal::Full,
        StoreError::TooLarge => Refusal::TooLarge((app.bodies.max_bytes() as u64).min(app.store.stats().max_bytes)),
        StoreError::Disk(reason) => Refusal::Disk(reason),
    })?;
    app.analyses.note_change();
    Ok(ack)
}

/// Whether the body is declared to be a native batch; parameters of the media type do not matter.
fn is_native(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = content_type.split(';').next().unwrap_or("").trim();
    let encoding = headers.get(header::CONTENT_ENCODING).map_or(&b"identity"[..], |value| value.as_bytes());
    essence.eq_ignore_ascii_case(MEDIA_TYPE) && encoding.eq_ignore_ascii_case(b"identity")
}

fn acknowledge(ack: Ack) -> Response {
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], ack.encode()).into_response()
}

/// The answer that a fault puts in the place of the right one.
fn spoilt(fault: Fault) -> Response {
    match fault {
        Fault::Status(code) | Fault::StoreThenStatus(code) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "an injected fault\n").into_response()
        }
        Fault::Close | Fault::StoreThenClose => axum::Extension(CloseUnanswered).into_response(),
    }
}
