use serde::Serialize;
use std::collections::BTreeMap;

/// What a collector has been sent, at one moment; `GET /api/stats` answers with it as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CollectorStats {
    /// Batches stored at present.
    pub batches: u64,
    /// Distinct events accepted since the start or the last clear, those of evicted batches included.
    pub events: u64,
    /// Events that arrived again after they had been stored; each was acknowledged, none was counted twice.
    pub duplicates: u64,
    /// Bytes of the batches stored at present.
    pub bytes: u64,
    /// What counts against [`CollectorStats::max_bytes`]: the batches and an upper bound of the index over them.
    pub used_bytes: u64,
    /// The cap on [`CollectorStats::used_bytes`].
    pub max_bytes: u64,
    /// Batches refused with 503 because the store was full. A sender that keeps its batch and retries loses nothing.
    pub refused_full: u64,
    /// Batches given up to make room; always 0 unless the collector was told to evict the oldest.
    pub evicted_batches: u64,
    /// Requests to `POST /events` that were neither stored nor refused as full: undecodable, too large, unauthorised.
    pub rejected: u64,
    /// Each run of a client, in the order of their ids.
    pub runs: Vec<RunStats>,
}

/// What one run of one client has sent and says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RunStats {
    /// The run's id, in hexadecimal.
    pub run: String,
    /// The service's name, cut to 256 bytes.
    pub service: String,
    /// Distinct events of this run that have been accepted.
    pub events: u64,
    /// How many events the run says it had recorded when its latest batch was sealed, lost ones included.
    pub recorded: u64,
    /// How many of those it says were lost, by reason; the first 32 reasons, each cut to 64 bytes.
    pub lost: BTreeMap<String, u64>,
}
