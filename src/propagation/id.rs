//! Ids of traces and spans.

use super::random;
use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

/// The id of a trace: everything that one request caused, in all services. Not zero.
///
/// Shown as a UUID, hyphenated and in lower case; read from that or from 32 hexadecimal digits, in either case.
///
/// # Examples
///
/// ```
/// use trackside::TraceId;
///
/// let trace: TraceId = "0AF7651916CD43DD8448EB211C80319C".parse()?;
/// assert_eq!(trace.to_string(), "0af76519-16cd-43dd-8448-eb211c80319c");
/// assert_eq!(trace.hex().to_string(), "0af7651916cd43dd8448eb211c80319c");
/// # Ok::<(), trackside::propagation::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(NonZeroU128);

impl TraceId {
    /// Where a UUID says that it is of version 4 and of the usual variant, and what it says there.
    const UUID_MASK: u128 = (0b1111 << 76) | (0b11 << 62);
    const UUID_V4: NonZeroU128 = NonZeroU128::new((4 << 76) | (0b10 << 62)).unwrap();

    /// A new id, a UUID of version 4. It is unique, not secret: do not let anything rest on its being hard to guess.
    pub fn random() -> Self {
        let [high, low] = random::draw();
        let bits = (u128::from(high) << 64) | u128::from(low);
        Self(Self::UUID_V4 | (bits & !Self::UUID_MASK))
    }

    /// The id with this number, unless it is 0.
    pub const fn from_u128(id: u128) -> Option<Self> {
        match NonZeroU128::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// The id as a number.
    pub const fn as_u128(self) -> u128 {
        self.0.get()
    }

    /// Shows the id as 32 hexadecimal digits, as `traceparent` has it.
    pub fn hex(self) -> impl fmt::Display {
        Hex(self)
    }

    /// Of 32 digits, not all zero.
    pub(super) fn from_hex(digits: &[u8]) -> Option<Self> {
        (digits.len() == 32).then(|| hex(digits)).flatten().and_then(Self::from_u128)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.as_u128();
        let (a, b, c, d) = (id >> 96, id >> 80 & 0xffff, id >> 64 & 0xffff, id >> 48 & 0xffff);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", id & 0xffff_ffff_ffff)
    }
}

/// A trace's id without hyphens.
struct Hex(TraceId);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0.as_u128())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl FromStr for TraceId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let text = text.as_bytes();
        let mut digits = [0; 32];
        match text.len() {
            32 => digits.copy_from_slice(text),
            36 if [8, 13, 18, 23].iter().all(|at| text[*at] == b'-') => {
                let parts = [(0, &text[..8]), (8, &text[9..13]), (12, &text[14..18]), (16, &text[19..23])];
                for (at, part) in parts.into_iter().chain([(20, &text[24..])]) {
                    digits[at..at + part.len()].copy_from_slice(part);
                }
            }
            _ => return Err(ParseIdError::Malformed),
        }
        Self::from_u128(hex(&digits).ok_or(ParseIdError::Malformed)?).ok_or(ParseIdError::Zero)
    }
}

/// The id of a span: what one service did for one request. Not zero.
///
/// Shown as 16 hexadecimal digits in lower case, and read from them in either case.
///
/// # Examples
///
/// ```
/// use trackside::SpanId;
///
/// let span: SpanId = "b7ad6b7169203331".parse()?;
/// assert_eq!(span.as_u64(), 0xb7ad_6b71_6920_3331);
/// assert!("0000000000000000".parse::<SpanId>().is_err());
/// # Ok::<(), trackside::propagation::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(NonZeroU64);

impl SpanId {
    /// A new id. It is unique, not secret: do not let anything rest on its being hard to guess.
    pub fn random() -> Self {
        let [bits, _] = random::draw();
        Self(NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN))
    }

    /// The id with this number, unless it is 0.
    pub const fn from_u64(id: u64) -> Option<Self> {
        match NonZeroU64::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// The id as a number.
    pub const fn as_u64(self) -> u64 {
        self.0.get()
    }

    /// Of 16 digits, not all zero.
    pub(super) fn from_hex(digits: &[u8]) -> Option<Self> {
        (digits.len() == 16).then(|| hex(digits)).flatten().and_then(|id| Self::from_u64(id as u64))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

impl FromStr for SpanId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let digits = Some(text.as_bytes()).filter(|text| text.len() == 16);
        let id = digits.and_then(hex).ok_or(ParseIdError::Malformed)?;
        Self::from_u64(id as u64).ok_or(ParseIdError::Zero)
    }
}

/// Why a text is no [`TraceId`] or [`SpanId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseIdError {
    /// It has another length, or characters that do not belong there.
    Malformed,
    /// All digits are zero, which stands for no id.
    Zero,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseIdError::Malformed => "not an id: wrong length, or not hexadecimal",
            ParseIdError::Zero => "not an id: all zero",
        })
    }
}

impl std::error::Error for ParseIdError {}

/// The number of at most 32 hexadecimal digits, and nothing else.
pub(super) fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | u128::from(char::from(*digit).to_digit(16)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_well_formed() {
        for _ in 0..1000 {
            let (trace, span) = (TraceId::random(), SpanId::random());
            let text = trace.to_string();
            assert_eq!((text.len(), &text[14..15]), (36, "4"), "{text}");
            assert!("89ab".contains(&text[19..20]), "{text}");
            assert_eq!(text.replace('-', ""), trace.hex().to_string());
            assert_eq!((text.parse(), trace.hex().to_string().parse()), (Ok(trace), Ok(trace)));
            assert_eq!(span.to_string().parse(), Ok(span));
        }
    }

    #[test]
    fn numbers_and_texts() {
        let trace = TraceId::from_u128(1).expect("not zero");
        assert_eq!(trace.to_string(), "00000000-0000-0000-0000-000000000001");
        assert_eq!(format!("{trace:?}"), "TraceId(00000000-0000-0000-0000-000000000001)");
        assert_eq!((TraceId::from_u128(0), SpanId::from_u64(0)), (None, None));
        let last = TraceId::from_u128(u128::MAX).expect("not zero");
        assert_eq!(last.to_string().to_uppercase().parse(), Ok(last));
        assert_eq!(format!("{:?}", SpanId::from_u64(255)), "Some(SpanId(00000000000000ff))");
    }

    #[test]
    fn what_is_no_id() {
        let trace = |text: &str| text.parse::<TraceId>();
        for text in [
            "",
            "0af76519",
            "0af7651916cd43dd8448eb211c80319",
            "0af7651916cd43dd8448eb211c80319cc",
            "+af7651916cd43dd8448eb211c80319c",
            "0af7651916cd43dd8448eb211c80319g",
            "0af76519_16cd_43dd_8448_eb211c80319c",
            "0af765191-6cd-43dd-8448-eb211c80319c",
            "0af76519-16cd-43dd-8448-eb211c8031-c",
            "{0af7651916cd43dd8448eb211c80319}",
            "ééééééééé€€€€€€",
            "0af7651916cd43dd8448eb211c8031é",
        ] {
            assert_eq!(trace(text), Err(ParseIdError::Malformed), "{text}");
        }
        assert_eq!(trace(&"0".repeat(32)), Err(ParseIdError::Zero));
        assert_eq!(trace("00000000-0000-0000-0000-000000000000"), Err(ParseIdError::Zero));
        for text in ["", "b7ad6b716920333", "b7ad6b71692033311", "b7ad6b716920333x", "-7ad6b7169203331", "éééééééé"]
        {
            assert_eq!(text.parse::<SpanId>(), Err(ParseIdError::Malformed), "{text}");
        }
        assert_eq!("0000000000000000".parse::<SpanId>(), Err(ParseIdError::Zero));
    }
}
