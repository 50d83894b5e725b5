//! The cold side of a client: flush, shutdown, the books, and the end of its last clone.

use super::live::Live;
use crate::error::FlushError;
use crate::flusher::{Retired, SharedBooks};
use crate::recorder::TRACKED;
use crate::ring::local;
use crate::ring::pipe::Pipe;
use crate::ring::signal::Waited;
use crate::ring::sync::{Arc, lock};
use crate::stats::{Stats, turned_away};
use crate::sync::watchdog;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) pipe: Arc<Pipe>,
    pub(crate) live: Live,
    pub(crate) books: SharedBooks,
    pub(crate) retired: Retired,
    pub(crate) destination: String,
    pub(crate) drop_timeout: Duration,
}

impl Handle {
    pub(crate) fn destination(&self) -> &str {
        &self.destination
    }

    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        if self.pipe.is_foreign() {
            return Err(FlushError::Forked);
        }
        if local::is_flusher() {
            return Err(FlushError::OnFlusherThread);
        }
        if !TRACKED && self.pipe.is_open() {
            return Ok(());
        }
        // The lock that the caller may have taken last, and holds.
        local::publish_draft();
        match self.pipe.signal.flush(deadline(timeout)) {
            Waited::Done => Ok(()),
            Waited::TimedOut => Err(FlushError::TimedOut { pending: lock(&self.books).pending() }),
            Waited::Stopped => Err(FlushError::Stopped),
        }
    }

    pub(crate) fn shutdown(&self, timeout: Duration) {
        if self.pipe.is_foreign() {
            return;
        }
        local::publish_draft();
        self.pipe.close();
        watchdog::end(self.pipe.key());
        // The flusher gets a little less time than the caller waits, so that what it gives up at the end is in the books
        // when the caller reads them.
        let closing = (timeout / 10).min(CLOSING);
        let deadline = deadline(timeout);
        self.pipe.signal.stop(deadline.checked_sub(closing).unwrap_or(deadline));
        if !local::is_flusher() {
            self.pipe.signal.wait_stopped(deadline);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        if self.pipe.is_foreign() {
            // Another thread of the parent may have held the books when the process was forked: they are out of reach.
            let lost = turned_away(&self.pipe);
            return Stats { recorded: lost.total(), lost, ..Stats::default() };
        }
        // Threads that did not know of the shutdown yet may have recorded after the flusher was done.
        if TRACKED && let Some(flusher) = lock(&self.retired).as_mut() {
            flusher.sweep();
        }
        lock(&self.books).snapshot(&self.pipe)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shutdown(self.drop_timeout);
    }
}

/// The time kept back, at most, for closing the books.
const CLOSING: Duration = Duration::from_millis(100);

fn deadline(timeout: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(timeout.min(FAR)).unwrap_or(now)
}
