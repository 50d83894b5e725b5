use super::disk::DiskFile;
use super::segment::{HEAD_LEN, HEADER_LEN, Head, MARKER, read_head};
use std::io;
use std::ops::Range;

/// Goes through a segment's records, whatever has become of them, and comes to its end: each step takes it forward.
///
/// It holds as much of the file as the largest record in it, and reads ahead a little.
#[derive(Debug)]
pub(crate) struct Scanner {
    window: Window,
    /// The number in the segment's header, which its records' checksums begin with.
    segment: u64,
    at: u64,
}

/// What a [`Scanner`] comes across.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// A whole record.
    Record { range: Range<u64>, received_ms: u64, batch: &'a [u8] },
    /// No whole record begins in here.
    Damaged(Range<u64>),
}

impl Scanner {
    /// Over the bytes of `file` behind its header and before `end`.
    pub(crate) fn new(file: Box<dyn DiskFile>, segment: u64, end: u64) -> Self {
        Self { window: Window { file, end, start: 0, bytes: Vec::new() }, segment, at: HEADER_LEN as u64 }
    }

    /// How far it has come.
    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    /// What comes next; None at the end.
    ///
    /// # Errors
    /// The file cannot be read. Where, is [`position`](Self::position).
    pub(crate) fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        let start = self.at;
        if start >= self.window.end {
            return Ok(None);
        }
        let Some(head) = self.head(start)? else {
            self.at = self.next_head(start + 1)?;
            return Ok(Some(Found::Damaged(start..self.at)));
        };
        let body = start + HEAD_LEN as u64;
        // A length that is certainly right and leads beyond the end: the rest of the record is missing.
        let all_there = self.window.load(body, head.len)?;
        self.at = if all_there { body + head.len as u64 } else { self.window.end };
        let range = start..self.at;
        Ok(Some(match self.window.get(body, head.len).filter(|batch| head.fits(batch)) {
            Some(batch) => Found::Record { range, received_ms: head.received_ms, batch },
            None => Found::Damaged(range),
        }))
    }

    fn head(&mut self, at: u64) -> io::Result<Option<Head>> {
        self.window.load(at, HEAD_LEN)?;
        let bytes = self.window.get(at, HEAD_LEN).and_then(|bytes| bytes.first_chunk());
        Ok(bytes.and_then(|bytes| read_head(self.segment, at, bytes)))
    }

    /// Where the first whole head begins from `at` on; the end if there is none.
    fn next_head(&mut self, mut at: u64) -> io::Result<u64> {
        while self.window.load(at, HEAD_LEN)? {
            let heads = self.window.rest(at).windows(HEAD_LEN);
            let tried = heads.len() as u64;
            let mut marked = (at..).zip(heads).filter(|(_, head)| head.starts_with(&MARKER));
            let is_whole = |at, head: &[u8]| head.first_chunk().is_some_and(|head| self.is_head(at, head));
            if let Some((at, _)) = marked.find(|(at, head)| is_whole(*at, head)) {
                return Ok(at);
            }
            at += tried;
        }
        Ok(self.window.end)
    }

    fn is_head(&self, at: u64, bytes: &[u8; HEAD_LEN]) -> bool {
        read_head(self.segment, at, bytes).is_some()
    }
}

/// A stretch of a file that is in memory.
#[derive(Debug)]
struct Window {
    file: Box<dyn DiskFile>,
    /// Nothing is read from here on.
    end: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    const READ_AHEAD: u64 = 256 << 10;
    /// Memory is taken as the file turns out to have the bytes, not as a length promises them.
    const STEP: u64 = 4 << 20;

    /// Makes `len` bytes from `at` on available; false if there are not that many before the end.
    fn load(&mut self, at: u64, len: usize) -> io::Result<bool> {
        let left = self.end.saturating_sub(at);
        if self.get(at, len).is_some() || left < len as u64 {
            return Ok(left >= len as u64);
        }
        let passed = at.checked_sub(self.start).and_then(|passed| usize::try_from(passed).ok());
        match passed.filter(|passed| *passed <= self.bytes.len()) {
            Some(passed) => drop(self.bytes.drain(..passed)),
            None => self.bytes.clear(),
        }
        self.start = at;
        let wanted = Self::READ_AHEAD.max(len as u64).min(left);
        while (self.bytes.len() as u64) < wanted {
            if !self.read(wanted - self.bytes.len() as u64)? {
                // The file is shorter than it was said to be.
                self.end = at + self.bytes.len() as u64;
                break;
            }
        }
        Ok(self.bytes.len() >= len)
    }

    /// Reads up to `wanted` bytes more; false if there are none.
    fn read(&mut self, wanted: u64) -> io::Result<bool> {
        let held = self.bytes.len();
        self.bytes.resize(held + wanted.min(Self::STEP) as usize, 0);
        let read = self.file.read_at(&mut self.bytes[held..], self.start + held as u64);
        self.bytes.truncate(held + *read.as_ref().unwrap_or(&0));
        match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            read => Ok(read? > 0),
        }
    }

    /// What has been loaded; None if not all of it has.
    fn get(&self, at: u64, len: usize) -> Option<&[u8]> {
        self.rest(at).get(..len)
    }

    /// All that has been loaded from `at` on.
    fn rest(&self, at: u64) -> &[u8] {
        let skip = at.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.bytes.get(skip..)).unwrap_or(&[])
    }
}
