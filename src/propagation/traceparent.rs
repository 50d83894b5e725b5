//! The `traceparent` header: `00-<32 digits of the trace>-<16 digits of the span>-<2 digits of flags>`.

use super::id::{SpanId, TraceId, hex};

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traceparent {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) sampled: bool,
}

const SAMPLED: u128 = 1;

impl Traceparent {
    /// By the rules of W3C Trace Context, but for two things that other SDKs get wrong and nobody is hurt by: blanks
    /// around it and digits in upper case.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let mut parts = value.trim_ascii().splitn(5, |byte| *byte == b'-');
        let mut next = || parts.next();
        let (version, trace, span, flags, more) = (next()?, next()?, next()?, next()?, next());
        let version = byte(version)?;
        // Later versions may have more fields behind these; there is no version ff.
        if version == 0xff || (version == 0 && more.is_some()) {
            return None;
        }
        let sampled = byte(flags)? & SAMPLED != 0;
        Some(Self { trace: TraceId::from_hex(trace)?, span: SpanId::from_hex(span)?, sampled })
    }

    pub(super) fn write(self) -> String {
        format!("00-{}-{}-{:02x}", self.trace.hex(), self.span, u8::from(self.sampled))
    }
}

fn byte(digits: &[u8]) -> Option<u128> {
    (digits.len() == 2).then(|| hex(digits)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[track_caller]
    fn check(value: &str, sampled: Option<bool>) {
        let (trace, span) = (TRACE.parse().expect("an id"), SPAN.parse().expect("an id"));
        let expect = sampled.map(|sampled| Traceparent { trace, span, sampled });
        assert_eq!(Traceparent::parse(value.as_bytes()), expect, "{value}");
    }

    #[test]
    fn the_version_of_today() {
        check(&format!("00-{TRACE}-{SPAN}-01"), Some(true));
        check(&format!("00-{TRACE}-{SPAN}-00"), Some(false));
        check(&format!("00-{TRACE}-{SPAN}-fe"), Some(false));
        check(&format!("00-{TRACE}-{SPAN}-ff"), Some(true));
        check(&format!("00-{}-{}-01", TRACE.to_uppercase(), SPAN.to_uppercase()), Some(true));
        check(&format!(" \t00-{TRACE}-{SPAN}-01\r\n"), Some(true));
        let written = Traceparent::parse(format!("00-{TRACE}-{SPAN}-03").as_bytes()).map(Traceparent::write);
        assert_eq!(written, Some(format!("00-{TRACE}-{SPAN}-01")));
    }

    #[test]
    fn versions_to_come() {
        check(&format!("01-{TRACE}-{SPAN}-01"), Some(true));
        check(&format!("fe-{TRACE}-{SPAN}-00-what-the-future-brings"), Some(false));
        check(&format!("cc-{TRACE}-{SPAN}-01-"), Some(true));
        check(&format!("cc-{TRACE}-{SPAN}-01.what"), None);
        check(&format!("cc-{TRACE}-{SPAN}-1"), None);
    }

    #[test]
    fn what_is_refused() {
        for value in [
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("FF-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-zz"),
            format!("00-{TRACE}-{SPAN}-001"),
            format!("zz-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("000-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}a-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &SPAN[1..]),
            format!("00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"),
            format!("00_{TRACE}_{SPAN}_01"),
            format!("-00-{TRACE}-{SPAN}-01"),
            String::new(),
            "-".repeat(8000),
        ] {
            check(&value, None);
        }
    }
}
