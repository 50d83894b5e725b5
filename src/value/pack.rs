//! Values on their way into a record: MessagePack, into a bounded buffer on the stack.

use super::{Value, ValueRepr};
use serde::Serialize;

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
        let start = self.len;
        let written = match value.0 {
            ValueRepr::Nil => rmp::encode::write_nil(self).map_err(drop),
            ValueRepr::Bool(value) => rmp::encode::write_bool(self, value).map_err(drop),
            ValueRepr::Int(value) => rmp::encode::write_sint(self, value).map(drop).map_err(drop),
            ValueRepr::UInt(value) => rmp::encode::write_uint(self, value).map(drop).map_err(drop),
            ValueRepr::Float(value) => rmp::encode::write_f64(self, value).map_err(drop),
            ValueRepr::Str(text) => rmp::encode::write_str(self, text).map_err(drop),
            ValueRepr::Object(object) => object.pack(self),
        };
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
