use super::Semaphore;
use crate::sync::object::Site;

/// As [`tokio::sync::SemaphorePermit`]: permits, which go back when it is dropped.
#[must_use]
#[clippy::has_significant_drop]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: u32,
    /// Where they were acquired.
    site: Site,
}

impl<'a> SemaphorePermit<'a> {
    pub(super) fn new(semaphore: &'a Semaphore, permits: u32, site: Site) -> Self {
        Self { semaphore, permits, site }
    }

    /// The permits never go back.
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Takes the permits of `other` over.
    ///
    /// # Panics
    /// If they are another semaphore's.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(std::ptr::eq(self.semaphore, other.semaphore), "merging permits from different semaphore instances");
        self.permits += std::mem::take(&mut other.permits);
    }

    /// So many of the permits, apart from the others; `None` if there are not so many.
    pub fn split(&mut self, n: usize) -> Option<Self> {
        let n = u32::try_from(n).ok()?;
        self.permits = self.permits.checked_sub(n)?;
        Some(Self { semaphore: self.semaphore, permits: n, site: self.site })
    }

    /// The semaphore.
    pub fn semaphore(&self) -> &Semaphore {
        self.semaphore
    }

    /// How many permits these are.
    pub fn num_permits(&self) -> usize {
        self.permits as usize
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.put_back(self.permits as usize, self.site);
    }
}
