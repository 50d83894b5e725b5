//! What the caller hands over to be recorded: names and values, borrowed, not yet copied anywhere.

mod captured;
mod pack;
mod plain;

pub(crate) use captured::Captured;
pub(crate) use pack::{BEYOND, List, PackBuf, Text};

use pack::Pack;
use serde::Serialize;
use std::fmt;

/// The name of a variable, function, lock or event.
///
/// A `&'static str` is recorded as a pointer, which is the cheapest; everything else is copied, up to
/// [`Name::INLINE_LIMIT`] bytes.
///
/// # Examples
///
/// ```
/// use trackside::Name;
///
/// let account = format!("accounts.{}.balance", 17);
/// let dynamic = Name::from(&account);   // copied when recorded
/// let fixed = Name::from("counter");    // lives for ever: recorded as a pointer
/// let borrowed = Name::dynamic(&account[..8]);
/// # let _ = (dynamic, fixed, borrowed);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Name<'a>(pub(crate) NameRepr<'a>);

#[derive(Debug, Clone, Copy)]
pub(crate) enum NameRepr<'a> {
    None,
    Static(&'static str),
    Dynamic(&'a str),
}

impl<'a> Name<'a> {
    /// The longest dynamic name that is recorded whole, in bytes. A longer one is cut, and ends in `…`.
    pub const INLINE_LIMIT: usize = crate::record::NAME_LIMIT;

    pub(crate) const NONE: Name<'static> = Name(NameRepr::None);

    /// A name that does not live for ever, such as a part of another string.
    #[inline(always)]
    pub const fn dynamic(name: &'a str) -> Self {
        Self(NameRepr::Dynamic(name))
    }
}

// For every 'a, not just 'static: a name and the values beside it share one lifetime in the tracking methods.
impl From<&'static str> for Name<'_> {
    #[inline(always)]
    fn from(name: &'static str) -> Self {
        Self(NameRepr::Static(name))
    }
}

impl<'a> From<&'a String> for Name<'a> {
    #[inline(always)]
    fn from(name: &'a String) -> Self {
        Self::dynamic(name)
    }
}

/// A value to be recorded.
///
/// Numbers, truth values and text convert by themselves; anything that is [`Serialize`] is wrapped by [`Value::of`].
///
/// # Examples
///
/// ```
/// use trackside::Value;
///
/// let from_number: Value = 1000.into();
/// let from_text: Value = "pending".into();
/// let unknown: Value = None::<i64>.into();
/// let amounts = [1, 2, 3];
/// let from_any = Value::of(&amounts);
/// # let _ = (from_number, from_text, unknown, from_any);
/// ```
#[derive(Clone, Copy)]
pub struct Value<'a>(pub(crate) ValueRepr<'a>);

#[derive(Clone, Copy)]
pub(crate) enum ValueRepr<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(&'a str),
    Map(&'a [(&'a str, Value<'a>)]),
    // Sync, so that a future that is yet to record a value may be sent to another thread.
    Object(&'a (dyn Pack + Sync)),
}

impl<'a> Value<'a> {
    /// The longest text, or serialised object, that is recorded whole, in bytes. A longer text is cut and marked as cut;
    /// a longer object is left out and marked as left out. An event that packs several values into one, such as the
    /// headers and the body of a request, has this much room for all of them; one that does not fit is left out.
    pub const INLINE_LIMIT: usize = 1024;

    /// No value, or an unknown one.
    pub const NIL: Value<'static> = Value(ValueRepr::Nil);

    /// Anything that serialises. Written as MessagePack into a buffer on the stack when it is recorded.
    ///
    /// If its `Serialize` implementation fails, the value is recorded as left out. If it panics, the panic reaches the
    /// caller of the tracking method, and nothing is recorded.
    #[inline]
    pub fn of<T: Serialize + Sync>(value: &'a T) -> Self {
        Self(ValueRepr::Object(value))
    }

    /// Several values, each with a name: the arguments of a call, for instance, without a type made for them.
    ///
    /// A value for which there is no room is left out by itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport, Value};
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// let user = String::from("alice");
    /// let args = [("user", (&user).into()), ("amount", 50.into()), ("reference", Value::NIL)];
    /// client.track_function_call("process_payment", "app", Value::map(&args));
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[inline]
    pub const fn map(entries: &'a [(&'a str, Value<'a>)]) -> Self {
        Self(ValueRepr::Map(entries))
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ValueRepr::Nil => f.write_str("Nil"),
            ValueRepr::Bool(value) => value.fmt(f),
            ValueRepr::Int(value) => value.fmt(f),
            ValueRepr::UInt(value) => value.fmt(f),
            ValueRepr::Float(value) => value.fmt(f),
            ValueRepr::Str(value) => value.fmt(f),
            ValueRepr::Map(entries) => {
                f.debug_map().entries(entries.iter().map(|(name, value)| (name, value))).finish()
            }
            ValueRepr::Object(_) => f.write_str("Object"),
        }
    }
}

macro_rules! from {
    ($($from:ty => $repr:ident as $as:ty),* $(,)?) => {$(
        impl From<$from> for Value<'_> {
            #[inline(always)]
            fn from(value: $from) -> Self {
                Self(ValueRepr::$repr(<$as>::from(value)))
            }
        }
    )*};
}

from! {
    bool => Bool as bool,
    i8 => Int as i64, i16 => Int as i64, i32 => Int as i64, i64 => Int as i64,
    u8 => UInt as u64, u16 => UInt as u64, u32 => UInt as u64, u64 => UInt as u64,
    f32 => Float as f64, f64 => Float as f64,
}

impl From<usize> for Value<'_> {
    #[inline(always)]
    fn from(value: usize) -> Self {
        Self(ValueRepr::UInt(value as u64))
    }
}

impl From<isize> for Value<'_> {
    #[inline(always)]
    fn from(value: isize) -> Self {
        Self(ValueRepr::Int(value as i64))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    #[inline(always)]
    fn from(value: &'a str) -> Self {
        Self(ValueRepr::Str(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    #[inline(always)]
    fn from(value: &'a String) -> Self {
        Self(ValueRepr::Str(value))
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    #[inline(always)]
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::NIL, Into::into)
    }
}
