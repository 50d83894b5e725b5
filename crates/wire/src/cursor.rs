//! A reader over MessagePack bytes that never trusts a length: every count is checked against what is left.

use crate::DecodeError;
use rmp::Marker;

/// How deep arrays, maps and their values may nest before the input is refused.
const MAX_DEPTH: u32 = 32;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

type Result<T> = std::result::Result<T, DecodeError>;

impl<'a> Cursor<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.input.len()
    }

    pub(crate) fn fail<T>(&self, problem: &'static str) -> Result<T> {
        Err(DecodeError { offset: self.at, problem })
    }

    /// The bytes read since `start`, an earlier [`Cursor::offset`].
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        &self.input[start..self.at]
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        match self.input[self.at..].get(..len) {
            Some(bytes) => {
                self.at += len;
                Ok(bytes)
            }
            None => self.fail("the input ends in the middle of a value"),
        }
    }

    fn be<const N: usize>(&mut self) -> Result<u64> {
        let mut wide = [0; 8];
        wide[8 - N..].copy_from_slice(self.bytes(N)?);
        Ok(u64::from_be_bytes(wide))
    }

    pub(crate) fn marker(&mut self) -> Result<Marker> {
        Ok(Marker::from_u8(self.bytes(1)?[0]))
    }

    fn peek(&self) -> Option<Marker> {
        self.input.get(self.at).map(|byte| Marker::from_u8(*byte))
    }

    /// Takes a nil if one is next.
    pub(crate) fn nil(&mut self) -> bool {
        let nil = self.peek() == Some(Marker::Null);
        self.at += usize::from(nil);
        nil
    }

    #[inline]
    pub(crate) fn uint(&mut self) -> Result<u64> {
        let start = self.at;
        let value = match self.marker()? {
            Marker::FixPos(value) => Some(u64::from(value)),
            Marker::U8 => Some(self.be::<1>()?),
            Marker::U16 => Some(self.be::<2>()?),
            Marker::U32 => Some(self.be::<4>()?),
            Marker::U64 => Some(self.be::<8>()?),
            _ => None,
        };
        value.ok_or(DecodeError { offset: start, problem: "expected an unsigned integer" })
    }

    pub(crate) fn bool(&mut self) -> Result<bool> {
        let offset = self.at;
        match self.marker()? {
            Marker::True => Ok(true),
            Marker::False => Ok(false),
            _ => Err(DecodeError { offset, problem: "expected a boolean" }),
        }
    }

    pub(crate) fn uint_up_to(&mut self, max: u64, problem: &'static str) -> Result<u64> {
        let offset = self.at;
        let value = self.uint()?;
        if value > max { Err(DecodeError { offset, problem }) } else { Ok(value) }
    }

    /// An index into a table of `len` entries, or nil.
    #[inline]
    pub(crate) fn index_or_nil(&mut self, len: usize, problem: &'static str) -> Result<Option<u32>> {
        if self.nil() { Ok(None) } else { self.index(len, problem).map(Some) }
    }

    #[inline]
    pub(crate) fn index(&mut self, len: usize, problem: &'static str) -> Result<u32> {
        let offset = self.at;
        match u32::try_from(self.uint()?) {
            Ok(index) if (index as usize) < len => Ok(index),
            _ => Err(DecodeError { offset, problem }),
        }
    }

    pub(crate) fn str(&mut self) -> Result<&'a str> {
        let offset = self.at;
        let len = match self.marker()? {
            Marker::FixStr(len) => u64::from(len),
            Marker::Str8 => self.be::<1>()?,
            Marker::Str16 => self.be::<2>()?,
            Marker::Str32 => self.be::<4>()?,
            _ => return Err(DecodeError { offset, problem: "expected a string" }),
        };
        let bytes = self.bytes(len as usize)?;
        std::str::from_utf8(bytes).map_err(|_| DecodeError { offset, problem: "a string is not UTF-8" })
    }

    pub(crate) fn bin(&mut self) -> Result<&'a [u8]> {
        let offset = self.at;
        let len = match self.marker()? {
            Marker::Bin8 => self.be::<1>()?,
            Marker::Bin16 => self.be::<2>()?,
            Marker::Bin32 => self.be::<4>()?,
            _ => return Err(DecodeError { offset, problem: "expected binary data" }),
        };
        self.bytes(len as usize)
    }

    /// The length of an array whose every element takes at least `least` bytes.
    pub(crate) fn array(&mut self, least: usize) -> Result<usize> {
        let offset = self.at;
        let len = match self.marker()? {
            Marker::FixArray(len) => u64::from(len),
            Marker::Array16 => self.be::<2>()?,
            Marker::Array32 => self.be::<4>()?,
            _ => return Err(DecodeError { offset, problem: "expected an array" }),
        };
        self.affordable(offset, len, least)
    }

    #[inline]
    pub(crate) fn array_of(&mut self, len: usize, problem: &'static str) -> Result<()> {
        let offset = self.at;
        if self.array(1)? == len { Ok(()) } else { Err(DecodeError { offset, problem }) }
    }

    /// The number of entries of a map.
    pub(crate) fn map(&mut self) -> Result<usize> {
        let offset = self.at;
        let len = match self.marker()? {
            Marker::FixMap(len) => u64::from(len),
            Marker::Map16 => self.be::<2>()?,
            Marker::Map32 => self.be::<4>()?,
            _ => return Err(DecodeError { offset, problem: "expected a map" }),
        };
        self.affordable(offset, len, 2)
    }

    /// A declared count is believed only if the bytes that are left could hold that many elements.
    fn affordable(&self, offset: usize, len: u64, least: usize) -> Result<usize> {
        let left = self.input.len() - self.at;
        if len <= (left / least) as u64 {
            Ok(len as usize)
        } else {
            Err(DecodeError { offset, problem: "a declared length is longer than the input" })
        }
    }

    /// Passes over one value of any type and returns its bytes.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        self.skip(0)?;
        Ok(self.since(start))
    }

    fn skip(&mut self, depth: u32) -> Result<()> {
        if depth > MAX_DEPTH {
            return self.fail("values nest too deep");
        }
        let Some(marker) = self.peek() else {
            return self.fail("the input ends where a value should be");
        };
        let fixed = match marker {
            Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => 1,
            Marker::U8 | Marker::I8 => 2,
            Marker::U16 | Marker::I16 => 3,
            Marker::U32 | Marker::I32 | Marker::F32 => 5,
            Marker::U64 | Marker::I64 | Marker::F64 => 9,
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => return self.str().map(drop),
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => return self.bin().map(drop),
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
                let len = self.array(1)?;
                return (0..len).try_for_each(|_| self.skip(depth + 1));
            }
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
                let len = self.map()?;
                return (0..2 * len).try_for_each(|_| self.skip(depth + 1));
            }
            _ => return self.ext().map(drop),
        };
        self.bytes(fixed).map(drop)
    }

    /// An extension value: its type and its bytes.
    pub(crate) fn ext(&mut self) -> Result<(i8, &'a [u8])> {
        let offset = self.at;
        let len = match self.marker()? {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => self.be::<1>()?,
            Marker::Ext16 => self.be::<2>()?,
            Marker::Ext32 => self.be::<4>()?,
            _ => return Err(DecodeError { offset, problem: "expected an extension value" }),
        };
        let kind = self.bytes(1)?[0].cast_signed();
        Ok((kind, self.bytes(len as usize)?))
    }
}
