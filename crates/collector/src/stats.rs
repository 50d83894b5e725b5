use serde::Serialize;
use std::collections::BTreeMap;

/// What a collector has been sent, at one moment; `GET /api/stats` answers with it as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CollectorStats {
    /// Batches stored at present.
    pub batches: u64,
    /// Distinct events accepted since the start or the last clear, those of evicted batches included; and those that were
    /// found on disk at the start.
    pub events: u64,
    /// Events that arrived again after they had been stored; each was acknowledged, none was counted twice.
    pub duplicates: u64,
    /// Bytes of the batches stored at present.
    pub bytes: u64,
    /// What counts against [`CollectorStats::max_bytes`]: in memory, the batches and an upper bound of the index over them;
    /// on disk, the segments.
    pub used_bytes: u64,
    /// The cap on [`CollectorStats::used_bytes`].
    pub max_bytes: u64,
    /// Batches refused with 503 because the store was full. A sender that keeps its batch and retries loses nothing.
    pub refused_full: u64,
    /// Requests refused with 429, since their client made too many of them.
    pub refused_rate: u64,
    /// Batches given up to make room or for their age.
    pub evicted_batches: u64,
    /// Requests to `POST /events` that were neither stored nor refused for the moment: undecodable, too large, unauthorised.
    pub rejected: u64,
    /// Each run of a client, in the order of their ids.
    pub runs: Vec<RunStats>,
    /// What concerns the disk. None if batches are kept in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskStats>,
}

/// What a collector that stores on disk has there, found there, and what went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiskStats {
    /// Segments at present.
    pub segments: u64,
    /// An upper bound of the memory that the index over them takes.
    pub index_bytes: u64,
    /// The cap on [`DiskStats::index_bytes`].
    pub max_index_bytes: u64,
    /// Batches that were found at the start.
    pub recovered_batches: u64,
    /// Segments that ended in the middle of a batch at the start, as they do when the collector is killed; the piece was
    /// cut off. Its batch had not been acknowledged, unless the machine itself went down before it was synced.
    pub torn_tails: u64,
    /// The bytes that were cut off.
    pub torn_bytes: u64,
    /// Stretches in the middle of segments that were damaged at the start: batches that were stored and are lost.
    pub damaged: u64,
    /// The bytes of these stretches.
    pub damaged_bytes: u64,
    /// Batches that were found a second time at the start, and left out: written but not acknowledged, so sent again; or
    /// in the copy of a segment.
    pub duplicate_batches: u64,
    /// Batches that were found and left out, because the index over them would have been larger than its cap.
    pub unindexed_batches: u64,
    /// Segments that could not be read at the start, or not to their end, or that are of another version. Nothing was
    /// changed in them.
    pub unreadable_segments: u64,
    /// Segments whose file bears another number than they do; they were read nevertheless.
    pub renamed_segments: u64,
    /// Batches that were stored and are gone, because somebody else has deleted their segments while the collector ran.
    pub vanished_batches: u64,
    /// Batches refused with 503 because the disk did not take them, by reason: `disk_full`, `read_only`, `gone` (the
    /// directory was deleted), `in_use` (and taken by another collector), `io_error`.
    pub refused: BTreeMap<String, u64>,
    /// Failed attempts to sync. What had been acknowledged before is stored, but might not survive a loss of power.
    pub sync_errors: u64,
    /// Failed attempts to delete a segment.
    pub delete_errors: u64,
    /// How often a stored batch could not be read for an analysis, or turned out to be damaged.
    pub read_errors: u64,
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
