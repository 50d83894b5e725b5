use crate::refusal::Refusal;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What browsers may do with an answer: not guess its type, not keep it.
pub(super) const PRIVATE: [(HeaderName, &str); 2] =
    [(header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::CACHE_CONTROL, "no-store")];

/// An answer in JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Response, Refusal> {
    let body = serde_json::to_vec(value).map_err(|_| Refusal::Analysis)?;
    Ok((PRIVATE, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// An answer in JSON that goes by `tag`; none is made for who has it already.
pub(super) fn tagged(
    tag: &str,
    asked: &HeaderMap,
    value: impl FnOnce() -> Result<Response, Refusal>,
) -> Result<Response, Refusal> {
    let tag = format!("\"{tag}\"");
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
    if known.flat_map(|known| known.split(',')).any(|known| known.trim() == tag) {
        return Ok((StatusCode::NOT_MODIFIED, PRIVATE, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], value()?).into_response())
}
