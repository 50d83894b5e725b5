use crate::api::App;
use crate::form::Form;
use crate::limiter::Peer;
use crate::refusal::Refusal;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Instant;

/// Stands before every route: the host has to be ours, the client not too busy, and the key right, before anything else is
/// looked at.
pub(crate) async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match admit(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            app.bodies.discard(request.body_mut()).await;
            match Form::of(request.headers()) {
                Some(Form::Json) => refusal.to_stock(),
                _ => refusal.into_response(),
            }
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
    if path == "/health" {
        return Ok(());
    }
    if let (Some(limiter), Some(peer)) = (&app.limiter, request.extensions().get::<Peer>()) {
        // Before the key is looked at, so that keys cannot be tried out any faster.
        limiter.admit(*peer, Instant::now()).map_err(|wait| {
            app.store.count_refused_rate();
            Refusal::Rate(wait)
        })?;
    }
    // The page itself is no secret, and has to be there for the key to be asked for.
    let open = app.key.is_none() || path == "/" || path.starts_with("/page/");
    if open || app.key.as_ref().is_some_and(|key| key.admits(request.headers())) {
        return Ok(());
    }
    Err(Refusal::Key)
}
