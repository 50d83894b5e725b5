//! What the store asks of a file system: little enough that a model of one, which crashes at any operation, is short.

use std::{fmt, io};

/// A directory of files that are appended to and deleted.
pub(crate) trait Disk: fmt::Debug + Send + Sync {
    /// Makes sure that the directory exists, and that nobody else uses it.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] if somebody else does; anything else says that it cannot be made or looked into.
    fn claim(&self) -> io::Result<()>;

    /// Lets others use it.
    fn release(&self);

    /// The names of the files in it, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// A new file. An error if there is one of that name.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// An existing file, for reading.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Whether there is a file of that name.
    fn exists(&self, name: &str) -> io::Result<bool>;

    /// Cuts a file off behind its first `len` bytes.
    fn cut(&self, name: &str, len: u64) -> io::Result<()>;

    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns once the names of new files would survive a loss of power.
    fn sync(&self) -> io::Result<()>;
}

/// A file of a [`Disk`].
pub(crate) trait DiskFile: fmt::Debug + Send + Sync {
    fn len(&self) -> io::Result<u64>;

    /// Reads some bytes from `offset` on; none at the end of the file.
    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some of `bytes` behind what there is.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts the file off behind its first `len` bytes.
    fn cut(&mut self, len: u64) -> io::Result<()>;

    /// Returns once the file's bytes would survive a loss of power.
    fn sync(&mut self) -> io::Result<()>;
}
