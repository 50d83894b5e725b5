//! JSON of which one type is expected and any is taken.

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// What can be made of a JSON value of some type. A type without a method here yields nothing.
pub(super) trait Expect: Sized {
    fn text(_text: &str) -> Option<Self> {
        None
    }

    fn number(_number: u64) -> Option<Self> {
        None
    }

    /// Need not read the whole list.
    fn list<'de, A: SeqAccess<'de>>(_list: &mut A) -> Result<Option<Self>, A::Error> {
        Ok(None)
    }
}

impl Expect for u64 {
    fn number(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Expect for String {
    fn text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// A value if there is one of the expected type. Fails only where the text is no JSON.
pub(super) struct Lenient<T>(pub(super) Option<T>);

impl<'de, T: Expect> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData)).map(Lenient)
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: Expect> Visitor<'de> for Any<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::text(text))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        Ok(T::number(number))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<T>, A::Error> {
        let value = T::list(&mut list)?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(value)
    }

    // Not just an object: with serde_json's `arbitrary_precision`, so comes a number that is no integer of 64 bits.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
