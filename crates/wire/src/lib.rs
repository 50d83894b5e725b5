//! The native batch format of `trackside`, version 1: what the SDK sends and the collector reads.
//!
//! A batch is one positional MessagePack array
//!
//! ```text
//! [version, header, strings, sites, strands, lanes, events]
//! header  = [run, batch, service, instance, environment, pid, {tag: value}, base_unix_ns, recorded, {reason: lost},
//!            unsampled, off]
//! strings = ["accounts.alice", ...]
//! sites   = [[file, line, column], ...]                       file points into strings
//! strands = [[number, trace, span, upstream, entry, name, [[component, count], ...]], ...]
//! lanes   = [[ring, first_seq, strand, first_step, lost_before, thread, [held lock id, ...], [[strand, steps], ...]], ...]
//! events  = [[lane, kind, time, site, name, a, b], ...]
//! ```
//!
//! What the header counts is of the run so far, and only ever grows: `recorded` and `lost` say which events there were,
//! `unsampled` and `off` what there may have been beside them. `unsampled` is the number of contexts that record nothing
//! but errors; `off` has a bit for each [`Kind`] that was not recorded at some moment ([`Kinds`]). Who reads a record
//! in which either is other than 0 must not take what is not in it for what did not happen.
//!
//! A *strand* is one line of execution: a thread's own, or a context that may move between threads. The table has each
//! strand that a lane of the batch belongs to, so a batch can be read without any other.
//!
//! A *lane* is an unbroken run of events of one strand out of one ring. The n-th event of a lane (from 0) has the
//! sequence number `first_seq + n` in its ring and the step `first_step + n` in its strand, so ids and program order
//! cost no bytes per event. What a lane's first event comes after, beside its own strand's earlier events, stands in the
//! lane as pairs of a strand of the same run and a number of its steps: no event on the other side is needed. `time` is nanoseconds since `base_unix_ns`; it is for people, nothing is ordered by it.
//! `site` and `name` point into `sites` and `strings`, or are nil. A site whose column is 0 tells the line alone. What `a` and `b` hold depends on [`Kind`].
//!
//! The reader ([`Batch::decode`]) borrows from the bytes it was given, checks every index and length before use, and
//! allocates at most a constant factor of the input's own length.
//!
//! This crate does no I/O.

mod ack;
mod cursor;
mod error;
mod file;
mod id;
mod kind;
mod kinds;
mod model;
mod pack;
mod read;
mod split;
mod time;
mod value;
mod write;

pub use ack::Ack;
pub use error::DecodeError;
pub use file::{FILE_MAGIC, FileBatches, FileError, frame_len};
pub use id::{EventId, RunId, ThreadId};
pub use kind::{Access, Kind};
pub use kinds::Kinds;
pub use model::{Batch, Event, Events, Header, Lane, Site, Strand};
pub use pack::{Open, Packer};
pub use time::UnixNanos;
pub use value::{CUT_EXT, Raw, Value};
pub use write::{BatchHead, Row, write_head, write_row};

/// The version of the format that this crate reads and writes; the first element of every batch.
pub const VERSION: u8 = 1;

/// The media type of a native batch, and of the acknowledgement that answers it.
pub const MEDIA_TYPE: &str = "application/vnd.trackside.v1+msgpack";
