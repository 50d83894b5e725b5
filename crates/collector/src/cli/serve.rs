use super::check::ending_in_newline;
use super::output::{to_stderr, to_stdout};
use super::{Failure, Outcome, units};
use clap::{Args, ValueEnum};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;
use trackside_collector::{Collector, CollectorBuilder, CollectorStats, DiskStats, Fsync, StartError};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The environment variable that holds the API key which clients have to show.
    #[arg(long, value_name = "VAR")]
    api_key_env: Option<String>,
    /// The directory to store events in; made if it is not there, and read if it is.
    #[arg(long, value_name = "DIR", default_value = "trackside-data")]
    store: PathBuf,
    /// Keep events in memory instead, for as long as the program runs.
    #[arg(long, conflicts_with_all = ["store", "fsync", "segment_bytes", "max_index_bytes"])]
    memory: bool,
    /// When to make sure that what was stored survives a loss of power. Whatever is acknowledged survives `kill -9`.
    #[arg(long, value_enum, default_value_t = When::Segment)]
    fsync: When,
    /// How many bytes of events to hold: 4GiB on disk and 256MiB in memory, unless told otherwise.
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    max_bytes: Option<u64>,
    /// How old events may become, such as 90s, 15m, 12h or 7d. As old as they like, unless told otherwise.
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    max_age: Option<Duration>,
    /// When --max-bytes is reached: `evict` the oldest events, the default on disk; or `refuse` new ones, the default in
    /// memory, for their senders to keep and try again.
    #[arg(long, value_enum, value_name = "WHAT")]
    when_full: Option<WhenFull>,
    /// How large a file in the directory becomes; files are synced and deleted as a whole.
    #[arg(long, value_name = "SIZE", value_parser = units::bytes, default_value = "64MiB")]
    segment_bytes: u64,
    /// How many bytes of memory the index over events on disk may take.
    #[arg(long, value_name = "SIZE", value_parser = units::bytes, default_value = "256MiB")]
    max_index_bytes: u64,
    /// How many requests one client may make in a second; more are answered with 429. Any number, unless told otherwise.
    #[arg(long, value_name = "COUNT")]
    max_requests_per_second: Option<NonZeroU32>,
    /// Listen for other machines, even without an API key: whoever can reach the address can read and write.
    #[arg(long)]
    allow_remote: bool,
    /// A host name that clients may call this machine by.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum When {
    /// When the operating system sees fit.
    Never,
    /// When a file is full, and at the end.
    Segment,
    /// Before each acknowledgement.
    Batch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhenFull {
    Evict,
    Refuse,
}

impl Serve {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        // Before anybody can know that it runs, and so ask it to stop: a signal that comes earlier ends it without a word.
        let stop = Stop::new().map_err(|error| Failure {
            what: "cannot wait for ctrl-c".into(),
            source: Some(error.into()),
            advice: "",
        })?;
        let collector = self.builder()?.start().map_err(failure)?;
        for warning in collector.stats().disk.iter().flat_map(damage) {
            to_stderr(&warning);
        }
        to_stdout(&self.welcome(&collector.url(), collector.distinct_events()))?;
        stop.wait();
        let stats = collector.stats();
        if stats.evicted_batches > 0 || stats.refused_full > 0 {
            to_stderr(&full(&stats));
        }
        for (reason, count) in stats.disk.iter().flat_map(|disk| &disk.refused) {
            to_stderr(&format!(
                "warning: the disk did not take {count} batches ({reason}); their senders were told so"
            ));
        }
        to_stdout(&format!("\n{}", ending_in_newline(collector.report().to_string())))?;
        collector.shutdown();
        Ok(Outcome::Clean)
    }

    fn builder(&self) -> Result<CollectorBuilder, Failure> {
        let mut builder = Collector::builder()
            .listen(self.listen)
            .allow_remote(self.allow_remote)
            .fsync(self.fsync.into())
            .segment_bytes(self.segment_bytes)
            .max_index_bytes(self.max_index_bytes);
        if !self.memory {
            builder = builder.store(&self.store);
        }
        if let Some(bytes) = self.max_bytes {
            builder = builder.max_bytes(bytes);
        }
        if let Some(age) = self.max_age {
            builder = builder.max_age(age);
        }
        if let Some(requests) = self.max_requests_per_second {
            builder = builder.max_requests_per_second(requests);
        }
        if let Some(when_full) = self.when_full {
            builder = builder.evict_oldest(when_full == WhenFull::Evict);
        }
        for name in &self.allow_host {
            builder = builder.allow_host(name);
        }
        let Some(variable) = &self.api_key_env else { return Ok(builder) };
        let key = std::env::var(variable).map_err(|error| Failure {
            what: format!("no API key in the environment variable {variable}"),
            // NotUnicode would print the key.
            source: matches!(error, std::env::VarError::NotPresent).then(|| error.into()),
            advice: "set it to visible ASCII characters, or leave out --api-key-env",
        })?;
        Ok(builder.api_key(key))
    }

    fn welcome(&self, url: &str, found: u64) -> String {
        let key = if self.api_key_env.is_some() { ".api_key(..)" } else { "" };
        let place =
            if self.memory { "memory".into() } else { format!("{}, with {found} from before", self.store.display()) };
        format!(
            "Listening on {url}\n\
             Events are stored in {place}.\n\
             Send events:  trackside::Client::builder(\"{url}\"){key}.service(\"my-service\").build()?\n\
             See findings: {url}/api/findings?format=text\n\
             Stop with ctrl-c; the findings are printed then.\n"
        )
    }
}

fn full(stats: &CollectorStats) -> String {
    format!(
        "warning: {} batches were given up, for their age or as the {} bytes of --max-bytes were used up, and {} requests \
         were refused; findings may be missing or incomplete",
        stats.evicted_batches, stats.max_bytes, stats.refused_full
    )
}

/// What was found in the directory that should not be there.
fn damage(disk: &DiskStats) -> Vec<String> {
    let found = [
        ("files that ended inside a batch, as after a kill; it was cut off", disk.torn_tails),
        ("damaged stretches of files; the batches in them are lost", disk.damaged),
        ("files that cannot be read, or are of another version; they are left alone", disk.unreadable_segments),
        ("batches left out, as --max-index-bytes was used up", disk.unindexed_batches),
    ];
    let found = found.iter().filter(|(_, count)| *count > 0);
    found.map(|(what, count)| format!("warning: {what}: {count}")).collect()
}

fn failure(error: StartError) -> Failure {
    let advice = match &error {
        StartError::Listen { .. } => "choose another address with --listen, or stop what is using it",
        StartError::Unprotected { .. } => {
            "name the variable that holds a key with --api-key-env, or add --allow-remote"
        }
        StartError::Store { .. } => "name another directory with --store, or keep events in memory with --memory",
        StartError::ApiKey => "check the variable that --api-key-env names",
        _ => "try again when the machine is less busy",
    };
    Failure { what: "the collector did not start".into(), source: Some(error.into()), advice }
}

impl From<When> for Fsync {
    fn from(when: When) -> Self {
        match when {
            When::Never => Fsync::Never,
            When::Segment => Fsync::Segment,
            When::Batch => Fsync::Batch,
        }
    }
}

/// Waits for ctrl-c, and for what else asks a program to end in good order. Such a signal is not missed from when this is
/// made.
struct Stop {
    runtime: tokio::runtime::Runtime,
    signalled: Pin<Box<dyn Future<Output = ()>>>,
}

impl Stop {
    fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signalled = {
            let _context = runtime.enter();
            signals()?
        };
        Ok(Self { runtime, signalled })
    }

    fn wait(self) {
        self.runtime.block_on(self.signalled);
    }
}

#[cfg(unix)]
fn signals() -> io::Result<Pin<Box<dyn Future<Output = ()>>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(Box::pin(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }))
}

#[cfg(windows)]
fn signals() -> io::Result<Pin<Box<dyn Future<Output = ()>>>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(Box::pin(async move { drop(interrupt.recv().await) }))
}
