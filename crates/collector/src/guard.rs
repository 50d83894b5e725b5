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
    let path = request.uri().path();
    // Browsers say so of their own accord. The answer could not be read over there, but an analysis is work.
    if path.starts_with("/api/") && request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err(Refusal::CrossSite);
    }
    // The page itself is no secret, and has to be there for the key to be asked for.
    let open = app.key.is_none() || path == "/health" || path == "/" || path.starts_with("/page/");
    if open || app.key.as_ref().is_some_and(|key| key.admits(request.headers())) {
        return Ok(());
    }
    Err(Refusal::Key)
}
