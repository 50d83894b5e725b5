//! Bits that are only ever added, and are read by those who come after what was done because of them.
//!
//! Who turns a gate adds the bit first, and threads look at gates, not at the bits. Such a thread may let something be
//! because of a gate, and another thread, which comes after it, record an event of which that one knows nothing. Who has
//! that event in hand and then reads the bits finds the gate's bit among them.
//!
//! Both sides are read-modify-writes, so one of them is first. If it is the addition, the reader has its bit. If it is the
//! reader, his Release pairs with the Acquire of the addition: all that he had in hand comes before the gate's turning,
//! and nobody whose events those are can have found it turned. Plain loads and stores would not do, and neither would
//! Relaxed: whoever hears of a gate has not heard of what was stored before it.

use super::sync::{AtomicU64, Ordering};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Sticky {
    bits: AtomicU64,
}

impl Sticky {
    /// No bit.
    pub(crate) fn new() -> Self {
        Self { bits: AtomicU64::new(0) }
    }

    /// Adds bits; to be called before anything is turned because of which they are added.
    pub(crate) fn add(&self, bits: u64) {
        // Acquire: pairs with the Release in `read`.
        self.bits.fetch_or(bits, Ordering::Acquire);
    }

    /// The bits added so far.
    pub(crate) fn read(&self) -> u64 {
        // Adds nothing. Release: pairs with the Acquire in `add`.
        self.bits.fetch_or(0, Ordering::Release)
    }
}
