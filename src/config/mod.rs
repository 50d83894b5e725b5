//! The configuration: every setting, its default, the checks, and what the environment says. What is made of it is the
//! client's business.

mod check;
mod env;
mod kinds;
mod settings;
mod timestamps;

pub(crate) use check::Flaw;
pub(crate) use kinds::groups;
pub use settings::Settings;
pub use timestamps::Timestamps;

use crate::deadlock::{Deadlock, OnDeadlock};
use crate::flusher::{OnWarning, Warning};
use crate::ring::pipe::{Background, Overflow};
use crate::transport::{ApiKey, Transport};
use std::path::PathBuf;
use std::time::Duration;
use trackside_wire::Kinds;

/// Configures a [`crate::Client`]. Nothing is checked, opened or started before [`Builder::build`].
#[must_use = "a builder does nothing until build() is called"]
pub struct Builder {
    pub(crate) destination: Destination,
    pub(crate) service: String,
    pub(crate) instance: Option<String>,
    pub(crate) environment: String,
    pub(crate) tags: Vec<(String, String)>,
    /// What can be changed later.
    pub(crate) settings: Settings,
    pub(crate) background: Background,
    pub(crate) key_over_http: bool,
    pub(crate) ring_bytes: usize,
    pub(crate) ring_memory: usize,
    pub(crate) overflow: Overflow,
    pub(crate) timestamps: Timestamps,
    pub(crate) backlog_bytes: usize,
    pub(crate) retry_for: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) send_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) max_idle_age: Duration,
    pub(crate) drop_timeout: Duration,
    pub(crate) record_locks: bool,
    pub(crate) on_warning: OnWarning,
    pub(crate) on_deadlock: Option<OnDeadlock>,
}

#[derive(Debug)]
pub(crate) enum Destination {
    Url(String),
    File(PathBuf),
    Transport(Box<dyn Transport>),
}

impl Builder {
    pub(crate) fn to_url(url: String) -> Self {
        Self::new(Destination::Url(url))
    }

    pub(crate) fn to_file(path: PathBuf) -> Self {
        Self::new(Destination::File(path))
    }

    pub(crate) fn to_transport(transport: Box<dyn Transport>) -> Self {
        Self::new(Destination::Transport(transport))
    }

    fn new(destination: Destination) -> Self {
        Self {
            destination,
            service: "unknown-service".into(),
            instance: None,
            environment: "development".into(),
            tags: Vec::new(),
            settings: Settings::default(),
            background: Background::Recorded,
            key_over_http: false,
            ring_bytes: 512 << 10,
            ring_memory: 512 << 20,
            overflow: Overflow::DropNewest,
            timestamps: Timestamps::Precise,
            backlog_bytes: 64 << 20,
            retry_for: Duration::from_secs(600),
            connect_timeout: Duration::from_secs(2),
            send_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(10),
            max_idle_age: Duration::from_secs(15),
            drop_timeout: Duration::from_secs(2),
            record_locks: true,
            on_warning: Box::new(|warning| log::warn!("{warning}")),
            on_deadlock: None,
        }
    }

    /// The service's name, 1 to 256 bytes. Defaults to "unknown-service".
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = name.into();
        self
    }

    /// Which instance of the service this is, 1 to 256 bytes. Defaults to `<host name>-<process id>`.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.instance = Some(name.into());
        self
    }

    /// The environment it runs in, 1 to 256 bytes. Defaults to "development".
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = name.into();
        self
    }

    /// Adds a tag that every batch carries; at most 64, of at most 256 bytes each side. Defaults to none.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// The key that the receiver asks for. Shows up in no log, error or `Debug`. Defaults to none. To put another in its
    /// place later, see [`crate::Client::reconfigure`].
    pub fn api_key(mut self, key: impl Into<ApiKey>) -> Self {
        self.settings.api_key = Some(key.into());
        self
    }

    /// Sends the key over plain http to other machines too, where anyone on the way can read it. Defaults to false.
    pub fn api_key_over_http(mut self, allow: bool) -> Self {
        self.key_over_http = allow;
        self
    }

    /// Whether anything is recorded. While it is off, events cost next to nothing, and are not counted either. Defaults to
    /// true.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.settings.enabled = enabled;
        self
    }

    /// The share of the traces begun here that are recorded: from 0.0, none, to 1.0, every one. Of the others, only errors
    /// are. What is recorded outside of any context is not sampled. Batches say how many contexts were left out, and nothing
    /// that one of them could overturn is called certain. Defaults to 1.0.
    pub fn sample_rate(mut self, rate: f64) -> Self {
        self.settings.sample_rate = rate;
        self
    }

    /// The kinds of events that are recorded; others are neither recorded nor counted. Tracked locks are recorded if both
    /// kinds of lock events are, messages of channels if both of theirs are, and so are signals. Batches say which kinds were off at any moment, so that no order is missed that was merely not
    /// recorded. Defaults to [`Kinds::ALL`].
    pub fn kinds(mut self, kinds: Kinds) -> Self {
        self.settings.kinds = kinds;
        self
    }

    /// Whether what happens outside of any context is recorded, in a trace of the process's own. If not, errors still are.
    /// Defaults to true.
    pub fn background(mut self, record: bool) -> Self {
        self.background = if record { Background::Recorded } else { Background::Silent };
        self
    }

    /// What happens outside of contexts is not recorded, and not missed.
    #[cfg(feature = "testing")]
    pub(crate) fn unrelated_background(mut self) -> Self {
        self.background = Background::Unrelated;
        self
    }

    /// Whether each submission of a batch is told of in a line on standard error. Defaults to false.
    pub fn debug(mut self, debug: bool) -> Self {
        self.settings.debug = debug;
        self
    }

    /// Seals a batch at this many events, 1 to 1,000,000. Defaults to 50,000.
    pub fn batch_events(mut self, events: usize) -> Self {
        self.settings.batch_events = events;
        self
    }

    /// Seals a batch at this many bytes, 64 KiB to 64 MiB. Defaults to 1 MiB.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.settings.batch_bytes = bytes;
        self
    }

    /// Seals a batch that is this old, 1 ms to 1 hour. Defaults to 1 s.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.settings.flush_interval = interval;
        self
    }

    /// The size of each recording thread's ring in bytes, 64 KiB to 1 GiB, rounded up to a power of two. Memory is
    /// touched only as it is used. Defaults to 512 KiB, room for some 13,000 events.
    pub fn ring_bytes(mut self, bytes: usize) -> Self {
        self.ring_bytes = bytes;
        self
    }

    /// The most bytes that all rings together may take, at least one ring. Threads beyond record nothing, which is
    /// counted. Defaults to 512 MiB.
    pub fn ring_memory(mut self, bytes: usize) -> Self {
        self.ring_memory = bytes;
        self
    }

    /// What happens to an event that finds its ring full. Defaults to [`Overflow::DropNewest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How the time of an event is told. Defaults to [`Timestamps::Precise`].
    pub fn timestamps(mut self, timestamps: Timestamps) -> Self {
        self.timestamps = timestamps;
        self
    }

    /// The most bytes of sealed batches that wait while the receiver cannot be reached, from twice
    /// [`Builder::batch_bytes`] to 64 GiB; beyond, the oldest are lost. Defaults to 64 MiB.
    pub fn backlog_bytes(mut self, bytes: usize) -> Self {
        self.backlog_bytes = bytes;
        self
    }

    /// How long a batch is retried before it is lost, 1 s to 30 days. Defaults to 10 minutes.
    pub fn retry_for(mut self, time: Duration) -> Self {
        self.retry_for = time;
        self
    }

    /// How long a connection to the receiver may take to open, 1 ms to 1 hour. Defaults to 2 s.
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = time;
        self
    }

    /// How long sending a batch may take, 1 ms to 1 hour. Defaults to 10 s.
    pub fn send_timeout(mut self, time: Duration) -> Self {
        self.send_timeout = time;
        self
    }

    /// How long the receiver may take to answer, 1 ms to 1 hour. Defaults to 10 s.
    pub fn response_timeout(mut self, time: Duration) -> Self {
        self.response_timeout = time;
        self
    }

    /// How long an idle connection is kept for reuse, at most 1 hour. Defaults to 15 s.
    pub fn max_idle_age(mut self, time: Duration) -> Self {
        self.max_idle_age = time;
        self
    }

    /// How long dropping the last handle may wait for delivery, at most 1 hour. Defaults to 2 s.
    pub fn drop_timeout(mut self, time: Duration) -> Self {
        self.drop_timeout = time;
        self
    }

    /// Whether tracked locks, atomics, values and the other objects of [`sync`](mod@crate::sync) record into this client. They
    /// record into the client that was built last with this on. Defaults to true.
    pub fn record_locks(mut self, record: bool) -> Self {
        self.record_locks = record;
        self
    }

    /// Whether the client watches for deadlocks while they happen, on the locks of [`sync`](mod@crate::sync): each thread that
    /// has to wait for a [`Mutex`](crate::sync::Mutex) or an [`RwLock`](crate::sync::RwLock) first looks whether that will ever
    /// end. If it will not, since it holds the lock itself, or waits for others who wait for it, `log::error!` is called
    /// before it waits (or whatever [`Builder::on_deadlock`] says), and all that is recorded is sent at once; then the thread
    /// waits, as with std. The collector's report has it as a finding.
    ///
    /// A lock that is free costs no more than it does otherwise. A wait costs another event, and a look at those who wait.
    /// Not seen are: locks that are not recorded (those of another client, or of a context that is not sampled), more than 16
    /// locks held by one thread, the locks of tokio and parking_lot, and a [`Condvar`](crate::sync::Condvar) that takes its
    /// mutex again. Defaults to false.
    pub fn deadlock_watchdog(mut self, watch: bool) -> Self {
        self.on_deadlock = watch.then(|| -> OnDeadlock { Box::new(|deadlock| log::error!("{deadlock}")) });
        self
    }

    /// Who is told of a deadlock: as [`Builder::deadlock_watchdog`], with this called in place of `log::error!`. It runs on
    /// the thread that is about to wait for ever, which holds all that it holds. It may end the process, or panic: then the
    /// lock is not waited for.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn main() -> Result<(), trackside::BuildError> {
    /// let client = trackside::Client::builder("http://127.0.0.1:8080")
    ///     .service("bank")
    ///     .on_deadlock(|deadlock| eprintln!("{deadlock}"))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_deadlock(mut self, tell: impl Fn(&Deadlock) + Send + Sync + 'static) -> Self {
        self.on_deadlock = Some(Box::new(tell));
        self
    }

    /// Who is told when delivery has trouble, at most once a minute. Runs on the flusher's thread, so it should be brief.
    /// Defaults to `log::warn!`.
    pub fn on_warning(mut self, tell: impl FnMut(&Warning) + Send + 'static) -> Self {
        self.on_warning = Box::new(tell);
        self
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("service", &self.service).finish_non_exhaustive()
    }
}
