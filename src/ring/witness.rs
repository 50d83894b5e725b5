//! Guards of locks that have a witness beside them, for [`super::raw_mutex`] and [`super::raw_rwlock`].

use std::mem::forget;
use std::panic::Location;

/// How a lock was taken.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// Whether it would have been waited for without an end.
    pub patient: bool,
    /// What the witness said when it was about to be waited for, if it was.
    pub since: Option<u64>,
    /// Where in the source.
    pub site: &'static Location<'static>,
}

/// A guard that is kept by forgetting it, once the witness has been told.
pub(super) trait Keep: Sized {
    /// Somebody is about to wait for it. What is returned comes back as [`Taken::since`].
    fn about_to_wait() -> u64;

    /// Tells the witness that the lock was taken.
    fn tell(&mut self, taken: Taken);

    #[inline(always)]
    fn keep(mut self, taken: Taken) {
        self.tell(taken);
        forget(self);
    }
}

/// Keeps what was got without waiting, if it was got. Whether it was.
#[inline(always)]
pub(super) fn keep_at_once<G: Keep>(guard: Option<G>, site: &'static Location<'static>) -> bool {
    guard.map(|guard| guard.keep(Taken { patient: false, since: None, site })).is_some()
}

/// Keeps what was got without waiting, or else what is got by waiting: where that is `patient`, it is got. Whether it was.
#[inline(always)]
pub(super) fn keep_or_wait<G: Keep>(
    guard: Option<G>,
    patient: bool,
    site: &'static Location<'static>,
    wait: impl FnOnce() -> Option<G>,
) -> bool {
    match guard {
        Some(guard) => {
            guard.keep(Taken { patient, since: None, site });
            true
        }
        None => keep_waited(patient, site, wait),
    }
}

/// Keeps what is got by waiting, if it is got. Whether it was.
#[cold]
#[inline(never)]
pub(super) fn keep_waited<G: Keep>(
    patient: bool,
    site: &'static Location<'static>,
    wait: impl FnOnce() -> Option<G>,
) -> bool {
    let since = Some(G::about_to_wait());
    wait().map(|guard| guard.keep(Taken { patient, since, site })).is_some()
}
