use crate::refusal::Refusal;
use axum::http::Uri;

/// What a list is asked for: how many rows, and behind which one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span<'a> {
    pub(super) limit: usize,
    pub(super) after: Option<&'a str>,
}

const LIMIT: usize = 200;
const LIMIT_MAX: usize = 1_000;

/// Reads `limit=..&after=..`. Ids have no characters that would have to be escaped.
pub(super) fn span(uri: &Uri) -> Result<Span<'_>, Refusal> {
    let mut span = Span { limit: LIMIT, after: None };
    for part in uri.query().unwrap_or("").split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("limit", limit)) => {
                let limit = limit.parse().map_err(|_| Refusal::Query("limit is a number"))?;
                span.limit = LIMIT_MAX.min(limit);
            }
            Some(("after", after)) => span.after = Some(after),
            _ => return Err(Refusal::Query("the query may be limit=<number> and after=<id>")),
        }
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_understood() {
        let parse = |query: &str| {
            span(&format!("/api/traces{query}").parse().unwrap())
                .map(|span| (span.limit, span.after.map(str::to_owned)))
        };
        assert_eq!(parse("").unwrap(), (LIMIT, None));
        assert_eq!(parse("?").unwrap(), (LIMIT, None));
        assert_eq!(parse("?limit=5&after=abc").unwrap(), (5, Some("abc".to_owned())));
        assert_eq!(parse("?limit=999999999").unwrap(), (LIMIT_MAX, None));
        for wrong in ["?limit=-1", "?limit=x", "?before=1", "?limit"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
