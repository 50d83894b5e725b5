//! The time-stamp counter, read in place.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::sync::{AtomicBool, Ordering};

static USED: AtomicBool = AtomicBool::new(false);

/// The counter, if it is in use.
#[inline(always)]
pub(crate) fn read() -> Option<u64> {
    is_used().then(counter)
}

/// Whether the counter is in use. Who has found it so may go on reading it: it told the clock's ticks then, and does so
/// as long as the process runs.
#[inline(always)]
pub(super) fn is_used() -> bool {
    // Relaxed: whoever reads `false` for a moment longer takes the slower way to the same ticks.
    USED.load(Ordering::Relaxed)
}

/// Uses the counter if `clock` is nothing else: if what it says lies between two reads of the counter, ten times over.
/// Whether the counter can be trusted was then decided by the clock's maker.
pub(crate) fn use_if_agrees(clock: impl Fn() -> u64) {
    let agrees = || {
        let (before, told, after) = (counter(), clock(), counter());
        before != after && (before..=after).contains(&told)
    };
    USED.store((0..10).all(|_| agrees()), Ordering::Relaxed);
}

/// What the counter says, whether it can be trusted or not: only where [`is_used`] was found true.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn counter() -> u64 {
    // SAFETY: every x86-64 processor has this instruction, and Linux, macOS and Windows let programs use it; where one
    // does not, the same instruction in quanta's calibration has ended the program before.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn counter() -> u64 {
    0
}
