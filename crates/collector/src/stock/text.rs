//! What the stock JSON has as text: UUIDs, points in time, span ids, places in the source.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A text of the body, borrowed from it where it has no escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

/// A UUID in any of the forms that the stock server takes: with hyphens or without, in braces, behind `urn:uuid:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Uuid(pub(super) u128);

impl Uuid {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
        let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let hyphens = [8, 13, 18, 23];
        let is_hyphenated = text.len() == 36 && hyphens.iter().all(|at| text.as_bytes()[*at] == b'-');
        if !is_hyphenated && text.len() != 32 {
            return None;
        }
        let digits = text.bytes().enumerate().filter(|(at, _)| !(is_hyphenated && hyphens.contains(at)));
        digits
            .map(|(_, digit)| char::from(digit).to_digit(16))
            .try_fold(0, |bits: u128, digit| Some(bits << 4 | u128::from(digit?)))
            .map(Self)
    }
}

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &"a UUID"))
    }
}

/// A point in time as RFC 3339 has it, in nanoseconds of Unix time; what is before 1970 is 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timestamp(pub(super) u64);

impl Timestamp {
    fn parse(text: &str) -> Option<Self> {
        let (date, rest) = (text.get(..10)?, text.get(11..)?);
        let (time, rest) = (rest.get(..8)?, rest.get(8..)?);
        if !matches!(text.as_bytes()[10], b'T' | b't' | b' ') {
            return None;
        }
        let number = |text: &str, from: usize, to: usize| {
            let digits = text.get(from..to).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
            digits.parse::<i64>().ok()
        };
        let mark = |text: &str, at: [usize; 2], mark: u8| at.iter().all(|at| text.as_bytes()[*at] == mark);
        if !mark(date, [4, 7], b'-') || !mark(time, [2, 5], b':') {
            return None;
        }
        let (year, month, day) = (number(date, 0, 4)?, number(date, 5, 7)?, number(date, 8, 10)?);
        let (hour, minute, second) = (number(time, 0, 2)?, number(time, 3, 5)?, number(time, 6, 8)?);
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let days = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (nanos, zone) = fraction(rest)?;
        let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
        Some(Self(u64::try_from(seconds).map_or(0, |seconds| seconds.saturating_mul(1_000_000_000) + nanos)))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        let expected = &"a date and time with a zone, as RFC 3339 has it";
        Self::parse(&text).ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), expected))
    }
}

/// The nanoseconds of `.123456789` if the text begins so, and what follows.
fn fraction(text: &str) -> Option<(u64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let len = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, zone) = rest.split_at(len);
    let exponent = 9_usize.checked_sub(len).filter(|_| len > 0)?;
    Some((digits.parse::<u64>().ok()? * 10_u64.pow(exponent as u32), zone))
}

/// How many seconds a zone is ahead.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = (zone.get(..1)?, zone.get(1..)?);
    let (hours, minutes) = rest.split_once(':').filter(|(hours, minutes)| (hours.len(), minutes.len()) == (2, 2))?;
    let number = |text: &str, max: i64| {
        let digits = text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
        digits.filter(|number| *number <= max)
    };
    let seconds = number(hours, 23)? * 3600 + number(minutes, 59)? * 60;
    match sign {
        "+" => Some(seconds),
        "-" => Some(-seconds),
        _ => None,
    }
}

/// Days since 1970, by Howard Hinnant ("chrono-compatible low-level date algorithms"), for years from 0 on.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// A span id as a number: up to 16 hexadecimal digits as they stand, any other text by its hash. 0 for none.
pub(super) fn span(text: Option<&str>) -> u64 {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return 0 };
    let is_hex = text.len() <= 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten().unwrap_or_else(|| super::hash::hash(&["span", text]))
}

/// The file, line and column of `file:line:column` or `file:line`, whatever follows in brackets. A text that ends in no
/// number is the name of a place without lines: its line is 0. Nothing for an empty one.
pub(super) fn place(text: &str) -> Option<(&str, u32, u32)> {
    let text = text.split_once(" (").map_or(text, |(place, _)| place).trim();
    let last = |text: &'_ str| -> Option<(usize, u32)> {
        let (head, number) = text.rsplit_once(':')?;
        Some((head.len(), number.parse().ok().filter(|_| number.bytes().all(|digit| digit.is_ascii_digit()))?))
    };
    let Some((end, number)) = last(text) else { return (!text.is_empty()).then_some((text, 0, 0)) };
    match last(&text[..end]) {
        Some((end, line)) => Some((&text[..end], line, number)),
        None => Some((&text[..end], number, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_in_all_their_forms() {
        let bits = Some(Uuid(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c));
        for text in [
            "0af76519-16cd-43dd-8448-eb211c80319c",
            "0AF76519-16CD-43DD-8448-EB211C80319C",
            "0af7651916cd43dd8448eb211c80319c",
            "urn:uuid:0af76519-16cd-43dd-8448-eb211c80319c",
            "{0af76519-16cd-43dd-8448-eb211c80319c}",
        ] {
            assert_eq!(Uuid::parse(text), bits, "{text}");
        }
        for text in ["", "0af76519", "0af76519-16cd-43dd-8448-eb211c80319", "0af76519-16cd-43dd-8448-eb211c80319g", "é"]
        {
            assert_eq!(Uuid::parse(text), None, "{text}");
        }
        assert_eq!(Uuid::parse("0af76519+16cd+43dd+8448+eb211c80319c"), None);
    }

    #[test]
    fn points_in_time() {
        let check =
            |text: &str, expect: Option<u64>| assert_eq!(Timestamp::parse(text).map(|at| at.0), expect, "{text}");
        check("1970-01-01T00:00:00Z", Some(0));
        check("2001-09-09T01:46:40.000000005Z", Some(1_000_000_000_000_000_005));
        check("2001-09-09t03:46:40.5+02:00", Some(1_000_000_000_500_000_000));
        check("2001-09-08 23:16:40-02:30", Some(1_000_000_000_000_000_000));
        check("2000-02-29T00:00:00Z", Some(951_782_400_000_000_000));
        check("2016-12-31T23:59:60Z", Some(1_483_228_800_000_000_000));
        check("1969-12-31T23:59:59Z", Some(0));
        for text in [
            "",
            "2001-09-09",
            "2001-09-09T01:46:40",
            "2001-02-29T00:00:00Z",
            "2001-13-01T00:00:00Z",
            "2001-09-09T24:00:00Z",
            "2001-09-09T01:46:40.Z",
            "2001-09-09T01:46:40.1234567890Z",
            "2001-09-09T01:46:40+2:00",
            "2001-09-09X01:46:40Z",
            "+001-09-09T01:46:40Z",
            "2001-09-09T01:46:4éZ",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn places() {
        assert_eq!(place("src/bank.rs:12"), Some(("src/bank.rs", 12, 0)));
        assert_eq!(place("src/bank.rs:12:7"), Some(("src/bank.rs", 12, 7)));
        assert_eq!(place("C:\\bank.go:42"), Some(("C:\\bank.go", 42, 0)));
        assert_eq!(place("src/bank.rs:12 (checkout)"), Some(("src/bank.rs", 12, 0)));
        assert_eq!(place("handler"), Some(("handler", 0, 0)));
        assert_eq!(place("a:b"), Some(("a:b", 0, 0)));
        assert_eq!(place(""), None);
    }

    #[test]
    fn spans() {
        assert_eq!(span(Some("b7ad6b7169203331")), 0xb7ad_6b71_6920_3331);
        assert_eq!((span(None), span(Some(""))), (0, 0));
        assert_ne!(span(Some("checkout")), 0);
        assert_ne!(span(Some("+7")), 7);
    }
}
