use super::directory::Directory;
use super::disk::Disk as _;
use super::recover::header;
use super::scan::{Found, Scanner};
use super::segment::{self, Header};
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Reads the batches in a collector's directory, oldest first, and changes nothing there: a collector may be writing into it
/// meanwhile. What is there twice comes twice; the analysis takes each event once.
///
/// # Examples
/// ```
/// # let directory = std::env::temp_dir().join(format!("trackside-reader-{}", std::process::id()));
/// trackside_collector::Collector::builder().store(&directory).start()?.shutdown();
/// let mut stored = trackside_collector::StoreReader::open(&directory)?;
/// assert!(stored.next().is_none() && stored.damage().is_none());
/// # std::fs::remove_dir_all(directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StoreReader {
    directory: Directory,
    segments: VecDeque<u64>,
    open: Option<Scanner>,
    bytes: u64,
    damage: StoreDamage,
}

/// What a [`StoreReader`] has come across so far that is no batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreDamage {
    /// Stretches of segments that hold no whole batch: damaged, or being written.
    pub damaged: u64,
    /// The bytes of these stretches.
    pub damaged_bytes: u64,
    /// Segments that could not be read, or not to their end, or that are of another version.
    pub unreadable_segments: u64,
}

impl StoreDamage {
    /// Whether there was none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl StoreReader {
    /// Looks into a directory.
    ///
    /// # Errors
    /// It cannot be looked into, or nothing in it says that a collector has used it ([`ErrorKind::InvalidData`]).
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let directory = Directory::new(path);
        let names = directory.list()?;
        let mut segments: Vec<u64> = names.iter().filter_map(|name| segment::number(name)).collect();
        if segments.is_empty() && !names.iter().any(|name| name == "lock") {
            return Err(io::Error::new(ErrorKind::InvalidData, "no collector has stored anything there"));
        }
        segments.sort_unstable();
        let sizes = segments.iter().filter_map(|number| path.join(segment::name(*number)).metadata().ok());
        let bytes = sizes.map(|metadata| metadata.len()).sum();
        Ok(Self { directory, segments: segments.into(), open: None, bytes, damage: StoreDamage::default() })
    }

    /// How many bytes the segments had when the directory was looked into: somewhat more than their batches have.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it has come across so far that is no batch.
    pub fn damage(&self) -> StoreDamage {
        self.damage
    }

    fn scanner(&self, number: u64) -> io::Result<Option<Scanner>> {
        let mut file = match self.directory.open(&segment::name(number)) {
            // It was deleted meanwhile, for its age or to make room.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let len = file.len()?;
        let salt = match header(&mut *file, len)? {
            None => return Ok(None),
            Some(Header::Foreign) => return Err(ErrorKind::InvalidData.into()),
            Some(Header::Damaged) => number,
            Some(Header::Whole(salt)) => salt,
        };
        Ok(Some(Scanner::new(file, salt, len)))
    }
}

impl Iterator for StoreReader {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        loop {
            let Some(scanner) = &mut self.open else {
                let number = self.segments.pop_front()?;
                match self.scanner(number) {
                    Ok(scanner) => self.open = scanner,
                    Err(_) => self.damage.unreadable_segments += 1,
                }
                continue;
            };
            match scanner.next() {
                Ok(Some(Found::Record { batch, .. })) => return Some(Bytes::copy_from_slice(batch)),
                Ok(Some(Found::Damaged(range))) => {
                    self.damage.damaged += 1;
                    self.damage.damaged_bytes += range.end - range.start;
                }
                Ok(None) => self.open = None,
                Err(_) => {
                    self.open = None;
                    self.damage.unreadable_segments += 1;
                }
            }
        }
    }
}
