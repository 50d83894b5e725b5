//! The builder: every setting, its default, and the checks. What is made of them is the client's business.

use crate::error::BuildError;
use crate::flusher::{OnWarning, Warning};
use crate::ring::pipe::Overflow;
use crate::transport::{ApiKey, Transport};
use std::path::PathBuf;
use std::time::Duration;

/// Configures a [`crate::Client`]. Nothing is checked, opened or started before [`Builder::build`].
#[must_use = "a builder does nothing until build() is called"]
pub struct Builder {
    pub(crate) destination: Destination,
    pub(crate) service: String,
    pub(crate) instance: Option<String>,
    pub(crate) environment: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) key_over_http: bool,
    pub(crate) batch_events: usize,
    pub(crate) batch_bytes: usize,
    pub(crate) flush_interval: Duration,
    pub(crate) ring_bytes: usize,
    pub(crate) ring_memory: usize,
    pub(crate) overflow: Overflow,
    pub(crate) backlog_bytes: usize,
    pub(crate) retry_for: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) send_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) max_idle_age: Duration,
    pub(crate) drop_timeout: Duration,
    pub(crate) record_locks: bool,
    pub(crate) on_warning: OnWarning,
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
            api_key: None,
            key_over_http: false,
            batch_events: 50_000,
            batch_bytes: 1 << 20,
            flush_interval: Duration::from_secs(1),
            ring_bytes: 512 << 10,
            ring_memory: 512 << 20,
            overflow: Overflow::DropNewest,
            backlog_bytes: 64 << 20,
            retry_for: Duration::from_secs(600),
            connect_timeout: Duration::from_secs(2),
            send_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(10),
            max_idle_age: Duration::from_secs(15),
            drop_timeout: Duration::from_secs(2),
            record_locks: true,
            on_warning: Box::new(|warning| log::warn!("{warning}")),
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

    /// The key that the receiver asks for. Shows up in no log, error or `Debug`. Defaults to none.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(ApiKey::new(key));
        self
    }

    /// Sends the key over plain http to other machines too, where anyone on the way can read it. Defaults to false.
    pub fn api_key_over_http(mut self, allow: bool) -> Self {
        self.key_over_http = allow;
        self
    }

    /// Seals a batch at this many events, 1 to 1,000,000. Defaults to 50,000.
    pub fn batch_events(mut self, events: usize) -> Self {
        self.batch_events = events;
        self
    }

    /// Seals a batch at this many bytes, 64 KiB to 64 MiB. Defaults to 1 MiB.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// Seals a batch that is this old, 1 ms to 1 hour. Defaults to 1 s.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
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

    /// Whether tracked locks record into this client. They record into the client that was built last with this on.
    /// Defaults to true.
    pub fn record_locks(mut self, record: bool) -> Self {
        self.record_locks = record;
        self
    }

    /// Who is told when delivery has trouble, at most once a minute. Runs on the flusher's thread, so it should be brief.
    /// Defaults to `log::warn!`.
    pub fn on_warning(mut self, tell: impl FnMut(&Warning) + Send + 'static) -> Self {
        self.on_warning = Box::new(tell);
        self
    }

    /// Says which field makes no sense, if one does not.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        const MS: Duration = Duration::from_millis(1);
        const HOUR: Duration = Duration::from_secs(3600);
        text("service", &self.service)?;
        text("environment", &self.environment)?;
        if let Some(instance) = &self.instance {
            text("instance", instance)?;
        }
        if self.tags.len() > 64 {
            return Err(invalid("tag", format!("{} tags", self.tags.len()), "give at most 64"));
        }
        for (key, value) in &self.tags {
            text("tag", key)?;
            if value.len() > 256 {
                return Err(invalid("tag", format!("a value of {} bytes", value.len()), "give at most 256 bytes"));
            }
        }
        size("batch_events", self.batch_events, 1, 1_000_000, "give 1 to 1,000,000 events")?;
        size("batch_bytes", self.batch_bytes, 64 << 10, 64 << 20, "give 64 KiB to 64 MiB")?;
        size("ring_bytes", self.ring_bytes, 64 << 10, 1 << 30, "give 64 KiB to 1 GiB")?;
        let ring = self.ring_bytes.next_power_of_two();
        size("ring_memory", self.ring_memory, ring, usize::MAX, "give at least the size of one ring")?;
        let least = 2 * self.batch_bytes;
        size("backlog_bytes", self.backlog_bytes, least, 64 << 30, "give twice batch_bytes to 64 GiB")?;
        time("flush_interval", self.flush_interval, MS, HOUR, "give 1 ms to 1 hour")?;
        time("connect_timeout", self.connect_timeout, MS, HOUR, "give 1 ms to 1 hour")?;
        time("send_timeout", self.send_timeout, MS, HOUR, "give 1 ms to 1 hour")?;
        time("response_timeout", self.response_timeout, MS, HOUR, "give 1 ms to 1 hour")?;
        time("max_idle_age", self.max_idle_age, Duration::ZERO, HOUR, "give at most 1 hour")?;
        time("drop_timeout", self.drop_timeout, Duration::ZERO, HOUR, "give at most 1 hour")?;
        time("retry_for", self.retry_for, Duration::from_secs(1), 24 * 30 * HOUR, "give 1 s to 30 days")?;
        if let Overflow::Block { timeout } = self.overflow {
            time("overflow", timeout, Duration::ZERO, HOUR, "block for at most 1 hour")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("service", &self.service).finish_non_exhaustive()
    }
}

pub(crate) fn invalid(field: &'static str, problem: String, remedy: &'static str) -> BuildError {
    BuildError::Invalid { field, problem, remedy }
}

fn text(field: &'static str, text: &str) -> Result<(), BuildError> {
    match text.len() {
        0 => Err(invalid(field, "it is empty".into(), "give it a name of 1 to 256 bytes")),
        1..=256 => Ok(()),
        len => Err(invalid(field, format!("it has {len} bytes"), "give it a name of 1 to 256 bytes")),
    }
}

fn size(field: &'static str, got: usize, least: usize, most: usize, remedy: &'static str) -> Result<(), BuildError> {
    if (least..=most).contains(&got) { Ok(()) } else { Err(invalid(field, format!("{got} is out of range"), remedy)) }
}

fn time(
    field: &'static str,
    got: Duration,
    least: Duration,
    most: Duration,
    remedy: &'static str,
) -> Result<(), BuildError> {
    if (least..=most).contains(&got) { Ok(()) } else { Err(invalid(field, format!("{got:?} is out of range"), remedy)) }
}
