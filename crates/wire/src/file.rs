//! The file form: [`FILE_MAGIC`], then one frame a batch: its length as a little-endian `u32`, then its bytes.
//!
//! A file that was cut off in the middle of a frame (the writer was killed, the disk was full) is readable up to there.

use crate::{Batch, DecodeError};
use std::fmt;

/// The first eight bytes of a file of batches.
pub const FILE_MAGIC: [u8; 8] = *b"trkside1";

/// The length field of a frame that holds `batch`.
pub fn frame_len(batch: &[u8]) -> Option<[u8; 4]> {
    u32::try_from(batch.len()).ok().map(u32::to_le_bytes)
}

/// Iterator over the batches of a file's bytes.
///
/// Ends after the last whole frame, or after the first error.
#[derive(Debug)]
pub struct FileBatches<'a> {
    bytes: &'a [u8],
    at: usize,
    failed: bool,
}

impl<'a> FileBatches<'a> {
    /// Reads the start of the file.
    ///
    /// # Errors
    /// [`FileError::NotAFile`] if `bytes` do not begin with [`FILE_MAGIC`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, FileError> {
        if bytes.starts_with(&FILE_MAGIC) {
            Ok(Self { bytes, at: FILE_MAGIC.len(), failed: false })
        } else {
            Err(FileError::NotAFile)
        }
    }

    fn frame(&mut self) -> Result<Option<Batch<'a>>, FileError> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let torn = FileError::TornTail { offset: self.at, len: rest.len() };
        let Some((len, body)) = rest.split_first_chunk::<4>() else { return Err(torn) };
        let Some(batch) = body.get(..u32::from_le_bytes(*len) as usize) else { return Err(torn) };
        let offset = self.at + 4;
        self.at = offset + batch.len();
        Batch::decode(batch).map(Some).map_err(|source| FileError::Batch { offset, source })
    }
}

impl<'a> Iterator for FileBatches<'a> {
    type Item = Result<Batch<'a>, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.frame().transpose();
        self.failed = matches!(item, Some(Err(_)));
        item
    }
}

/// Why a file of batches could not be read, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// The file does not begin with [`FILE_MAGIC`].
    NotAFile,
    /// The file ends in the middle of a frame: its writer was stopped. What came before is whole.
    TornTail {
        /// Where the torn frame begins.
        offset: usize,
        /// How many bytes of it there are.
        len: usize,
    },
    /// A frame holds something else than a batch.
    Batch {
        /// Where the batch begins.
        offset: usize,
        /// What is wrong with it; its offset counts from the batch's start.
        source: DecodeError,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::NotAFile => write!(f, "not a file of trackside batches: it does not begin with \"trkside1\""),
            FileError::TornTail { offset, len } => {
                write!(f, "the file ends inside a batch: {len} bytes from byte {offset} on are incomplete")
            }
            FileError::Batch { offset, source } => write!(f, "the batch at byte {offset} is damaged: {source}"),
        }
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FileError::Batch { source, .. } => Some(source),
            _ => None,
        }
    }
}
