//! A value as it was at one moment, to be recorded at another.

use super::PackBuf;
use super::pack::Pack;
use super::plain::Plain;
use crate::record::{Arg, Bytes};
use serde::Serialize;

/// See the module's documentation.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it lives on a stack, where a box would be an allocation")]
pub(crate) enum Captured {
    Plain(Arg<Bytes<'static>>),
    Packed { bytes: [u8; ROOM], len: usize, cut: bool },
}

/// The room for a packed value, with some for the mark of what is left out.
const ROOM: usize = Captured::LIMIT + 24;

impl Captured {
    /// The longest serialised value that is captured whole, in bytes.
    pub(crate) const LIMIT: usize = 256;

    /// Nothing is known of the value.
    pub(crate) const UNKNOWN: Captured = Captured::Plain(Arg::Nil);

    /// The value as it is. What is too long is left out, and marked as such.
    ///
    /// # Panics
    /// If its `Serialize` does.
    #[inline]
    pub(crate) fn of<T: Serialize>(value: &T) -> Self {
        match value.serialize(Plain) {
            Ok(plain) => Captured::Plain(plain),
            Err(_) => Self::packed(value),
        }
    }

    #[inline(never)]
    fn packed<T: Serialize>(value: &T) -> Self {
        let mut bytes = [0; ROOM];
        let mut buf = PackBuf::new(&mut bytes);
        buf.push_by(|buf| value.pack(buf));
        let (packed, cut) = buf.finish();
        let len = packed.len();
        Captured::Packed { bytes, len, cut }
    }

    /// As an argument of a record.
    #[inline(always)]
    pub(crate) fn arg(&self) -> Arg<Bytes<'_>> {
        match self {
            Captured::Plain(arg) => *arg,
            Captured::Packed { bytes, len, cut } => Arg::Packed(Bytes { bytes: &bytes[..*len], cut: *cut }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T: Serialize>(value: T) -> String {
        match Captured::of(&value).arg() {
            Arg::Packed(Bytes { bytes, cut }) => {
                format!("{}{}", trackside_wire::Raw::new(bytes).unwrap(), if cut { " cut" } else { "" })
            }
            plain => format!("{plain:?}"),
        }
    }

    #[test]
    fn what_needs_no_room_takes_none() {
        #[derive(Serialize)]
        struct Cents(i64);
        assert_eq!(told(-5_i8), "Int(-5)");
        assert_eq!(told(u64::MAX), format!("UInt({})", u64::MAX));
        assert_eq!(told(Some(Cents(7))), "Int(7)");
        assert_eq!(told(0.5_f32), "Float(0.5)");
        assert_eq!((told(true), told(None::<u8>), told(())), ("Bool(true)".into(), "Nil".into(), "Nil".into()));
    }

    #[test]
    fn what_needs_room_is_packed_as_far_as_there_is_some() {
        #[derive(Serialize)]
        enum State {
            Idle,
            Busy(u8),
        }
        assert_eq!(told("text"), "\"text\"");
        assert_eq!(told([1, 2]), "[1, 2]");
        assert_eq!((told(State::Idle), told(State::Busy(7))), ("\"Idle\"".into(), "{\"Busy\": 7}".into()));
        // Two bytes for the length.
        let longest = "x".repeat(Captured::LIMIT - 2);
        assert_eq!(told(&longest), format!("{longest:?}"));
        assert_eq!(told("x".repeat(Captured::LIMIT - 1)), "\"\"… cut");
    }
}
