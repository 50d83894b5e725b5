use crate::api::App;
use crate::auth::ApiKey;
use crate::body::BodyReader;
use crate::clock::now_ms;
use crate::fault::{Fault, FaultPlan};
use crate::host::AllowedHosts;
use crate::limiter::RateLimiter;
use crate::server::{Listening, ServerLimits};
use crate::stock::Converter;
use crate::store::{Capacity, Directory, LogOptions, Store, recover};
use crate::view::{Analyses, Window};
use crate::{Collector, Fsync, StartError};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// How many may read through all that is stored at once.
const READINGS_MAX: usize = 2;

/// How many may watch what comes in at once.
const WATCHERS_MAX: usize = 16;

/// Builds a [`Collector`]; from [`Collector::builder`].
#[derive(Debug)]
pub struct CollectorBuilder {
    listen: SocketAddr,
    allow_remote: bool,
    allowed_hosts: Vec<String>,
    api_key: Option<ApiKey>,
    directory: Option<PathBuf>,
    log: LogOptions,
    max_bytes: Option<u64>,
    max_index_bytes: u64,
    max_age: Option<Duration>,
    max_body_bytes: usize,
    max_connections: usize,
    client_timeout: Duration,
    max_requests_per_second: Option<NonZeroU32>,
    evict_oldest: Option<bool>,
    analyse_ahead: bool,
    max_page_bytes: u64,
    faults: FaultPlan,
}

impl Default for CollectorBuilder {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            allow_remote: false,
            allowed_hosts: Vec::new(),
            api_key: None,
            directory: None,
            log: LogOptions { fsync: Fsync::default(), segment_bytes: 64 << 20 },
            max_bytes: None,
            max_index_bytes: 256 << 20,
            max_age: None,
            max_body_bytes: 16 << 20,
            max_connections: 256,
            client_timeout: Duration::from_secs(30),
            max_requests_per_second: None,
            evict_oldest: None,
            analyse_ahead: false,
            max_page_bytes: 128 << 20,
            faults: FaultPlan::default(),
        }
    }
}

impl CollectorBuilder {
    /// Where to listen. Defaults to 127.0.0.1 and a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Lets other machines in without an API key: whoever can reach the address can read and write. Defaults to false.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// Serves requests that call the collector by this host name, beside loopback names and the address it is bound
    /// to. Requests for other names are refused, so that no web page can reach the collector by DNS rebinding.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// The key that a client has to show, for everything but `GET /health`. Defaults to none.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// Stores batches in this directory, which is made if need be, instead of in memory. What is in it already is there
    /// again: whatever has happened to the collector that wrote it, or to the files. One collector uses a directory at a
    /// time. Defaults to none.
    ///
    /// # Examples
    /// ```
    /// use trackside_collector::{Collector, Fsync};
    ///
    /// # let directory = std::env::temp_dir().join(format!("trackside-doc-{}", std::process::id()));
    /// let start = || Collector::builder().store(&directory).fsync(Fsync::Batch).start();
    /// start()?.shutdown();
    /// assert_eq!(start()?.stats().disk.unwrap().torn_tails, 0);
    /// # std::fs::remove_dir_all(directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn store(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// When what is stored on disk is made to survive a loss of power. Defaults to [`Fsync::Segment`].
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.log.fsync = fsync;
        self
    }

    /// How large a segment on disk becomes: what is synced and deleted as a whole. At most an eighth of
    /// [`max_bytes`](Self::max_bytes), and never too small for one batch. Defaults to 64 MiB.
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.log.segment_bytes = bytes;
        self
    }

    /// How many bytes to hold: in memory, batches and the index over them; on disk, segments. What happens beyond that
    /// is said by [`evict_oldest`](Self::evict_oldest). Defaults to 256 MiB in memory and 4 GiB on disk.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// How many bytes of memory the index over batches on disk may take: which events are known, of each run. It is full
    /// as the disk is: see [`evict_oldest`](Self::evict_oldest). Defaults to 256 MiB, good for some 50,000 runs.
    pub fn max_index_bytes(mut self, bytes: u64) -> Self {
        self.max_index_bytes = bytes;
        self
    }

    /// How old batches may become, counted from when they were received, before they are given up: on disk, a segment
    /// whose batches all are older. Looked after at least once a minute. Defaults to any age.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The largest body to accept; a larger one is answered with 413. Four of this size may be under way at once.
    /// Defaults to 16 MiB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// How many connections to serve at once; others wait to be accepted. At least 1. Defaults to 256.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// How long a client may take to send the head of a request, be idle between two, or send a body; an hour at most.
    /// Defaults to 30 seconds.
    pub fn client_timeout(mut self, timeout: Duration) -> Self {
        // A deadline beyond the clock's range would be a panic in the server.
        self.client_timeout = timeout.min(Duration::from_secs(3600));
        self
    }

    /// How many requests one client may make in a second, on average; as many may come at once. More are answered with 429
    /// and `Retry-After`, and counted in [`CollectorStats::refused_rate`](crate::CollectorStats::refused_rate). A client is
    /// an IP address, of version 6 the first half of one; what headers say of it does not matter. `GET /health` is free.
    /// Defaults to any number.
    pub fn max_requests_per_second(mut self, requests: NonZeroU32) -> Self {
        self.max_requests_per_second = Some(requests);
        self
    }

    /// Whether the oldest batches are given up when there is no room for a new one: on disk, the oldest segment. If not,
    /// the new one is answered with 503 and `Retry-After`. What was given up is counted in
    /// [`CollectorStats::evicted_batches`](crate::CollectorStats::evicted_batches). Defaults to true on disk, and to
    /// false in memory.
    pub fn evict_oldest(mut self, evict: bool) -> Self {
        self.evict_oldest = Some(evict);
        self
    }

    /// Whether to analyse what comes in before anybody looks at the page, so that it has something to show at once. If
    /// not, the first look begins it. Either way it is done in the background, one analysis at a time, and takes a fifth
    /// of one core's time at most, as long as anything comes in. Defaults to false.
    pub fn analyse_ahead(mut self, ahead: bool) -> Self {
        self.analyse_ahead = ahead;
        self
    }

    /// Of how many bytes of batches, the latest, the page shows the findings: an analysis takes some ten times as much
    /// memory. `GET /api/findings` and [`Collector::report`] are of all that is stored. Defaults to 128 MiB.
    pub fn max_page_bytes(mut self, bytes: u64) -> Self {
        self.max_page_bytes = bytes;
        self
    }

    /// A testing aid: asks `hook` about every `POST /events` that shows a right key, with its number from 0, whether
    /// and how to fail it. Defaults to failing none.
    ///
    /// # Examples
    /// ```
    /// use trackside_collector::{Collector, Fault};
    ///
    /// // The first answer is lost: a good client sends the batch again, and no event is counted twice.
    /// let collector = Collector::builder().fault(|request| (request == 0).then_some(Fault::StoreThenClose)).start()?;
    /// # Ok::<(), trackside_collector::StartError>(())
    /// ```
    pub fn fault(mut self, hook: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static) -> Self {
        self.faults = FaultPlan::new(hook);
        self
    }

    /// Starts the collector on a thread of its own. It listens when this returns.
    ///
    /// # Errors
    /// - [`StartError::Unprotected`]: other machines could reach the address, there is no API key, and
    ///   [`allow_remote`](Self::allow_remote) was not set.
    /// - [`StartError::ApiKey`]: no header could carry the key.
    /// - [`StartError::Listen`]: the address cannot be bound.
    /// - [`StartError::Store`]: the directory cannot be used.
    /// - [`StartError::Thread`]: no thread, or no event loop in it.
    pub fn start(self) -> Result<Collector, StartError> {
        let address = self.listen;
        if !address.ip().is_loopback() && self.api_key.is_none() && !self.allow_remote {
            return Err(StartError::Unprotected { address });
        }
        if self.api_key.as_ref().is_some_and(|key| !key.is_sendable()) {
            return Err(StartError::ApiKey);
        }
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;

        let app = Arc::new(App {
            store: self.open_store()?,
            bodies: BodyReader::new(self.max_body_bytes, self.client_timeout),
            hosts: AllowedHosts { bound: bound.ip(), names: self.allowed_hosts },
            key: self.api_key,
            faults: self.faults,
            limiter: self.max_requests_per_second.map(RateLimiter::new),
            stock: Mutex::new(Converter::new()),
            analysis: Semaphore::new(1),
            readings: Semaphore::new(READINGS_MAX),
            analyses: Analyses::new(self.analyse_ahead, Window { max_bytes: self.max_page_bytes }),
            watchers: Arc::new(Semaphore::new(WATCHERS_MAX)),
            stop: watch::Sender::new(false),
        });
        let limits = ServerLimits { connections: self.max_connections, client_timeout: self.client_timeout };
        Collector::run(app, Listening { listener, address: bound }, limits, self.max_age)
    }

    fn open_store(&self) -> Result<Store, StartError> {
        let on_disk = self.directory.is_some();
        let capacity = Capacity {
            max_bytes: self.max_bytes.unwrap_or(if on_disk { 4 << 30 } else { 256 << 20 }),
            max_index_bytes: on_disk.then_some(self.max_index_bytes),
            max_age: self.max_age,
            evict_oldest: self.evict_oldest.unwrap_or(on_disk),
        };
        let Some(directory) = &self.directory else { return Ok(Store::in_memory(capacity)) };
        let segment_bytes = self.log.segment_bytes.min(capacity.max_bytes / 8);
        let disk = Arc::new(Directory::new(directory));
        recover(disk, capacity, LogOptions { segment_bytes, ..self.log }, now_ms())
            .map_err(|source| StartError::Store { directory: directory.clone(), source })
    }
}
