use super::books::Books;
use super::disk::Disk;
use super::scan::{Found, Scanner};
use super::segment;
use super::unit::Segment;
use crate::sync::lock;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

/// The batches that were stored at one moment, oldest first, as they were received.
///
/// Batches on disk are read one at a time as the iterator comes to them. A segment that is deleted before its turn, by
/// retention or by [`Collector::clear`](crate::Collector::clear), is passed over, as if it had been deleted before; one
/// that is being read is read to its end. A batch that cannot be read, or is no longer what was stored, is left out and
/// counted in [`DiskStats::read_errors`](crate::DiskStats::read_errors).
#[derive(Debug)]
pub struct Batches {
    sources: VecDeque<Source>,
    open: Option<(Segment, Scanner)>,
    disk: Option<Arc<dyn Disk>>,
    books: Arc<Mutex<Books>>,
}

/// Where batches are.
#[derive(Debug)]
pub(super) enum Source {
    Memory(Bytes),
    Segment(Segment),
}

impl Batches {
    pub(super) fn new(books: &Arc<Mutex<Books>>, disk: Option<Arc<dyn Disk>>) -> Self {
        let sources = lock(books).sources();
        Self { sources, open: None, disk, books: Arc::clone(books) }
    }

    fn open(&mut self, segment: Segment) {
        let Some(disk) = &self.disk else { return };
        match disk.open(&segment::name(segment.number)) {
            Ok(file) => {
                let scanner = Scanner::new(file, segment.salt, segment.end);
                self.open = Some((segment, scanner));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => self.count_error(),
        }
    }

    fn count_error(&self) {
        lock(&self.books).disk.read_errors += 1;
    }
}

impl Iterator for Batches {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        loop {
            let Some((segment, scanner)) = &mut self.open else {
                match self.sources.pop_front()? {
                    Source::Memory(bytes) => return Some(bytes),
                    Source::Segment(segment) => self.open(segment),
                }
                continue;
            };
            match scanner.next() {
                Ok(Some(Found::Record { range, batch, .. })) if !segment.skips(range.start) => {
                    return Some(Bytes::copy_from_slice(batch));
                }
                Ok(Some(Found::Damaged(range))) if !segment.skips(range.start) => self.count_error(),
                Ok(Some(_)) => {}
                Ok(None) => self.open = None,
                Err(_) => {
                    self.open = None;
                    self.count_error();
                }
            }
        }
    }
}
