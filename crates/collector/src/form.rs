use crate::refusal::Refusal;
use axum::http::{HeaderMap, header};
use trackside_wire::MEDIA_TYPE;

/// What a body is declared to be; parameters of the media type do not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A native batch.
    Native,
    /// The stock SDKs' JSON.
    Json,
}

impl Form {
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
        match essence.strip_prefix("application/") {
            _ if essence == MEDIA_TYPE => Some(Form::Native),
            Some(subtype) if subtype == "json" || subtype.ends_with("+json") => Some(Form::Json),
            _ => None,
        }
    }
}

/// Whether the body is compressed.
pub(crate) fn is_gzip(headers: &HeaderMap) -> Result<bool, Refusal> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(false) };
    let coding = coding.as_bytes().trim_ascii();
    match codings.next() {
        None if coding.eq_ignore_ascii_case(b"identity") => Ok(false),
        None if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") => Ok(true),
        _ => Err(Refusal::Encoding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        let check = |text: &'static str, expect: Option<Form>| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, text.parse().unwrap())]);
            assert_eq!(Form::of(&headers), expect, "{text}");
        };
        check("application/vnd.trackside.v1+msgpack", Some(Form::Native));
        check("application/json", Some(Form::Json));
        check("Application/JSON; charset=utf-8", Some(Form::Json));
        check("application/cloudevents+json", Some(Form::Json));
        for other in
            ["", "text/json", "application/jsonl", "application/msgpack", "application/vnd.trackside.v2+msgpack"]
        {
            check(other, None);
        }
        assert_eq!(Form::of(&HeaderMap::new()), None);
    }
}
