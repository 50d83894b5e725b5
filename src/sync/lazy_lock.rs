use super::OnceLock;
use super::object::{Object, Site};
use crate::record::ObjectType;
use crate::ring::sync::{Mutex, lock};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

/// [`std::sync::LazyLock`], which also records what the initialisation happens before: as [`OnceLock`].
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
/// use trackside::sync::LazyLock;
///
/// static RATES: LazyLock<HashMap<&str, f64>> = LazyLock::new(|| HashMap::from([("EUR", 1.0), ("USD", 1.25)]));
///
/// assert_eq!(RATES["USD"], 1.25);
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    value: OnceLock<T>,
    /// Taken by the first to want the value; if there is none and no value either, it has panicked.
    init: Mutex<Option<F>>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `f` makes when it is first wanted, named after the place in the source where this is made.
    #[inline]
    #[track_caller]
    pub const fn new(f: F) -> Self {
        Self::of(Object::here(ObjectType::LazyLock), f)
    }

    /// As [`LazyLock::new`], with a name of its own.
    #[inline]
    pub const fn named(name: &'static str, f: F) -> Self {
        Self::of(Object::named(ObjectType::LazyLock, name), f)
    }

    const fn of(object: Object, f: F) -> Self {
        Self { value: OnceLock::of(object), init: Mutex::new(Some(f)) }
    }

    /// The value, made if need be: what dereferencing does.
    ///
    /// # Panics
    /// If making it panics, or has panicked before. From within the function that makes it, it must not be wanted: that
    /// panics or never returns.
    #[inline]
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        Self::force_at(this, Location::caller())
    }

    #[inline]
    fn force_at(this: &Self, site: Site) -> &T {
        this.value.get_or_init_at(site, || {
            // The lock is let go of before the function is called.
            let init = lock(&this.init).take();
            init.unwrap_or_else(|| poisoned())()
        })
    }

    /// The value, made if need be, which nobody else can reach while it is borrowed mutably.
    ///
    /// # Panics
    /// As [`LazyLock::force`].
    #[inline]
    #[track_caller]
    pub fn force_mut(this: &mut Self) -> &mut T {
        Self::force_at(this, Location::caller());
        this.value.get_mut().expect("it has just been made")
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made.
    #[inline]
    #[track_caller]
    pub fn get(this: &Self) -> Option<&T> {
        this.value.get()
    }

    /// The value, if it has been made, which nobody else can reach while it is borrowed mutably. Records nothing.
    #[inline]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        this.value.get_mut()
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn poisoned() -> ! {
    panic!("LazyLock instance has previously been poisoned")
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        Self::force_at(self, Location::caller())
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[inline]
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    #[track_caller]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_tuple("LazyLock");
        match Self::get(self) {
            Some(value) => out.field(value),
            None => out.field(&format_args!("<uninit>")),
        };
        out.finish()
    }
}
