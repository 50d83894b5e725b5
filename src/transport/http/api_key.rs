use super::key::HiddenKey;
use super::options::HttpError;
use arc_swap::ArcSwapOption;
use std::fmt;
use std::sync::Arc;

/// A key for the receiver. Its `Debug` shows nothing of it, and it has no `Display`.
///
/// Made of any text by `into()`; whether it can be sent is checked where it comes into use.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Wraps a key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for ApiKey {
    fn from(key: String) -> Self {
        Self(key)
    }
}

impl From<&String> for ApiKey {
    fn from(key: &String) -> Self {
        Self(key.clone())
    }
}

impl From<&str> for ApiKey {
    fn from(key: &str) -> Self {
        Self(key.to_owned())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The key in force. One side changes it at any time, and the transport looks before each request.
#[derive(Debug, Clone)]
pub(crate) struct KeySlot(Arc<Slot>);

#[derive(Debug)]
struct Slot {
    /// Whether a key would go over plain http to another machine, which nobody has allowed.
    exposed: bool,
    key: ArcSwapOption<HiddenKey>,
}

/// A key that the slot it was checked for can hold, or none.
#[derive(Debug)]
pub(crate) struct CheckedKey(Option<HiddenKey>);

impl KeySlot {
    /// A slot without a key.
    pub(super) fn new(exposed: bool) -> Self {
        Self(Arc::new(Slot { exposed, key: ArcSwapOption::empty() }))
    }

    /// Whether the key can be sent, and may be.
    ///
    /// # Errors
    /// [`HttpError::InvalidKey`] or [`HttpError::KeyInTheClear`].
    pub(crate) fn check(&self, key: Option<&ApiKey>) -> Result<CheckedKey, HttpError> {
        let key = key.map(HiddenKey::new).transpose()?;
        if key.is_some() && self.0.exposed { Err(HttpError::KeyInTheClear) } else { Ok(CheckedKey(key)) }
    }

    /// From the next request on, this key is sent.
    pub(crate) fn put(&self, key: CheckedKey) {
        self.0.key.store(key.0.map(Arc::new));
    }

    /// The key to be sent now.
    pub(super) fn now(&self) -> Option<Arc<HiddenKey>> {
        self.0.key.load_full()
    }
}
