use crate::api::{self, App, take_in};
use crate::clock::now_ms;
use crate::server::{self, Listening, ServerLimits};
use crate::view::keep_analysing;
use crate::{Batches, CollectorBuilder, CollectorStats, StartError};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};
use trackside_analysis::{Report, Trace};

/// A running collector: an HTTP server on a thread of its own, and what it has stored.
///
/// Dropping it stops it, as [`shutdown`](Collector::shutdown) does.
///
/// # Examples
/// ```
/// let collector = trackside_collector::Collector::builder().max_bytes(64 << 20).start()?;
/// assert!(collector.url().starts_with("http://127.0.0.1:"));
/// assert_eq!(collector.batches().count(), 0);
/// collector.shutdown();
/// # Ok::<(), trackside_collector::StartError>(())
/// ```
pub struct Collector {
    app: Arc<App>,
    address: SocketAddr,
    /// None once it has been joined.
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    /// A collector on 127.0.0.1 and a free port, unless told otherwise.
    pub fn builder() -> CollectorBuilder {
        CollectorBuilder::default()
    }

    pub(crate) fn run(
        app: Arc<App>,
        listening: Listening,
        limits: ServerLimits,
        max_age: Option<Duration>,
    ) -> Result<Self, StartError> {
        let Listening { listener, address } = listening;
        let stopping = app.stop.subscribe();
        let (started, starting) = mpsc::channel();
        let router = api::router(Arc::clone(&app));
        let analysing = keep_analysing(Arc::clone(&app));
        let retiring = max_age.map(|max_age| retire(Arc::clone(&app), max_age));
        let body = move || match event_loop(listener) {
            Err(error) => drop(started.send(Err(error))),
            Ok((runtime, listener)) => {
                drop(started.send(Ok(())));
                if let Some(retiring) = retiring {
                    runtime.spawn(retiring);
                }
                runtime.spawn(analysing);
                runtime.block_on(server::serve(listener, router, limits, stopping));
                // An analysis may be under way; it ends by itself, and nobody waits for it any more.
                runtime.shutdown_background();
            }
        };
        let thread =
            thread::Builder::new().name("trackside-collector".into()).spawn(body).map_err(StartError::Thread)?;
        let gone = |_| Err(io::Error::other("the collector's thread ended at once"));
        starting.recv().unwrap_or_else(gone).map_err(StartError::Thread)?;
        Ok(Self { app, address, thread: Some(thread) })
    }

    /// Stops listening, gives requests under way a second, and ends the thread. What was stored in memory is gone; what
    /// was stored on disk is synced, unless it is never to be, and its directory can be used by another collector.
    pub fn shutdown(mut self) {
        self.stop();
    }

    /// Forgets everything that is stored, and all counts. On disk, segments that cannot be deleted stay, and so do the
    /// counts.
    pub fn clear(&self) {
        self.app.store.clear();
        self.app.analyses.note_change();
    }

    /// Where it listens, as a URL without a path: "http://127.0.0.1:49152". An address that stands for all of a
    /// machine's is given as its loopback address.
    pub fn url(&self) -> String {
        let mut address = self.address;
        match address {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(std::net::Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Analyses all that is stored, on the calling thread.
    pub fn report(&self) -> Report {
        take_in(self.batches()).finish()
    }

    /// The traces in all that is stored, by id, worked out on the calling thread.
    pub fn traces(&self) -> Vec<Trace> {
        take_in(self.batches()).traces()
    }

    /// What has been received and what became of it.
    pub fn stats(&self) -> CollectorStats {
        self.app.store.stats()
    }

    /// How many distinct events have been accepted: [`CollectorStats::events`].
    pub fn distinct_events(&self) -> u64 {
        self.stats().events
    }

    /// The stored batches as they were received, oldest first. Those that come later are not among them.
    pub fn batches(&self) -> Batches {
        self.app.store.batches()
    }

    fn stop(&mut self) {
        self.app.stop.send_replace(true);
        // A fault hook could own the collector and drop it on the very thread that is to be waited for.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            // A panic over there has been reported already, and there is nothing left to save.
            let _ = thread.join();
        }
        // A request may be on its way to the disk still; it is stored before this returns, or not at all.
        self.app.store.close();
    }
}

fn event_loop(listener: std::net::TcpListener) -> io::Result<(tokio::runtime::Runtime, tokio::net::TcpListener)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _context = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    Ok((runtime, listener))
}

/// Gives up what is too old also while nothing comes in.
async fn retire(app: Arc<App>, max_age: Duration) {
    let mut ticks = tokio::time::interval((max_age / 8).clamp(Duration::from_secs(1), Duration::from_secs(60)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let app = Arc::clone(&app);
        // Fails only when the runtime goes down.
        let _ = tokio::task::spawn_blocking(move || {
            let before = app.store.stats().evicted_batches;
            app.store.retire(now_ms());
            if app.store.stats().evicted_batches != before {
                app.analyses.note_change();
            }
        })
        .await;
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("url", &self.url()).finish_non_exhaustive()
    }
}
