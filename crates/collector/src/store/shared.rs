use super::batches::Batches;
use super::books::{Books, Capacity, Room};
use super::disk::Disk;
use super::log::{Log, WriteError, Written};
use super::segment::MAX_BATCH;
use super::unit::{Place, Segment, Unit};
use crate::received::Received;
use crate::stats::CollectorStats;
use crate::sync::lock;
use bytes::Bytes;
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;
use trackside_wire::{Ack, EventId, RunId};

/// How many batches are kept for a follower that does not keep up.
const FOLLOWER_LAG: usize = 16;

/// Why a batch is not stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// There is no room now.
    Full,
    /// There never will be room: it takes more than the whole cap.
    TooLarge,
    /// The disk does not take it now; why, in a word.
    Disk(&'static str),
}

/// What is stored, shared by all requests. See the [module](super) for its two locks.
#[derive(Debug)]
pub(crate) struct Store {
    capacity: Capacity,
    medium: Mutex<Medium>,
    books: Arc<Mutex<Books>>,
    /// None in memory.
    disk: Option<Arc<dyn Disk>>,
    /// Tells those who follow of each batch that is stored.
    stored: broadcast::Sender<Bytes>,
}

/// Where batches go.
#[derive(Debug)]
enum Medium {
    Memory,
    Disk(Log),
    /// The collector has been shut down.
    Closed,
}

impl Store {
    /// A store in memory.
    pub(crate) fn in_memory(capacity: Capacity) -> Self {
        Self::new(capacity, Medium::Memory, Books::new(capacity), None)
    }

    pub(super) fn on_disk(capacity: Capacity, log: Log, books: Books) -> Self {
        let disk = Arc::clone(&log.disk);
        Self::new(capacity, Medium::Disk(log), books, Some(disk))
    }

    fn new(capacity: Capacity, medium: Medium, books: Books, disk: Option<Arc<dyn Disk>>) -> Self {
        let (books, medium) = (Arc::new(Mutex::new(books)), Mutex::new(medium));
        Self { capacity, medium, books, disk, stored: broadcast::Sender::new(FOLLOWER_LAG) }
    }

    /// Stores a batch, or recognises it as a duplicate. May wait for a disk.
    pub(crate) fn ingest(&self, received: Received, bytes: &Bytes, now_ms: u64) -> Result<Ack, StoreError> {
        let mut medium = lock(&self.medium);
        if matches!(*medium, Medium::Closed) {
            return Err(StoreError::Disk("closed"));
        }
        {
            let mut books = lock(&self.books);
            if books.knows(&received) {
                return Ok(books.recognise(received));
            }
        }
        self.evict_outdated(&mut medium, now_ms);
        self.make_room(&mut medium, &received, bytes)?;
        match &mut *medium {
            Medium::Memory => lock(&self.books).add(Unit::in_memory(bytes.clone())),
            Medium::Disk(log) => self.write(log, bytes, now_ms)?,
            Medium::Closed => {}
        }
        let ack = lock(&self.books).enter(received, bytes.len() as u64, now_ms);
        // Fails only if nobody follows.
        let _ = self.stored.send(bytes.clone());
        Ok(ack)
    }

    /// Gives up what is older than wanted.
    pub(crate) fn retire(&self, now_ms: u64) {
        self.evict_outdated(&mut lock(&self.medium), now_ms);
    }

    /// Forgets everything, counters included, but for segments that cannot be deleted.
    pub(crate) fn clear(&self) {
        let mut medium = lock(&self.medium);
        while self.evict(&mut medium) {}
        let mut books = lock(&self.books);
        if books.oldest().is_none() {
            *books = Books::new(self.capacity);
        }
    }

    /// Stores nothing from now on, and lets others use the directory. What is stored can still be read.
    pub(crate) fn close(&self) {
        let mut medium = lock(&self.medium);
        if let Medium::Disk(log) = &mut *medium {
            log.seal();
            lock(&self.books).disk.sync_errors += std::mem::take(&mut log.sync_errors);
        }
        *medium = Medium::Closed;
        if let Some(disk) = &self.disk {
            disk.release();
        }
    }

    /// Counts a request that was turned away before it came here.
    pub(crate) fn count_rejected(&self) {
        lock(&self.books).stats.rejected += 1;
    }

    /// Counts a request of a client that makes too many.
    pub(crate) fn count_refused_rate(&self) {
        lock(&self.books).stats.refused_rate += 1;
    }

    /// Counts events that came again, and were recognised before they were made a batch.
    pub(crate) fn count_duplicates(&self, events: u64) {
        lock(&self.books).stats.duplicates += events;
    }

    /// Whether the event is stored.
    pub(crate) fn knows(&self, id: EventId) -> bool {
        lock(&self.books).knows_event(id)
    }

    /// Whether a batch of the run is stored.
    pub(crate) fn knows_run(&self, run: RunId) -> bool {
        lock(&self.books).knows_run(run)
    }

    /// The stored batches, oldest first.
    pub(crate) fn batches(&self) -> Batches {
        Batches::new(&self.books, self.disk.clone())
    }

    /// The batches that are stored from now on. Who is too slow misses the older ones.
    pub(crate) fn follow(&self) -> broadcast::Receiver<Bytes> {
        self.stored.subscribe()
    }

    pub(crate) fn stats(&self) -> CollectorStats {
        lock(&self.books).stats()
    }

    fn make_room(&self, medium: &mut Medium, received: &Received, bytes: &Bytes) -> Result<(), StoreError> {
        if self.disk.is_some() && bytes.len() > MAX_BATCH {
            return Err(StoreError::TooLarge);
        }
        loop {
            let room = lock(&self.books).room(received, bytes.len() as u64);
            match room {
                Room::Enough => return Ok(()),
                Room::Never => return Err(StoreError::TooLarge),
                Room::Full if self.capacity.evict_oldest && self.evict(medium) => {}
                Room::Full => {
                    lock(&self.books).stats.refused_full += 1;
                    return Err(StoreError::Full);
                }
            }
        }
    }

    /// Writes a batch into the last segment, or a new one.
    fn write(&self, log: &mut Log, batch: &[u8], now_ms: u64) -> Result<(), StoreError> {
        let written = match log.append(now_ms, batch) {
            Err(WriteError::Vanished) => {
                // What else was in that directory may be gone as well, and is no longer stored.
                let segments = lock(&self.books).segments();
                let gone: HashSet<u64> = segments.into_iter().filter(|number| !log.has(*number)).collect();
                lock(&self.books).drop_vanished(|number| !gone.contains(&number));
                log.append(now_ms, batch)
            }
            written => written,
        };
        let mut books = lock(&self.books);
        books.disk.sync_errors += std::mem::take(&mut log.sync_errors);
        match written {
            Ok(Written { segment: number, is_first, range }) => {
                if is_first {
                    books.add(Unit::on_disk(Segment { number, salt: number, end: 0, size: 0, skipped: Vec::new() }));
                }
                books.change_last(|unit| {
                    if let Place::Disk(segment) = &mut unit.place {
                        (segment.end, segment.size) = (range.end, range.end);
                    }
                });
                Ok(())
            }
            Err(error) => {
                let reason = reason(&error);
                *books.disk.refused.entry(reason.to_owned()).or_default() += 1;
                Err(StoreError::Disk(reason))
            }
        }
    }

    fn evict_outdated(&self, medium: &mut Medium, now_ms: u64) {
        while lock(&self.books).has_outdated(now_ms) && self.evict(medium) {}
    }

    /// Gives up the oldest unit. False if there is none, or if it cannot be deleted.
    fn evict(&self, medium: &mut Medium) -> bool {
        let number = match lock(&self.books).oldest() {
            None => return false,
            Some(unit) => unit.segment().map(|segment| segment.number),
        };
        // The file goes first. A crash in between leaves nothing behind: the books are made from the files.
        if let (Some(number), Medium::Disk(log)) = (number, medium)
            && log.remove(number).is_err()
        {
            lock(&self.books).disk.delete_errors += 1;
            return false;
        }
        lock(&self.books).drop_oldest();
        true
    }

    #[cfg(test)]
    pub(super) fn assert_sums(&self) {
        lock(&self.books).assert_sums();
    }
}

/// What stands in the statistics and in the answer.
fn reason(error: &WriteError) -> &'static str {
    let WriteError::Io(error) = error else { return "gone" };
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk_full",
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => "read_only",
        io::ErrorKind::NotFound => "gone",
        io::ErrorKind::ResourceBusy => "in_use",
        _ => "io_error",
    }
}
