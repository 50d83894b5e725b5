use super::api_key::{ApiKey, KeySlot};
use super::key::HiddenKey;
use super::resolve::is_loopback;
use std::fmt;
use std::time::Duration;
use ureq::http::Uri;

/// Whether this build can speak https.
const TLS: bool = cfg!(feature = "tls");

/// Where and how an [`HttpTransport`](super::HttpTransport) sends.
#[derive(Debug, Clone)]
pub(crate) struct HttpOptions {
    /// The base URL of the receiver, such as `http://127.0.0.1:8080`; batches go to `{url}/events`. Holds no user
    /// name or password, no query and no fragment.
    pub(crate) url: String,
    /// The key, sent both as `Authorization: Bearer` and as `X-Raceway-Key`. Defaults to none.
    pub(crate) api_key: Option<ApiKey>,
    /// Whether the key may be sent over plain http to another machine. Defaults to false.
    pub(crate) key_over_http: bool,
    /// How long finding the address may take, and again how long connecting may take. Defaults to 5 s.
    pub(crate) connect_timeout: Duration,
    /// How long sending the request may take. Defaults to 10 s.
    pub(crate) send_timeout: Duration,
    /// How long waiting for the answer may take, and again how long reading it may take. Defaults to 10 s.
    pub(crate) response_timeout: Duration,
    /// How long an unused connection is kept; to be shorter than what the receiver keeps it. Defaults to 15 s.
    pub(crate) max_idle_age: Duration,
    /// What the request calls its sender. Defaults to `trackside/<version>`.
    pub(crate) user_agent: String,
}

impl HttpOptions {
    /// The defaults, for this URL.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            api_key: None,
            key_over_http: false,
            connect_timeout: Duration::from_secs(5),
            send_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(10),
            max_idle_age: Duration::from_secs(15),
            user_agent: concat!("trackside/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Why an [`HttpTransport`](super::HttpTransport) could not be made. Holds nothing of the URL or the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum HttpError {
    /// The URL is not one of http or https with a host.
    InvalidUrl,
    /// The URL has a user name or password in it, which would end up in logs.
    CredentialsInUrl,
    /// The URL has a query or a fragment, to which no path can be added.
    NotABaseUrl,
    /// The URL is one of https, and this build cannot speak it.
    TlsMissing,
    /// The key is empty, has characters that a header cannot hold, or is longer than 4 KiB.
    InvalidKey,
    /// The key would go over plain http to another machine.
    KeyInTheClear,
    /// The user agent has characters that a header cannot hold.
    InvalidUserAgent,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HttpError::InvalidUrl => "the URL is not one of http or https with a host",
            HttpError::CredentialsInUrl => "the URL has a user name or password in it; pass a key instead",
            HttpError::NotABaseUrl => "the URL has a query or a fragment",
            HttpError::TlsMissing => "the URL is one of https, and this build is without TLS",
            HttpError::InvalidKey => "the key is empty, too long, or has characters that a header cannot hold",
            HttpError::KeyInTheClear => "the key would go over plain http to another machine",
            HttpError::InvalidUserAgent => "the user agent has characters that a header cannot hold",
        })
    }
}

impl std::error::Error for HttpError {}

/// Checked options: the parts of every request.
pub(super) struct Target {
    /// The URL that batches are posted to.
    pub(super) endpoint: String,
    pub(super) loopback: bool,
    pub(super) keys: KeySlot,
}

impl Target {
    pub(super) fn check(options: &HttpOptions) -> Result<Self, HttpError> {
        // The parser drops a fragment without a word.
        if options.url.contains(['?', '#']) {
            return Err(HttpError::NotABaseUrl);
        }
        let uri: Uri = options.url.parse().map_err(|_| HttpError::InvalidUrl)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(HttpError::InvalidUrl),
        };
        let authority = uri.authority().filter(|it| !it.host().is_empty()).ok_or(HttpError::InvalidUrl)?;
        if authority.as_str().contains('@') {
            return Err(HttpError::CredentialsInUrl);
        }
        // The parser takes a port of any length, and forgets it.
        if authority.port().is_none() && authority.as_str() != authority.host() {
            return Err(HttpError::InvalidUrl);
        }
        if secure && !TLS {
            return Err(HttpError::TlsMissing);
        }
        let loopback = is_loopback(authority.host());
        let keys = KeySlot::new(!secure && !loopback && !options.key_over_http);
        keys.put(keys.check(options.api_key.as_ref())?);
        // ureq makes a header of it without checking.
        if !options.user_agent.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(HttpError::InvalidUserAgent);
        }
        let endpoint = format!("{}/events", options.url.trim_end_matches('/'));
        if endpoint.parse::<Uri>().is_err() {
            return Err(HttpError::InvalidUrl);
        }
        Ok(Self { endpoint, loopback, keys })
    }
}

/// Whether batches can be sent to this URL at all.
///
/// # Errors
/// As [`HttpTransport::new`](super::HttpTransport::new), as far as the URL goes.
pub(crate) fn check_url(url: &str) -> Result<(), HttpError> {
    Target::check(&HttpOptions::new(url)).map(drop)
}

/// Whether a header can hold this key.
///
/// # Errors
/// [`HttpError::InvalidKey`] if not.
pub(crate) fn check_key(key: &ApiKey) -> Result<(), HttpError> {
    HiddenKey::new(key).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, key: Option<&str>, expect: Result<&str, HttpError>) {
        let options = HttpOptions { api_key: key.map(ApiKey::new), ..HttpOptions::new(url) };
        let target = Target::check(&options).map(|target| target.endpoint);
        assert_eq!(target, expect.map(str::to_owned));
    }

    #[test]
    fn urls() {
        check("http://localhost:8080", None, Ok("http://localhost:8080/events"));
        check("http://localhost:8080/", None, Ok("http://localhost:8080/events"));
        check("http://h/raceway/", None, Ok("http://h/raceway/events"));
        check("http://[::1]", None, Ok("http://[::1]/events"));
        check("http://[::1]:80", None, Ok("http://[::1]:80/events"));
        check("HTTP://h", None, Ok("HTTP://h/events"));
        check("http://user:pw@h", None, Err(HttpError::CredentialsInUrl));
        check("http://h?x=1", None, Err(HttpError::NotABaseUrl));
        check("http://h/#x", None, Err(HttpError::NotABaseUrl));
        check("https://h", None, if TLS { Ok("https://h/events") } else { Err(HttpError::TlsMissing) });
        for url in [
            "",
            "h",
            "h:80",
            "/events",
            "ftp://h",
            "http://",
            "http:///x",
            "http://a b",
            "http://h/\r\nx",
            "http://h:",
            "http://h:99999",
            "http://[::1]:x",
        ] {
            check(url, None, Err(HttpError::InvalidUrl));
        }
    }

    #[test]
    fn keys() {
        check("http://127.0.0.1:1", Some("k"), Ok("http://127.0.0.1:1/events"));
        check("http://[::1]:1", Some("k"), Ok("http://[::1]:1/events"));
        check("http://h", Some("k"), Err(HttpError::KeyInTheClear));
        check("http://localhost", Some(""), Err(HttpError::InvalidKey));
        let options = HttpOptions {
            api_key: Some(ApiKey::new("k")),
            key_over_http: true,
            ..HttpOptions::new("http://collector.internal")
        };
        assert!(Target::check(&options).is_ok());
    }

    #[test]
    fn a_user_agent_that_no_header_can_hold_is_refused() {
        let options = HttpOptions { user_agent: "a\nb".into(), ..HttpOptions::new("http://h") };
        assert_eq!(Target::check(&options).err(), Some(HttpError::InvalidUserAgent));
    }
}
