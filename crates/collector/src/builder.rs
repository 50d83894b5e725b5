use crate::api::App;
use crate::auth::ApiKey;
use crate::body::BodyReader;
use crate::fault::{Fault, FaultPlan};
use crate::host::AllowedHosts;
use crate::server::{Listening, ServerLimits};
use crate::store::{Capacity, Store};
use crate::{Collector, StartError};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Builds a [`Collector`]; from [`Collector::builder`].
#[derive(Debug)]
pub struct CollectorBuilder {
    listen: SocketAddr,
    allow_remote: bool,
    allowed_hosts: Vec<String>,
    api_key: Option<ApiKey>,
    max_bytes: u64,
    max_body_bytes: usize,
    max_connections: usize,
    client_timeout: Duration,
    evict_oldest: bool,
    faults: FaultPlan,
}

impl Default for CollectorBuilder {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            allow_remote: false,
            allowed_hosts: Vec::new(),
            api_key: None,
            max_bytes: 256 << 20,
            max_body_bytes: 16 << 20,
            max_connections: 256,
            client_timeout: Duration::from_secs(30),
            evict_oldest: false,
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

    /// How many bytes of batches to hold, their index included. A batch beyond that is answered with 503 and
    /// `Retry-After`. Defaults to 256 MiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
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

    /// Whether the oldest batches are given up when there is no room for a new one, instead of refusing the new one.
    /// Counted in [`CollectorStats::evicted_batches`](crate::CollectorStats::evicted_batches). Defaults to false.
    pub fn evict_oldest(mut self, evict: bool) -> Self {
        self.evict_oldest = evict;
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

        let capacity = Capacity { max_bytes: self.max_bytes, evict_oldest: self.evict_oldest };
        let app = Arc::new(App {
            store: Mutex::new(Store::new(capacity)),
            bodies: BodyReader::new(self.max_body_bytes, self.client_timeout),
            hosts: AllowedHosts { bound: bound.ip(), names: self.allowed_hosts },
            key: self.api_key,
            faults: self.faults,
            analysis: tokio::sync::Semaphore::new(1),
        });
        let limits = ServerLimits { connections: self.max_connections, client_timeout: self.client_timeout };
        Collector::run(app, Listening { listener, address: bound }, limits)
    }
}
