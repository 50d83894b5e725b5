//! The locks that tracked atomics share: see [`super::version`].

use super::section;
use super::sync::AtomicU64;
use super::version::Stripe;
use crossbeam_utils::CachePadded;

/// How many there are, as bits. Two atomics that are written to at the same time wait for each other only if they share one.
const BITS: u32 = 8;

static STRIPES: [CachePadded<Stripe>; 1 << BITS] =
    [const { CachePadded::new(Stripe::new(AtomicU64::new(0))) }; 1 << BITS];

/// The stripe of what is at this place in memory.
#[inline(always)]
pub(crate) fn of<T>(object: &T) -> &'static Stripe {
    // The multiplication takes all of the address into the upper bits (Fibonacci hashing).
    let mixed = (std::ptr::from_ref(object).addr() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    &STRIPES[(mixed >> (u64::BITS - BITS)) as usize]
}

/// Nobody holds any, in a child that was just forked. Only stores: it runs in a fork handler.
pub(super) fn free_after_fork() {
    // A signal handler may have forked, in the middle of an operation that will give its stripe back by itself.
    if !section::is_inside() {
        STRIPES.iter().for_each(|stripe| stripe.free());
    }
}
