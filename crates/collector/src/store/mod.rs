//! What has been accepted: in memory, or in segment files on a disk.
//!
//! A batch is *stored* when it brings an event that is not known yet, or is empty and bears a new number (its header
//! still tells of losses). Anything else is a *duplicate*: acknowledged, since its events are stored, but not kept.
//! Which events are known rests on event ids alone. A batch number that comes twice with different events is stored
//! twice: an event may never be acknowledged without being stored.
//!
//! # Two locks
//!
//! Whatever changes what is stored goes through one lock, the *medium*, which is held while the disk is written. What
//! is stored, and the index over it, is in the *books*, under a second lock that is never held across a disk operation:
//! so statistics and queries are answered while a disk hangs. The medium is taken first.
//!
//! # On disk
//!
//! A directory holds segments, `<number>.segment`, read in the order of their numbers. Each begins with a header and
//! goes on with records, one a batch; integers are little-endian:
//!
//! ```text
//! header = "trkseg" 0 1 | number u64 | 0 u32 | CRC-32 of these u32
//! record = c1 "tk" 1 | length u32 | received, in Unix ms, u64 | CRC-32 of the batch u32 | CRC-32 of the head u32 | batch
//! ```
//!
//! The checksum of a record's head begins with the segment's number and the record's offset. So nothing is taken for a
//! record that was not written at that very place: neither a piece of a file inside a batch nor what a reused disk block
//! held before. A head that is whole says where the next record begins, whatever became of its batch; where it is not,
//! the reader looks for the next head that is.
//!
//! Segments are only appended to, and deleted as a whole, the oldest first. There is no index on disk: at the start, all
//! segments are read and the index over them is built anew, so it cannot disagree with them, in whatever order a crash
//! left things. A segment from before a start is never appended to.
//!
//! **Invariant:** a batch is acknowledged only after its record is written as a whole, and, if so configured, synced.
//! **Invariant:** what is known to the index is written. A record may be written and not known: its batch was not
//! acknowledged. The next start either finds it whole or cuts it off.
//! **Invariant:** memory is bounded by [`Capacity`]: batches on disk are read one at a time.

mod batches;
mod books;
mod directory;
mod disk;
mod index;
mod intervals;
mod log;
mod reader;
mod recover;
mod scan;
mod segment;
mod shared;
mod unit;

pub use batches::Batches;
pub(crate) use books::Capacity;
pub(crate) use directory::Directory;
pub use log::Fsync;
pub(crate) use log::LogOptions;
pub use reader::{StoreDamage, StoreReader};
pub(crate) use recover::recover;
pub(crate) use shared::{Store, StoreError};

#[cfg(test)]
mod tests;
