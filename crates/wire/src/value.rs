use crate::DecodeError;
use crate::cursor::Cursor;
use rmp::Marker;
use std::fmt::{self, Write};

/// The MessagePack extension type of a value that was longer than the SDK's inline limit: its bytes are the UTF-8
/// prefix that was kept, empty where no prefix makes sense.
pub const CUT_EXT: i8 = 1;

/// One MessagePack value, checked but not yet decoded: what a recorded value looks like inside a [`crate::Batch`].
///
/// Two `Raw` are equal when their bytes are; the SDK writes each scalar in its shortest form, so equal scalars have
/// equal bytes. Displayed as JSON-like text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Raw<'a>(&'a [u8]);

impl<'a> Raw<'a> {
    /// The value nil.
    pub const NIL: Raw<'static> = Raw(&[0xc0]);

    /// Checks that `bytes` are one whole MessagePack value.
    ///
    /// # Errors
    /// If they are not, if something follows the value, or if it nests deeper than 32 levels.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(bytes);
        cursor.value()?;
        if cursor.is_empty() { Ok(Self(bytes)) } else { cursor.fail("something follows the value") }
    }

    pub(crate) fn checked(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The value's MessagePack bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether the value is nil.
    pub fn is_nil(self) -> bool {
        self.0 == Self::NIL.0
    }

    /// The outermost value; what an array or map holds stays undecoded.
    pub fn value(self) -> Value<'a> {
        let mut cursor = Cursor::new(self.0);
        // The bytes were checked when this Raw was made, so a failure here cannot happen; nil is the harmless answer.
        decode(&mut cursor).unwrap_or(Value::Nil)
    }

    /// The value as an unsigned integer.
    pub fn as_u64(self) -> Option<u64> {
        match self.value() {
            Value::Int(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }

    /// The value as text.
    pub fn as_str(self) -> Option<&'a str> {
        match self.value() {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if the value is an array; else nothing.
    pub fn elements(self) -> impl Iterator<Item = Raw<'a>> {
        let mut cursor = Cursor::new(self.0);
        let len = cursor.array(1).unwrap_or(0);
        (0..len).map_while(move |_| cursor.value().ok().map(Raw))
    }

    /// The entries, if the value is a map, each a key and a value; else nothing. A key may be there more than once.
    pub fn entries(self) -> impl Iterator<Item = (Raw<'a>, Raw<'a>)> {
        let mut cursor = Cursor::new(self.0);
        let len = cursor.map().unwrap_or(0);
        (0..len).map_while(move |_| Some((Raw(cursor.value().ok()?), Raw(cursor.value().ok()?))))
    }
}

/// A value, one level decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Nothing; an unknown or absent value.
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer; wide enough for every 64-bit one, signed or not.
    Int(i128),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(&'a str),
    /// Bytes.
    Bin(&'a [u8]),
    /// An array; see [`Raw::elements`].
    Array,
    /// A map; see [`Raw::entries`].
    Map,
    /// A value that was too long to be recorded, and the text it began with.
    Cut(&'a str),
    /// An extension of another type.
    Ext(i8, &'a [u8]),
}

fn decode<'a>(cursor: &mut Cursor<'a>) -> Result<Value<'a>, DecodeError> {
    let mut probe = *cursor;
    let marker = probe.marker()?;
    let mut signed = |len: usize| -> Result<i128, DecodeError> {
        let bytes = probe.bytes(len)?;
        let negative = bytes[0] & 0x80 != 0;
        let fill = if negative { -1 } else { 0 };
        Ok(bytes.iter().fold(fill, |value, byte| (value << 8) | i128::from(*byte)))
    };
    Ok(match marker {
        Marker::Null => Value::Nil,
        Marker::True => Value::Bool(true),
        Marker::False => Value::Bool(false),
        Marker::FixNeg(value) => Value::Int(i128::from(value)),
        Marker::I8 => Value::Int(signed(1)?),
        Marker::I16 => Value::Int(signed(2)?),
        Marker::I32 => Value::Int(signed(4)?),
        Marker::I64 => Value::Int(signed(8)?),
        Marker::F32 => Value::Float(f64::from(f32::from_bits(signed(4)? as u32))),
        Marker::F64 => Value::Float(f64::from_bits(signed(8)? as u64)),
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => Value::Str(cursor.str()?),
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => Value::Bin(cursor.bin()?),
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => Value::Array,
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => Value::Map,
        Marker::FixPos(_) | Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => {
            Value::Int(i128::from(cursor.uint()?))
        }
        _ => match cursor.ext()? {
            (CUT_EXT, bytes) => Value::Cut(std::str::from_utf8(bytes).unwrap_or("")),
            (kind, bytes) => Value::Ext(kind, bytes),
        },
    })
}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({self})")
    }
}

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        render(&mut Cursor::new(self.0), f)
    }
}

fn render(cursor: &mut Cursor<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let start = *cursor;
    let Ok(bytes) = cursor.value() else { return Err(fmt::Error) };
    match Raw(bytes).value() {
        Value::Nil => f.write_str("null"),
        Value::Bool(value) => write!(f, "{value}"),
        Value::Int(value) => write!(f, "{value}"),
        Value::Float(value) => write!(f, "{value}"),
        Value::Str(text) => quote(text, f),
        Value::Bin(bytes) => write!(f, "<{} bytes>", bytes.len()),
        Value::Cut(text) => {
            quote(text, f)?;
            f.write_str("…")
        }
        Value::Ext(kind, bytes) => write!(f, "<extension {kind}, {} bytes>", bytes.len()),
        Value::Array => {
            let mut inner = start;
            let len = inner.array(1).unwrap_or(0);
            f.write_char('[')?;
            for at in 0..len {
                f.write_str(if at == 0 { "" } else { ", " })?;
                render(&mut inner, f)?;
            }
            f.write_char(']')
        }
        Value::Map => {
            let mut inner = start;
            let len = inner.map().unwrap_or(0);
            f.write_char('{')?;
            for at in 0..len {
                f.write_str(if at == 0 { "" } else { ", " })?;
                render(&mut inner, f)?;
                f.write_str(": ")?;
                render(&mut inner, f)?;
            }
            f.write_char('}')
        }
    }
}

/// Quoted, with control and bidirectional-override characters escaped, so that a value cannot forge terminal output.
fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &str) {
        assert_eq!(Raw::new(bytes).unwrap().to_string(), text);
    }

    #[test]
    fn values_render_like_json() {
        check(&[0xc0], "null");
        check(&[0xff], "-1");
        check(&[0xd1, 0xff, 0x00], "-256");
        check(&[0xcf, 255, 255, 255, 255, 255, 255, 255, 255], "18446744073709551615");
        check(&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808");
        check(&[0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], "1.5");
        check(&[0xa2, b'h', b'i'], "\"hi\"");
        check(&[0xa1, 0x1b], "\"\\u{1b}\"");
        check(&[0xc7, 2, 1, b'h', b'i'], "\"hi\"…");
        check(&[0x92, 1, 0x81, 0xa1, b'k', 0xc3], "[1, {\"k\": true}]");
        check(&[0xc4, 1, 0], "<1 bytes>");
    }

    #[test]
    fn a_map_has_entries_and_nothing_else_has() {
        let map = Raw::new(&[0x82, 0xa1, b'k', 0xc3, 1, 0x91, 2]).unwrap();
        let entries: Vec<_> = map.entries().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(entries, ["\"k\"=true", "1=[2]"]);
        assert_eq!(map.elements().count() + Raw::new(&[0x92, 1, 2]).unwrap().entries().count(), 0);
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        assert_eq!(Raw::new(&[]).unwrap_err().problem, "the input ends where a value should be");
        assert_eq!(Raw::new(&[1, 2]).unwrap_err().problem, "something follows the value");
        assert_eq!(Raw::new(&[0xdd, 255, 255, 255, 255]).unwrap_err().offset, 0);
        assert_eq!(Raw::new(&[0x91; 40]).unwrap_err().problem, "values nest too deep");
        assert!(Raw::new(&[0xc1]).is_err());
    }
}
