use crate::flusher::Tuning;
use crate::transport::ApiKey;
use std::time::Duration;
use trackside_wire::Kinds;

/// What of a client's configuration can be changed while it runs: see [`crate::Client::reconfigure`].
///
/// What is not here, such as the URL, the service's name or the size of the rings, is the same for as long as the client
/// lives.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Whether anything is recorded: [`crate::Builder::enabled`].
    pub enabled: bool,
    /// The share of new traces that are recorded: [`crate::Builder::sample_rate`].
    pub sample_rate: f64,
    /// The kinds of events that are recorded: [`crate::Builder::kinds`].
    pub kinds: Kinds,
    /// How old a batch gets before it is sealed: [`crate::Builder::flush_interval`].
    pub flush_interval: Duration,
    /// How many events a batch gets before it is sealed: [`crate::Builder::batch_events`].
    pub batch_events: usize,
    /// How many bytes a batch gets before it is sealed: [`crate::Builder::batch_bytes`].
    pub batch_bytes: usize,
    /// Whether each submission is told of on standard error: [`crate::Builder::debug`].
    pub debug: bool,
    /// The key that the receiver asks for: [`crate::Builder::api_key`].
    pub api_key: Option<ApiKey>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            sample_rate: 1.0,
            kinds: Kinds::ALL,
            flush_interval: Duration::from_secs(1),
            batch_events: 50_000,
            batch_bytes: 1 << 20,
            debug: false,
            api_key: None,
        }
    }
}

impl Settings {
    /// What is recorded at all: no kind while the client is disabled.
    pub(crate) fn recorded(&self) -> Kinds {
        if self.enabled { self.kinds } else { Kinds::NONE }
    }

    /// New traces are recorded if 64 random bits of their ids are below this; `u64::MAX` stands for all of them.
    pub(crate) fn sample_below(&self) -> u64 {
        const ALL: f64 = 18_446_744_073_709_551_616.0;
        // A product beyond the range becomes the largest number. No rate below 1 comes near it: it has 53 bits.
        (self.sample_rate * ALL) as u64
    }

    /// What the flusher goes by. `keys` says how many keys there were before this one.
    pub(crate) fn tuning(&self, keys: u64) -> Tuning {
        let Settings { flush_interval, batch_events, batch_bytes, debug, .. } = *self;
        Tuning { flush_interval, batch_events, batch_bytes, debug, keys }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_become_thresholds() {
        let below = |sample_rate| Settings { sample_rate, ..Settings::default() }.sample_below();
        assert_eq!([below(0.0), below(-0.0), below(0.5), below(1.0)], [0, 0, 1 << 63, u64::MAX]);
        assert_eq!(below(1.0 - f64::EPSILON / 2.0), u64::MAX - 2047);
        assert_eq!(below(f64::MIN_POSITIVE), 0);
    }

    #[test]
    fn a_client_that_is_disabled_records_no_kind() {
        let kinds = Kinds::ALL.without(trackside_wire::Kind::Read);
        let settings = Settings { kinds, ..Settings::default() };
        assert_eq!(settings.recorded(), kinds);
        assert_eq!(Settings { enabled: false, ..settings }.recorded(), Kinds::NONE);
    }
}
