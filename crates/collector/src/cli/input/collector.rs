use crate::cli::failure::Failure;
use std::io::Read;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// How long a collector may take to answer at all. What it then sends may take as long as it likes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A collector that runs, as its clients see it.
#[derive(Debug)]
pub(crate) struct Collector<'a> {
    url: &'a str,
    key: Option<&'a str>,
}

impl<'a> Collector<'a> {
    /// `url` begins with `http://` or `https://`.
    pub(crate) fn new(url: &'a str, key: Option<&'a str>) -> Result<Self, Failure> {
        if url.starts_with("https://") {
            return Err(Failure {
                what: format!("cannot ask {url}: this program has no TLS"),
                source: None,
                advice: "forward a local port to it, and give that as http://127.0.0.1:<port>",
            });
        }
        Ok(Self { url: url.trim_end_matches('/'), key })
    }

    /// Asks for a path, and returns the answer's body, which comes as it is read.
    pub(crate) fn get(&self, path: &str) -> Result<impl Read + use<>, Failure> {
        // A proxy would get to see the key, and has no business with a collector next door.
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let config = config.timeout_connect(Some(PATIENCE)).timeout_recv_response(Some(PATIENCE));
        let agent: Agent = config.build().into();
        let mut request = agent.get(format!("{}{path}", self.url));
        if let Some(key) = self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let response = request.call().map_err(|error| Failure {
            what: format!("cannot ask {}", self.url),
            source: Some(error.into()),
            advice: "is that the address that `trackside serve` listens on?",
        })?;
        self.body(response)
    }

    fn body(&self, response: Response<Body>) -> Result<impl Read + use<>, Failure> {
        let advice = match response.status().as_u16() {
            200 => return Ok(response.into_body().into_reader()),
            401 => "name the environment variable that holds its key with --api-key-env",
            404 => "is that a collector of this version of trackside?",
            421 => "call it by a name that it knows, or let it know this one with --allow-host",
            _ => "look at what the collector says of it",
        };
        let what = format!("{} answered {}", self.url, response.status());
        Err(Failure { what, source: None, advice })
    }
}

/// The key in an environment variable, if one is named.
pub(crate) fn key_from(variable: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(variable) = variable else { return Ok(None) };
    let key = std::env::var(variable).map_err(|error| Failure {
        what: format!("no API key in the environment variable {variable}"),
        // NotUnicode would print the key.
        source: matches!(error, std::env::VarError::NotPresent).then(|| error.into()),
        advice: "set it to visible ASCII characters, or leave out --api-key-env",
    })?;
    Ok(Some(key))
}
