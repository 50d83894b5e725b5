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
    if request.uri().path() == "/health" {
        return Ok(());
    }
    if let (Some(limiter), Some(peer)) = (&app.limiter, request.extensions().get::<Peer>()) {
        // Before the key is looked at, so that keys cannot be tried out any faster.
        limiter.admit(*peer, Instant::now()).map_err(|wait| {
            app.store.count_refused_rate();
            Refusal::Rate(wait)
        })?;
    }
    if app.key.is_none() || app.key.as_ref().is_some_and(|key| key.admits(request.headers())) {
        return Ok(());
    }
    Err(Refusal::Key)
}
