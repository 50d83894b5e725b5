//! Values on their way into a record: MessagePack, into a bounded buffer on the stack.

use super::{Value, ValueRepr};
use crate::record::Bytes;
use serde::Serialize;
use std::fmt::{self, Write as _};

/// A serialisable value, without its type.
pub(crate) trait Pack {
    /// Writes the value to the buffer; `Err` if it does not fit or cannot be serialised.
    fn pack(&self, out: &mut PackBuf<'_>) -> Result<(), ()>;
}

impl<T: Serialize> Pack for T {
    fn pack(&self, out: &mut PackBuf<'_>) -> Result<(), ()> {
        let mut serializer = rmp_serde::Serializer::new(out).with_struct_map();
        self.serialize(&mut serializer).map_err(drop)
    }
}

/// A bounded buffer for MessagePack, on the stack of whoever makes it.
#[derive(Debug)]
pub(crate) struct PackBuf<'a> {
    bytes: &'a mut [u8],
    len: usize,
    left_out: bool,
}

impl<'a> PackBuf<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0, left_out: false }
    }

    /// Appends one value; what does not fit is replaced by the mark of a value left out.
    pub(crate) fn push(&mut self, value: &Value<'_>) {
        self.push_by(|buf| match value.0 {
            ValueRepr::Nil => rmp::encode::write_nil(buf).map_err(drop),
            ValueRepr::Bool(value) => rmp::encode::write_bool(buf, value).map_err(drop),
            ValueRepr::Int(value) => rmp::encode::write_sint(buf, value).map(drop).map_err(drop),
            ValueRepr::UInt(value) => rmp::encode::write_uint(buf, value).map(drop).map_err(drop),
            ValueRepr::Float(value) => rmp::encode::write_f64(buf, value).map_err(drop),
            ValueRepr::Str(text) => rmp::encode::write_str(buf, text).map_err(drop),
            ValueRepr::Map(entries) => buf.map(entries),
            ValueRepr::Object(object) => object.pack(buf),
        });
    }

    /// As [`PackBuf::push`], for the value that `write` writes.
    pub(crate) fn push_by(&mut self, write: impl FnOnce(&mut Self) -> Result<(), ()>) {
        let start = self.len;
        let written = write(self);
        // A Serialize impl can also succeed and yet have written none or several values; only one may stand here.
        if written.is_err() || trackside_wire::Raw::new(&self.bytes[start..self.len]).is_err() {
            self.len = start;
            self.left_out = true;
            self.raw(&LEFT_OUT);
        }
    }

    /// Begins an array of `len` values.
    pub(crate) fn array(&mut self, len: u8) {
        debug_assert!(len < 16);
        self.raw(&[0x90 | (len & 15)]);
    }

    fn map(&mut self, entries: &[(&str, Value<'_>)]) -> Result<(), ()> {
        let len = u32::try_from(entries.len()).map_err(drop)?;
        rmp::encode::write_map_len(self, len).map_err(drop)?;
        entries.iter().try_for_each(|(name, value)| {
            rmp::encode::write_str(self, name).map_err(drop)?;
            self.push(value);
            Ok(())
        })
    }

    /// Appends a list of lines, which `fill` gives, the most important ones first.
    pub(crate) fn list(&mut self, fill: impl FnOnce(&mut List<'_, 'a>)) {
        let start = self.len;
        self.raw(&[EMPTY_LIST]);
        let mut list = List { buf: self, count: 0, full: false };
        fill(&mut list);
        let count = list.count;
        if let Ok(count @ 0..16) = u8::try_from(count) {
            self.bytes[start] = EMPTY_LIST | count;
        } else {
            // More than fits the short form, which was a guess.
            self.raw(&[0; 2]);
            self.bytes.copy_within(start + 1..self.len - 2, start + 3);
            let [high, low] = count.to_be_bytes();
            self.bytes[start..start + 3].copy_from_slice(&[LONG_LIST, high, low]);
        }
    }

    fn raw(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            place.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// What was written, and whether a value in it was left out.
    pub(crate) fn finish(self) -> (&'a [u8], bool) {
        (&self.bytes[..self.len], self.left_out)
    }
}

/// The longest line of a list that is recorded whole, in bytes.
const LINE_LIMIT: usize = 256;

/// With so much room beyond a limit, a [`Text`] that did not fit shows by being longer than the limit.
pub(crate) const BEYOND: usize = 4;

const EMPTY_LIST: u8 = 0x90;
const LONG_LIST: u8 = 0xdc;

/// A list of lines being written. Once one finds no room, the list ends with the mark of what is left out: what was
/// written first stays.
#[derive(Debug)]
pub(crate) struct List<'b, 'a> {
    buf: &'b mut PackBuf<'a>,
    count: u16,
    full: bool,
}

impl List<'_, '_> {
    /// Appends a line. `false` if there was no room for it, and so for no further one.
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) -> bool {
        if self.full {
            return false;
        }
        let mut text = Text::<{ LINE_LIMIT + BEYOND }>::new();
        _ = text.write_fmt(line);
        let Bytes { bytes, cut } = Bytes::of(text.as_str(), LINE_LIMIT);
        let start = self.buf.len;
        let length = bytes.len() as u32;
        let written = if cut {
            self.buf.left_out = true;
            rmp::encode::write_ext_meta(self.buf, length, trackside_wire::CUT_EXT).is_ok()
        } else {
            rmp::encode::write_str_len(self.buf, length).is_ok()
        };
        if written && std::io::Write::write_all(self.buf, bytes).is_ok() {
            self.count += 1;
        } else {
            self.buf.len = start;
            self.cut();
        }
        !self.full
    }

    /// Ends the list with the mark of what is left out.
    fn cut(&mut self) {
        if !self.full {
            self.full = true;
            self.buf.left_out = true;
            self.buf.raw(&LEFT_OUT);
            self.count += 1;
        }
    }
}

/// Text being formatted into `N` bytes on the stack. What comes once it is full is forgotten, and formatting goes on as if
/// it were not: to many a `Display` an error would come as a surprise.
#[derive(Debug)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
    full: bool,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], len: 0, full: false }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.full {
            let Bytes { bytes, cut } = Bytes::of(text, N - self.len);
            self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
            self.len += bytes.len();
            self.full = cut;
        }
        Ok(())
    }
}

/// The extension value that says "a value was left out": [`trackside_wire::CUT_EXT`] with no text.
const LEFT_OUT: [u8; 3] = [0xc7, 0, trackside_wire::CUT_EXT as u8];

impl std::io::Write for PackBuf<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // The last bytes are kept for the mark of what is left out, which may follow for several values.
        let limit = self.bytes.len().saturating_sub(8 * LEFT_OUT.len());
        if self.len + bytes.len() > limit {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        self.raw(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(room: usize, lines: &[&str]) -> (String, bool) {
        let mut bytes = vec![0; room];
        let mut buf = PackBuf::new(&mut bytes);
        buf.list(|list| lines.iter().for_each(|line| _ = list.line(format_args!("{line}"))));
        let (bytes, cut) = buf.finish();
        (trackside_wire::Raw::new(bytes).unwrap().to_string(), cut)
    }

    #[test]
    fn lists_of_every_length_read_back() {
        for len in [0, 1, 15, 16, 17, 255, 256, 300] {
            let lines = vec!["line"; len];
            assert_eq!(list(2000, &lines), (format!("{lines:?}"), false), "{len} lines");
        }
    }

    #[test]
    fn a_list_too_long_keeps_its_first_lines_and_says_so() {
        let lines: Vec<_> = (0..100).map(|number| format!("line {number:02}")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        for room in 40..400 {
            let (told, cut) = list(room, &lines);
            assert!(cut && told.ends_with("\"\"…]"), "{room}: {told}");
            let whole = told.matches("line").count();
            // A line takes eight bytes, the head up to three, and some are kept for marks.
            assert!(whole * 8 + 3 + 24 + 8 >= room && told.contains("line 00"), "{room}: {told}");
        }
    }

    #[test]
    fn a_line_too_long_is_cut_between_two_characters() {
        let whole = "x".repeat(LINE_LIMIT);
        assert_eq!(list(2000, &[&whole]), (format!("[{whole:?}]"), false));
        let long = format!("{}€", &whole[1..]);
        assert_eq!(list(2000, &[&long, "next"]), (format!("[{:?}…, \"next\"]", &whole[1..]), true));
    }

    #[test]
    fn text_that_does_not_fit_is_forgotten_from_there_on() {
        let mut text = Text::<5>::new();
        ["abc", "d€", "e"].iter().for_each(|part| assert!(text.write_str(part).is_ok()));
        assert_eq!(text.as_str(), "abcd");
    }

    #[test]
    fn a_map_marks_what_does_not_fit() {
        let long = "x".repeat(200);
        let mut bytes = [0; 100];
        let mut buf = PackBuf::new(&mut bytes);
        let inner = [("deep", true.into())];
        buf.push(&Value::map(&[("a", 1.into()), ("b", (&long).into()), ("c", Value::map(&inner))]));
        let (bytes, cut) = buf.finish();
        let told = trackside_wire::Raw::new(bytes).unwrap().to_string();
        assert_eq!((told.as_str(), cut), ("{\"a\": 1, \"b\": \"\"…, \"c\": {\"deep\": true}}", true));
    }
}
