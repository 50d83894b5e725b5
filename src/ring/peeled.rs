//! The twin of `apart.rs` where the feature `tracked` is off: tokio's types, under this crate's names, with nothing beside
//! what they guard. So an `Arc` of ours is one of tokio's, whose owned guards hold one.

#![expect(unsafe_code, reason = "an Arc of the one is turned into an Arc of the other")]

use std::sync::Arc;

/// Declares a type that is laid out as tokio's of the same name.
macro_rules! peeled {
    ($($name:ident $(<$T:ident>)?;)*) => {$(
        #[doc = concat!("[`tokio::sync::", stringify!($name), "`] under this crate's names: the feature `tracked` is off, ")]
        /// and nothing is recorded.
        #[repr(transparent)]
        pub struct $name $(<$T: ?Sized>)? (pub(crate) tokio::sync::$name $(<$T>)?);

        impl $(<$T: ?Sized>)? $name $(<$T>)? {
            /// As tokio's.
            #[inline(always)]
            pub(crate) fn peel(self: Arc<Self>) -> Arc<tokio::sync::$name $(<$T>)?> {
                let whole = Arc::into_raw(self) as *const tokio::sync::$name $(<$T>)?;
                // SAFETY: it is what `into_raw` returned, of a type that is laid out as the other one, and is dropped as it.
                unsafe { Arc::from_raw(whole) }
            }
        }
    )*};
}

peeled! {
    Mutex<T>;
    RwLock<T>;
    Semaphore;
    Notify;
}
