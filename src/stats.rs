//! The books: every event recorded is delivered, pending, or lost for a named reason.

use crate::ring::pipe::{Pipe, counted};
use std::fmt;

/// A snapshot of a client's books: `recorded == delivered + pending + lost.total()`, always.
///
/// An event enters the books when the flusher takes it out of its thread's ring, or where it is lost before that. After
/// a successful [`crate::Client::flush`], everything recorded before the flush is in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events that a tracking method or tracked lock was asked to record.
    pub recorded: u64,
    /// Events that the receiver has acknowledged.
    pub delivered: u64,
    /// Events that are in the flusher's hands, sealed or not.
    pub pending: u64,
    /// Events that will never be delivered.
    pub lost: Lost,
    /// Names and values that were too long and were cut; their events are not lost.
    pub truncated: u64,
    /// Batches acknowledged.
    pub batches: u64,
    /// Bytes of the batches acknowledged.
    pub bytes: u64,
    /// Attempts to deliver that failed; the one that finds out that a stock Raceway server takes JSON is among them.
    pub failed_attempts: u64,
    /// Rings in memory, in use or waiting for a thread.
    pub rings: usize,
    /// Contexts begun of traces that are not recorded, by the sampling: [`crate::Builder::sample_rate`]. What was not
    /// recorded in them is no part of the books.
    pub unsampled: u64,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Events lost, by reason.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Lost {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Lost {
            /// All reasons together.
            pub fn total(&self) -> u64 {
                [$(self.$name),*].iter().sum()
            }

            /// The reasons with a count other than zero, by name.
            pub fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter().filter(|(_, count)| *count > 0)
            }
        }
    };
}

reasons! {
    /// The thread's ring was full.
    ring_full,
    /// There was no ring for the thread: all that the memory cap allows were in use.
    no_ring,
    /// Recorded from within the recording of another event, by a signal handler or an allocator; or an operation on a tracked
    /// atomic, in the middle of which another one came: see [`crate::sync::atomic`].
    reentrant,
    /// Recorded by a thread that was already past the destruction of its thread-locals.
    thread_exit,
    /// Recorded in a forked child by a client of its parent.
    forked,
    /// Recorded after shutdown.
    after_shutdown,
    /// Pushed out of the full backlog by newer batches, while the receiver could not be reached.
    backlog_full,
    /// Not delivered within the time for which a batch is retried.
    retries_exhausted,
    /// Refused by the receiver.
    rejected,
    /// Dropped by a stock Raceway server whose queue was full.
    receiver_full,
    /// Sent to a stock Raceway server that has not answered, and may or may not have stored them: it would store them twice
    /// if they were sent again.
    unconfirmed,
    /// Still undelivered when the time for shutdown was up.
    shutdown_timeout,
    /// Unreadable when taken out of the ring; a bug in this library.
    malformed,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sep = "";
        for (reason, count) in self.by_reason() {
            write!(f, "{sep}{reason} {count}")?;
            sep = ", ";
        }
        if sep.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { recorded, delivered, pending, lost, .. } = self;
        write!(f, "recorded {recorded} = delivered {delivered} + pending {pending} + lost {} ({lost})", lost.total())
    }
}

/// What the flusher knows, and keeps under one lock, so that a reader never sees half of a change.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// Events taken out of rings.
    pub(crate) drained: u64,
    pub(crate) delivered: u64,
    pub(crate) truncated: u64,
    pub(crate) batches: u64,
    pub(crate) bytes: u64,
    pub(crate) failed_attempts: u64,
    /// Of the drained events.
    pub(crate) lost: Lost,
}

impl Books {
    /// Events drained and not settled.
    pub(crate) fn pending(&self) -> u64 {
        self.drained - self.delivered - self.lost.total()
    }

    /// What a batch's header tells, once `sealed` events have been sealed: how many events were recorded, and which of
    /// them are lost. A receiver that has all batches has all events but those.
    pub(crate) fn for_header(&self, sealed: u64, pipe: &Pipe) -> (u64, Lost) {
        let before = lost_before_flusher(pipe);
        (sealed + self.lost.malformed + before.total(), self.lost_with(&before))
    }

    /// The snapshot, together with what was lost on the way to the flusher.
    pub(crate) fn snapshot(&self, pipe: &Pipe) -> Stats {
        let before = lost_before_flusher(pipe);
        let lost = self.lost_with(&before);
        Stats {
            recorded: self.drained + before.total(),
            delivered: self.delivered,
            pending: self.pending(),
            lost,
            truncated: self.truncated,
            batches: self.batches,
            bytes: self.bytes,
            failed_attempts: self.failed_attempts,
            rings: pipe.registry.rings(),
            unsampled: counted(&pipe.unsampled),
        }
    }
}

impl Books {
    fn lost_with(&self, before: &Lost) -> Lost {
        let own = &self.lost;
        Lost {
            after_shutdown: before.after_shutdown + own.after_shutdown,
            backlog_full: own.backlog_full,
            retries_exhausted: own.retries_exhausted,
            rejected: own.rejected,
            receiver_full: own.receiver_full,
            unconfirmed: own.unconfirmed,
            shutdown_timeout: own.shutdown_timeout,
            malformed: own.malformed,
            ..*before
        }
    }
}

fn lost_before_flusher(pipe: &Pipe) -> Lost {
    Lost { ring_full: pipe.registry.dropped(), ..turned_away(pipe) }
}

/// The counts that can be read without a lock: all that a forked child may look at.
pub(crate) fn turned_away(pipe: &Pipe) -> Lost {
    let away = &pipe.turned_away;
    Lost {
        no_ring: counted(&away.no_ring),
        reentrant: counted(&away.reentrant),
        thread_exit: counted(&away.thread_exit),
        forked: counted(&away.forked),
        after_shutdown: counted(&away.after_shutdown),
        ..Lost::default()
    }
}
