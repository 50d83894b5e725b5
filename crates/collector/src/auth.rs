use axum::http::{HeaderMap, header};
use std::fmt;
use std::hint::black_box;

/// The header that Raceway's SDKs may put the key into instead of `Authorization: Bearer`.
const RACEWAY_KEY: &str = "x-raceway-key";

/// A secret that a client must show. Never printed, not even by `Debug`.
pub(crate) struct ApiKey(String);

impl ApiKey {
    pub(crate) fn new(key: String) -> Self {
        Self(key)
    }

    /// Whether there is a key at all, and a header could carry it.
    pub(crate) fn is_sendable(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// Whether one of the two headers carries this key.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        let raceway = headers.get(RACEWAY_KEY).map(|value| value.as_bytes());
        [bearer, raceway].into_iter().flatten().any(|shown| same(shown, self.0.as_bytes()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token.trim_ascii())
}

/// Compares in a time that depends on the length of what was shown, not on how much of it is right.
fn same(shown: &[u8], secret: &[u8]) -> bool {
    let mut difference = shown.len() ^ secret.len();
    for (at, byte) in shown.iter().enumerate() {
        // Beyond its end the secret stands in for itself; the lengths already differ then.
        let expected = secret.get(at % secret.len().max(1)).copied().unwrap_or(0);
        difference |= usize::from(byte ^ expected);
        difference = black_box(difference);
    }
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &'static str, value: &str, admitted: bool) {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        assert_eq!(ApiKey::new("sesame".into()).admits(&headers), admitted, "{name}: {value}");
    }

    #[test]
    fn only_the_whole_key_is_admitted() {
        check("authorization", "Bearer sesame", true);
        check("authorization", "bearer  sesame ", true);
        check("x-raceway-key", "sesame", true);
        for wrong in ["", "s", "sesam", "sesame!", "sesamesesame", "Sesame", "sesbme"] {
            check("authorization", &format!("Bearer {wrong}"), false);
            check("x-raceway-key", wrong, false);
        }
        check("authorization", "sesame", false);
        check("authorization", "Basic sesame", false);
        check("authorization", "Bearer", false);
        check("x-api-key", "sesame", false);
    }

    #[test]
    fn the_key_is_not_printed() {
        assert!(!format!("{:?}", ApiKey::new("sesame".into())).contains("sesame"));
    }
}
