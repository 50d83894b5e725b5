use std::fmt;
use std::io::{self, ErrorKind, Read};
use trackside_wire::{FILE_MAGIC, FileError};

/// The batches of a file, read one at a time: what [`FileBatches`](trackside_wire::FileBatches) is for bytes in memory.
#[derive(Debug)]
pub(crate) struct Frames<R> {
    reader: R,
    at: u64,
    batch: Vec<u8>,
}

/// Why no batch comes.
#[derive(Debug)]
pub(crate) enum ReadError {
    Io(io::Error),
    File(FileError),
}

impl<R: Read> Frames<R> {
    /// Reads the start of the file.
    pub(crate) fn new(mut reader: R) -> Result<Self, ReadError> {
        let mut magic = Vec::new();
        reader.by_ref().take(FILE_MAGIC.len() as u64).read_to_end(&mut magic)?;
        if magic != FILE_MAGIC {
            return Err(ReadError::File(FileError::NotAFile));
        }
        Ok(Self { reader, at: FILE_MAGIC.len() as u64, batch: Vec::new() })
    }

    /// The next batch, and where it begins. None at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &[u8])>, ReadError> {
        let start = self.at;
        // Memory is taken as bytes come, not as a length promises them.
        let mut read = |len: u64, into: &mut Vec<u8>| {
            into.clear();
            self.reader.by_ref().take(len).read_to_end(into)
        };
        let mut len = Vec::new();
        let torn = |len: usize| ReadError::File(FileError::TornTail { offset: clamped(start), len });
        if read(4, &mut len)? == 0 {
            return Ok(None);
        }
        let Some(len) = len.first_chunk::<4>() else { return Err(torn(len.len())) };
        let len = u32::from_le_bytes(*len);
        let there = read(u64::from(len), &mut self.batch)?;
        if (there as u64) < u64::from(len) {
            return Err(torn(4 + there));
        }
        self.at = start + 4 + u64::from(len);
        Ok(Some((start + 4, &self.batch)))
    }

    /// How many bytes were read up to the end of the last batch.
    pub(crate) fn position(&self) -> u64 {
        self.at
    }
}

/// An offset for a message.
pub(super) fn clamped(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        // A connection that is cut in the middle of an answer.
        Self::Io(if error.kind() == ErrorKind::UnexpectedEof {
            io::Error::new(ErrorKind::UnexpectedEof, "the connection was cut")
        } else {
            error
        })
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => error.fmt(f),
            ReadError::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {}

#[cfg(test)]
mod tests {
    use super::*;
    use trackside_wire::{FileBatches, frame_len};

    /// What comes of these bytes: the batches' lengths, and how it ends.
    fn read(bytes: &[u8]) -> (Vec<usize>, String) {
        let mut lens = Vec::new();
        let mut frames = match Frames::new(bytes) {
            Ok(frames) => frames,
            Err(error) => return (lens, error.to_string()),
        };
        loop {
            match frames.next() {
                Ok(Some((_, batch))) => lens.push(batch.len()),
                Ok(None) => return (lens, String::new()),
                Err(error) => return (lens, error.to_string()),
            }
        }
    }

    #[test]
    fn wherever_a_file_is_cut_it_ends_as_it_does_in_memory() {
        let mut file = FILE_MAGIC.to_vec();
        for batch in [&b"a batch"[..], b"", b"another one"] {
            file.extend(frame_len(batch).unwrap());
            file.extend(batch);
        }
        assert_eq!(read(&file), (vec![7, 0, 11], String::new()));
        for cut in 0..file.len() {
            let (lens, end) = read(&file[..cut]);
            let boundary = [8, 8 + 4 + 7, 8 + 4 + 7 + 4].iter().position(|at| *at == cut);
            assert_eq!(end.is_empty(), boundary.is_some(), "{cut}: {end}");
            assert!(boundary.is_none_or(|whole| lens.len() == whole));
            // These are no batches, so in memory the first whole one is an error; before that, the two agree.
            if cut < 8 + 4 + 7 {
                let expected = match FileBatches::new(&file[..cut]) {
                    Err(error) => error.to_string(),
                    Ok(mut batches) => batches.next().map_or(String::new(), |batch| batch.unwrap_err().to_string()),
                };
                assert_eq!(end, expected, "{cut}");
            }
        }
    }

    #[test]
    fn a_length_that_is_not_there_takes_no_memory() {
        let file = [&FILE_MAGIC[..], &u32::MAX.to_le_bytes(), b"short"].concat();
        let mut frames = Frames::new(&file[..]).unwrap();
        assert!(frames.next().is_err());
        assert!(frames.batch.capacity() < 1 << 20, "{}", frames.batch.capacity());
    }
}
