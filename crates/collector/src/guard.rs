use crate::api::App;
use crate::refusal::Refusal;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Stands before every route: the host has to be ours, and the key right, before anything else is looked at.
pub(crate) async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match admit(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            app.bodies.discard(request.body_mut()).await;
            refusal.into_response()
        }
    }
}

fn admit(app: &App, request: &Request) -> Result<(), Refusal> {
    if !app.hosts.admit(request) {
        return Err(Refusal::Host);
    }
    let open = app.key.is_none() || request.uri().path() == "/health";
    if open || app.key.as_ref().is_some_and(|key| key.admits(request.headers())) {
        return Ok(());
    }
    Err(Refusal::Key)
}
