//! Which requests are traced, and what of them is recorded.

use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, PROXY_AUTHORIZATION,
    SET_COOKIE, USER_AGENT,
};
use http::{Method, Uri};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Decides by method, target and headers whether a request is traced.
type Filter = Arc<dyn Fn(&Method, &Uri, &HeaderMap) -> bool + Send + Sync>;

/// See the module's documentation.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) skipped_paths: Vec<Cow<'static, str>>,
    pub(super) skipped_prefixes: Vec<Cow<'static, str>>,
    pub(super) skip_bots: bool,
    pub(super) filters: Vec<Filter>,
    /// The headers that are recorded.
    pub(super) headers: Vec<HeaderName>,
    /// Whether the query is recorded with the path.
    pub(super) query: bool,
}

impl Default for Rules {
    fn default() -> Self {
        let headers = vec![HOST, USER_AGENT, ACCEPT, CONTENT_TYPE, CONTENT_LENGTH];
        let (skipped_paths, skipped_prefixes, filters) = (Vec::new(), Vec::new(), Vec::new());
        Self { skipped_paths, skipped_prefixes, skip_bots: false, filters, headers, query: false }
    }
}

impl Rules {
    pub(super) fn trace<B>(&self, request: &http::Request<B>) -> bool {
        let path = request.uri().path();
        let skipped = self.skipped_paths.iter().any(|skipped| path == skipped)
            || self.skipped_prefixes.iter().any(|prefix| path.starts_with(&**prefix))
            || (self.skip_bots && is_bot(request.headers()));
        !skipped && self.filters.iter().all(|filter| filter(request.method(), request.uri(), request.headers()))
    }

    /// Of the target, what is recorded.
    pub(super) fn target<'a>(&self, uri: &'a Uri) -> &'a str {
        match uri.path_and_query() {
            Some(target) if self.query => target.as_str(),
            _ => uri.path(),
        }
    }

    /// Adds a header to those that are recorded, unless it is one of those that never are.
    pub(super) fn record_header(&mut self, name: HeaderName) {
        if !is_secret(&name) && !self.headers.contains(&name) {
            self.headers.push(name);
        }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("skipped_paths", &self.skipped_paths)
            .field("skipped_prefixes", &self.skipped_prefixes)
            .field("skip_bots", &self.skip_bots)
            .field("filters", &self.filters.len())
            .field("headers", &self.headers)
            .field("query", &self.query)
            .finish()
    }
}

/// Whether a header holds what lets its reader in elsewhere: those that are known, and those whose names say so.
fn is_secret(name: &HeaderName) -> bool {
    const WORDS: [&str; 8] = ["auth", "cookie", "token", "secret", "password", "api-key", "apikey", "session"];
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE].contains(name)
        || name.as_str().ends_with("-key")
        || WORDS.iter().any(|word| name.as_str().contains(word))
}

/// Whether the user agent says that it is a robot.
fn is_bot(headers: &HeaderMap) -> bool {
    headers
        .get(USER_AGENT)
        .is_some_and(|agent| agent.as_bytes().windows(3).any(|word| word.eq_ignore_ascii_case(b"bot")))
}

/// The longest value of a header that is recorded whole, in bytes.
const VALUE_LIMIT: usize = 200;
/// The room for all of them: in an event, one that does not fit takes the others with it.
const HEADERS_LIMIT: usize = 960;
/// What each takes beside its name and value, at most.
const OVERHEAD: usize = 8;

/// Of a request's headers, those that are recorded. One that occurs several times is recorded as a list.
pub(super) struct Recorded<'a>(pub(super) &'a HeaderMap, pub(super) &'a [HeaderName]);

impl Recorded<'_> {
    fn all(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let mut room = HEADERS_LIMIT;
        self.1
            .iter()
            .map_while(move |name| {
                let Some(value) = self.value(name) else { return Some(None) };
                room = room.checked_sub(name.as_str().len() + value.len() + OVERHEAD)?;
                Some(Some((name.as_str(), value)))
            })
            .flatten()
    }

    /// A value that somebody has marked as sensitive is not there.
    fn value(&self, name: &HeaderName) -> Option<Cow<'_, str>> {
        let values = self.0.get_all(name).iter().filter(|value| !value.is_sensitive());
        let mut values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let first = values.next()?;
        Some(cut(values.fold(first, |all, value| format!("{all}, {value}").into())))
    }
}

fn cut(value: Cow<'_, str>) -> Cow<'_, str> {
    if value.len() <= VALUE_LIMIT {
        return value;
    }
    let whole = (0..=VALUE_LIMIT - '…'.len_utf8()).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &value[..whole]).into()
}

impl Serialize for Recorded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.all().count()))?;
        self.all().try_for_each(|(name, value)| map.serialize_entry(name, &value))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn headers_whose_names_speak_of_secrets_are_never_recorded() {
        let mut rules = Rules::default();
        let before = rules.headers.len();
        for name in [
            "authorization",
            "proxy-authorization",
            "cookie",
            "set-cookie",
            "x-api-key",
            "X-Raceway-Key",
            "x-auth-token",
            "x-csrf-token",
            "x-amz-security-token",
            "session-id",
        ] {
            rules.record_header(name.parse().unwrap());
        }
        assert_eq!(rules.headers.len(), before);
        rules.record_header("x-request-id".parse().unwrap());
        rules.record_header("host".parse().unwrap());
        assert_eq!(rules.headers.len(), before + 1);
    }

    #[test]
    fn rules_are_about_paths_prefixes_agents_and_whatever_else() {
        let mut rules = Rules { skip_bots: true, ..Rules::default() };
        rules.skipped_paths.push("/health".into());
        rules.skipped_prefixes.push("/static/".into());
        rules.filters.push(Arc::new(|method, _, _| method != Method::OPTIONS));
        let request = |method: &str, uri: &str, agent: &'static str| {
            http::Request::builder().method(method).uri(uri).header("user-agent", agent).body(()).unwrap()
        };
        for (traced, method, uri, agent) in [
            (true, "GET", "/api", "curl"),
            (true, "GET", "/health/of/others", "curl"),
            (true, "GET", "/static", "bo"),
            (false, "GET", "/health", "curl"),
            (false, "GET", "/health?verbose", "curl"),
            (false, "GET", "/static/a.js", "curl"),
            (false, "GET", "/api", "Mozilla/5.0 (compatible; GoogleBOT/2.1)"),
            (false, "OPTIONS", "/api", "curl"),
        ] {
            assert_eq!(rules.trace(&request(method, uri, agent)), traced, "{method} {uri} {agent}");
        }
        assert_eq!(rules.target(&"/a?secret=b".parse().unwrap()), "/a");
        rules.query = true;
        assert_eq!(rules.target(&"/a?b=c".parse().unwrap()), "/a?b=c");
    }

    #[test]
    fn headers_are_bounded_and_sensitive_values_left_out() {
        let names: Vec<HeaderName> = (0..20).map(|n| format!("x-{n}").parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        let recorded = |headers: &HeaderMap| serde_json::to_value(Recorded(headers, &names)).unwrap();
        assert_eq!(recorded(&headers), serde_json::json!({}));
        let mut value = |name: usize, value: &[u8], sensitive: bool| {
            let mut value = HeaderValue::from_bytes(value).unwrap();
            value.set_sensitive(sensitive);
            headers.append(&names[name], value);
        };
        value(0, b"canary", true);
        value(1, b"a", false);
        value(1, b"b", false);
        value(2, b"\xff", false);
        value(3, "ä".repeat(4_000).as_bytes(), false);
        let read = recorded(&headers);
        assert_eq!(read["x-1"], "a, b");
        assert_eq!(read["x-2"], "\u{fffd}");
        assert_eq!(read["x-3"], format!("{}…", "ä".repeat(98)));
        assert!(read.get("x-0").is_none());
        for name in &names {
            headers.insert(name, "a".repeat(8_000).parse().unwrap());
        }
        let all = recorded(&headers);
        assert_eq!(all.as_object().unwrap().len(), 4);
        let packed = rmp_serde::to_vec(&Recorded(&headers, &names)).unwrap();
        assert!(packed.len() < HEADERS_LIMIT, "{}", packed.len());
    }
}
