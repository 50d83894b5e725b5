//! What Unix adds to a thread's handle.

use super::JoinHandle;
use std::os::unix::thread::{JoinHandleExt, RawPthread};

/// What is waited for by way of the system's handle is not recorded as a task awaited.
impl<T> JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> RawPthread {
        self.thread.as_pthread_t()
    }

    fn into_pthread_t(self) -> RawPthread {
        self.thread.into_pthread_t()
    }
}
