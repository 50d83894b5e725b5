//! A serialiser for what needs no room: numbers, truth values, and nothing. Compiled for such a type it is one move; whatever
//! else it is given, it refuses at once.

use crate::record::{Arg, Bytes};
use serde::Serialize;
use serde::ser::{Impossible, Serializer};
use std::fmt;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Plain;

/// The value is none of these.
#[derive(Debug)]
pub(super) struct NotPlain;

impl std::error::Error for NotPlain {}

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a plain value")
    }
}

impl serde::ser::Error for NotPlain {
    fn custom<T: fmt::Display>(_: T) -> Self {
        NotPlain
    }
}

type Argument = Arg<Bytes<'static>>;
type Refused<T> = Result<T, NotPlain>;
type Never = Impossible<Argument, NotPlain>;

macro_rules! plain {
    ($($method:ident($value:ty) => $arg:ident as $wide:ty;)*) => {$(
        #[inline(always)]
        fn $method(self, value: $value) -> Refused<Argument> {
            Ok(Arg::$arg(<$wide>::from(value)))
        }
    )*};
}

macro_rules! refused {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {$(
        #[inline(always)]
        fn $method(self, $(_: $argument),*) -> Refused<$result> {
            Err(NotPlain)
        }
    )*};
}

impl Serializer for Plain {
    type Ok = Argument;
    type Error = NotPlain;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    plain! {
        serialize_bool(bool) => Bool as bool;
        serialize_i8(i8) => Int as i64;
        serialize_i16(i16) => Int as i64;
        serialize_i32(i32) => Int as i64;
        serialize_i64(i64) => Int as i64;
        serialize_u8(u8) => UInt as u64;
        serialize_u16(u16) => UInt as u64;
        serialize_u32(u32) => UInt as u64;
        serialize_u64(u64) => UInt as u64;
        serialize_f32(f32) => Float as f64;
        serialize_f64(f64) => Float as f64;
    }

    #[inline(always)]
    fn serialize_unit(self) -> Refused<Argument> {
        Ok(Arg::Nil)
    }

    #[inline(always)]
    fn serialize_none(self) -> Refused<Argument> {
        Ok(Arg::Nil)
    }

    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Refused<Argument> {
        value.serialize(self)
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Refused<Argument> {
        value.serialize(self)
    }

    #[inline(always)]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Refused<Argument> {
        Err(NotPlain)
    }

    #[inline(always)]
    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Refused<Argument> {
        Err(NotPlain)
    }

    refused! {
        serialize_char(char) -> Argument;
        serialize_str(&str) -> Argument;
        serialize_bytes(&[u8]) -> Argument;
        serialize_unit_struct(&'static str) -> Argument;
        serialize_unit_variant(&'static str, u32, &'static str) -> Argument;
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    // As MessagePack has it: it is asked for by types that have a form for people and one for machines.
    #[inline(always)]
    fn is_human_readable(&self) -> bool {
        false
    }
}
