use crate::{EventId, Kind, Kinds, Raw, RunId};

/// A decoded batch. Borrows its strings and values from the bytes it was decoded from.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// Who sent it, which batch it is, and what was lost so far.
    pub header: Header<'a>,
    /// The strings that the other tables and the events point into.
    pub strings: Vec<&'a str>,
    /// The source locations that events point into.
    pub sites: Vec<Site>,
    /// The strands that lanes point into.
    pub strands: Vec<Strand>,
    /// The lanes that events point into.
    pub lanes: Vec<Lane>,
    pub(crate) rows: Rows<'a>,
}

/// The undecoded event rows: already checked, so iterating cannot fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) count: usize,
}

/// What is constant for a whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// The run of the client that recorded the events.
    pub run: RunId,
    /// The number of this batch within its run; a receiver drops one it has stored before.
    pub batch: u64,
    /// The service's name.
    pub service: &'a str,
    /// The instance of the service.
    pub instance: &'a str,
    /// The environment it runs in, such as "production".
    pub environment: &'a str,
    /// Its process id.
    pub pid: u32,
    /// Tags of the user's own.
    pub tags: Vec<(&'a str, &'a str)>,
    /// Unix time in nanoseconds to which the events' times are added.
    pub base_unix_ns: u64,
    /// How many events the run had recorded when the batch was sealed, lost ones included.
    pub recorded: u64,
    /// How many of them were lost, by reason. Reasons with a count of zero are left out.
    pub lost: Vec<(&'a str, u64)>,
    /// How many contexts the run has had, so far, that record nothing but errors: those of traces that are not sampled,
    /// and, as one, all that is outside of any context, if that is not recorded.
    pub unsampled: u64,
    /// The kinds of events that were not recorded at some moment of the run so far: switched off for a while, never asked
    /// for, or all of them while the client was disabled. A kind that is merely not used is not among them.
    pub off: Kinds,
}

/// A place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Site {
    /// Index of the file's path in the batch's strings.
    pub file: u32,
    /// Line, from 1; 0 where a place has a name and no line.
    pub line: u32,
    /// Column, from 1; 0 where only the line is known.
    pub column: u32,
}

/// A line of execution: a thread's own, or a context that may move between threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strand {
    /// Its number, unique within the run. See [`ThreadId`](crate::ThreadId) for what it is called elsewhere.
    pub number: u64,
    /// The trace it belongs to.
    pub trace: u128,
    /// Its span; 0 for none.
    pub span: u64,
    /// The span it was called from; 0 for none.
    pub upstream: u64,
    /// Whether it was made from an incoming request and took over the span that the caller made for the call. Its forks
    /// share its trace and span, and are not entries.
    pub entry: bool,
    /// Index of its name in the batch's strings; nil for a thread's own strand.
    pub name: Option<u32>,
    /// The vector clock it began with: components (`service#instance`, as indices into the batch's strings) and their
    /// values. Its own component is there with its value before the strand's first event.
    pub clock: Vec<(u32, u64)>,
}

/// An unbroken run of events of one strand out of one ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The ring the events went through.
    pub ring: u16,
    /// The sequence number, in that ring, of the lane's first event.
    pub first_seq: u64,
    /// Index of its strand in the batch's strands.
    pub strand: u32,
    /// The step, within the strand, of the lane's first event. Steps order a strand's events, over all batches; they
    /// count from 0, dropped events included.
    pub first_step: u64,
    /// How many events of the strand were dropped just before the lane's first event.
    pub lost_before: u64,
    /// Index of the thread's name in the batch's strings.
    pub thread: Option<u32>,
    /// The ids of the locks held just before the first event; only filled after a loss, where it cannot be derived.
    pub held: Vec<u64>,
    /// What happens before the lane's first event: `(s, n)` stands for the first n events of the run's strand number s,
    /// those with the steps below n.
    pub after: Vec<(u64, u64)>,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Index of its lane.
    pub lane: u32,
    /// Its identity.
    pub id: EventId,
    /// Its place in its strand's program order.
    pub step: u64,
    /// What happened.
    pub kind: Kind,
    /// When, in nanoseconds since the header's `base_unix_ns`. For people: nothing may be ordered by it.
    pub time_ns: u64,
    /// Index of the source location in the batch's sites.
    pub site: Option<u32>,
    /// Index of the name in the batch's strings; what it names depends on the kind.
    pub name: Option<u32>,
    /// First value; see [`Kind`].
    pub a: Raw<'a>,
    /// Second value; see [`Kind`].
    pub b: Raw<'a>,
}

/// Iterator over the events of a batch, in the order they were recorded within each lane.
#[derive(Debug)]
pub struct Events<'a> {
    pub(crate) cursor: crate::cursor::Cursor<'a>,
    pub(crate) left: usize,
    /// Per lane: run, ring, and the sequence and step of its next event.
    pub(crate) next: Vec<(EventId, u64)>,
}
