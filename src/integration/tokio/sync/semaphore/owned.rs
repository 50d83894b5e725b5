use super::Semaphore;
use crate::sync::object::Site;
use std::sync::Arc;

/// As [`tokio::sync::OwnedSemaphorePermit`]: permits, which go back when it is dropped.
#[must_use]
#[clippy::has_significant_drop]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: u32,
    /// Where they were acquired.
    site: Site,
}

impl OwnedSemaphorePermit {
    pub(super) fn new(semaphore: Arc<Semaphore>, permits: u32, site: Site) -> Self {
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
        assert!(Arc::ptr_eq(&self.semaphore, &other.semaphore), "merging permits from different semaphore instances");
        self.permits += std::mem::take(&mut other.permits);
    }

    /// So many of the permits, apart from the others; `None` if there are not so many.
    pub fn split(&mut self, n: usize) -> Option<Self> {
        let n = u32::try_from(n).ok()?;
        self.permits = self.permits.checked_sub(n)?;
        Some(Self { semaphore: self.semaphore.clone(), permits: n, site: self.site })
    }

    /// The semaphore.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// How many permits these are.
    pub fn num_permits(&self) -> usize {
        self.permits as usize
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        self.semaphore.put_back(self.permits as usize, self.site);
    }
}
