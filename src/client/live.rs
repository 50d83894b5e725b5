//! The settings of a running client, and how a change of them comes to those who go by them.

use super::Client;
use crate::config::{Flaw, Settings, groups};
use crate::error::ReconfigureError;
use crate::flusher::SharedTuning;
use crate::ring::pipe::Pipe;
use crate::ring::sync::{Arc, Mutex, lock};
use crate::transport::KeySlot;
use arc_swap::ArcSwap;
use std::cell::Cell;

impl Client {
    /// The settings as they are now: what was built, with the changes made since.
    pub fn settings(&self) -> Settings {
        self.handle.live.now()
    }

    /// Changes settings while everything runs: threads that record see a change of what is recorded at their next event,
    /// the flusher is woken for a change of the others.
    ///
    /// `change` is given the settings as they are. What it makes of them is taken as a whole or refused as a whole, and
    /// changes made at the same time wait for one another, so that none is lost.
    ///
    /// With another key, what waits because the receiver did not know the old one is tried again at once.
    ///
    /// # Errors
    /// [`ReconfigureError::Invalid`] names the first setting that makes no sense, and the remedy; the others say why there
    /// is nothing to be changed. The settings then are as they were.
    ///
    /// # Panics
    /// If `change` does; the settings then are as they were.
    ///
    /// # Examples
    ///
    /// ```
    /// use trackside::{Client, Kind, MemoryTransport};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder_to(MemoryTransport::new()).build()?;
    /// client.reconfigure(|settings| {
    ///     settings.sample_rate = 0.01;
    ///     settings.kinds = settings.kinds.without(Kind::FunctionCall);
    /// })?;
    /// assert_eq!(client.settings().sample_rate, 0.01);
    ///
    /// assert!(client.reconfigure(|settings| settings.batch_events = 0).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn reconfigure(&self, change: impl FnOnce(&mut Settings)) -> Result<(), ReconfigureError> {
        self.handle.live.change(change)
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Live {
    settings: ArcSwap<Settings>,
    /// Held for the whole of a change, from the look at the old settings to the last of those who go by them. It holds
    /// how many keys there were before the one in force.
    keys_before: Mutex<u64>,
    pub(super) tuning: SharedTuning,
    pipe: Arc<Pipe>,
    /// Where the key goes, if the destination asks for one.
    key: Option<KeySlot>,
    /// The limit of [`Settings::check_live`].
    backlog_bytes: usize,
}

impl Live {
    /// For settings that have been checked, and a pipe that nobody has recorded into.
    pub(super) fn new(settings: Settings, pipe: Arc<Pipe>, key: Option<KeySlot>, backlog_bytes: usize) -> Self {
        let recorded = settings.recorded();
        pipe.take_only(recorded.bits(), groups(recorded));
        pipe.sample_below(settings.sample_below());
        let tuning = Arc::new(ArcSwap::from_pointee(settings.tuning(0)));
        let settings = ArcSwap::from_pointee(settings);
        Self { settings, keys_before: Mutex::new(0), tuning, pipe, key, backlog_bytes }
    }

    fn now(&self) -> Settings {
        Settings::clone(&self.settings.load())
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) -> Result<(), ReconfigureError> {
        // Before the lock: another thread of the parent may have held it when the process was forked.
        if self.pipe.is_foreign() {
            return Err(ReconfigureError::Forked);
        }
        if !self.pipe.is_open() {
            return Err(ReconfigureError::Stopped);
        }
        let _changing = Changing::begin().ok_or(ReconfigureError::Nested)?;
        let mut keys_before = lock(&self.keys_before);
        let old = self.settings.load_full();
        let mut new = Settings::clone(&old);
        change(&mut new);
        new.check_live(self.backlog_bytes)?;
        let another_key = new.api_key != old.api_key;
        let key = match &self.key {
            Some(slot) if another_key => Some((slot, slot.check(new.api_key.as_ref()).map_err(Flaw::from)?)),
            _ => None,
        };

        // Nothing fails from here on. The key before the tuning, by which the flusher hears that there is another.
        if let Some((slot, key)) = key {
            slot.put(key);
        }
        *keys_before += u64::from(another_key);
        self.tuning.store(Arc::new(new.tuning(*keys_before)));
        let recorded = new.recorded();
        if recorded != old.recorded() {
            self.pipe.take_only(recorded.bits(), groups(recorded));
        }
        self.pipe.sample_below(new.sample_below());
        self.settings.store(Arc::new(new));
        self.pipe.signal.wake();
        Ok(())
    }
}

thread_local! {
    static CHANGING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the user's function from changing settings itself, of this client or another: it would wait for itself, or two
/// threads for each other.
struct Changing;

impl Changing {
    fn begin() -> Option<Self> {
        (!CHANGING.replace(true)).then_some(Changing)
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        CHANGING.set(false);
    }
}
