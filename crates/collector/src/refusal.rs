use crate::received::ReceiveError;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::Duration;
use trackside_wire::MEDIA_TYPE;

/// What `POST /events` takes.
const ACCEPTED: &str = "application/vnd.trackside.v1+msgpack, application/json";

/// Every way in which the collector says no. The body is a line of text for whoever reads the sender's log.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// 421: the request names a host that is not ours; see [`crate::host`].
    Host,
    /// 401: no key, or a wrong one.
    Key,
    /// 429: more requests than one peer may make; when the next one may come.
    Rate(Duration),
    /// 415: neither a native batch nor JSON.
    MediaType,
    /// 415: an encoding other than gzip.
    Encoding,
    /// 400: what is called gzip is not.
    NotGzip,
    /// 400: JSON that is not of the stock SDKs; where, and what is wrong with it.
    Json(String),
    /// 500: events were understood and could not be made a batch.
    Conversion,
    /// 408: the body did not come in time.
    TooSlow,
    /// 413: over the limit, in bytes.
    TooLarge(u64),
    /// 400: the connection broke down in the middle of the body.
    Broken,
    /// 400: not a batch.
    Batch(ReceiveError),
    /// 400: a query that is not understood.
    Query(&'static str),
    /// 404: nothing is there.
    NotFound,
    /// 503: nothing was analysed yet.
    NotYet,
    /// 503: too many watch what comes in.
    Watchers,
    /// 403: another site's page has made the browser ask.
    CrossSite,
    /// 503: too many bodies are being read at the moment.
    Busy,
    /// 503: the store is full.
    Full,
    /// 503: the disk does not take it; why, in a word.
    Disk(&'static str),
    /// 500: the analysis broke down.
    Analysis,
}

impl Refusal {
    /// Whether the same request may succeed later.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Refusal::Rate(_) | Refusal::Busy | Refusal::Full | Refusal::Disk(_))
    }

    fn status(&self) -> StatusCode {
        match self {
            Refusal::Host => StatusCode::MISDIRECTED_REQUEST,
            Refusal::Key => StatusCode::UNAUTHORIZED,
            Refusal::Rate(_) => StatusCode::TOO_MANY_REQUESTS,
            Refusal::MediaType | Refusal::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Broken | Refusal::Batch(_) | Refusal::Query(_) | Refusal::NotGzip | Refusal::Json(_) => {
                StatusCode::BAD_REQUEST
            }
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::CrossSite => StatusCode::FORBIDDEN,
            Refusal::NotYet | Refusal::Watchers => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Busy | Refusal::Full | Refusal::Disk(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Analysis | Refusal::Conversion => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn text(&self) -> String {
        match self {
            Refusal::Host => "the Host header names neither a loopback address nor the address this collector is \
                bound to; if it is a name of this machine, allow it with --allow-host"
                .into(),
            Refusal::Key => "an API key is needed: Authorization: Bearer <key>, or X-Raceway-Key: <key>".into(),
            Refusal::Rate(_) => "more requests than one client may make in a second".into(),
            Refusal::MediaType => {
                format!("only Content-Type: {MEDIA_TYPE} and application/json are accepted here")
            }
            Refusal::Encoding => "only Content-Encoding: gzip is accepted here, or none".into(),
            Refusal::NotGzip => "the body is not gzip, as its Content-Encoding says".into(),
            Refusal::Json(problem) => problem.clone(),
            Refusal::Conversion => "the events could not be stored as a batch; this is a bug in trackside".into(),
            Refusal::TooSlow => "the body did not arrive in time".into(),
            Refusal::TooLarge(limit) => format!("the batch is larger than the {limit} bytes that are accepted"),
            Refusal::Broken => "the body ended too early".into(),
            Refusal::Batch(error) => error.to_string(),
            Refusal::Query(problem) => (*problem).into(),
            Refusal::NotFound => "nothing is here".into(),
            Refusal::NotYet => "the first analysis is under way".into(),
            Refusal::Watchers => "too many are watching at once".into(),
            Refusal::CrossSite => "a page of another site may not ask this".into(),
            Refusal::Busy => "too many batches are arriving at once".into(),
            Refusal::Full => "the store is full: nothing of this batch was stored".into(),
            Refusal::Disk(reason) => {
                format!("the disk takes nothing at the moment ({reason}); the batch is not stored")
            }
            Refusal::Analysis => "the analysis failed; this is a bug in trackside".into(),
        }
    }

    /// The answer to who has sent JSON: in the stock server's words where its SDKs look for them.
    pub(crate) fn to_stock(&self) -> Response {
        let error = match self {
            Refusal::Key => "Unauthorized".to_owned(),
            Refusal::Rate(_) => "Too Many Requests".to_owned(),
            Refusal::Busy | Refusal::Full | Refusal::Disk(_) => self.text(),
            _ => return self.to_response(self.text() + "\n"),
        };
        self.to_response(axum::Json(json!({"success": false, "data": null, "error": error})))
    }

    fn to_response(&self, body: impl IntoResponse) -> Response {
        let mut response = (self.status(), body).into_response();
        response.headers_mut().extend(self.header());
        response
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Refusal::Key => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Refusal::MediaType => Some((header::ACCEPT, HeaderValue::from_static(ACCEPTED))),
            Refusal::Encoding => Some((header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"))),
            Refusal::Rate(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Some((header::RETRY_AFTER, HeaderValue::from(seconds.max(1))))
            }
            Refusal::Busy | Refusal::NotYet | Refusal::Watchers => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("1")))
            }
            Refusal::Full | Refusal::Disk(_) => Some((header::RETRY_AFTER, HeaderValue::from_static("5"))),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.to_response(self.text() + "\n")
    }
}
