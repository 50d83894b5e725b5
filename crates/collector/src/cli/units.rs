//! Sizes and times as people write them.

use std::time::Duration;

/// A number of bytes, such as 1000000, 512KiB, 64MiB or 4GiB.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let units = [("", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let bytes = scaled(text, |unit| units.iter().find(|(name, _)| *name == unit).map(|(_, bits)| 1 << bits));
    bytes.ok_or_else(|| "give a number of bytes, such as 1000000, 512KiB, 64MiB or 4GiB".into())
}

/// A time, such as 90s, 15m, 12h or 7d.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];
    let seconds = scaled(text, |unit| units.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| *seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "give a time, such as 90s, 15m, 12h or 7d".into())
}

/// A time as people read it, to three digits or so.
pub(super) fn nanoseconds(ns: u64) -> String {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)];
    match units.into_iter().find(|(_, in_ns)| ns >= *in_ns) {
        None => format!("{ns} ns"),
        Some((unit, in_ns)) if ns / in_ns >= 100 => format!("{} {unit}", ns / in_ns),
        Some((unit, in_ns)) => format!("{}.{} {unit}", ns / in_ns, ns % in_ns * 10 / in_ns),
    }
}

/// A whole number and its unit, multiplied.
fn scaled(text: &str, unit: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let (number, name) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    number.parse::<u64>().ok()?.checked_mul(unit(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [("0", Some(0)), ("1000", Some(1000)), ("3KiB", Some(3072)), ("4GiB", Some(4 << 30))] {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
        for text in ["", "GiB", "1 GiB", "1GB", "-1", "+1", "1.5GiB", "99999999999TiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_as_they_are_read() {
        let expected = [(0, "0 ns"), (999, "999 ns"), (1_000, "1.0 µs"), (123_456, "123 µs"), (1_999_999, "1.9 ms")];
        expected.iter().for_each(|(ns, text)| assert_eq!(nanoseconds(*ns), *text));
        assert_eq!(nanoseconds(u64::MAX), "18446744073 s");
    }

    #[test]
    fn times() {
        let expected = [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800)];
        expected.iter().for_each(|(text, seconds)| assert_eq!(duration(text), Ok(Duration::from_secs(*seconds))));
        for text in ["", "7", "d", "7 d", "1w", "99999999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
