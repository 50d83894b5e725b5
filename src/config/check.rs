//! What makes sense, field by field: the same for what a builder, the environment or a live change says.

use super::{Builder, Settings, Timestamps};
use crate::error::{BuildError, EnvError, ReconfigureError};
use crate::ring::pipe::Overflow;
use crate::transport::HttpError;
use std::time::Duration;

/// A field that makes no sense.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) field: &'static str,
    pub(crate) problem: String,
    pub(crate) remedy: &'static str,
}

impl From<Flaw> for BuildError {
    fn from(Flaw { field, problem, remedy }: Flaw) -> Self {
        BuildError::Invalid { field, problem, remedy }
    }
}

impl From<Flaw> for ReconfigureError {
    fn from(Flaw { field, problem, remedy }: Flaw) -> Self {
        ReconfigureError::Invalid { field, problem, remedy }
    }
}

impl Flaw {
    /// As a flaw of what an environment variable says.
    pub(super) fn of(self, variable: &'static str) -> EnvError {
        EnvError::Invalid { variable, problem: self.problem, remedy: self.remedy }
    }
}

/// Which field the transport cannot work with, and what to do about it. Nothing of a URL or a key is in it.
impl From<HttpError> for Flaw {
    fn from(error: HttpError) -> Self {
        let (field, remedy) = match error {
            HttpError::TlsMissing => ("url", "enable trackside's feature `tls`, or give an http URL"),
            HttpError::CredentialsInUrl => ("url", "pass the key by api_key instead"),
            HttpError::NotABaseUrl => ("url", "give only scheme, host, port and path"),
            HttpError::InvalidKey => ("api_key", "give a key of visible ASCII characters"),
            HttpError::KeyInTheClear => {
                ("api_key", "send it to this machine only, or allow it by api_key_over_http(true)")
            }
            _ => ("url", "give one such as http://localhost:8080"),
        };
        Flaw { field, problem: error.to_string(), remedy }
    }
}

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

impl Builder {
    /// Says which field makes no sense, if one does not.
    pub(crate) fn check(&self) -> Result<(), Flaw> {
        text("service", &self.service)?;
        text("environment", &self.environment)?;
        if let Some(instance) = &self.instance {
            text("instance", instance)?;
        }
        if self.tags.len() > 64 {
            return Err(flaw("tag", format!("{} tags", self.tags.len()), "give at most 64"));
        }
        for (key, value) in &self.tags {
            text("tag", key)?;
            if value.len() > 256 {
                return Err(flaw("tag", format!("a value of {} bytes", value.len()), "give at most 256 bytes"));
            }
        }
        size("ring_bytes", self.ring_bytes, 64 << 10, 1 << 30, "give 64 KiB to 1 GiB")?;
        let ring = self.ring_bytes.next_power_of_two();
        size("ring_memory", self.ring_memory, ring, usize::MAX, "give at least the size of one ring")?;
        self.settings.check()?;
        let least = least_backlog(self.settings.batch_bytes);
        size("backlog_bytes", self.backlog_bytes, least, 64 << 30, "give twice batch_bytes to 64 GiB")?;
        time("connect_timeout", self.connect_timeout, MS, HOUR, "give 1 ms to 1 hour")?;
        time("send_timeout", self.send_timeout, MS, HOUR, "give 1 ms to 1 hour")?;
        time("response_timeout", self.response_timeout, MS, HOUR, "give 1 ms to 1 hour")?;
        time("max_idle_age", self.max_idle_age, Duration::ZERO, HOUR, "give at most 1 hour")?;
        time("drop_timeout", self.drop_timeout, Duration::ZERO, HOUR, "give at most 1 hour")?;
        time("retry_for", self.retry_for, Duration::from_secs(1), 24 * 30 * HOUR, "give 1 s to 30 days")?;
        if let Overflow::Block { timeout } = self.overflow {
            time("overflow", timeout, Duration::ZERO, HOUR, "block for at most 1 hour")?;
        }
        if let Timestamps::Coarse { resolution } = self.timestamps {
            time("timestamps", resolution, MS / 10, 1000 * MS, "give a resolution of 100 us to 1 s")?;
        }
        Ok(())
    }
}

impl Settings {
    /// Says which setting makes no sense, if one does not. Whether the key can be sent is the transport's to say.
    pub(crate) fn check(&self) -> Result<(), Flaw> {
        sample_rate(self.sample_rate)?;
        size("batch_events", self.batch_events, 1, 1_000_000, "give 1 to 1,000,000 events")?;
        size("batch_bytes", self.batch_bytes, 64 << 10, 64 << 20, "give 64 KiB to 64 MiB")?;
        time("flush_interval", self.flush_interval, MS, HOUR, "give 1 ms to 1 hour")
    }

    /// As [`Settings::check`], in a client whose backlog has so many bytes.
    pub(crate) fn check_live(&self, backlog_bytes: usize) -> Result<(), Flaw> {
        self.check()?;
        let most = backlog_bytes / 2;
        size(
            "batch_bytes",
            self.batch_bytes,
            0,
            most,
            "give at most half the backlog_bytes that the client was built with",
        )
    }
}

/// The least backlog for batches of this size: one to be sent, and one to be filled meanwhile.
fn least_backlog(batch_bytes: usize) -> usize {
    2 * batch_bytes
}

pub(super) fn text(field: &'static str, text: &str) -> Result<(), Flaw> {
    match text.len() {
        0 => Err(flaw(field, "it is empty".into(), "give it a name of 1 to 256 bytes")),
        1..=256 => Ok(()),
        len => Err(flaw(field, format!("it has {len} bytes"), "give it a name of 1 to 256 bytes")),
    }
}

pub(super) fn sample_rate(rate: f64) -> Result<(), Flaw> {
    // Not so for NaN.
    if (0.0..=1.0).contains(&rate) {
        return Ok(());
    }
    Err(flaw("sample_rate", format!("{rate} is out of range"), "give 0.0 (no trace) to 1.0 (every trace)"))
}

fn size(field: &'static str, got: usize, least: usize, most: usize, remedy: &'static str) -> Result<(), Flaw> {
    if (least..=most).contains(&got) { Ok(()) } else { Err(flaw(field, format!("{got} is out of range"), remedy)) }
}

fn time(field: &'static str, got: Duration, least: Duration, most: Duration, remedy: &'static str) -> Result<(), Flaw> {
    if (least..=most).contains(&got) { Ok(()) } else { Err(flaw(field, format!("{got:?} is out of range"), remedy)) }
}

fn flaw(field: &'static str, problem: String, remedy: &'static str) -> Flaw {
    Flaw { field, problem, remedy }
}
