//! Work on an executor's threads.

use super::branch::Branch;
use super::future::{Polling, WithContext};

impl Branch {
    /// The work is a future's.
    pub(crate) fn run_future<F: Future>(mut self, future: F) -> WithContext<F> {
        WithContext::new(self.strand.take(), self.done.take(), future)
    }

    /// Does the work on a thread that does other people's work as well: that it does one after the other is chance, and
    /// orders nothing.
    pub(crate) fn run_job<T>(mut self, work: impl FnOnce() -> T) -> T {
        let _running = Polling::new(&mut self.strand);
        work()
    }
}
