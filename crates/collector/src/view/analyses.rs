use super::snapshot::{Snapshot, Window};
use crate::api::App;
use crate::sync::lock;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// What was stored is analysed once nothing has come in for this long...
const QUIET: Duration = Duration::from_millis(200);
/// ...or for as long as this, if there is no end to it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Of its time, the background analysis spends one part in this many.
const SHARE: u32 = 5;
/// How long it rests at least.
const REST: Duration = Duration::from_millis(300);

/// The latest snapshot, and whether there will be another one.
#[derive(Debug)]
pub(crate) struct Analyses {
    /// Counts what changes in the store.
    changes: watch::Sender<u64>,
    /// Whether anybody wants to know.
    wanted: watch::Sender<bool>,
    window: Window,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<Arc<Snapshot>>,
    running: bool,
    /// The last attempt broke down.
    failed: bool,
}

/// What there is to show at one moment.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    pub(crate) running: bool,
    pub(crate) failed: bool,
    /// Whether something has been stored, or given up, since the snapshot was begun.
    pub(crate) outdated: bool,
}

impl Analyses {
    /// Analyses nothing until somebody looks, unless `ahead`.
    pub(crate) fn new(ahead: bool, window: Window) -> Self {
        Self {
            changes: watch::Sender::new(0),
            wanted: watch::Sender::new(ahead),
            window,
            state: Mutex::new(State::default()),
        }
    }

    /// What is stored has changed.
    pub(crate) fn note_change(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// The number of the latest snapshot; 0 before the first one.
    pub(crate) fn number(&self) -> u64 {
        lock(&self.state).latest.as_ref().map_or(0, |snapshot| snapshot.number)
    }

    /// Looks at what there is. From the first look on, there will be something.
    pub(crate) fn look(&self) -> Current {
        if !*self.wanted.borrow() {
            self.wanted.send_replace(true);
        }
        let State { latest, running, failed } = &*lock(&self.state);
        let changes = *self.changes.borrow();
        let outdated = latest.as_ref().is_none_or(|snapshot| snapshot.revision != changes);
        Current { snapshot: latest.clone(), running: *running, failed: *failed, outdated }
    }
}

/// Analyses what is stored, again and again, as long as it changes.
pub(crate) async fn keep_analysing(app: Arc<App>) {
    let Analyses { changes, wanted, .. } = &app.analyses;
    // An error says that the collector is gone; that is so in all of these.
    if wanted.subscribe().wait_for(|wanted| *wanted).await.is_err() {
        return;
    }
    let mut changes = changes.subscribe();
    let mut number = 0;
    loop {
        let revision = *changes.borrow_and_update();
        number += 1;
        let took = analyse(&app, number, revision).await;
        sleep(REST.max(took.saturating_mul(SHARE - 1))).await;
        if changes.changed().await.is_err() {
            return;
        }
        let _ = timeout(PATIENCE, until_quiet(&mut changes)).await;
    }
}

async fn until_quiet(changes: &mut watch::Receiver<u64>) {
    while let Ok(Ok(())) = timeout(QUIET, changes.changed()).await {}
}

/// Makes a snapshot, and returns how long that took.
async fn analyse(app: &Arc<App>, number: u64, revision: u64) -> Duration {
    let start = Instant::now();
    // Fails only if the semaphore were closed, which it never is.
    let Ok(_turn) = app.analysis.acquire().await else { return Duration::ZERO };
    lock(&app.analyses.state).running = true;
    let background = Arc::clone(app);
    let made = tokio::task::spawn_blocking(move || {
        let window = background.analyses.window;
        let stored = background.store.stats().bytes;
        Snapshot::make(background.store.batches(), window.skip(stored), number, revision)
    });
    let made = made.await;
    let mut state = lock(&app.analyses.state);
    state.running = false;
    state.failed = made.is_err();
    if let Ok(snapshot) = made {
        state.latest = Some(Arc::new(snapshot));
    }
    start.elapsed()
}
