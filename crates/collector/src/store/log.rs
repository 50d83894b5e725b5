use super::disk::{Disk, DiskFile};
use super::segment::{self, HEADER_LEN, write_head, write_header};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

/// When what was written is made to survive a loss of power. Whatever it is, an acknowledged batch survives the end of
/// the collector's process, `kill -9` included: it has been handed to the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fsync {
    /// When the operating system sees fit.
    Never,
    /// When a segment is full, and when the collector is shut down. A loss of power costs at most the last segment.
    #[default]
    Segment,
    /// Before each batch is acknowledged. A loss of power costs nothing that was acknowledged.
    Batch,
}

/// How segments are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogOptions {
    pub(crate) fsync: Fsync,
    /// A segment that a further batch would make larger than this is full; each takes one batch at least.
    pub(crate) segment_bytes: u64,
}

/// Writes segments, one after the other.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) disk: Arc<dyn Disk>,
    options: LogOptions,
    /// The number of the next segment.
    next: u64,
    active: Option<Active>,
    /// How many segments were given up or sealed with bytes that could not be synced.
    pub(super) sync_errors: u64,
}

#[derive(Debug)]
struct Active {
    number: u64,
    file: Box<dyn DiskFile>,
    len: u64,
}

/// Where a batch has been written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) segment: u64,
    /// Whether it is the segment's first one.
    pub(super) is_first: bool,
    pub(super) range: Range<u64>,
}

/// Why a batch has not been written.
#[derive(Debug)]
pub(super) enum WriteError {
    Io(io::Error),
    /// Somebody has removed the file, with all that was in it.
    Vanished,
}

impl Log {
    pub(super) fn new(disk: Arc<dyn Disk>, options: LogOptions, next: u64) -> Self {
        Self { disk, options, next, active: None, sync_errors: 0 }
    }

    /// Writes a batch, and syncs it if each is to be. After an error it is as if nothing had been written, up to what a
    /// start might still find.
    pub(super) fn append(&mut self, received_ms: u64, batch: &[u8]) -> Result<Written, WriteError> {
        let mut active = self.active_for(batch.len() as u64).map_err(WriteError::Io)?;
        let start = active.len;
        let written = self.write(&mut active, received_ms, batch);
        match written {
            Ok(()) => {}
            Err(WriteError::Io(error)) => {
                self.end_after_error(active, start);
                return Err(WriteError::Io(error));
            }
            Err(WriteError::Vanished) => return Err(WriteError::Vanished),
        }
        let (segment, range) = (active.number, start..active.len);
        self.active = Some(active);
        Ok(Written { segment, is_first: start == HEADER_LEN as u64, range })
    }

    /// Ends the segment that is being written.
    pub(super) fn seal(&mut self) {
        let Some(mut active) = self.active.take() else { return };
        // A batch each is synced already.
        if self.options.fsync == Fsync::Segment && active.file.sync().is_err() {
            self.sync_errors += 1;
        }
    }

    /// Deletes a segment. That it is gone already is as good.
    pub(super) fn remove(&mut self, number: u64) -> io::Result<()> {
        self.active.take_if(|active| active.number == number);
        match self.disk.remove(&segment::name(number)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether a segment's file is there, as far as can be told.
    pub(super) fn has(&self, number: u64) -> bool {
        self.disk.exists(&segment::name(number)).unwrap_or(true)
    }

    /// The segment for a batch of `len` bytes, with its header written. It is taken out; who has used it in good order
    /// puts it back.
    fn active_for(&mut self, len: u64) -> io::Result<Active> {
        let is_full = |active: &Active| {
            let with_it = active.len.saturating_add(segment::HEAD_LEN as u64).saturating_add(len);
            active.len > HEADER_LEN as u64 && with_it > self.options.segment_bytes
        };
        if self.active.as_ref().is_some_and(is_full) {
            self.seal();
        }
        match self.active.take() {
            Some(active) => Ok(active),
            None => self.create(),
        }
    }

    /// Cuts off what has been written behind `start`, so that the next record would begin where readers look for it, and
    /// ends the segment all the same: the error may be this file's own. Only an empty one is kept, or else deleted, so
    /// that a disk which refuses for long is not littered with them.
    fn end_after_error(&mut self, mut active: Active, start: u64) {
        let is_as_before = active.file.cut(start).is_ok() && active.len == start;
        match (start == HEADER_LEN as u64, is_as_before) {
            (true, true) => self.active = Some(active),
            (true, false) => drop(self.disk.remove(&segment::name(active.number))),
            (false, true) => {
                self.active = Some(active);
                self.seal();
            }
            // Nobody knows what is on the disk behind `start`; readers do not go there, and the next start looks.
            (false, false) => {}
        }
    }

    fn create(&mut self) -> io::Result<Active> {
        let number = self.next;
        let name = segment::name(number);
        // A number is used once, whatever becomes of its file.
        self.next = number.checked_add(1).ok_or_else(|| io::Error::other("there are no more segment numbers"))?;
        let created = match self.disk.create(&name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // The directory itself is gone.
                self.disk.claim()?;
                self.disk.create(&name)
            }
            created => created,
        };
        let mut file = created?;
        let written = write_all(&mut *file, &write_header(number));
        let named = written.and_then(|()| if self.options.fsync == Fsync::Never { Ok(()) } else { self.disk.sync() });
        if let Err(error) = named {
            // If it stays, the next start finds a segment without a record, and deletes it.
            let _ = self.disk.remove(&name);
            return Err(error);
        }
        Ok(Active { number, file, len: HEADER_LEN as u64 })
    }

    fn write(&mut self, active: &mut Active, received_ms: u64, batch: &[u8]) -> Result<(), WriteError> {
        let head = write_head(active.number, active.len, received_ms, batch);
        let head = head.ok_or_else(|| WriteError::Io(io::Error::other("the batch is too large for a record")))?;
        write_all(&mut *active.file, &head).map_err(WriteError::Io)?;
        write_all(&mut *active.file, batch).map_err(WriteError::Io)?;
        let len = active.len + (head.len() + batch.len()) as u64;
        if self.options.fsync == Fsync::Batch
            && let Err(error) = active.file.sync()
        {
            // A second sync might succeed without having written anything. So the segment gets no further record: its
            // length says that it is not as it was.
            active.len = len;
            self.sync_errors += 1;
            return Err(WriteError::Io(error));
        }
        if !self.disk.exists(&segment::name(active.number)).map_err(WriteError::Io)? {
            return Err(WriteError::Vanished);
        }
        active.len = len;
        Ok(())
    }
}

fn write_all(file: &mut dyn DiskFile, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.append(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or(&[]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
