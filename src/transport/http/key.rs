//! Keeping the key out of the logs of the program we live in: at the level trace, ureq writes every request there, byte
//! for byte. So ureq is given a placeholder line in the key's stead, of the same length, and the connection puts the
//! key in its place when the bytes have left ureq's hands. The placeholder is random: nothing that is recorded, and so
//! stands in a body, can be taken for it.

use super::api_key::ApiKey;
use super::options::HttpError;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use ureq::http::{HeaderName, HeaderValue};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// The name of the placeholder's header, which no receiver ever sees.
const PLACEHOLDER: &str = "x-trackside-key";

/// Far longer than any key, and short enough that the head of a request fits one write.
const KEY_MAX: usize = 4096;

/// A key that is put into requests on their way.
pub(super) struct HiddenKey {
    key: ApiKey,
    placeholder: HeaderValue,
    /// The placeholder's line, without its end.
    line: Vec<u8>,
    /// The lines that take its place; as long.
    secret: Vec<u8>,
}

impl HiddenKey {
    pub(super) fn new(key: &ApiKey) -> Result<Self, HttpError> {
        let (kept, key) = (key.clone(), key.reveal());
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HttpError::InvalidKey);
        }
        let secret = format!("authorization: Bearer {key}\r\nx-raceway-key: {key}").into_bytes();
        let mut line = format!("{PLACEHOLDER}: ");
        let name = line.len();
        // The standard library's hash maps draw their seeds from the system's randomness; there are at least 24 digits
        // of it here.
        while line.len() < secret.len() {
            let _ = write!(line, "{:016x}", RandomState::new().hash_one(line.len()));
        }
        line.truncate(secret.len());
        let placeholder = HeaderValue::from_str(line.get(name..).unwrap_or("")).map_err(|_| HttpError::InvalidKey)?;
        Ok(Self { key: kept, placeholder, line: line.into_bytes(), secret })
    }

    /// The key itself.
    pub(super) fn key(&self) -> &ApiKey {
        &self.key
    }

    /// The header to send, as far as ureq is concerned.
    pub(super) fn header(&self) -> (HeaderName, HeaderValue) {
        (HeaderName::from_static(PLACEHOLDER), self.placeholder.clone())
    }
}

impl fmt::Debug for HiddenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The last link of the chain that makes connections.
#[derive(Debug)]
pub(super) struct Unveil(pub(super) Option<Arc<HiddenKey>>);

impl<In: Transport> Connector<In> for Unveil {
    type Out = Unveiling<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let key = self.0.clone();
        Ok(chained.map(|inner| Unveiling { inner, key, head_due: true }))
    }
}

/// A connection that puts the key in.
#[derive(Debug)]
pub(super) struct Unveiling<T> {
    inner: T,
    key: Option<Arc<HiddenKey>>,
    /// Whether the next bytes may be the head of a request; spares the search of bodies.
    head_due: bool,
}

impl<T: Transport> Transport for Unveiling<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if let Some(key) = self.key.as_ref().filter(|_| self.head_due) {
            let output = self.inner.buffers().output();
            if let Some(output) = output.get_mut(..amount) {
                unveil(output, key);
            }
            self.head_due = false;
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.head_due = true;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

fn unveil(output: &mut [u8], key: &HiddenKey) {
    let found = output.windows(key.line.len()).position(|window| window == key.line);
    if let Some(place) = found.and_then(|at| output.get_mut(at..at + key.secret.len())) {
        place.copy_from_slice(&key.secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_placeholder_is_as_long_as_the_key_and_random() {
        for key in ["k", "canary-0123456789", &"x".repeat(KEY_MAX)] {
            let hidden = HiddenKey::new(&ApiKey::new(key)).unwrap();
            assert_eq!(hidden.line.len(), hidden.secret.len());
            assert_ne!(hidden.line, HiddenKey::new(&ApiKey::new(key)).unwrap().line);
            let (name, value) = hidden.header();
            let head = format!("POST / HTTP/1.1\r\n{name}: {}\r\nhost: h\r\n\r\n", value.to_str().unwrap());
            let mut bytes = head.into_bytes();
            unveil(&mut bytes, &hidden);
            let expect =
                format!("POST / HTTP/1.1\r\nauthorization: Bearer {key}\r\nx-raceway-key: {key}\r\nhost: h\r\n\r\n");
            assert_eq!(String::from_utf8(bytes).unwrap(), expect);
        }
    }

    #[test]
    fn what_no_header_can_hold_is_no_key() {
        for key in ["", "a b", "a\r\nX: y", "a\0", "é", &"x".repeat(KEY_MAX + 1)] {
            assert_eq!(HiddenKey::new(&ApiKey::new(key)).err(), Some(HttpError::InvalidKey));
        }
    }
}
