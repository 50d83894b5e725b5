//! From a checked configuration to a running client.

use super::Client;
use super::handle::Handle;
use super::live::Live;
use crate::clock;
use crate::config::{Builder, Destination, Flaw, Timestamps};
use crate::context;
use crate::error::BuildError;
use crate::flusher::{BacklogOptions, Flusher, FlusherOptions, ManualFlusher, ticker, worker};
use crate::recorder::TRACKED;
use crate::ring::pipe::{self, Identity, Pipe, PipeOptions};
use crate::ring::signal::Sleeper;
use crate::ring::sync::{Arc, Mutex};
use crate::sync::watchdog;
use crate::transport::{FileTransport, HttpOptions, HttpTransport, KeySlot, Transport};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use trackside_wire::RunId;

const WORD: usize = size_of::<u64>();

impl Builder {
    /// Checks the configuration and starts the client and its flusher thread. Without the feature `tracked` it starts none,
    /// and creates no file.
    ///
    /// # Errors
    /// [`BuildError::Invalid`] names the first field that makes no sense, and the remedy. [`BuildError::File`] and
    /// [`BuildError::Thread`] tell what the system refused. Whether a server answers at the URL is not checked: a
    /// service starts without its collector.
    pub fn build(self) -> Result<Client, BuildError> {
        let timestamps = self.timestamps;
        let (client, works) = self.assemble()?;
        // By the constant, the compiler knows that nobody needs the thread, nor the flusher.
        let Some((flusher, sleeper)) = works.filter(|_| TRACKED) else { return Ok(client) };
        let (pipe, retired) = client.for_worker();
        let clock = match timestamps {
            Timestamps::Coarse { resolution } => ticker::start(&pipe, resolution),
            Timestamps::Precise => Ok(()),
        };
        let started = clock.and_then(|()| worker::start(pipe.clone(), flusher, sleeper, retired));
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
    /// to spare. Coarse timestamps are those of the last step. [`Client::flush`] waits for somebody to call [`ManualFlusher::step`], on another thread.
    ///
    /// # Errors
    /// As [`Builder::build`], without [`BuildError::Thread`].
    pub fn build_manual(self) -> Result<(Client, ManualFlusher), BuildError> {
        let (client, works) = self.assemble()?;
        let (pipe, retired) = client.for_worker();
        Ok((client, ManualFlusher::new(pipe, works.map(|(flusher, _)| flusher), retired)))
    }

    /// The client; and, where anything is recorded, the flusher, and what a thread of its own would sleep by.
    fn assemble(self) -> Result<(Client, Option<(Flusher, Sleeper)>), BuildError> {
        self.check()?;
        let (run, trace) = (RunId::new(random()), (u128::from(random()) << 64) | u128::from(random()));
        let send_timeout = self.connect_timeout + self.send_timeout + self.response_timeout;
        let Outlet { destination, key, transport } = match self.destination {
            Destination::Url(url) => Outlet::http(HttpOptions {
                api_key: self.settings.api_key.clone(),
                key_over_http: self.key_over_http,
                connect_timeout: self.connect_timeout,
                send_timeout: self.send_timeout,
                response_timeout: self.response_timeout,
                max_idle_age: self.max_idle_age,
                ..HttpOptions::new(url)
            })?,
            Destination::File(path) => Outlet::file(path)?,
            Destination::Transport(transport) => Outlet::of(transport),
        };
        if TRACKED {
            clock::calibrate();
        }
        let ring_words = (self.ring_bytes / WORD).next_power_of_two();
        let instance = self.instance.unwrap_or_else(default_instance);
        let pid = std::process::id();
        let (pipe, sleeper) = Pipe::new(PipeOptions {
            ring_words: NonZeroUsize::new(ring_words).unwrap_or(NonZeroUsize::MIN),
            most_rings: self.ring_memory / (ring_words * WORD),
            overflow: self.overflow,
            background: self.background,
            coarse: self.timestamps != Timestamps::Precise,
            announce: context::announce,
            clock: clock::ticks,
            identity: Identity {
                run: run.get(),
                trace,
                service: self.service.as_str().into(),
                instance: instance.as_str().into(),
                pid,
            },
        });
        pipe.publish_tick(clock::ticks());
        let live = Live::new(self.settings, pipe.clone(), key, self.backlog_bytes);
        let options = FlusherOptions {
            run,
            service: self.service,
            instance,
            environment: self.environment,
            tags: self.tags,
            pid,
            tuning: live.tuning.clone(),
            send_timeout,
            backlog: BacklogOptions {
                max_bytes: self.backlog_bytes,
                max_age: self.retry_for,
                backoff_base: Duration::from_millis(100),
                backoff_max: Duration::from_secs(30),
            },
        };
        let handle = Handle {
            pipe: pipe.clone(),
            live,
            books: Arc::new(Mutex::default()),
            retired: Arc::new(Mutex::new(None)),
            destination,
            drop_timeout: self.drop_timeout,
        };
        let Some(transport) = transport.filter(|_| TRACKED) else {
            // Nobody will ever wait for a flusher.
            pipe.signal.stopped();
            return Ok((Client::new(pipe, handle), None));
        };
        let flusher = Flusher::new(pipe.clone(), options, transport, handle.books.clone(), self.on_warning);
        if self.record_locks {
            pipe::make_default(&pipe);
            if let Some(tell) = self.on_deadlock {
                watchdog::begin(pipe.key(), tell);
            }
        }
        Ok((Client::new(pipe, handle), Some((flusher, sleeper))))
    }
}

/// Where batches go.
struct Outlet {
    destination: String,
    key: Option<KeySlot>,
    /// None where there will be no batches, because nothing is recorded.
    transport: Option<Box<dyn Transport>>,
}

impl Outlet {
    /// What the options have wrong is found out in any case.
    fn http(options: HttpOptions) -> Result<Self, BuildError> {
        if !TRACKED {
            let (destination, key) = HttpTransport::check(&options).map_err(Flaw::from)?;
            return Ok(Self { destination, key: Some(key), transport: None });
        }
        let http = HttpTransport::new(options).map_err(Flaw::from)?;
        Ok(Self { key: Some(http.keys()), ..Self::of(Box::new(http)) })
    }

    fn file(path: PathBuf) -> Result<Self, BuildError> {
        if !TRACKED {
            return Ok(Self { destination: path.display().to_string(), key: None, transport: None });
        }
        Ok(Self::of(Box::new(FileTransport::create(path).map_err(BuildError::File)?)))
    }

    fn of(transport: Box<dyn Transport>) -> Self {
        Self { destination: transport.destination(), key: None, transport: TRACKED.then_some(transport) }
    }
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
