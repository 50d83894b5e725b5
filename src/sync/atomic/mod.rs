//! [`std::sync::atomic`], whose operations tell the record what they read from one another.
//!
//! Changing `use std::sync::atomic::...` to `use trackside::sync::atomic::...` is all: same names, same methods, same
//! orderings, same panics, and `const fn new` for statics. What comes in addition: each store and update has a *number*, its
//! place in the atomic's modification order, and each load tells the number of the write whose value it read. So what
//! happens before what by acquire and release is known exactly, whatever the clocks say: with the orderings that the
//! program asked for, not with those that the processor happened to give. [`fence`] is recorded as well.
//!
//! Like tracked locks they record into the client that was built last (see [`Builder::record_locks`]), as
//! [`Kind::AtomicLoad`], [`Kind::AtomicStore`], [`Kind::AtomicUpdate`] and [`Kind::MemoryFence`]; a compare-exchange that
//! fails is a load. An atomic is called after the place where it was made, or as `named` says.
//!
//! # What it costs
//!
//! While no client takes anything, an operation is std's and one relaxed load. While one does, it is an event like any
//! other, and a write takes three atomic read-modify-writes more, which keep the numbers: writers of one atomic take turns
//! for the length of a few instructions, and so do loads that writers keep getting ahead of, and one atomic in 256 with
//! another. Who waits leaves the processor to others ten thousand times at most, and then goes ahead without a number. A
//! kind of event that is turned off is not recorded, but writes still get their numbers: what is recorded of the rest
//! stays right.
//!
//! Without the feature `tracked`, nothing: an atomic is std's.
//!
//! # What is not told
//!
//! Nothing that is wrong. Where a number cannot be known for certain, it is missing from the record:
//!
//! - A signal handler that comes in the middle of an operation of its own thread does not wait for it. It operates on the
//!   value at once; neither operation is recorded, and both are counted, as
//!   [`Lost::reentrant`](crate::Lost::reentrant).
//! - What is written while nobody records has no number. Whenever a client begins to, each atomic is a new one to it, and its
//!   value is what it happens to be. An operation that is under way on another thread at that very moment may be done
//!   as if it were before, and then is not told from the write that it followed.
//! - `get_mut`, `into_inner`, `as_ptr` and `Debug` record nothing, and what is written by way of them has no number.
//!
//! # What is not here
//!
//! What unsafe code may do with std's atomics, it may do with these, in two cases: an atomic may be made of zeroed memory,
//! which is one with the value 0 and no name; and its memory may be freed as soon as a write to it is seen, as the last
//! decrement of a count of references does.
//!
//! But a tracked atomic is larger than its value. So a plain value in memory cannot be taken for one: there is no `from_ptr`, and
//! no `from_mut`; nor can an atomic be transmuted, or shared with other processes or other languages. `as_ptr` points to
//! the value alone.
//!
//! # Examples
//!
//! ```
//! use trackside::sync::atomic::{AtomicBool, AtomicU64, Ordering};
//!
//! static READY: AtomicBool = AtomicBool::named("ready", false);
//! static ANSWER: AtomicU64 = AtomicU64::new(0);
//!
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         ANSWER.store(42, Ordering::Relaxed);
//!         READY.store(true, Ordering::Release);
//!     });
//!     while !READY.load(Ordering::Acquire) {
//!         std::hint::spin_loop();
//!     }
//!     assert_eq!(ANSWER.load(Ordering::Relaxed), 42);
//! });
//! ```
//!
//! [`Builder::record_locks`]: crate::Builder::record_locks
//! [`Kind::AtomicLoad`]: crate::Kind::AtomicLoad
//! [`Kind::AtomicStore`]: crate::Kind::AtomicStore
//! [`Kind::AtomicUpdate`]: crate::Kind::AtomicUpdate
//! [`Kind::MemoryFence`]: crate::Kind::MemoryFence

mod boolean;
mod common;
mod free;
mod integer;
#[cfg_attr(not(feature = "tracked"), path = "unnumbered.rs")]
mod numbered;
mod pointer;
mod serial;

pub use boolean::AtomicBool;
pub use free::fence;
#[expect(deprecated, reason = "std has them still, and who uses them is told by std's own words")]
pub use free::{ATOMIC_BOOL_INIT, ATOMIC_ISIZE_INIT, ATOMIC_USIZE_INIT};
pub use integer::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
};
pub use pointer::AtomicPtr;
#[expect(deprecated, reason = "std has it still")]
pub use std::sync::atomic::spin_loop_hint;
pub use std::sync::atomic::{Ordering, compiler_fence};
