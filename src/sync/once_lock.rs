use super::object::{Milestone, Object, Site, initialise};
use crate::record::ObjectType;
use std::fmt;
use std::panic::Location;

/// [`std::sync::OnceLock`], which also records what the initialisation happens before.
///
/// Putting the value in is a signal, and each strand that finds it there has noticed that: recorded once, so that
/// [`OnceLock::get`] costs less than an event from then on. What `set` refuses has found a value, and so comes after it.
///
/// # Examples
///
/// ```
/// use trackside::sync::OnceLock;
///
/// static CONFIG: OnceLock<String> = OnceLock::named("config");
///
/// assert_eq!(CONFIG.get(), None);
/// assert_eq!(CONFIG.get_or_init(|| "fast".into()), "fast");
/// assert_eq!(CONFIG.set("slow".into()), Err("slow".into()));
/// ```
pub struct OnceLock<T> {
    done: Milestone,
    inner: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// An empty one, named after the place in the source where it is made.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> Self {
        Self::of(Object::here(ObjectType::OnceLock))
    }

    /// An empty one with a name of its own.
    #[inline]
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self::of(Object::named(ObjectType::OnceLock, name))
    }

    pub(super) const fn of(object: Object) -> Self {
        Self { done: Milestone::new(object), inner: std::sync::OnceLock::new() }
    }

    /// The value, if there is one.
    #[inline]
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        let value = self.inner.get()?;
        self.done.acquire(Location::caller());
        Some(value)
    }

    /// The value, if there is one, which nobody else can reach while it is borrowed mutably. Records nothing.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Waits until there is a value.
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> &T {
        let value = self.inner.wait();
        self.done.acquire(Location::caller());
        value
    }

    /// Puts the value in; waits, if somebody else is about to.
    ///
    /// # Errors
    /// If there is a value; this one is given back.
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        let site = Location::caller();
        self.inner.get_or_init(|| initialise(&self.done, site, || value.take().expect("it is taken once")));
        match value {
            None => Ok(()),
            Some(value) => {
                self.done.acquire(site);
                Err(value)
            }
        }
    }

    /// The value. If there is none, `f` makes it; who else wants it meanwhile waits.
    ///
    /// # Panics
    /// If `f` does; there is no value then, and the next one may try. From within `f`, the same cell must not be
    /// initialised: that panics or never returns.
    #[inline]
    #[track_caller]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        self.get_or_init_at(Location::caller(), f)
    }

    #[inline]
    pub(super) fn get_or_init_at<F: FnOnce() -> T>(&self, site: Site, f: F) -> &T {
        if let Some(value) = self.inner.get() {
            self.done.acquire(site);
            return value;
        }
        self.init(site, f)
    }

    #[cold]
    fn init<F: FnOnce() -> T>(&self, site: Site, f: F) -> &T {
        let mut found = true;
        let value = self.inner.get_or_init(|| {
            found = false;
            initialise(&self.done, site, f)
        });
        if found {
            self.done.acquire(site);
        }
        value
    }

    /// Takes the value out, if there is one.
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out, if there is one; the next may then be put in.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    #[track_caller]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => out.field(value),
            None => out.field(&format_args!("<uninit>")),
        };
        out.finish()
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    /// Another one of the same name, with a clone of the value if there is one.
    #[track_caller]
    fn clone(&self) -> Self {
        let clone = Self::of(self.done.object().alike());
        if let Some(value) = self.get() {
            // It is not shared yet: nobody can learn of it but by what shares it.
            let _ = clone.inner.set(value.clone());
        }
        clone
    }
}

impl<T> From<T> for OnceLock<T> {
    /// One with this value.
    #[track_caller]
    fn from(value: T) -> Self {
        let cell = Self::new();
        // As in `clone`.
        let _ = cell.inner.set(value);
        cell
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    #[track_caller]
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
