//! As serde does for std's: what a program serialises with those it serialises with these.

use super::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    AtomicUsize, Ordering,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! serial {
    ($($atomic:ident: $value:ty,)*) => {$(
        impl Serialize for $atomic {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.load(Ordering::Relaxed).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $atomic {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$value>::deserialize(deserializer).map(Self::new)
            }
        }
    )*};
}

serial! {
    AtomicBool: bool,
    AtomicI8: i8,
    AtomicI16: i16,
    AtomicI32: i32,
    AtomicI64: i64,
    AtomicIsize: isize,
    AtomicU8: u8,
    AtomicU16: u16,
    AtomicU32: u32,
    AtomicU64: u64,
    AtomicUsize: usize,
}
