//! From the rings to the receiver: drain, replay, encode, seal, send.
//!
//! A [`Flusher`] has no thread and no clock of its own. [`Flusher::step`] does one round and says when the next one is
//! due; the worker thread calls it for a living, and tests call it by hand.

mod backlog;
mod batch;
mod dialect;
mod manual;
mod replay;
mod sender;
mod submission;
#[cfg(test)]
mod tests;
pub(crate) mod ticker;
mod tuning;
mod warning;
pub(crate) mod worker;

pub use manual::ManualFlusher;
pub(crate) use tuning::{SharedTuning, Tuning};
pub use warning::Warning;

use crate::clock::{Anchor, Scale};
use crate::encode;
use crate::ring::pipe::Pipe;
use crate::ring::spsc::{Consumer, Drained};
use crate::ring::sync::{Arc, Mutex, lock};
use crate::stats::{Books, Lost};
use crate::transport::{Form, SealedBatch, Transport};
pub(crate) use backlog::BacklogOptions;
use backlog::LossReason;
use batch::OpenBatch;
use bytes::Bytes;
use replay::{Positions, Replay, Replayed};
use sender::Sender;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use trackside_wire::{Header, Kinds, RunId};
use warning::Warnings;

/// The books, shared between the flusher and whoever reads them.
pub(crate) type SharedBooks = Arc<Mutex<Books>>;

/// Where a flusher is left when it stops, so that what arrives later can still be counted.
pub(crate) type Retired = Arc<Mutex<Option<Flusher>>>;

/// Receives warnings.
pub(crate) type OnWarning = Box<dyn FnMut(&Warning) + Send>;

/// What a flusher needs to know.
#[derive(Debug, Clone)]
pub(crate) struct FlusherOptions {
    pub(crate) run: RunId,
    pub(crate) service: String,
    pub(crate) instance: String,
    pub(crate) environment: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) pid: u32,
    pub(crate) tuning: SharedTuning,
    pub(crate) send_timeout: Duration,
    pub(crate) backlog: BacklogOptions,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Flusher {
    pipe: Arc<Pipe>,
    options: FlusherOptions,
    consumers: Vec<Consumer>,
    /// By ring number.
    replays: Vec<Replay>,
    positions: Positions,
    scratch: Vec<u64>,
    open: Open,
    sender: Sender,
    books: SharedBooks,
    /// When the previous step began: no event drained now is older.
    previous: Anchor,
    /// The flushes asked for and not done: each with the number of the first batch that it does not wait for. Later
    /// ones must not hold up earlier ones, or a caller who flushes all the time could keep another waiting for ever.
    flushing: VecDeque<(u64, u64)>,
    /// The latest flush seen.
    flush_seen: u64,
}

/// The open batch, and the numbers that go on from one batch to the next.
#[derive(Debug)]
struct Open {
    batch: OpenBatch,
    /// When it is to be sealed, as things stand at this step.
    tuning: Tuning,
    /// When its first event was drained.
    since: Option<Instant>,
    /// How many batches were open before this one: tells a lane whether its batch is still the open one.
    serial: u64,
    /// The number of the next batch sealed, or cut from another.
    next_number: u64,
    /// Events in all batches sealed so far.
    events: u64,
    sealed: Vec<SealedBatch>,
}

/// What a step leaves to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// When to step again, unless woken earlier.
    pub(crate) next: Instant,
    /// Nothing recorded before the step is undelivered.
    pub(crate) idle: bool,
    /// How many batches it has sealed. As many calls of [`Flusher::send_next`] keep the backlog from growing.
    pub(crate) sealed: usize,
}

impl Flusher {
    pub(crate) fn new(
        pipe: Arc<Pipe>,
        options: FlusherOptions,
        transport: Box<dyn Transport>,
        books: SharedBooks,
        on_warning: OnWarning,
    ) -> Self {
        let anchor = Anchor::now();
        let mut batch = OpenBatch::new(Scale::measured());
        batch.reset(anchor);
        let warnings = Warnings::new(on_warning);
        let (timeout, backlog, seed) = (options.send_timeout, options.backlog.clone(), options.run.get());
        let sender = Sender::new(transport, timeout, backlog, seed, books.clone(), warnings);
        let tuning = **options.tuning.load();
        let open = Open { batch, tuning, since: None, serial: 0, next_number: 0, events: 0, sealed: Vec::new() };
        Self {
            pipe,
            options,
            consumers: Vec::new(),
            replays: Vec::new(),
            positions: Positions::new(),
            scratch: Vec::new(),
            open,
            sender,
            books,
            previous: anchor,
            flushing: VecDeque::new(),
            flush_seen: 0,
        }
    }

    /// One round: drains every ring, seals what is due, makes at most one attempt to deliver.
    pub(crate) fn step(&mut self, now: Instant) -> Step {
        // Before the rings are looked at: what was recorded before the request was made is then in them.
        let request = self.pipe.signal.request();
        self.open.tuning = **self.options.tuning.load();
        self.sender.tune(&self.open.tuning);
        let anchor = Anchor::now();
        self.pipe.publish_tick(anchor.ticks);
        self.drain(now);
        self.previous = anchor;
        let wanted = request.epoch > self.flush_seen;
        if wanted || request.stop_by.is_some() || self.open.is_due(now, &self.options) {
            self.seal();
        }
        if wanted {
            self.flush_seen = request.epoch;
            self.flushing.push_back((request.epoch, self.open.next_number));
        }
        let sealed = self.open.sealed.len();
        self.queue_sealed(now);
        self.sender.send(now, request.stop_by, &mut self.open.next_number);
        self.complete_flushes();

        let idle = self.open.batch.is_empty() && self.sender.is_empty();
        let due = [self.sender.next_due(now), self.open.due()];
        let next = due.into_iter().flatten().min().unwrap_or(now + self.open.tuning.flush_interval);
        Step { next, idle, sealed }
    }

    /// Tries to deliver the oldest batch, if it is due, in as many parts as it takes. Returns whether it was delivered.
    pub(crate) fn send_next(&mut self) -> bool {
        let stop_by = self.pipe.signal.request().stop_by;
        let delivered = self.sender.send_batch(Instant::now, stop_by, &mut self.open.next_number);
        self.complete_flushes();
        delivered
    }

    /// Takes everything out of the rings, and gives back those whose threads are gone.
    ///
    /// What happens before an event is taken before it, so that a receiver can go through the batches in one pass: a ring
    /// whose next event is too early waits until the others have been looked at. What it waits for was recorded before,
    /// so another look finds it; if nothing comes of that, it has been lost.
    fn drain(&mut self, now: Instant) {
        let mut counts = Counts::default();
        let (mut waiting, mut patient) = (Vec::new(), true);
        for look in 0.. {
            self.pipe.registry.adopt(&mut self.consumers);
            let waited = std::mem::take(&mut waiting);
            let mut at = 0;
            while at < self.consumers.len() {
                let (ring, drained) = self.drain_ring(at, now, &mut counts, patient);
                if drained.held {
                    waiting.push((ring, self.positions.get(usize::from(ring)).copied()));
                }
                if drained.closed {
                    self.pipe.registry.give_back(self.consumers.swap_remove(at));
                } else {
                    at += 1;
                }
            }
            if waiting.is_empty() {
                break;
            }
            patient = waiting != waited && look < LOOKS;
        }
        if counts != Counts::default() {
            let mut books = lock(&self.books);
            books.drained += counts.events + counts.malformed;
            books.lost.malformed += counts.malformed;
            books.truncated += counts.truncated;
        }
    }

    /// Returns the ring's number, and what was found.
    fn drain_ring(&mut self, at: usize, now: Instant, counts: &mut Counts, patient: bool) -> (u16, Drained) {
        let consumer = &mut self.consumers[at];
        let ring = consumer.ring().number();
        for next in self.replays.len()..=usize::from(ring) {
            self.replays.push(Replay::new(next as u16));
            self.positions.push(0);
        }
        let replay = &mut self.replays[usize::from(ring)];
        let (open, options, base) = (&mut self.open, &self.options, self.previous);
        let others = patient.then_some(&self.positions);
        let drained = consumer.drain(&mut self.scratch, |head, payload| {
            match replay.frame((&mut open.batch, open.serial), others, head, payload) {
                Replayed::Event { truncated } => {
                    counts.events += 1;
                    counts.truncated += truncated;
                    if open.is_full(options) {
                        open.seal(options, base, &self.books, &self.pipe);
                    }
                }
                Replayed::Lock { events } => {
                    counts.events += events;
                    if open.is_full(options) {
                        open.seal(options, base, &self.books, &self.pipe);
                    }
                }
                Replayed::Malformed { events } => counts.malformed += events,
                Replayed::Control => {}
                Replayed::TooEarly => return false,
            }
            true
        });
        self.positions[usize::from(ring)] = replay.seq();
        if !self.open.batch.is_empty() {
            self.open.since.get_or_insert(now);
        }
        (ring, drained)
    }

    fn seal(&mut self) {
        self.open.seal(&self.options, self.previous, &self.books, &self.pipe);
    }

    fn queue_sealed(&mut self, now: Instant) {
        for batch in std::mem::take(&mut self.open.sealed) {
            self.sender.push(batch, now);
        }
    }

    /// Tells who waits for a flush that it is done, once no batch is left that it waits for.
    fn complete_flushes(&mut self) {
        let oldest = self.sender.oldest().unwrap_or(u64::MAX);
        while let Some((epoch, first_later)) = self.flushing.front().copied()
            && oldest >= first_later
        {
            self.pipe.signal.complete(epoch);
            self.flushing.pop_front();
        }
    }

    /// Shutdown's end: whatever is not delivered by now never will be.
    pub(crate) fn give_up(&mut self) {
        self.drain(Instant::now());
        self.seal();
        self.queue_sealed(Instant::now());
        self.sender.give_up(LossReason::ShutdownTimeout);
    }

    /// After shutdown: counts what threads that did not know of it have recorded since.
    pub(crate) fn sweep(&mut self) {
        self.drain(Instant::now());
        let late = self.open.batch.len() as u64 + self.open.sealed.drain(..).map(|batch| batch.events).sum::<u64>();
        self.open.batch.reset(self.previous);
        self.open.serial += 1;
        lock(&self.books).lost.after_shutdown += late;
    }
}

/// What a drain found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    events: u64,
    malformed: u64,
    truncated: u64,
}

/// How often the rings are looked at in one round for what must come first. Each look goes on where the last one had to
/// wait, so a chain of waiting rings longer than this is cut.
const LOOKS: usize = 64;

/// Room that a batch keeps for one more event of the longest kind, and for the tables' growth by it: by its strand, whose
/// announcement was one frame as well, and is told in little more space.
const LONGEST_EVENT: usize = 3 * 8 * crate::ring::frame::MAX_WORDS + 256;

impl Open {
    fn is_full(&self, options: &FlusherOptions) -> bool {
        self.batch.len() >= self.tuning.batch_events
            || self.batch.size() + options.header_size() + LONGEST_EVENT >= self.tuning.batch_bytes
    }

    fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.tuning.flush_interval)
    }

    /// Whether it has waited long enough, or is full by what was decided while it was filled.
    fn is_due(&self, now: Instant, options: &FlusherOptions) -> bool {
        self.due().is_some_and(|due| due <= now || self.is_full(options))
    }

    /// Closes the open batch, if there is anything in it, and opens the next, whose times count from `base`.
    fn seal(&mut self, options: &FlusherOptions, base: Anchor, books: &SharedBooks, pipe: &Pipe) {
        if self.batch.is_empty() {
            return;
        }
        let parts = self.batch.parts();
        self.events += parts.count as u64;
        let (recorded, lost) = lock(books).for_header(self.events, pipe);
        // After the events: what any of them comes after, and was not recorded, is then told.
        let partly = (pipe.silent_contexts(), kinds_of(pipe.off()));
        let header = options.header(self.next_number, self.batch.base_unix_ns(), recorded, &lost, partly);
        let bytes = encode::seal(&header, &parts, self.batch.size() + options.header_size());
        self.sealed.push(SealedBatch {
            run: options.run,
            number: self.next_number,
            events: parts.count as u64,
            bytes: Bytes::from(bytes),
            form: Form::Native,
        });
        self.next_number += 1;
        self.serial += 1;
        self.since = None;
        self.batch.reset(base);
    }
}

/// The kinds of events whose bits are set; there are bits for kinds of records, too, that are no events' kinds.
fn kinds_of(bits: u64) -> Kinds {
    Kinds::ALL.iter().filter(|kind| bits & (1 << kind.code()) != 0).collect()
}

impl FlusherOptions {
    /// `partly` is what was recorded in part: the header's `unsampled` and `off`.
    fn header<'a>(
        &'a self,
        batch: u64,
        base_unix_ns: u64,
        recorded: u64,
        lost: &Lost,
        (unsampled, off): (u64, Kinds),
    ) -> Header<'a> {
        Header {
            run: self.run,
            batch,
            service: &self.service,
            instance: &self.instance,
            environment: &self.environment,
            pid: self.pid,
            tags: self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            base_unix_ns,
            recorded,
            lost: lost.by_reason().collect(),
            unsampled,
            off,
        }
    }

    /// An upper bound of the header's size.
    fn header_size(&self) -> usize {
        let tags: usize = self.tags.iter().map(|(key, value)| key.len() + value.len() + 10).sum();
        let names = self.service.len() + self.instance.len() + self.environment.len();
        512 + names + tags
    }
}
