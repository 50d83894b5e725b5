//! Clients: a well-behaved one, and a socket for those that are not.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use trackside_wire::{Ack, MEDIA_TYPE};

/// Long enough never to pass in a run that works: a hang becomes a failure.
const HANG: Duration = Duration::from_secs(60);

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn ack(&self) -> Ack {
        assert_eq!((self.status, self.header("content-type")), (200, MEDIA_TYPE), "{:?}", self.text());
        Ack::decode(&self.body).unwrap()
    }
}

pub(crate) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
    config.timeout_global(Some(HANG)).proxy(None).build().into()
}

/// Sends a native batch with some more headers. Fails if there is no whole answer.
pub(crate) fn try_post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, ureq::Error> {
    let mut request = agent().post(format!("{url}/events"));
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", MEDIA_TYPE);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request.send(body)?)
}

#[track_caller]
pub(crate) fn post(url: &str, body: &[u8]) -> Answer {
    try_post(url, &[], body).unwrap()
}

#[track_caller]
pub(crate) fn get(url: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = agent().get(format!("{url}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request.call().unwrap()).unwrap()
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let body = response.body_mut().read_to_vec()?;
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
}

/// A connection that has sent `bytes` and nothing else.
pub(crate) fn send_raw(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// All that comes until the other side closes the connection, or resets it for not being read to the end.
pub(crate) fn read_to_close(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
    String::from_utf8(answer).unwrap()
}
