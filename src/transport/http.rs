//! Batches over HTTP. What is decided here, and why:
//!
//! - Delivered is what a 200 with a well-formed acknowledgement of this very batch says, and nothing else: captive
//!   portals, proxies and redirects answer 200 as well, and ureq would follow a redirect with an empty GET that carries
//!   the key along. So redirects are not followed.
//! - A proxy named by the environment (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, less `NO_PROXY`) is used, except for
//!   `localhost` and loopback addresses: a collector on this machine must not be looked for on another one.
//! - ureq notices that a kept connection was closed only if the news came before the request. If it comes after, the
//!   request is repeated at once, once, over a new connection: the batch carries its number, so that a receiver that
//!   had got it already knows it again.
//! - A stock Raceway server does not know a batch when it sees it twice. So what is sent to one is sent again only if it
//!   cannot have been received: if the end of the request had not been handed over when the attempt failed, or if the
//!   answer says so. And each request has a connection of its own: over one that the server is about to close, a
//!   request would vanish, and nobody could say whether it had arrived.
//! - A batch whose connection was cut is announced with `Expect: 100-continue` the next time, so that a receiver that
//!   finds it too large can say so before it is sent.

mod answer;
mod api_key;
mod handed;
mod key;
mod options;
mod resolve;
mod retry_after;
#[cfg(test)]
mod server;
mod stock;
#[cfg(test)]
mod tests;

pub use api_key::ApiKey;
pub(crate) use api_key::KeySlot;
pub(crate) use options::{HttpError, HttpOptions, check_key, check_url};

use super::{Cause, Form, Outcome, SealedBatch, Transport};
use answer::{Answer, BODY_MAX};
use handed::Handed;
use key::{HiddenKey, Unveil};
use options::Target;
use resolve::Lookups;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http::{HeaderMap, header};
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Body, Proxy, SendBody};

/// The longest any timeout can be; so that no sum of an instant and a timeout overflows.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the head of an answer can be, in bytes.
const HEAD_MAX: usize = 16 * 1024;

/// How much is written to or read from a connection at once, in bytes. A write is timed out as a whole, and goes on as
/// long as the receiver takes some of it: small pieces keep a slow receiver near the timeout.
const BUFFER: usize = 32 * 1024;

/// Posts batches to a receiver and understands its answers. Connections are kept between batches.
pub(crate) struct HttpTransport {
    target: Target,
    options: HttpOptions,
    config: Config,
    lookups: Lookups,
    agent: Agent,
    /// The key that the agent's connections put in.
    key: Option<Arc<HiddenKey>>,
    handed: Handed,
    /// Whether the agent may hold a connection that has been used before.
    kept: bool,
    /// The number of the batch whose last attempt was cut off.
    ask_first: Option<u64>,
}

impl HttpTransport {
    /// Checks the options. Nothing is sent, and no connection is made, before the first batch.
    ///
    /// # Errors
    /// If the URL, the key or the user agent cannot be used, or the key would be exposed; see [`HttpError`].
    pub(crate) fn new(options: HttpOptions) -> Result<Self, HttpError> {
        let target = Target::check(&options)?;
        let proxy = if target.loopback { None } else { Proxy::try_from_env() };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .accept_encoding("identity")
            .user_agent(options.user_agent.as_str())
            .max_response_header_size(HEAD_MAX)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(options.max_idle_age.min(TIMEOUT_MAX))
            .build();
        let lookups = Lookups::default();
        let handed = Handed::default();
        let key = target.keys.now();
        let agent = agent(&config, key.clone(), &lookups, &handed);
        // The key may be another by the time something is sent.
        let options = HttpOptions { api_key: None, ..options };
        Ok(Self { target, options, config, lookups, agent, key, handed, kept: false, ask_first: None })
    }

    /// Checks the options as [`HttpTransport::new`] does, of which nothing is made but where batches would go, and the
    /// place of the key.
    ///
    /// # Errors
    /// As [`HttpTransport::new`].
    pub(crate) fn check(options: &HttpOptions) -> Result<(String, KeySlot), HttpError> {
        Target::check(options).map(|Target { endpoint, keys, .. }| (endpoint, keys))
    }

    /// Where the key is looked for before each request.
    pub(crate) fn keys(&self) -> KeySlot {
        self.target.keys.clone()
    }

    /// Drops kept connections and remembered addresses: an error has put both into doubt.
    fn start_afresh(&mut self) {
        self.lookups.forget();
        self.connect_anew();
    }

    /// Drops kept connections.
    fn connect_anew(&mut self) {
        self.agent = agent(&self.config, self.key.clone(), &self.lookups, &self.handed);
        self.kept = false;
    }

    /// Turns to the key in force. A kept connection has the key that it was opened with, so it is of no use any more.
    fn turn_to_key_in_force(&mut self) {
        let now = self.target.keys.now();
        if now.as_ref().map(Arc::as_ptr) != self.key.as_ref().map(Arc::as_ptr) {
            self.key = now;
            self.connect_anew();
        }
    }

    /// One request and its answer. Any error is one before the head of the answer was complete.
    fn attempt(&self, batch: &SealedBatch, timeout: Duration) -> Result<Answer, Failure> {
        let options = &self.options;
        let part = |timeout: Duration| Some(timeout.min(TIMEOUT_MAX));
        let media_type = batch.form.media_type();
        let mut request = self.agent.post(&self.target.endpoint);
        request = request.header(header::CONTENT_TYPE, media_type).header(header::ACCEPT, media_type);
        request = request.header(header::CONTENT_LENGTH, batch.bytes.len());
        if let Some(key) = &self.key {
            let (name, value) = key.header();
            request = request.header(name, value);
        }
        if batch.form == Form::Stock {
            request = request.header(header::CONNECTION, "close");
        }
        if self.ask_first == Some(batch.number) {
            request = request.header(header::EXPECT, "100-continue");
        }
        let request = request
            .config()
            .timeout_global(part(timeout))
            .timeout_resolve(part(options.connect_timeout))
            .timeout_connect(part(options.connect_timeout))
            .timeout_send_request(part(options.send_timeout))
            .timeout_send_body(part(options.send_timeout))
            .timeout_recv_response(part(options.response_timeout))
            .timeout_recv_body(part(options.response_timeout))
            .build();
        // What is left in here, ureq has not asked for yet. It writes all that it has asked for before it asks again.
        let mut unsent = &batch.bytes[..];
        let result = request.send(SendBody::from_reader(&mut unsent));
        let received = unsent.is_empty() && self.handed.over();
        let response = result.map_err(|error| Failure { error, received })?;
        let (head, body) = response.into_parts();
        let (body, complete) = read(body);
        let status = head.status.as_u16();
        Ok(Answer {
            status,
            retry_after: retry_after(&head.headers),
            body,
            complete,
            is_plain: is_plain(&head.headers),
        })
    }
}

/// Why there is no answer.
struct Failure {
    error: ureq::Error,
    /// Whether the whole request may have been received all the same.
    received: bool,
}

impl Failure {
    /// Whether the request can be made again: it did not get through, or its receiver knows it again.
    fn can_be_repeated(&self, form: Form) -> bool {
        !self.received || form == Form::Native
    }
}

impl Transport for HttpTransport {
    fn send(&mut self, batch: &SealedBatch, timeout: Duration) -> Outcome {
        let started = Instant::now();
        self.turn_to_key_in_force();
        if self.kept && batch.form == Form::Stock {
            self.start_afresh();
        }
        let mut result = self.attempt(batch, timeout);
        if self.kept && result.as_ref().is_err_and(|failure| is_cut(&failure.error)) {
            self.start_afresh();
            result = self.attempt(batch, timeout.saturating_sub(started.elapsed()));
        }
        match result {
            Ok(answer) => {
                // Asked or not, the answer has come; should it be 417, that says not to ask.
                let asked = self.ask_first.take() == Some(batch.number);
                // ureq keeps no connection that has more to read, or over which the body may not have been sent.
                self.kept = answer.complete && !asked && batch.form == Form::Native;
                answer.outcome(batch, self.key.as_deref().map(HiddenKey::key))
            }
            Err(failure) => {
                self.start_afresh();
                let cause = Cause::new(describe(&failure.error));
                if !failure.can_be_repeated(batch.form) {
                    return Outcome::Unconfirmed(cause);
                }
                let cut = is_cut(&failure.error);
                self.ask_first = cut.then_some(batch.number);
                if cut { Outcome::Cut(cause) } else { Outcome::Retry { after: None, cause } }
            }
        }
    }

    fn destination(&self) -> String {
        self.target.endpoint.clone()
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("options", &self.options).finish_non_exhaustive()
    }
}

fn agent(config: &Config, key: Option<Arc<HiddenKey>>, lookups: &Lookups, handed: &Handed) -> Agent {
    let connector = DefaultConnector::default().chain(Unveil(key)).chain(handed.clone());
    Agent::with_parts(config.clone(), connector, lookups.clone())
}

/// The start of a body, and whether it is the whole of it. Reading to its end is what lets the connection be kept.
fn read(mut body: Body) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let limit = BODY_MAX as u64 + 1;
    // What was read before an error stays in `bytes`.
    let ended = body.as_reader().take(limit).read_to_end(&mut bytes).is_ok();
    let complete = ended && bytes.len() <= BODY_MAX;
    bytes.truncate(BODY_MAX);
    (bytes, complete)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    retry_after::parse(text(header::RETRY_AFTER)?, text(header::DATE))
}

fn is_plain(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    media_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("text/plain"))
}

/// Whether the other side broke off: as a receiver does that has gone, or that wants no more of the request.
fn is_cut(error: &ureq::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let ureq::Error::Io(error) = error else { return false };
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// The error in words of our own: ureq's may quote the URL of a proxy, or what the other side said.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) if is_timeout(error) => "timed out".to_owned(),
        ureq::Error::Io(error) => format!("the connection failed: {}", error.kind()),
        ureq::Error::Timeout(part) => format!("timed out ({part})"),
        ureq::Error::HostNotFound => "the host was not found".to_owned(),
        ureq::Error::LargeResponseHeader(..) => "the head of the answer is too long".to_owned(),
        ureq::Error::Protocol(_) => "the answer is not HTTP as we know it".to_owned(),
        ureq::Error::ConnectProxyFailed(_) => "the proxy refused to connect".to_owned(),
        ureq::Error::InvalidProxyUrl => "the proxy's URL is invalid".to_owned(),
        ureq::Error::TlsRequired => "this build is without TLS".to_owned(),
        _ => "the request failed".to_owned(),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
