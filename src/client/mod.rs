//! The handle: what a program holds to record events, and to see them delivered.

mod context;
mod failure;
mod function;
mod handle;
mod live;
mod lock;
mod start;
mod task;
mod track;
mod variable;

pub use failure::TrackErr;
pub use function::{FunctionGuard, TrackedFuture};
pub use lock::TrackedGuard;
pub use task::{Task, TaskGuard};
pub use variable::Variable;

use crate::config::Builder;
use crate::error::{EnvError, FlushError};
use crate::flusher::Retired;
use crate::recorder::Recorder;
use crate::ring::pipe::Pipe;
use crate::ring::sync::Arc;
use crate::stats::Stats;
use crate::transport::Transport;
use handle::Handle;
use std::path::PathBuf;
use std::time::Duration;

/// Records events, and delivers them in the background.
///
/// Cheap to clone; all clones are one client. Its methods may be called from any thread, async or not, and never block
/// but for [`Client::flush`] and [`Client::shutdown`], which say how long.
///
/// When the last clone is dropped, what is still undelivered is given the time that
/// [`Builder::drop_timeout`] says.
///
/// Without the feature `tracked`, a client records and starts nothing: see [Switching it off](crate#switching-it-off).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use trackside::{Access, Client, MemoryTransport};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = MemoryTransport::new();
/// let client = Client::builder_to(memory.clone()).service("bank").build()?;
///
/// client.track_state_change("balance", 100, 90, Access::Write);
/// client.flush(Duration::from_secs(5))?;
///
/// # #[cfg(feature = "tracked")] {
/// let stats = client.stats();
/// assert_eq!((stats.recorded, stats.delivered), (1, 1));
/// assert_eq!(memory.batches().len(), 1);
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    recorder: Recorder,
    handle: Arc<Handle>,
}

impl Client {
    /// Begins to configure a client that reports to the collector at `url`, such as `http://localhost:8080`.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::to_url(url.into())
    }

    /// Begins to configure a client that reports where the environment says, in `RACEWAY_URL`, with all else that it says:
    /// see [`Builder::env`]. What is set afterwards replaces what the environment says.
    ///
    /// # Errors
    /// [`EnvError::Unset`] if there is no `RACEWAY_URL`: where events go is not guessed. [`EnvError::Invalid`] if a variable
    /// says what makes no sense.
    pub fn builder_from_env() -> Result<Builder, EnvError> {
        Builder::from_env()
    }

    /// Begins to configure a client that appends its batches to a new file, to be read by `trackside check`.
    pub fn builder_to_file(path: impl Into<PathBuf>) -> Builder {
        Builder::to_file(path.into())
    }

    /// Begins to configure a client that delivers by a transport of your own.
    pub fn builder_to(transport: impl Transport + 'static) -> Builder {
        Builder::to_transport(Box::new(transport))
    }

    pub(crate) fn new(pipe: Arc<Pipe>, handle: Handle) -> Self {
        Self { recorder: Recorder::new(pipe), handle: Arc::new(handle) }
    }

    /// What records for the client, without keeping it.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What a worker needs of the client: it must not keep a handle, whose last one stops it.
    pub(crate) fn for_worker(&self) -> (Arc<Pipe>, Retired) {
        (self.recorder.pipe().clone(), self.handle.retired.clone())
    }

    /// Waits until everything recorded before this call, on this thread or on one that happens before it, has been
    /// delivered or counted as lost; at most for `timeout`.
    ///
    /// Blocks the calling thread. In async code, call it where blocking is allowed, such as in `spawn_blocking`; it needs
    /// no runtime to make progress, so it cannot deadlock one, but it does keep its worker busy.
    ///
    /// # Errors
    /// [`FlushError::TimedOut`] if the time is up first, [`FlushError::Stopped`] after shutdown, [`FlushError::Forked`]
    /// in a forked child, [`FlushError::OnFlusherThread`] from within a callback of this library.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.handle.flush(timeout)
    }

    /// Stops recording, delivers what it can within `timeout`, and stops the flusher. Returns the books as they then
    /// stand.
    ///
    /// After a return in time, `pending` is 0: what could not be delivered is counted as lost. If the flusher is held up
    /// by the network beyond `timeout`, this returns all the same, and what is still in its hands shows as `pending`.
    ///
    /// May be called any number of times, from any clone, at once or later. Events recorded afterwards are counted as
    /// lost, `after_shutdown`.
    pub fn shutdown(&self, timeout: Duration) -> Stats {
        self.handle.shutdown(timeout);
        self.stats()
    }

    /// The books.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }

    /// Where batches go: a URL without credentials, or a path.
    pub fn destination(&self) -> &str {
        self.handle.destination()
    }
}
