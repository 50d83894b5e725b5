//! Keeping the key out of the logs of the program we live in: at the level trace, ureq writes every request there, byte
//! for byte. So ureq is given a placeholder line in the key's stead, of the same length, and the connection puts the
//! key in its place when the bytes have left ureq's hands. The placeholder is random: nothing that is recorded, and so
//! stands in a body, can be taken for it. The other way, a receiver that echoes the key has it blotted out in what it says
//! before ureq reads that, and logs it.

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

/// A piece of the key this long is as good as the key.
pub(super) const PIECE: usize = 8;

/// A key that is put into requests on their way.
pub(super) struct HiddenKey {
    key: ApiKey,
    placeholder: HeaderValue,
    /// The placeholder's line, without its end.
    line: Vec<u8>,
    /// The lines that take its place; as long.
    secret: Vec<u8>,
    /// The telling pieces of the key, in order. None if the key is shorter than that: then it cannot be told from other
    /// text.
    pieces: Vec<[u8; PIECE]>,
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
        let mut pieces: Vec<_> = key.as_bytes().windows(PIECE).filter_map(|piece| piece.try_into().ok()).collect();
        pieces.sort_unstable();
        Ok(Self { key: kept, placeholder, line: line.into_bytes(), secret, pieces })
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
        let progress = self.inner.await_input(timeout)?;
        if let Some(key) = &self.key {
            veil(self.inner.buffers(), key);
        }
        Ok(progress)
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

/// Blots out what there is of the key in what has been read and not yet been looked at.
fn veil(buffers: &mut dyn Buffers, key: &HiddenKey) {
    let input = buffers.input();
    let tells = |window: &[u8]| key.pieces.binary_search_by(|piece| piece[..].cmp(window)).is_ok();
    let found: Vec<_> = (0..).zip(input.windows(PIECE)).filter(|(_, window)| tells(window)).map(|(at, _)| at).collect();
    if found.is_empty() {
        return;
    }
    let mut veiled = input.to_vec();
    for at in found {
        veiled[at..at + PIECE].fill(b'*');
    }
    // There is no writing to it in place. Once all is taken out, there is room for as much.
    buffers.input_consume(veiled.len());
    if let Some(room) = buffers.input_append_buf().get_mut(..veiled.len()) {
        room.copy_from_slice(&veiled);
        buffers.input_appended(veiled.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::unversioned::transport::LazyBuffers;

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
    fn a_key_is_blotted_out_of_what_is_read() {
        let veiled = |key: &str, pieces: &[&str]| {
            let (mut buffers, hidden) = (LazyBuffers::new(64, 64), HiddenKey::new(&ApiKey::new(key)).unwrap());
            for piece in pieces {
                buffers.input_append_buf()[..piece.len()].copy_from_slice(piece.as_bytes());
                buffers.input_appended(piece.len());
                veil(&mut buffers, &hidden);
            }
            String::from_utf8(buffers.input().to_vec()).unwrap()
        };
        let key = "canary-0123456789";
        assert_eq!(veiled(key, &["no such key: canary-0123456789!"]), "no such key: *****************!");
        assert_eq!(veiled(key, &["canary-0 123456789 canary-"]), "******** ********* canary-");
        assert_eq!(veiled(key, &["nothing of it"]), "nothing of it");
        // Of a key that comes in pieces, too little is left to tell.
        assert_eq!(veiled(key, &["it is canary", "-0123", "456789."]), "it is ***********456789.");
        assert_eq!(veiled("content", &["content-length: 1"]), "content-length: 1");
        let full = format!("{}{key}", "x".repeat(64 - key.len()));
        assert_eq!(veiled(key, &[&full]), format!("{}{}", "x".repeat(64 - key.len()), "*".repeat(key.len())));
    }

    #[test]
    fn what_no_header_can_hold_is_no_key() {
        for key in ["", "a b", "a\r\nX: y", "a\0", "é", &"x".repeat(KEY_MAX + 1)] {
            assert_eq!(HiddenKey::new(&ApiKey::new(key)).err(), Some(HttpError::InvalidKey));
        }
    }
}
