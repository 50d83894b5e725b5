//! In tests: runs what is to be tested, and says what is wrong with its concurrency.
//!
//! ```should_panic
//! use trackside::{testing, thread};
//!
//! // A test of your own.
//! let (_, report) = testing::record_with(|client| {
//!     // Two writes, and nothing that says which comes first.
//!     let write = || client.track_write("total", 0, 1);
//!     thread::scope(|scope| {
//!         scope.spawn(write);
//!         scope.spawn(write);
//!     });
//! });
//! // Panics, and says which two lines race, on which threads, under which locks.
//! report.assert_no_races();
//! ```
//!
//! What the closure records, and what the threads, tasks and messages record that it starts by [`crate::thread`],
//! `crate::tokio::task` or [`Context::fork`](crate::Context::fork), goes into a client of its own, in memory, which no event
//! is too many for. What other threads do meanwhile, those of tests that run in parallel, is not recorded; nor is what threads
//! do that `std::thread` started.
//!
//! Tracked locks record into the client that was built last, so one recording runs at a time: of tests that run in parallel,
//! the next one's waits. While it runs, no other client should be built.

use crate::client::Client;
use crate::ring::pipe::Overflow;
use crate::transport::MemoryTransport;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use trackside_analysis::{Analyzer, Finding, FindingKind};
use trackside_wire::Batch;

/// For how long an event may wait for room, and the end for the last event: as good as for ever, but no test should hang.
const PATIENCE: Duration = Duration::from_secs(60);

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, and returns what the analysis says of it.
///
/// # Panics
/// If `work` panics, with its panic; if it records itself; if there is no memory or no thread for a client.
///
/// # Examples
/// ```
/// use trackside::{Tracked, sync::Mutex, testing, thread};
///
/// let report = testing::record(|| {
///     static TOTAL: Mutex<Tracked<u64>> = Mutex::named("total's lock", Tracked::named("total", 0));
///     let add = || {
///         let mut total = TOTAL.lock().unwrap();
///         let old = total.get();
///         total.set(old + 1);
///     };
///     thread::scope(|scope| {
///         scope.spawn(add);
///         scope.spawn(add);
///     });
/// });
/// report.assert_no_races();
/// assert_eq!(report.analysis().findings, []);
/// ```
pub fn record(work: impl FnOnce()) -> Report {
    record_with(|_| work()).1
}

/// As [`record`], for work that needs the client, or has a result.
///
/// # Panics
/// As [`record`].
///
/// # Examples
/// ```
/// let (sum, report) = trackside::testing::record_with(|client| {
///     client.track_write("sum", 0, 3);
///     1 + 2
/// });
/// assert_eq!(sum, 3);
/// assert_eq!(report.analysis().summary.events, 1);
/// ```
pub fn record_with<T>(work: impl FnOnce(&Client) -> T) -> (T, Report) {
    let _recording = Recording::begin();
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = MemoryTransport::new();
    let client = Client::builder_to(memory.clone())
        .service("test")
        .unrelated_background()
        .overflow(Overflow::Block { timeout: PATIENCE })
        .build()
        .expect("the settings are right, and there is a thread for the client");
    let done = catch_unwind(AssertUnwindSafe(|| client.context().run(|| work(&client))));
    client.shutdown(PATIENCE);
    let done = done.unwrap_or_else(|panic| resume_unwind(panic));
    let mut analyzer = Analyzer::new();
    for sealed in memory.batches() {
        analyzer.ingest(&Batch::decode(&sealed.bytes).expect("the client writes what can be read"));
    }
    (done, Report(analyzer.finish()))
}

/// That the calling thread records.
struct Recording;

impl Recording {
    fn begin() -> Self {
        assert!(!RECORDING.replace(true), "this thread records already: a recording cannot be part of another one");
        Self
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        RECORDING.set(false);
    }
}

/// What the analysis says of a recording. Shown as text, it is the findings as `trackside check` tells them.
#[derive(Debug, Clone, PartialEq)]
pub struct Report(trackside_analysis::Report);

impl Report {
    /// Nothing raced, and no update was lost.
    ///
    /// # Panics
    /// With the findings, if something did. Also if events are missing that could hide one, which says which.
    #[track_caller]
    pub fn assert_no_races(&self) {
        self.assert_none(|finding| matches!(finding.kind, FindingKind::DataRace | FindingKind::LostUpdate));
    }

    /// Nothing was found at all, locks included.
    ///
    /// # Panics
    /// As [`Report::assert_no_races`].
    #[track_caller]
    pub fn assert_no_findings(&self) {
        self.assert_none(|_| true);
    }

    /// All there is to be known.
    pub fn analysis(&self) -> &trackside_analysis::Report {
        &self.0
    }

    #[track_caller]
    fn assert_none(&self, unwanted: impl Fn(&Finding) -> bool) {
        let mut told = self.0.clone();
        told.findings.retain(unwanted);
        assert!(told.findings.is_empty(), "\n{told}");
        assert!(told.summary.is_complete(), "nothing was found, but not all was recorded:\n{told}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
