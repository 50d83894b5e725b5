use super::OnceState;
use super::object::{Milestone, Object, Site, initialise};
use crate::record::ObjectType;
use std::cell::Cell;
use std::fmt;
use std::panic::Location;

/// [`std::sync::Once`], which also records what the initialisation happens before.
///
/// The end of the closure is a signal, and each strand that finds the initialisation done has noticed it: recorded once,
/// so that finding it done again costs less than an event. An attempt that panics is a signal too, to the next one.
///
/// # Examples
///
/// ```
/// use trackside::sync::Once;
///
/// static START: Once = Once::new();
///
/// START.call_once(|| println!("started"));
/// START.call_once(|| unreachable!("once means once"));
/// assert!(START.is_completed());
/// ```
pub struct Once {
    done: Milestone,
    inner: std::sync::Once,
}

/// One that is yet to be called.
#[deprecated = "the `Once::new()` function is now preferred"]
#[expect(clippy::declare_interior_mutable_const, reason = "std has declared it so")]
pub const ONCE_INIT: Once = Once::new();

impl Once {
    /// One that is yet to be called, named after the place in the source where it is made.
    #[inline]
    #[must_use]
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "std's has none either")]
    pub const fn new() -> Self {
        Self::of(Object::here(ObjectType::Once))
    }

    /// As [`Once::new`], with a name of its own.
    #[inline]
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self::of(Object::named(ObjectType::Once, name))
    }

    const fn of(object: Object) -> Self {
        Self { done: Milestone::new(object), inner: std::sync::Once::new() }
    }

    /// As [`std::sync::Once::call_once`]: calls `f` if nothing has been called yet; otherwise waits for the end of what was.
    ///
    /// # Panics
    /// If `f` does, or an earlier one did.
    #[inline]
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        let found = self.finding(Location::caller());
        self.inner.call_once(|| found.not_but_doing(f));
    }

    /// As [`std::sync::Once::call_once_force`]: as [`Once::call_once`], but an earlier panic does not count. `f` is told of
    /// it.
    ///
    /// # Panics
    /// If `f` does.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        let found = self.finding(Location::caller());
        self.inner.call_once_force(|state| found.not_but_doing(|| f(state)));
    }

    /// Whether a call has ended, without a panic.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        let completed = self.inner.is_completed();
        if completed {
            self.done.acquire(Location::caller());
        }
        completed
    }

    /// Waits until a call has ended, without making one.
    ///
    /// # Panics
    /// If a call has panicked.
    #[track_caller]
    pub fn wait(&self) {
        let _found = self.finding(Location::caller());
        self.inner.wait();
    }

    /// As [`Once::wait`], but an earlier panic does not count.
    #[track_caller]
    pub fn wait_force(&self) {
        let _found = self.finding(Location::caller());
        self.inner.wait_force();
    }

    #[inline]
    fn finding(&self, site: Site) -> Finding<'_> {
        Finding { done: &self.done, site, doing: Cell::new(false) }
    }
}

/// A call that finds it done, or panicked, when it is over; unless it was the one to do it.
struct Finding<'a> {
    done: &'a Milestone,
    site: Site,
    doing: Cell<bool>,
}

impl Finding<'_> {
    fn not_but_doing(&self, f: impl FnOnce()) {
        self.doing.set(true);
        initialise(self.done, self.site, f);
    }
}

impl Drop for Finding<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.doing.get() {
            self.done.acquire(self.site);
        }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
