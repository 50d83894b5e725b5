//! The facade over what loom replaces. `loom-tests` supplies a module of the same name made of loom's types and
//! includes the other files by path, so product code has no `cfg(loom)`.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]
#![expect(clippy::disallowed_types, reason = "this is the facade that the lint points to")]

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use crossbeam_utils::sync::{Parker, Unparker};
use std::sync::atomic::compiler_fence;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// One word of a ring. Loom's twin reports every unsynchronised pair of accesses to it.
#[derive(Debug, Default)]
#[repr(transparent)]
pub(crate) struct Word(std::cell::UnsafeCell<u64>);

impl Word {
    /// Reads the word.
    ///
    /// # Safety
    /// No other thread may write it at the same time.
    #[inline(always)]
    pub(crate) unsafe fn read(&self) -> u64 {
        // SAFETY: the caller rules out a concurrent write; the cell is alive as long as `self`.
        unsafe { *self.0.get() }
    }

    /// Writes the word.
    ///
    /// # Safety
    /// No other thread may read or write it at the same time.
    #[inline(always)]
    pub(crate) unsafe fn write(&self, word: u64) {
        // SAFETY: the caller rules out any concurrent access; the cell is alive as long as `self`.
        unsafe { *self.0.get() = word }
    }
}

/// Copies bytes over the words from `at` on, little-endian. What the last word has behind them means nothing.
///
/// # Safety
/// From `at` on there must be words enough, which no other thread may read or write at the same time.
#[inline(always)]
pub(crate) unsafe fn copy_in(words: &[Word], at: usize, bytes: &[u8]) {
    let from = bytes.as_ptr();
    let to = words.as_ptr().wrapping_add(at).cast::<u8>().cast_mut();
    let len = bytes.len();
    // Names have some ten to fifty bytes. For these, two copies of a fixed length that overlap in the middle are far
    // less than a call of memcpy, or than a loop which the compiler unrolls for lengths that never come.
    let copy = |at: usize, size: usize| {
        // SAFETY: every call below has `at + size <= len`: in the source that is the slice; in the target, by the caller's
        // promise, words that are his alone. They do not overlap, since nobody else refers to those words.
        unsafe { std::ptr::copy_nonoverlapping(from.wrapping_add(at), to.wrapping_add(at), size) }
    };
    if len >= 16 {
        let mut at = 0;
        while at + 16 < len {
            copy(at, 16);
            at += 16;
            // Keeps the compiler from making the loop the very call that it is there to avoid.
            compiler_fence(Ordering::SeqCst);
        }
        copy(len - 16, 16);
    } else if len >= 8 {
        copy(0, 8);
        copy(len - 8, 8);
    } else if len >= 4 {
        copy(0, 4);
        copy(len - 4, 4);
    } else {
        for at in 0..len {
            copy(at, 1);
            compiler_fence(Ordering::SeqCst);
        }
    }
}

/// `len` words of zero, in memory that the system need not touch before it is used.
pub(crate) fn words(len: usize) -> Box<[Word]> {
    let zeroed: Box<[u64]> = vec![0; len].into_boxed_slice();
    let raw = Box::into_raw(zeroed) as *mut [Word];
    // SAFETY: Word is a transparent wrapper around u64, so the allocation's layout and contents are valid for it.
    unsafe { Box::from_raw(raw) }
}

/// Locks, whether or not a panic poisoned the lock: what our locks guard is consistent between statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
