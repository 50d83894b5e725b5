//! What the stock server's JSON has instead of MessagePack's values, 128-bit ids and nanoseconds. Each type here
//! serialises a borrowed value as it is met; nothing is built up in between.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::fmt::{self, Write};
use trackside_wire::{Raw, Value};

/// A UUID, hyphenated and in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Uuid(pub(super) u128);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |shift: u32, digits: u32| (self.0 >> shift) & ((1 << (4 * digits)) - 1);
        let (a, b, c, d, e) = (group(96, 8), group(80, 4), group(64, 4), group(48, 4), group(0, 12));
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

/// A span id: 16 digits in lower case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub(super) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Unix time in nanoseconds, as RFC 3339 has it, in UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timestamp(pub(super) u64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        trackside_wire::UnixNanos(self.0).fmt(f)
    }
}

/// A place in the source, `file:line`; empty if there is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a>(pub(super) Option<(&'a str, u32)>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |(file, line)| write!(f, "{file}:{line}"))
    }
}

/// Where a task was started, and what it is called: the server has one field for both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spawn<'a> {
    pub(super) location: Place<'a>,
    pub(super) task: &'a str,
}

impl fmt::Display for Spawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            "" => self.location.fmt(f),
            task => write!(f, "{} ({task})", self.location),
        }
    }
}

macro_rules! serialize_as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

serialize_as_text!(Uuid, Span, Timestamp, Place<'_>, Spawn<'_>, Text<'_>);

/// A value where the server takes any JSON.
///
/// Numbers that JSON has no form for become text, and so do bytes, extensions, and the keys of maps; a text that was
/// cut ends in `…`. Values nest at most 32 deep, as [`Raw`] promises.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json<'a>(pub(super) Raw<'a>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.value() {
            Value::Nil => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(value),
            Value::Int(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => serializer.serialize_u64(value),
                (_, Ok(value)) => serializer.serialize_i64(value),
                _ => serializer.collect_str(&value),
            },
            Value::Float(value) if value.is_finite() => serializer.serialize_f64(value),
            Value::Str(text) => serializer.serialize_str(text),
            Value::Array => {
                let mut seq = serializer.serialize_seq(None)?;
                self.0.elements().try_for_each(|element| seq.serialize_element(&Json(element)))?;
                seq.end()
            }
            Value::Map => {
                let mut map = serializer.serialize_map(None)?;
                self.0.entries().try_for_each(|(key, value)| map.serialize_entry(&Text(key), &Json(value)))?;
                map.end()
            }
            _ => serializer.collect_str(&Text(self.0)),
        }
    }
}

/// A value where the server takes text only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) Raw<'a>);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.value() {
            Value::Nil => Ok(()),
            Value::Str(text) => f.write_str(text),
            Value::Cut(text) => write!(f, "{text}…"),
            Value::Float(value) if value.is_nan() => f.write_str("NaN"),
            Value::Float(value) if value.is_infinite() => {
                f.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
            }
            Value::Bin(bytes) => hex(bytes, f),
            Value::Ext(kind, bytes) => {
                write!(f, "extension {kind}: ")?;
                hex(bytes, f)
            }
            _ => write!(f, "{}", self.0),
        }
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// HTTP headers: an object of texts, without control characters.
///
/// They come as a map, whose values may be lists, or as a list of pairs. Anything else stands under the key `headers`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Headers<'a>(pub(super) Raw<'a>);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0.value() {
            Value::Nil => {}
            Value::Map => {
                self.0.entries().try_for_each(|(key, value)| map.serialize_entry(&clean(key), &clean(value)))?;
            }
            Value::Array => {
                for (at, element) in self.0.elements().enumerate() {
                    let mut pair = element.elements();
                    match (pair.next(), pair.next()) {
                        (Some(key), Some(value)) => map.serialize_entry(&clean(key), &clean(value))?,
                        _ => map.serialize_entry(&at.to_string(), &clean(element))?,
                    }
                }
            }
            _ => map.serialize_entry("headers", &clean(self.0))?,
        }
        map.end()
    }
}

/// The value as a header's text. Several values are one, with commas between them, as in HTTP.
fn clean(value: Raw<'_>) -> String {
    let mut text = String::new();
    let push = |text: &mut String, value: Raw<'_>| {
        let sep = if text.is_empty() { "" } else { ", " };
        // Writing into a String cannot fail.
        let _ = write!(text, "{sep}{}", Text(value));
    };
    match value.value() {
        Value::Array => value.elements().for_each(|element| push(&mut text, element)),
        _ => push(&mut text, value),
    }
    if text.contains(char::is_control) { text.replace(char::is_control, " ") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    fn packed(value: &impl Serialize) -> Vec<u8> {
        rmp_serde::to_vec_named(value).unwrap()
    }

    #[track_caller]
    fn check(bytes: &[u8], expect: &str) {
        assert_eq!(json(&Json(Raw::new(bytes).unwrap())), expect);
    }

    #[test]
    fn values() {
        check(&packed(&()), "null");
        check(&packed(&true), "true");
        check(&packed(&u64::MAX), "18446744073709551615");
        check(&packed(&i64::MIN), "-9223372036854775808");
        check(&packed(&1.5), "1.5");
        check(&packed(&f64::NAN), r#""NaN""#);
        check(&packed(&f64::INFINITY), r#""Infinity""#);
        check(&packed(&f32::NEG_INFINITY), r#""-Infinity""#);
        check(&packed(&"a\"\n\u{1b}é"), r#""a\"\n\u001bé""#);
        check(&[0xc4, 2, 0x0a, 0xff], r#""0x0aff""#);
        check(&[0xc7, 2, 1, b'h', b'i'], r#""hi…""#);
        check(&[0xc7, 0, 1], r#""…""#);
        check(&[0xd4, 5, 7], r#""extension 5: 0x07""#);
        check(&[0x92, 1, 0x82, 0xa1, b'k', 0xc3, 7, 0xc0], r#"[1,{"k":true,"7":null}]"#);
        check(&[0x81, 0x91, 1, 2], r#"{"[1]":2}"#);
        check(&[0x82, 1, 2, 1, 3], r#"{"1":2,"1":3}"#);
    }

    #[test]
    fn headers() {
        let check = |bytes: &[u8], expect: &str| assert_eq!(json(&Headers(Raw::new(bytes).unwrap())), expect);
        check(&packed(&()), "{}");
        check(&packed(&[("a", "x\r\ny: z"), ("b\0", "é")]), r#"{"a":"x  y: z","b ":"é"}"#);
        check(&packed(&std::collections::BTreeMap::from([("accept", ["a", "b"])])), r#"{"accept":"a, b"}"#);
        check(&packed(&std::collections::BTreeMap::from([(1, 2)])), r#"{"1":"2"}"#);
        check(&packed(&["plain"]), r#"{"0":"plain"}"#);
        check(&[0xc7, 0, 1], r#"{"headers":"…"}"#);
    }

    /// Any value: MessagePack's own, nested.
    fn value() -> impl Strategy<Value = Vec<u8>> {
        let scalar = prop_oneof![
            Just(vec![0xc0]),
            any::<bool>().prop_map(|value| packed(&value)),
            any::<u64>().prop_map(|value| packed(&value)),
            any::<i64>().prop_map(|value| packed(&value)),
            any::<f64>().prop_map(|value| packed(&value)),
            any::<f32>().prop_map(|value| packed(&value)),
            ".{0,12}".prop_map(|value| packed(&value)),
            prop::collection::vec(any::<u8>(), 0..5).prop_map(|bytes| {
                let mut out = vec![0xc4, bytes.len() as u8];
                out.extend(bytes);
                out
            }),
            any::<[u8; 2]>().prop_map(|[kind, byte]| vec![0xd4, kind, byte]),
        ];
        scalar.prop_recursive(5, 40, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| [vec![0x90 | items.len() as u8], items.concat()].concat());
            let map = prop::collection::vec((inner.clone(), inner), 0..4).prop_map(|items| {
                let entries: Vec<u8> = items.iter().flat_map(|(key, value)| [&key[..], value].concat()).collect();
                [vec![0x80 | items.len() as u8], entries].concat()
            });
            prop_oneof![list, map]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a value is, its JSON is JSON, and what JSON can say is said exactly.
        #[test]
        fn any_value_is_json(bytes in value()) {
            let raw = Raw::new(&bytes).unwrap();
            let text = json(&Json(raw));
            let back: serde_json::Value = serde_json::from_str(&text).unwrap();
            match raw.value() {
                Value::Nil => prop_assert!(back.is_null()),
                Value::Int(value) => prop_assert_eq!(back.to_string(), value.to_string()),
                Value::Float(value) if value.is_finite() => prop_assert_eq!(text.parse(), Ok(value)),
                Value::Str(text) => prop_assert_eq!(back.as_str(), Some(text)),
                Value::Array => prop_assert_eq!(back.as_array().map(Vec::len), Some(raw.elements().count())),
                Value::Map => prop_assert!(back.as_object().is_some_and(|map| map.len() <= raw.entries().count())),
                Value::Bool(value) => prop_assert_eq!(back.as_bool(), Some(value)),
                _ => prop_assert!(back.is_string()),
            }
            let headers: std::collections::BTreeMap<String, String> = serde_json::from_str(&json(&Headers(raw))).unwrap();
            prop_assert!(headers.iter().all(|(key, value)| !key.contains(char::is_control) && !value.contains(char::is_control)));
        }
    }
}
