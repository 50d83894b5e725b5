//! `POST /events`: from a request to an acknowledgement, of native batches and of the stock SDKs' JSON.

use crate::api::App;
use crate::body::BodyError;
use crate::clock::now_ms;
use crate::fault::Fault;
use crate::form::{Form, is_gzip};
use crate::received::Received;
use crate::refusal::Refusal;
use crate::server::CloseUnanswered;
use crate::stock::Posted;
use crate::store::StoreError;
use crate::sync::lock;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;
use trackside_wire::{Ack, MEDIA_TYPE};

pub(crate) async fn ingest(State(app): State<Arc<App>>, mut request: Request) -> Response {
    let fault = app.faults.next();
    if let Some(fault) = fault.filter(|fault| fault.is_before_storing()) {
        app.bodies.discard(request.body_mut()).await;
        return spoilt(fault);
    }
    match receive(&app, &mut request).await {
        Ok(stored) => fault.map_or_else(|| answer(stored), spoilt),
        Err(refusal) => {
            if !refusal.is_temporary() {
                app.store.count_rejected();
            }
            app.bodies.discard(request.body_mut()).await;
            match Form::of(request.headers()) {
                Some(Form::Json) => refusal.to_stock(),
                _ => refusal.into_response(),
            }
        }
    }
}

/// What the sender gets to hear once its events are stored.
enum Stored {
    Batch(Ack),
    /// So many events that came as JSON.
    Posted(usize),
}

async fn receive(app: &Arc<App>, request: &mut Request) -> Result<Stored, Refusal> {
    let form = Form::of(request.headers()).ok_or(Refusal::MediaType)?;
    let is_gzip = is_gzip(request.headers())?;
    let body = app.bodies.read(request.body_mut()).await.map_err(|error| refusal(app, error))?;
    // Checking takes a while and the disk may take longer; meanwhile the others are served.
    let app = Arc::clone(app);
    let store = move || {
        let inflated = is_gzip.then(|| app.bodies.inflate(&body)).transpose().map_err(|error| refusal(&app, error))?;
        let body = inflated.as_ref().unwrap_or(&body);
        match form {
            Form::Native => store_batch(&app, &body.bytes).map(Stored::Batch),
            Form::Json => store_posted(&app, &body.bytes).map(Stored::Posted),
        }
    };
    // The runtime is going down, or the task has panicked: whatever is stored, it has not been said so.
    tokio::task::spawn_blocking(store).await.unwrap_or(Err(Refusal::Disk("stopping")))
}

fn refusal(app: &App, error: BodyError) -> Refusal {
    match error {
        BodyError::TooLarge => Refusal::TooLarge(app.bodies.max_bytes() as u64),
        BodyError::TooSlow => Refusal::TooSlow,
        BodyError::Busy => Refusal::Busy,
        BodyError::Broken => Refusal::Broken,
        BodyError::NotGzip => Refusal::NotGzip,
    }
}

/// Checks a batch and stores it.
fn store_batch(app: &App, bytes: &Bytes) -> Result<Ack, Refusal> {
    let received = Received::decode(bytes).map_err(Refusal::Batch)?;
    let ack = app.store.ingest(received, bytes, now_ms()).map_err(|error| match error {
        StoreError::Full => Refusal::Full,
        StoreError::TooLarge => Refusal::TooLarge((app.bodies.max_bytes() as u64).min(app.store.stats().max_bytes)),
        StoreError::Disk(reason) => Refusal::Disk(reason),
    })?;
    app.analyses.note_change();
    Ok(ack)
}

/// Stores events that came as JSON: a batch for each process that they are of, and one for each call between two that is
/// now known. Where one of them is not stored, the sender hears that; what is stored by then is known when it comes again.
fn store_posted(app: &App, bytes: &[u8]) -> Result<usize, Refusal> {
    // What a body is read into is not in the budget of bodies, so there is one at a time.
    let mut converter = lock(&app.stock);
    let posted = Posted::read(bytes).map_err(Refusal::Json)?;
    for (run, events) in posted.processes() {
        let part = converter.convert(run, &events, &app.store);
        if let Some(batch) = part.bytes {
            store_made(app, batch)?;
        }
        converter.settle(true);
        app.store.count_duplicates(part.duplicates);
    }
    while let Some(batch) = converter.next_call(&app.store) {
        if let Err(refusal) = store_made(app, batch) {
            converter.leave_calls();
            return Err(refusal);
        }
        converter.settle(true);
    }
    Ok(posted.len())
}

fn store_made(app: &App, batch: Vec<u8>) -> Result<(), Refusal> {
    match store_batch(app, &batch.into()) {
        Err(Refusal::Batch(_)) => Err(Refusal::Conversion),
        stored => stored.map(drop),
    }
}

fn answer(stored: Stored) -> Response {
    match stored {
        Stored::Batch(ack) => acknowledge(ack),
        Stored::Posted(events) => {
            let data = format!("Ingested {events} events");
            Json(json!({"success": true, "data": data, "error": null})).into_response()
        }
    }
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
