use super::{Cause, Outcome, SealedBatch, Transport};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use trackside_wire::{FILE_MAGIC, RunId, frame_len};

/// How much of a service's name goes into a file name, in bytes.
const NAME_MAX: usize = 64;

/// Appends batches to a file, in the form that [`trackside_wire::FileBatches`] reads.
///
/// A batch counts as delivered once the operating system has taken all of it: it then survives the end of the process,
/// however that comes, but not a loss of power. The file is this transport's own; a second run never appends to it.
#[derive(Debug)]
pub struct FileTransport {
    path: PathBuf,
    frames: Frames<File>,
}

impl FileTransport {
    /// Creates the file, readable by its owner alone where the system knows owners.
    ///
    /// # Errors
    /// If something is at `path` already (a symbolic link included), or it cannot be created or written.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options);
        let frames = Frames::start(options.open(&path)?)?;
        Ok(Self { path, frames })
    }

    /// Creates the file `<service>-<run>.trackside` in `dir`. Characters of the service's name that do not belong in
    /// a file name become `_`.
    ///
    /// # Errors
    /// As [`FileTransport::create`].
    pub fn create_in(dir: impl AsRef<Path>, service: &str, run: RunId) -> io::Result<Self> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
        let name: String = service.chars().map(plain).take(NAME_MAX).collect();
        Self::create(dir.as_ref().join(format!("{name}-{run}.trackside")))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Transport for FileTransport {
    /// Writes without regard to `timeout`: a write to a file cannot be given one.
    fn send(&mut self, batch: &SealedBatch, _timeout: Duration) -> Outcome {
        let Some(len) = frame_len(&batch.bytes) else {
            return Outcome::TooLarge(Cause::new("a frame of a file holds at most 4 GiB"));
        };
        // One write for both parts: a frame is there or it is not, as far as the system lets us have it so.
        let frame = [&len[..], &batch.bytes[..]].concat();
        match self.frames.append(&frame) {
            Ok(()) => Outcome::Delivered,
            Err(error) => Outcome::Retry { after: None, cause: Cause::new(format!("could not write: {error}")) },
        }
    }

    fn destination(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

/// What [`Frames`] needs of a file.
trait Store {
    /// Writes all of `bytes` at the end, or fails with some of it written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts everything off behind `len`; what is appended next comes there.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

impl Store for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.seek(SeekFrom::Start(len)).map(drop)
    }
}

/// A store that ends with a whole frame whenever that can be had.
#[derive(Debug)]
struct Frames<S> {
    store: S,
    /// The length up to and including the last whole frame.
    end: u64,
    /// Whether something may stand behind `end`: half a frame that could not be cut off yet.
    torn: bool,
}

impl<S: Store> Frames<S> {
    fn start(store: S) -> io::Result<Self> {
        let mut frames = Self { store, end: 0, torn: false };
        frames.append(&FILE_MAGIC)?;
        Ok(frames)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.mend()?;
        match self.store.append(bytes) {
            Ok(()) => {
                self.end += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // At once, so that the file is readable should the process end here. If even that fails, the next
                // append tries again before it writes: a frame behind half a frame would be lost to every reader.
                self.torn = true;
                let _ = self.mend();
                Err(error)
            }
        }
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.store.truncate(self.end)?;
            self.torn = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::testing::{RUN, batch};
    use trackside_wire::FileBatches;

    /// A store on a disk with room for `room` bytes, on which cutting fails `stuck` times.
    struct FullDisk {
        bytes: Vec<u8>,
        room: usize,
        stuck: u32,
    }

    impl Store for FullDisk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let fits = bytes.len().min(self.room.saturating_sub(self.bytes.len()));
            self.bytes.extend_from_slice(&bytes[..fits]);
            if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }

        fn truncate(&mut self, len: u64) -> io::Result<()> {
            if self.stuck > 0 {
                self.stuck -= 1;
                return Err(io::Error::other("stuck"));
            }
            self.bytes.truncate(usize::try_from(len).unwrap());
            Ok(())
        }
    }

    fn frame(number: u64) -> Vec<u8> {
        let batch = batch(number, 2);
        [&frame_len(&batch.bytes).unwrap()[..], &batch.bytes[..]].concat()
    }

    #[test]
    fn a_disk_that_is_full_at_any_byte_leaves_a_readable_file() {
        let (first, second) = (frame(1), frame(2));
        for stuck in [0, 1, 2] {
            for short in 0..second.len() {
                let room = FILE_MAGIC.len() + first.len() + short;
                let mut frames = Frames::start(FullDisk { bytes: vec![], room, stuck }).unwrap();
                frames.append(&first).unwrap();
                assert!(frames.append(&second).is_err());
                assert!(frames.append(&second).is_err());
                frames.store.room = usize::MAX;
                if frames.append(&second).is_err() {
                    frames.append(&second).unwrap();
                }
                let read: Vec<_> = FileBatches::new(&frames.store.bytes).unwrap().map(Result::unwrap).collect();
                assert_eq!(read.iter().map(|batch| batch.header.batch).collect::<Vec<_>>(), [1, 2]);
            }
        }
    }

    #[test]
    fn half_a_frame_is_cut_off_at_once() {
        let first = frame(1);
        let room = FILE_MAGIC.len() + first.len() + 10;
        let mut frames = Frames::start(FullDisk { bytes: vec![], room, stuck: 0 }).unwrap();
        frames.append(&first).unwrap();
        assert!(frames.append(&frame(2)).is_err());
        assert_eq!(frames.store.bytes.len(), FILE_MAGIC.len() + first.len());
    }

    #[test]
    fn a_file_holds_what_was_sent_and_is_never_taken_over() {
        let dir = std::env::temp_dir().join(format!("trackside-file-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let mut transport = FileTransport::create_in(&dir, "../a b/é", RUN).unwrap();
        assert_eq!(transport.path().file_name().unwrap().to_str().unwrap(), format!("___a_b__-{RUN}.trackside"));
        for number in 1..4 {
            assert_eq!(transport.send(&batch(number, number), Duration::ZERO), Outcome::Delivered);
        }
        let error = FileTransport::create_in(&dir, "../a b/é", RUN).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_private(transport.path());
        let bytes = std::fs::read(transport.path()).unwrap();
        let read: Vec<_> = FileBatches::new(&bytes).unwrap().map(|batch| batch.unwrap().len()).collect();
        assert_eq!(read, [1, 2, 3]);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[cfg(unix)]
    fn assert_private(path: &Path) {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(not(unix))]
    fn assert_private(_: &Path) {}
}
