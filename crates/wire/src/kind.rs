use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// What an event says happened; the second element of its row.
        ///
        /// Each kind's documentation says what the row's `name`, `a` and `b` hold.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $name = $code,)*
        }

        impl Kind {
            /// Every kind of this version, by ascending code.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The kind with this code, if this version has one.
            pub const fn from_code(code: u8) -> Option<Kind> {
                match code {
                    $($code => Some(Kind::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A plain read of `name`: `a` is nil, `b` the value read.
    Read = 0,
    /// A plain write of `name`: `a` is the value before (nil if unknown), `b` the value after.
    Write = 1,
    /// An atomic read; as [`Kind::Read`].
    AtomicRead = 2,
    /// An atomic write; as [`Kind::Write`].
    AtomicWrite = 3,
    /// An atomic read-modify-write; as [`Kind::Write`].
    AtomicRmw = 4,
    /// A call of function `name`: `a` is its module, `b` its arguments (any value).
    FunctionCall = 5,
    /// A return from function `name`: `a` is the value returned (nil if unknown, and the text `<panicked>` or `<dropped>`
    /// for a function that panicked, or a future that was dropped before it was done), `b` the duration in nanoseconds or nil.
    FunctionReturn = 6,
    /// An HTTP request with method `name`: `a` is the URL, `b` is `[headers, body]`, each a value or nil.
    HttpRequest = 7,
    /// An HTTP response: `a` is the status, `b` is `[headers, body, duration in nanoseconds]`, each a value or nil.
    HttpResponse = 8,
    /// A task called `name` is about to be started: `a` is the task id. Everything before it happens before
    /// the [`Kind::TaskBegin`] of the same id.
    AsyncSpawn = 9,
    /// The first event of a task on the strand that runs it: `a` is the task id.
    TaskBegin = 10,
    /// The last event of a task on the strand that ran it: `a` is the task id. A task that is a strand of its own begins
    /// and ends without events of these kinds: its id is the strand's number, and what orders it stands in
    /// [`Lane::after`](crate::Lane::after).
    TaskEnd = 11,
    /// A task was waited for and has ended: `a` is the task id. The [`Kind::TaskEnd`] of the same id happens before it.
    AsyncAwait = 12,
    /// A lock called `name` was acquired: `a` is its id, or nil when the lock is known by name alone; `b` is
    /// `[sequence, type]`: the acquisition's number on that lock (nil if unknown), and "Mutex", "RwLock-Read",
    /// "RwLock-Write" or other free text. Acquisition n happens after the release of n - 1. An acquisition that had to wait
    /// for others has a third element: for how long, in nanoseconds.
    ///
    /// A type that ends in "Read" is that of a lock which several may hold at once; behind that, "-Try", as in "Mutex-Try"
    /// or "RwLock-Read-Try", says of an acquisition that it would have given up instead of waiting: it cannot be part of a
    /// deadlock as the one who waits. The release may have the ending or not. What begins with "tokio-" ("tokio-Mutex",
    /// "tokio-RwLock-Read", "tokio-RwLock-Write") is a lock of tasks: it may be held across an await, from one thread to the
    /// next, and be released by another strand than the one that acquired it.
    LockAcquire = 13,
    /// A lock was released; as [`Kind::LockAcquire`], with the sequence of the acquisition it ends, whichever strand that
    /// is on. The acquisition happens before.
    LockRelease = 14,
    /// A memory fence: `a` is "Relaxed", "Acquire", "Release", "AcqRel" or "SeqCst".
    MemoryFence = 15,
    /// A database query: `a` is its text, `b` is `[database, duration in nanoseconds]`.
    DatabaseQuery = 16,
    /// A database result: `a` is the number of rows affected.
    DatabaseResult = 17,
    /// An error of type `name`: `a` is its message, `b` nil or an array of lines: the errors behind it, each `caused by: ...`,
    /// then stack frames, innermost first. If there were more, the last element is a cut value without text.
    Error = 18,
    /// An event of the user's own, called `name`: `a` is its data.
    Custom = 19,
    /// Headers for a call to another service were made: `a` is the span id they carry. This happens before the first
    /// event of each *entry* strand, of any run, with this trace and span.
    CallSent = 20,
    /// The reply to a call has come: `a` is the span id that its headers carried. If exactly one entry strand has this
    /// trace and span, its last [`Kind::HttpResponse`] happens before, if it has one.
    CallReturned = 21,
    /// A message was sent on a channel called `name`: `a` is the channel's id, `b` is `[number, type]`, the message's number
    /// on that channel and free text such as "mpsc". This happens before each [`Kind::MessageReceived`] of the same channel
    /// and number.
    MessageSent = 22,
    /// A message was received; as [`Kind::MessageSent`].
    MessageReceived = 23,
    /// An object called `name` that synchronises and is not a lock (a barrier, a once, a thread's token) was signalled: `a`
    /// is its id, `b` is `[number, type]`. This happens before each [`Kind::SyncAcquire`] of the same object with this number
    /// or a higher one. Several releases may have one number.
    SyncRelease = 24,
    /// A signal was noticed; as [`Kind::SyncRelease`].
    SyncAcquire = 25,
    /// A tracked atomic called `name` was loaded: `a` is its id, `b` is `[number, ordering, value]`. The number is that of
    /// the store or update whose value was read, 0 for the atomic's first value; the ordering is one of those of
    /// [`Kind::MemoryFence`]. A compare-exchange that failed is a load.
    AtomicLoad = 26,
    /// A tracked atomic was stored to; as [`Kind::AtomicLoad`], with the value stored. The stores and updates of one atomic
    /// are numbered from 1 in its modification order.
    AtomicStore = 27,
    /// A tracked atomic was updated by a read-modify-write: `b` is `[number, ordering, old, new]`. It read the value of the
    /// number before its own.
    AtomicUpdate = 28,
    /// The future that runs as this strand was not ready, and whoever polls it goes on with something else: what the strand
    /// holds by then, it holds across an await. No name, no arguments and no place. Recorded where the strand may hold a
    /// lock (that it does follows from its [`Kind::LockAcquire`]s, and need not be so), once until it records anything else.
    Suspended = 29,
    /// A lock is about to be waited for, by a client that watches for deadlocks: `b` is `[nil, type]`, as in
    /// [`Kind::LockAcquire`]. Which lock that is, is not known yet, and `a` is nil, unless the wait closes a circle, and so
    /// will never end. Then `a` is the lock's id, and `b` has a third element: an array of `[strand, lock's id]`, this strand
    /// first. Each of them waits, by its last event of this kind, for this lock, which the next one holds, and the last one
    /// for a lock that this one holds.
    LockWait = 30,
}

impl Kind {
    /// The code that stands in the row.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// How the event touches a variable, if it is an access.
    pub const fn access(self) -> Option<Access> {
        match self {
            Kind::Read => Some(Access::Read),
            Kind::Write => Some(Access::Write),
            Kind::AtomicRead => Some(Access::AtomicRead),
            Kind::AtomicWrite => Some(Access::AtomicWrite),
            Kind::AtomicRmw => Some(Access::AtomicRmw),
            _ => None,
        }
    }
}

/// How a state change touches its variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// A plain read.
    Read,
    /// A plain write.
    Write,
    /// An atomic load.
    AtomicRead,
    /// An atomic store.
    AtomicWrite,
    /// An atomic read-modify-write.
    AtomicRmw,
}

impl Access {
    /// The kind of event that records this access.
    pub const fn kind(self) -> Kind {
        match self {
            Access::Read => Kind::Read,
            Access::Write => Kind::Write,
            Access::AtomicRead => Kind::AtomicRead,
            Access::AtomicWrite => Kind::AtomicWrite,
            Access::AtomicRmw => Kind::AtomicRmw,
        }
    }

    /// Whether the access changes the variable.
    pub const fn is_write(self) -> bool {
        matches!(self, Access::Write | Access::AtomicWrite | Access::AtomicRmw)
    }

    /// Whether the access is atomic, and so cannot race with another atomic one.
    pub const fn is_atomic(self) -> bool {
        matches!(self, Access::AtomicRead | Access::AtomicWrite | Access::AtomicRmw)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::AtomicRead => "atomic read",
            Access::AtomicWrite => "atomic write",
            Access::AtomicRmw => "atomic read-modify-write",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_dense_and_round_trip() {
        for (at, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(usize::from(kind.code()), at);
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
        }
        assert_eq!(Kind::from_code(Kind::ALL.len() as u8), None);
    }
}
