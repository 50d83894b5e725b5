//! std's scopes of threads, with something beside that lives as long: [`Scope`] is to be had for `'scope`, which begins
//! inside of [`std::thread::scope`], where nothing that safe code could keep it in lives so long.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::sync::{Mutex, lock};
use std::fmt;
use std::panic::Location;

/// A scope to spawn threads in: [`std::thread::Scope`], whose spawns and joins are recorded. Made by
/// [`scope`](crate::thread::scope).
// The lifetimes are invariant, because std's type is.
pub struct Scope<'scope, 'env: 'scope> {
    /// None before the scope has begun, which is before anybody sees this.
    threads: Option<&'scope std::thread::Scope<'scope, 'env>>,
    ends: Ends,
}

/// What is done at the end of a scope, by its thread, once the threads in it have come to theirs.
struct Ends {
    todo: Mutex<Vec<Box<End>>>,
    /// Where the scope was opened.
    site: Site,
}

type Site = &'static Location<'static>;
type End = dyn FnOnce(Site) + Send;

impl<'scope, 'env> Scope<'scope, 'env> {
    pub(crate) fn threads(&self) -> &'scope std::thread::Scope<'scope, 'env> {
        self.threads.expect("a scope is lent once it has begun")
    }

    /// Has something done at the end, by the thread that has opened the scope, even if that panics.
    pub(crate) fn at_end(&self, work: impl FnOnce(Site) + Send + 'static) {
        lock(&self.ends.todo).push(Box::new(work));
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        let ends = std::mem::take(&mut *lock(&self.todo));
        ends.into_iter().for_each(|work| work(self.site));
    }
}

/// [`std::thread::scope`], which lends `f` a scope of ours.
pub(crate) fn scope<'env, T>(site: Site, f: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T) -> T {
    // Dropped when all threads of the scope have ended.
    let mut ours = Scope { threads: None, ends: Ends { todo: Mutex::default(), site } };
    let place = &raw mut ours;
    std::thread::scope(|threads| lend(threads, place.cast(), f))
}

fn lend<'scope, 'env, T>(
    threads: &'scope std::thread::Scope<'scope, 'env>,
    place: *mut Scope<'scope, 'env>,
    f: impl FnOnce(&'scope Scope<'scope, 'env>) -> T,
) -> T {
    // SAFETY: the place is the local of `scope`, the only caller, which has it point there; nobody else refers to it yet. Its
    // lifetimes were others, but what has those was not set.
    unsafe { (*place).threads = Some(threads) };
    // SAFETY: as above, and it is neither written again nor moved. It stays until `scope` returns or unwinds: by then std's
    // scope has come to its end, and `'scope` with it. What is dropped there, `ends`, does not know of `'scope`.
    f(unsafe { &*place })
}
