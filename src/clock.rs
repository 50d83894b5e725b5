//! Timestamps: raw ticks on the hot path, nanoseconds of Unix time in the flusher.
//!
//! Ticks are the processor's time-stamp counter where it is invariant, else the system's monotonic clock; which of them,
//! and how long a tick is, is quanta's business. Only the read itself is our own ([`crate::ring::tsc`]), because quanta's
//! is a call that is not inlined. Timestamps are for people: no ordering decision ever rests on them.

use crate::ring::tsc;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

static CLOCK: OnceLock<quanta::Clock> = OnceLock::new();

/// Finds out how long a tick is. Takes about a millisecond the first time; called when a client is built.
pub(crate) fn calibrate() {
    let clock = CLOCK.get_or_init(quanta::Clock::new);
    tsc::use_if_agrees(|| clock.raw());
}

/// Now, in ticks. 0 before the first [`calibrate`].
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    tsc::read().unwrap_or_else(other_ticks)
}

#[cold]
fn other_ticks() -> u64 {
    CLOCK.get().map_or(0, quanta::Clock::raw)
}

/// Nanoseconds since `start`, which [`ticks`] has told.
pub(crate) fn elapsed_ns(start: u64) -> u64 {
    CLOCK.get().map_or(0, |clock| clock.delta_as_nanos(start, clock.raw()))
}

/// One moment, in ticks and in Unix time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor {
    pub(crate) ticks: u64,
    pub(crate) unix_ns: u64,
}

impl Anchor {
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { ticks: ticks(), unix_ns: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) }
    }
}

/// How long a tick is: nanoseconds per 2^32 ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale(u64);

impl Scale {
    /// The scale of [`ticks`].
    pub(crate) fn measured() -> Self {
        Self(CLOCK.get().map_or(1 << 32, |clock| clock.delta_as_nanos(0, 1 << 32)))
    }

    /// Nanoseconds from `from` to `to`; 0 if `to` is earlier.
    #[inline(always)]
    pub(crate) fn ns_between(self, from: u64, to: u64) -> u64 {
        let product = u128::from(to.saturating_sub(from)) * u128::from(self.0);
        (product >> 32) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_ticks_is_a_second() {
        let scale = Scale(1 << 31);
        assert_eq!(scale.ns_between(10, 10 + 2_000_000_000), 1_000_000_000);
        assert_eq!(scale.ns_between(10, 9), 0);
        assert_eq!(Scale(1 << 32).ns_between(0, u64::MAX), u64::MAX);
    }

    #[test]
    fn ticks_never_run_backwards_on_one_thread() {
        calibrate();
        let mut last = ticks();
        for _ in 0..10_000 {
            let now = ticks();
            assert!(now >= last);
            last = now;
        }
    }
}
