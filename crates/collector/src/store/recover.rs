use super::books::{Books, Capacity};
use super::disk::{Disk, DiskFile};
use super::log::{Log, LogOptions};
use super::scan::{Found, Scanner};
use super::segment::{self, HEADER_LEN, Header, is_beginning_of_header, read_header};
use super::shared::Store;
use super::unit::{Place, Segment, Unit};
use crate::received::Received;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Opens the store that is on a disk, whatever has happened to it: reads all segments, cuts off what was being written
/// when its writer ended, leaves out what is damaged, and counts both.
///
/// # Errors
/// Only if there is no directory and none can be made, if it cannot be looked into, or if somebody else uses it.
pub(crate) fn recover(disk: Arc<dyn Disk>, capacity: Capacity, options: LogOptions, now_ms: u64) -> io::Result<Store> {
    disk.claim()?;
    let mut numbers: Vec<u64> = disk.list()?.iter().filter_map(|name| segment::number(name)).collect();
    numbers.sort_unstable();
    let next = numbers.last().map_or(0, |last| last + 1);
    let mut recovery = Recovery { disk: Arc::clone(&disk), books: Books::new(capacity), now_ms };
    for number in numbers {
        if recovery.segment(number).is_err() {
            recovery.books.disk.unreadable_segments += 1;
        }
        while recovery.books.is_over() && recovery.evict() {}
        recovery.set_aside();
    }
    let store = Store::on_disk(capacity, Log::new(disk, options, next), recovery.books);
    store.retire(now_ms);
    Ok(store)
}

struct Recovery {
    disk: Arc<dyn Disk>,
    books: Books,
    now_ms: u64,
}

impl Recovery {
    /// Takes in a segment; an error if its file cannot be opened or is none of ours.
    fn segment(&mut self, number: u64) -> io::Result<()> {
        let name = segment::name(number);
        let mut file = self.disk.open(&name)?;
        let len = file.len()?;
        let header = match header(&mut *file, len)? {
            // It was being created, and not one record was in it.
            None => return self.disk.remove(&name),
            Some(Header::Foreign) => return Err(io::ErrorKind::InvalidData.into()),
            Some(header) => header,
        };
        let salt = if let Header::Whole(salt) = header { salt } else { number };
        if salt != number {
            self.books.disk.renamed_segments += 1;
        }
        // Records may be behind a damaged header, but nothing proves that they are ours: so nothing is cut off.
        let may_cut = header != Header::Damaged;
        if !may_cut {
            self.books.disk.damaged += 1;
            self.books.disk.damaged_bytes += HEADER_LEN as u64;
        }
        let mut unit = Unit::on_disk(Segment { number, salt, end: len, size: len, skipped: Vec::new() });
        // If nothing in it says how old it is, it is not given up for its age yet.
        unit.newest_ms = if may_cut { 0 } else { self.now_ms };
        self.books.add(unit);
        let mut scanner = Scanner::new(file, salt, len);
        match self.records(&mut scanner) {
            Ok(tail) => {
                if let Some(tail) = tail {
                    self.end_of(&name, tail, may_cut);
                }
                self.drop_if_empty(&name)
            }
            Err(_) => {
                // What was read is served; the rest is there for a day on which the disk works again.
                self.books.disk.unreadable_segments += 1;
                let end = scanner.position();
                self.change(|segment| segment.end = end);
                Ok(())
            }
        }
    }

    /// Takes in a segment's records. Returns the damage at its end, if there is any.
    fn records(&mut self, scanner: &mut Scanner) -> io::Result<Option<Range<u64>>> {
        let mut bad: Option<Range<u64>> = None;
        while let Some(found) = scanner.next()? {
            match found {
                Found::Damaged(range) => {
                    let adjacent = bad.take_if(|bad| bad.end == range.start);
                    self.damaged(bad);
                    bad = Some(adjacent.map_or(range.start, |bad| bad.start)..range.end);
                }
                Found::Record { range, received_ms, batch } => {
                    self.damaged(bad.take());
                    self.record(range, received_ms, batch);
                }
            }
        }
        Ok(bad)
    }

    fn record(&mut self, range: Range<u64>, received_ms: u64, batch: &[u8]) {
        let Ok(received) = Received::decode(batch) else { return self.damaged(Some(range)) };
        let len = batch.len() as u64;
        if self.books.knows(&received) {
            // Written, but not acknowledged, so it was sent and written again; or a copy of a whole segment.
            self.books.disk.duplicate_batches += 1;
            return self.change(|segment| segment.skip(range));
        }
        while !self.books.has_index_room(&received) {
            if !self.evict() {
                self.books.disk.unindexed_batches += 1;
                return self.change(|segment| segment.skip(range));
            }
        }
        self.books.enter(received, len, received_ms);
        self.books.disk.recovered_batches += 1;
    }

    fn damaged(&mut self, range: Option<Range<u64>>) {
        let Some(range) = range else { return };
        self.books.disk.damaged += 1;
        self.books.disk.damaged_bytes += range.end - range.start;
        self.change(|segment| segment.skip(range));
    }

    /// Damage at the end of a segment is what was being written when its writer ended, and is cut off.
    fn end_of(&mut self, name: &str, tail: Range<u64>, may_cut: bool) {
        if !may_cut {
            return self.damaged(Some(tail));
        }
        self.books.disk.torn_tails += 1;
        self.books.disk.torn_bytes += tail.end - tail.start;
        let is_cut = self.disk.cut(name, tail.start).is_ok();
        self.change(|segment| {
            segment.end = tail.start;
            segment.size = if is_cut { tail.start } else { segment.size };
        });
    }

    /// Deletes the last segment if not one record is in it, whole or not.
    fn drop_if_empty(&mut self, name: &str) -> io::Result<()> {
        if self.books.last_segment().is_some_and(|segment| segment.size <= HEADER_LEN as u64) {
            self.disk.remove(name)?;
            self.books.drop_last();
        }
        Ok(())
    }

    /// Gives up the oldest segment, if that is wanted and there is a later one.
    fn evict(&mut self) -> bool {
        let Some(oldest) = self.books.evictable() else { return false };
        if self.disk.remove(&segment::name(oldest)).is_err() {
            self.books.disk.delete_errors += 1;
            return false;
        }
        self.books.drop_oldest();
        true
    }

    /// Where there is no room in memory for what must be known of the last segment, it is left alone.
    fn set_aside(&mut self) {
        if self.books.is_over_in_memory() {
            self.books.disk.unindexed_batches += self.books.drop_last();
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Segment)) {
        self.books.change_last(|unit| {
            if let Place::Disk(segment) = &mut unit.place {
                change(segment);
            }
        });
    }
}

/// The header of a file of this length. None if it is the beginning of one: the file was just being made.
pub(super) fn header(file: &mut dyn DiskFile, len: u64) -> io::Result<Option<Header>> {
    let (mut header, mut read) = ([0; HEADER_LEN], 0);
    while read < HEADER_LEN {
        match file.read_at(&mut header[read..], read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    let is_beginning = is_beginning_of_header(&header[..read]);
    Ok(if len >= HEADER_LEN as u64 && read == HEADER_LEN {
        Some(read_header(&header))
    } else {
        (!is_beginning).then_some(Header::Foreign)
    })
}
