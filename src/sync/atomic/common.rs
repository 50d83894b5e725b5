//! The methods that all atomics have. Written once for the three of them, as a macro, because they are methods of three
//! types whose values have nothing else in common.

/// Methods and traits of the atomic `$atomic`, `$(<$T>)?`, around std's of that name, which holds a `$value`. `$one` and
/// `$two` are values for the examples.
macro_rules! common {
    ($atomic:ident $(<$T:ident>)?, $value:ty, default $default:expr, examples $one:literal, $two:literal, $prelude:literal) => {
        impl $(<$T>)? $atomic $(<$T>)? {
            /// An atomic with this value, called after the place in the source where it is made.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::", stringify!($atomic), ";")]
            #[doc = $prelude]
            #[doc = concat!("assert_eq!(", stringify!($atomic), "::new(", $one, ").into_inner(), ", $one, ");")]
            /// ```
            #[track_caller]
            pub const fn new(value: $value) -> Self {
                Self { numbered: Numbered::at(Location::caller()), inner: std::sync::atomic::$atomic::new(value) }
            }

            /// An atomic with a name of its own.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::named(\"shared\", ", $one, ");")]
            #[doc = concat!("assert_eq!(atomic.load(Ordering::Acquire), ", $one, ");")]
            /// ```
            pub const fn named(name: &'static str, value: $value) -> Self {
                Self { numbered: Numbered::named(name), inner: std::sync::atomic::$atomic::new(value) }
            }

            /// The value, which nobody else can reach while it is borrowed mutably. Records nothing.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::", stringify!($atomic), ";")]
            #[doc = $prelude]
            #[doc = concat!("let mut atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("*atomic.get_mut() = ", $two, ";")]
            #[doc = concat!("assert_eq!(atomic.into_inner(), ", $two, ");")]
            /// ```
            #[inline]
            pub fn get_mut(&mut self) -> &mut $value {
                self.inner.get_mut()
            }

            /// Takes the value out. Records nothing.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::", stringify!($atomic), ";")]
            #[doc = $prelude]
            #[doc = concat!("assert_eq!(", stringify!($atomic), "::new(", $one, ").into_inner(), ", $one, ");")]
            /// ```
            #[inline]
            pub const fn into_inner(self) -> $value {
                self.inner.into_inner()
            }

            /// A pointer to the value. What is done by way of it is not recorded, and writes get no number.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::", stringify!($atomic), ";")]
            #[doc = $prelude]
            #[doc = concat!("assert!(!", stringify!($atomic), "::new(", $one, ").as_ptr().is_null());")]
            /// ```
            #[inline]
            pub const fn as_ptr(&self) -> *mut $value {
                self.inner.as_ptr()
            }

            /// Loads the value.
            ///
            /// # Panics
            /// If the ordering is [`Ordering::Release`] or [`Ordering::AcqRel`].
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("assert_eq!(atomic.load(Ordering::Acquire), ", $one, ");")]
            /// ```
            #[inline]
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.numbered.load(order, Location::caller(), || self.inner.load(order))
            }

            /// Stores a value.
            ///
            /// # Panics
            /// If the ordering is [`Ordering::Acquire`] or [`Ordering::AcqRel`].
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("atomic.store(", $two, ", Ordering::Release);")]
            #[doc = concat!("assert_eq!(atomic.into_inner(), ", $two, ");")]
            /// ```
            #[inline]
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.numbered.store(value, order, Location::caller(), || self.inner.store(value, order));
            }

            /// Stores a value, and returns the one before.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("assert_eq!(atomic.swap(", $two, ", Ordering::AcqRel), ", $one, ");")]
            /// ```
            #[inline]
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.numbered.update(order, Location::caller(), || self.inner.swap(value, order), |_| value)
            }

            /// Stores `new` if the value is `current`; returns the one before either way.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            /// # #[expect(deprecated)]
            #[doc = concat!("let before = atomic.compare_and_swap(", $one, ", ", $two, ", Ordering::AcqRel);")]
            #[doc = concat!("assert_eq!(before, ", $one, ");")]
            /// ```
            #[deprecated = "Use `compare_exchange` or `compare_exchange_weak` instead"]
            #[inline]
            #[track_caller]
            pub fn compare_and_swap(&self, current: $value, new: $value, order: Ordering) -> $value {
                let failure = match order {
                    Ordering::Release => Ordering::Relaxed,
                    Ordering::AcqRel => Ordering::Acquire,
                    order => order,
                };
                self.compare_exchange(current, new, order, failure).unwrap_or_else(|found| found)
            }

            /// Stores `new` if the value is `current`.
            ///
            /// # Errors
            /// If it is not: the value that it is. Recorded as a load.
            ///
            /// # Panics
            /// If the ordering for the failure is [`Ordering::Release`] or [`Ordering::AcqRel`].
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering::{AcqRel, Relaxed}};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("assert_eq!(atomic.compare_exchange(", $two, ", ", $two, ", AcqRel, Relaxed), Err(", $one, "));")]
            #[doc = concat!("assert_eq!(atomic.compare_exchange(", $one, ", ", $two, ", AcqRel, Relaxed), Ok(", $one, "));")]
            /// ```
            #[inline]
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.numbered.exchange(new, [success, failure], Location::caller(), || {
                    self.inner.compare_exchange(current, new, success, failure)
                })
            }

            /// As `compare_exchange`, which may fail although the value is `current`.
            ///
            /// # Errors
            /// As `compare_exchange`, or for no reason.
            ///
            /// # Panics
            /// As `compare_exchange`.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering::{AcqRel, Relaxed}};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("while atomic.compare_exchange_weak(", $one, ", ", $two, ", AcqRel, Relaxed).is_err() {}")]
            #[doc = concat!("assert_eq!(atomic.into_inner(), ", $two, ");")]
            /// ```
            #[inline]
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.numbered.exchange(new, [success, failure], Location::caller(), || {
                    self.inner.compare_exchange_weak(current, new, success, failure)
                })
            }

            /// Replaces the value by what `f` makes of it, as often as it takes until nobody else has changed it meanwhile.
            ///
            /// Recorded as what it is made of: a load, and a compare-exchange each time.
            ///
            /// # Errors
            /// If `f` returns `None`: the value that it was given last.
            ///
            /// # Panics
            /// If the ordering for the load is [`Ordering::Release`] or [`Ordering::AcqRel`]; if `f` does.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering::{AcqRel, Acquire}};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("assert_eq!(atomic.fetch_update(AcqRel, Acquire, |_| Some(", $two, ")), Ok(", $one, "));")]
            #[doc = concat!("assert_eq!(atomic.fetch_update(AcqRel, Acquire, |_| None), Err(", $two, "));")]
            /// ```
            #[inline]
            #[track_caller]
            pub fn fetch_update<F>(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: F,
            ) -> Result<$value, $value>
            where
                F: FnMut($value) -> Option<$value>,
            {
                let mut found = self.load(fetch_order);
                while let Some(next) = f(found) {
                    match self.compare_exchange_weak(found, next, set_order, fetch_order) {
                        Ok(before) => return Ok(before),
                        Err(other) => found = other,
                    }
                }
                Err(found)
            }

            /// As `fetch_update`, which is its older name.
            ///
            /// # Errors
            /// If `f` returns `None`: the value that it was given last.
            ///
            /// # Panics
            /// If the ordering for the load is [`Ordering::Release`] or [`Ordering::AcqRel`]; if `f` does.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering::{AcqRel, Acquire}};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("assert_eq!(atomic.try_update(AcqRel, Acquire, |_| Some(", $two, ")), Ok(", $one, "));")]
            #[doc = concat!("assert_eq!(atomic.try_update(AcqRel, Acquire, |_| None), Err(", $two, "));")]
            /// ```
            #[inline]
            #[track_caller]
            pub fn try_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                self.fetch_update(set_order, fetch_order, f)
            }

            /// Replaces the value by what `f` makes of it, which may have to be asked more than once. Returns the value
            /// before.
            ///
            /// # Panics
            /// If the ordering for the load is [`Ordering::Release`] or [`Ordering::AcqRel`]; if `f` does.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering::{AcqRel, Acquire}};")]
            #[doc = $prelude]
            #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
            #[doc = concat!("assert_eq!(atomic.update(AcqRel, Acquire, |_| ", $two, "), ", $one, ");")]
            #[doc = concat!("assert_eq!(atomic.into_inner(), ", $two, ");")]
            /// ```
            #[inline]
            #[track_caller]
            pub fn update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> $value,
            ) -> $value {
                match self.fetch_update(set_order, fetch_order, |found| Some(f(found))) {
                    Ok(before) | Err(before) => before,
                }
            }
        }

        impl $(<$T>)? Default for $atomic $(<$T>)? {
            #[track_caller]
            fn default() -> Self {
                Self::new($default)
            }
        }

        impl $(<$T>)? From<$value> for $atomic $(<$T>)? {
            #[track_caller]
            fn from(value: $value) -> Self {
                Self::new(value)
            }
        }

        impl $(<$T>)? fmt::Debug for $atomic $(<$T>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

/// Methods that update by a function of the old value and an `$operand`: std's name, what becomes of the value, and values
/// for the example.
macro_rules! updates {
    (
        $atomic:ident $(<$T:ident>)?, $value:ty, by $operand:ty, examples $prelude:literal,
        $($name:ident, $what:literal, $new:expr, $one:literal with $two:literal is $three:literal;)*
    ) => {
        impl $(<$T>)? $atomic $(<$T>)? {
            $(
                #[doc = concat!("The value becomes ", $what, ". Returns the value before.")]
                ///
                /// # Examples
                ///
                /// ```
                #[doc = concat!("use trackside::sync::atomic::{", stringify!($atomic), ", Ordering};")]
                #[doc = $prelude]
                #[doc = concat!("let atomic = ", stringify!($atomic), "::new(", $one, ");")]
                #[doc = concat!("assert_eq!(atomic.", stringify!($name), "(", $two, ", Ordering::AcqRel), ", $one, ");")]
                #[doc = concat!("assert_eq!(atomic.into_inner(), ", $three, ");")]
                /// ```
                #[inline]
                #[track_caller]
                pub fn $name(&self, value: $operand, order: Ordering) -> $value {
                    let new: fn($value, $operand) -> $value = $new;
                    let update = || self.inner.$name(value, order);
                    self.numbered.update(order, Location::caller(), update, |old| new(old, value))
                }
            )*
        }
    };
}

pub(super) use {common, updates};
