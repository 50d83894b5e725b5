//! The time-stamp counter as the SDK reads it: what a raw read is.

#[expect(
    dead_code,
    unused_imports,
    clippy::disallowed_types,
    reason = "two files of the ring are included as they are; the SDK uses the rest of them"
)]
#[path = "../../src/ring"]
mod ring {
    pub(crate) mod sync;
    pub(crate) mod tsc;
}

pub(crate) use ring::tsc::counter;

/// Whether the SDK reads the processor's counter in place on this machine; if not, its numbers are those of another
/// clock. Asked after a client was built.
pub(crate) fn counter_is_used() -> bool {
    let clock = quanta::Clock::new();
    ring::tsc::use_if_agrees(|| clock.raw());
    ring::tsc::read().is_some()
}
