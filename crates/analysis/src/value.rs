//! Values of variables, as far as the analysis looks into them: equality, and differences of integers.

use crate::intern::Interner;
use trackside_wire::{Raw, Value};

/// A recorded value. Equal `Val` are equal values, but see [`Val::known_eq`] for the two that may hide a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Val {
    /// Not recorded.
    Unknown,
    /// An integer, or a float that is one.
    Int(i64),
    /// An integer beyond `i64`.
    Big(u64),
    /// Anything else, by its number in the interner of values.
    Other(u32),
    /// A value that was cut off when it was recorded: the rest of it may differ.
    Cut(u32),
}

/// Beyond this, floats no longer hold every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Longest text of a value in a report, in characters.
const TEXT_MAX: usize = 120;

impl Val {
    /// Takes a value in; what does not fit a word is copied into `values`.
    pub(crate) fn new(raw: Raw<'_>, values: &mut Interner<[u8]>) -> Self {
        match raw.value() {
            Value::Nil => Val::Unknown,
            Value::Int(int) => match (i64::try_from(int), u64::try_from(int)) {
                (Ok(int), _) => Val::Int(int),
                (_, Ok(int)) => Val::Big(int),
                _ => Val::Other(values.intern(raw.as_bytes())),
            },
            Value::Float(float) if is_exact_integer(float) => Val::Int(float as i64),
            Value::Cut(_) => Val::Cut(values.intern(raw.as_bytes())),
            _ => Val::Other(values.intern(raw.as_bytes())),
        }
    }

    /// The value of an unsigned integer.
    pub(crate) fn from_u64(int: u64) -> Self {
        i64::try_from(int).map_or(Val::Big(int), Val::Int)
    }

    /// The value, if it is an unsigned integer.
    pub(crate) fn as_u64(self) -> Option<u64> {
        self.int().and_then(|int| u64::try_from(int).ok())
    }

    /// Whether two values are the same, where the record can tell.
    pub(crate) fn known_eq(self, other: Val) -> Option<bool> {
        match (self, other) {
            (Val::Unknown, _) | (_, Val::Unknown) => None,
            (Val::Cut(a), Val::Cut(b)) if a == b => None,
            _ => Some(self == other),
        }
    }

    /// The value, if it was recorded.
    pub(crate) fn known(self) -> Option<Val> {
        (self != Val::Unknown).then_some(self)
    }

    /// Whether it is an integer.
    pub(crate) fn is_integer(self) -> bool {
        self.int().is_some()
    }

    /// `self - other`, of integers.
    pub(crate) fn minus(self, other: Val) -> Option<i128> {
        Some(self.int()? - other.int()?)
    }

    fn int(self) -> Option<i128> {
        match self {
            Val::Int(int) => Some(i128::from(int)),
            Val::Big(int) => Some(i128::from(int)),
            _ => None,
        }
    }

    /// The value as text, cut to a length that fits a report; nothing if it was not recorded.
    pub(crate) fn text(self, values: &Interner<[u8]>) -> Option<String> {
        match self {
            Val::Unknown => None,
            Val::Int(int) => Some(int.to_string()),
            Val::Big(int) => Some(int.to_string()),
            Val::Other(number) | Val::Cut(number) => {
                let text = Raw::new(values.get(number)?).ok()?.to_string();
                Some(shorten(text, TEXT_MAX))
            }
        }
    }
}

/// `text`, with an ellipsis instead of what is beyond `max` characters.
pub(crate) fn shorten(mut text: String, max: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(max) {
        text.truncate(at);
        text.push('…');
    }
    text
}

fn is_exact_integer(float: f64) -> bool {
    float.fract() == 0.0 && float.abs() < EXACT && !(float == 0.0 && float.is_sign_negative())
}
