use std::time::Duration;

/// How the time of an event is told.
///
/// Timestamps are for people, and for how long locks were waited for and held: nothing that is found rests on them, and no
/// two events are ordered by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Timestamps {
    /// Each event reads the processor's time-stamp counter, or where that is not invariant, the system's clock. To the
    /// nanosecond, for the price of a clock read each. The default.
    #[default]
    Precise,
    /// Each event has the time that a thread of the client's, woken every `resolution`, last read. Costs a load instead of a
    /// clock read.
    ///
    /// An event's time is too early by up to `resolution`, and by however much later the system wakes the thread: on a
    /// machine whose processors are all busy, some milliseconds. Locks that are held for less seem to be held for no time. How
    /// long a lock is waited for is measured all the same.
    Coarse {
        /// How often the time is read: 100 us to 1 s.
        resolution: Duration,
    },
}
