//! From the builder to a running client: defaults, and all the checks.

use crate::client::Client;
use crate::clock;
use crate::context;
use crate::error::BuildError;
use crate::flusher::{BacklogOptions, Flusher, FlusherOptions, ManualFlusher, OnWarning, Warning, worker};
use crate::ring::pipe::{self, Overflow, Pipe, PipeOptions};
use crate::ring::signal::Sleeper;
use crate::ring::sync::{Arc, Mutex};
use crate::transport::{ApiKey, FileTransport, HttpError, HttpOptions, HttpTransport, Transport};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use trackside_wire::RunId;

/// Configures a [`Client`]. Nothing is checked, opened or started before [`Builder::build`].
#[must_use = "a builder does nothing until build() is called"]
pub struct Builder {
    destination: Destination,
    service: String,
    instance: Option<String>,
    environment: String,
    tags: Vec<(String, String)>,
    api_key: Option<ApiKey>,
    key_over_http: bool,
    batch_events: usize,
    batch_bytes: usize,
    flush_interval: Duration,
    ring_bytes: usize,
    ring_memory: usize,
    overflow: Overflow,
    backlog_bytes: usize,
    retry_for: Duration,
    connect_timeout: Duration,
    send_timeout: Duration,
    response_timeout: Duration,
    max_idle_age: Duration,
    drop_timeout: Duration,
    record_locks: bool,
    on_warning: OnWarning,
}

#[derive(Debug)]
enum Destination {
    Url(String),
    File(PathBuf),
    Transport(Box<dyn Transport>),
}

const WORD: usize = size_of::<u64>();

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

    /// Checks the configuration and starts the client and its flusher thread.
    ///
    /// # Errors
    /// [`BuildError::Invalid`] names the first field that makes no sense, and the remedy. [`BuildError::File`] and
    /// [`BuildError::Thread`] tell what the system refused. Whether a server answers at the URL is not checked: a
    /// service starts without its collector.
    pub fn build(self) -> Result<Client, BuildError> {
        let (client, flusher, sleeper) = self.assemble()?;
        let (pipe, retired) = client.for_worker();
        let started = worker::start(pipe.clone(), flusher, sleeper, retired);
        if let Err(error) = started {
            // No flusher will ever say that it is gone, and nobody should wait for it.
            pipe.signal.stopped();
            return Err(BuildError::Thread(error));
        }
        Ok(client)
    }

    /// As [`Builder::build`], but starts no thread: the caller drives the flusher by hand.
    ///
    /// For tests that want to decide when something is sent, for benchmarks, and for programs with a loop of their own
    /// to spare. [`Client::flush`] waits for somebody to call [`ManualFlusher::step`], on another thread.
    ///
    /// # Errors
    /// As [`Builder::build`], without [`BuildError::Thread`].
    pub fn build_manual(self) -> Result<(Client, ManualFlusher), BuildError> {
        let (client, flusher, _) = self.assemble()?;
        let (pipe, retired) = client.for_worker();
        Ok((client, ManualFlusher::new(pipe, flusher, retired)))
    }

    fn assemble(self) -> Result<(Client, Flusher, Sleeper), BuildError> {
        self.check()?;
        let (run, trace) = (RunId::new(random()), (u128::from(random()) << 64) | u128::from(random()));
        let send_timeout = self.connect_timeout + self.send_timeout + self.response_timeout;
        let transport: Box<dyn Transport> = match self.destination {
            Destination::Url(url) => Box::new(
                HttpTransport::new(HttpOptions {
                    api_key: self.api_key,
                    key_over_http: self.key_over_http,
                    connect_timeout: self.connect_timeout,
                    send_timeout: self.send_timeout,
                    response_timeout: self.response_timeout,
                    max_idle_age: self.max_idle_age,
                    ..HttpOptions::new(url)
                })
                .map_err(|error| invalid_http(&error))?,
            ),
            Destination::File(path) => Box::new(FileTransport::create(path).map_err(BuildError::File)?),
            Destination::Transport(transport) => transport,
        };
        clock::calibrate();
        let ring_words = (self.ring_bytes / WORD).next_power_of_two();
        let (pipe, sleeper) = Pipe::new(&PipeOptions {
            ring_words: NonZeroUsize::new(ring_words).unwrap_or(NonZeroUsize::MIN),
            most_rings: self.ring_memory / (ring_words * WORD),
            overflow: self.overflow,
            announce: context::announce,
        });
        let options = FlusherOptions {
            run,
            trace,
            service: self.service,
            instance: self.instance.unwrap_or_else(default_instance),
            environment: self.environment,
            tags: self.tags,
            pid: std::process::id(),
            batch_events: self.batch_events,
            batch_bytes: self.batch_bytes,
            flush_interval: self.flush_interval,
            send_timeout,
            backlog: BacklogOptions {
                max_bytes: self.backlog_bytes,
                max_age: self.retry_for,
                backoff_base: Duration::from_millis(100),
                backoff_max: Duration::from_secs(30),
            },
        };
        let handle = crate::client::Handle {
            pipe: pipe.clone(),
            books: Arc::new(Mutex::default()),
            retired: Arc::new(Mutex::new(None)),
            destination: transport.destination(),
            drop_timeout: self.drop_timeout,
        };
        let flusher = Flusher::new(pipe.clone(), options, transport, handle.books.clone(), self.on_warning);
        if self.record_locks {
            pipe::make_default(&pipe);
        }
        Ok((Client::new(pipe, handle), flusher, sleeper))
    }

    fn check(&self) -> Result<(), BuildError> {
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

fn invalid(field: &'static str, problem: String, remedy: &'static str) -> BuildError {
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

fn invalid_http(error: &HttpError) -> BuildError {
    let (field, remedy) = match error {
        HttpError::TlsMissing => ("url", "use http, or a proxy on this machine that speaks https for you"),
        HttpError::CredentialsInUrl => ("url", "pass the key by api_key instead"),
        HttpError::NotABaseUrl => ("url", "give only scheme, host, port and path"),
        HttpError::InvalidKey => ("api_key", "give a key of visible ASCII characters"),
        HttpError::KeyInTheClear => ("api_key", "send it to this machine only, or allow it by api_key_over_http(true)"),
        _ => ("url", "give one such as http://localhost:8080"),
    };
    invalid(field, error.to_string(), remedy)
}

/// 64 bits that differ from one client to the next, in all processes: std seeds its hash maps from the system's source
/// of randomness.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

fn default_instance() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().chars().take(128).collect::<String>())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".into());
    format!("{host}-{}", std::process::id())
}
