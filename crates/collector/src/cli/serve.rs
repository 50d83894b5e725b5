use super::check::ending_in_newline;
use super::output::{to_stderr, to_stdout};
use super::{Failure, Outcome};
use clap::Args;
use std::io;
use std::net::SocketAddr;
use trackside_collector::{Collector, CollectorBuilder, CollectorStats, StartError};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The environment variable that holds the API key which clients have to show.
    #[arg(long, value_name = "VAR")]
    api_key_env: Option<String>,
    /// How many bytes of events to hold in memory.
    #[arg(long, value_name = "N", default_value_t = 256 << 20)]
    max_bytes: u64,
    /// When that is reached, give up the oldest events instead of refusing new ones.
    #[arg(long)]
    evict_oldest: bool,
    /// Listen for other machines, even without an API key: whoever can reach the address can read and write.
    #[arg(long)]
    allow_remote: bool,
    /// A host name that clients may call this machine by.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
}

impl Serve {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let collector = self.builder()?.start().map_err(failure)?;
        to_stdout(&self.welcome(&collector.url()))?;
        wait_for_stop().map_err(|error| Failure {
            what: "cannot wait for ctrl-c".into(),
            source: Some(error.into()),
            advice: "",
        })?;
        let stats = collector.stats();
        if stats.evicted_batches > 0 || stats.refused_full > 0 {
            to_stderr(&full(&stats));
        }
        to_stdout(&format!("\n{}", ending_in_newline(collector.report().to_string())))?;
        collector.shutdown();
        Ok(Outcome::Clean)
    }

    fn builder(&self) -> Result<CollectorBuilder, Failure> {
        let mut builder = Collector::builder()
            .listen(self.listen)
            .allow_remote(self.allow_remote)
            .max_bytes(self.max_bytes)
            .evict_oldest(self.evict_oldest);
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

    fn welcome(&self, url: &str) -> String {
        let key = if self.api_key_env.is_some() { ".api_key(..)" } else { "" };
        format!(
            "Listening on {url}\n\
             Send events:  trackside::Client::builder(\"{url}\"){key}.service(\"my-service\").build()?\n\
             See findings: {url}/api/findings?format=text\n\
             Stop with ctrl-c; the findings are printed then.\n"
        )
    }
}

fn full(stats: &CollectorStats) -> String {
    format!(
        "warning: the memory of {} bytes was full: {} batches were given up, {} requests refused; \
         findings may be missing or incomplete; raise --max-bytes",
        stats.max_bytes, stats.evicted_batches, stats.refused_full
    )
}

fn failure(error: StartError) -> Failure {
    let advice = match &error {
        StartError::Listen { .. } => "choose another address with --listen, or stop what is using it",
        StartError::Unprotected { .. } => {
            "name the variable that holds a key with --api-key-env, or add --allow-remote"
        }
        StartError::ApiKey => "check the variable that --api-key-env names",
        _ => "try again when the machine is less busy",
    };
    Failure { what: "the collector did not start".into(), source: Some(error.into()), advice }
}

/// Returns on ctrl-c, and on what else asks a program to end in good order.
fn wait_for_stop() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(stop_signal())
}

#[cfg(unix)]
async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn stop_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
