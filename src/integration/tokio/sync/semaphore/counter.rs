use super::{OwnedSemaphorePermit, SemaphorePermit};
use crate::record::ObjectType;
use crate::sync::object::{Object, Site};
use crate::sync::signal::Signal;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use tokio::sync::{AcquireError, TryAcquireError};

/// [`tokio::sync::Semaphore`], which also records what it orders: whoever acquires permits comes after all who have put some
/// back before, or have closed it.
///
/// That is how tokio's semaphore works, whichever permits they are, and so what is recorded: it has no lock's numbers, for
/// several may hold permits at once. Those who put some back at the very moment may be counted in.
///
/// # Examples
///
/// ```
/// use trackside::tokio::sync::Semaphore;
///
/// static CONNECTIONS: Semaphore = Semaphore::const_named("connections", 2);
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let one = CONNECTIONS.acquire().await.expect("it is not closed");
/// assert_eq!(CONNECTIONS.available_permits(), 1);
/// drop(one);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Semaphore {
    put_back: Signal,
    inner: tokio::sync::Semaphore,
}

impl Semaphore {
    /// The most permits that there can be.
    pub const MAX_PERMITS: usize = tokio::sync::Semaphore::MAX_PERMITS;

    /// A semaphore with so many permits, called after the place in the source where it is made.
    ///
    /// # Panics
    /// If there can be no so many.
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        Self::const_new(permits)
    }

    /// As [`Semaphore::new`], in a `const` or a `static`.
    ///
    /// # Panics
    /// As [`Semaphore::new`].
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Self::of(Object::here(ObjectType::Semaphore), permits)
    }

    /// A semaphore with a name of its own.
    ///
    /// # Panics
    /// As [`Semaphore::new`].
    pub fn named(name: &'static str, permits: usize) -> Self {
        Self::const_named(name, permits)
    }

    /// As [`Semaphore::named`], in a `const` or a `static`.
    ///
    /// # Panics
    /// As [`Semaphore::new`].
    pub const fn const_named(name: &'static str, permits: usize) -> Self {
        Self::of(Object::named(ObjectType::Semaphore, name), permits)
    }

    const fn of(object: Object, permits: usize) -> Self {
        Self { put_back: Signal::new(object), inner: tokio::sync::Semaphore::const_new(permits) }
    }

    /// How many permits can be acquired now.
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Adds so many permits: whoever acquires comes after this.
    ///
    /// # Panics
    /// If there can be no so many.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.put_back(n, Location::caller());
    }

    pub(super) fn put_back(&self, n: usize, site: Site) {
        if n > 0 {
            self.put_back.give(site);
            self.inner.add_permits(n);
        }
    }

    /// Takes so many permits away for good, or as many as there are. Returns how many that were.
    pub fn forget_permits(&self, n: usize) -> usize {
        self.inner.forget_permits(n)
    }

    /// No more permits are given out: who waits for some gets an error, and comes after this.
    #[track_caller]
    pub fn close(&self) {
        self.put_back.give(Location::caller());
        self.inner.close();
    }

    /// Whether it is closed.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        let closed = self.inner.is_closed();
        if closed {
            self.put_back.notice(Location::caller());
        }
        closed
    }

    /// Permits were acquired, or are not to be had any more: either way, somebody has seen to it.
    fn acquired<E>(&self, result: Result<tokio::sync::SemaphorePermit<'_>, E>, site: Site) -> Result<(), E> {
        self.put_back.notice(site);
        // From here on they are ours to put back.
        result.map(tokio::sync::SemaphorePermit::forget)
    }

    fn tried(
        &self,
        result: Result<tokio::sync::SemaphorePermit<'_>, TryAcquireError>,
        site: Site,
    ) -> Result<(), TryAcquireError> {
        match result {
            Err(TryAcquireError::NoPermits) => Err(TryAcquireError::NoPermits),
            other => self.acquired(other, site),
        }
    }

    /// As [`tokio::sync::Semaphore::acquire`]: waits for a permit.
    ///
    /// # Errors
    /// If the semaphore is closed, or is closed meanwhile.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_many(1)
    }

    /// As [`tokio::sync::Semaphore::acquire_many`]: waits for so many permits.
    ///
    /// # Errors
    /// If the semaphore is closed, or is closed meanwhile.
    #[track_caller]
    pub fn acquire_many(&self, n: u32) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        let site = Location::caller();
        async move {
            let result = self.inner.acquire_many(n).await;
            self.acquired(result, site)?;
            Ok(SemaphorePermit::new(self, n, site))
        }
    }

    /// Acquires a permit if there is one.
    ///
    /// # Errors
    /// If there is none, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Acquires so many permits if there are so many.
    ///
    /// # Errors
    /// If there are not, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let site = Location::caller();
        self.tried(self.inner.try_acquire_many(n), site)?;
        Ok(SemaphorePermit::new(self, n, site))
    }

    /// As [`Semaphore::acquire`], for threads that are not a runtime's.
    ///
    /// # Errors
    /// If the semaphore is closed, or is closed meanwhile.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.blocking_acquire_many(1)
    }

    /// As [`Semaphore::acquire_many`], for threads that are not a runtime's.
    ///
    /// # Errors
    /// If the semaphore is closed, or is closed meanwhile.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        let site = Location::caller();
        self.acquired(self.inner.blocking_acquire_many(n), site)?;
        Ok(SemaphorePermit::new(self, n, site))
    }

    /// As [`tokio::sync::Semaphore::acquire_owned`]: waits for a permit, with a permit that may outlive the borrow.
    ///
    /// # Errors
    /// If the semaphore is closed, or is closed meanwhile.
    #[track_caller]
    pub fn acquire_owned(self: Arc<Self>) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.acquire_many_owned(1)
    }

    /// As [`tokio::sync::Semaphore::acquire_many_owned`]: waits for so many permits, with a permit that may outlive the borrow.
    ///
    /// # Errors
    /// If the semaphore is closed, or is closed meanwhile.
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        let site = Location::caller();
        async move {
            let result = self.inner.acquire_many(n).await;
            self.acquired(result, site)?;
            Ok(OwnedSemaphorePermit::new(self, n, site))
        }
    }

    /// Acquires a permit if there is one, with a permit that may outlive the borrow.
    ///
    /// # Errors
    /// If there is none, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Acquires so many permits if there are so many, with a permit that may outlive the borrow.
    ///
    /// # Errors
    /// If there are not, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let site = Location::caller();
        self.tried(self.inner.try_acquire_many(n), site)?;
        Ok(OwnedSemaphorePermit::new(self, n, site))
    }

    /// As [`Semaphore::acquire_owned`], for threads that are not a runtime's.
    ///
    /// # Errors
    /// If the semaphore is closed, or is closed meanwhile.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.blocking_acquire_many_owned(1)
    }

    /// As [`Semaphore::acquire_many_owned`], for threads that are not a runtime's.
    ///
    /// # Errors
    /// If the semaphore is closed, or is closed meanwhile.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, AcquireError> {
        let site = Location::caller();
        self.acquired(self.inner.blocking_acquire_many(n), site)?;
        Ok(OwnedSemaphorePermit::new(self, n, site))
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
