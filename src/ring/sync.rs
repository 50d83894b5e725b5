//! The facade over what loom replaces. `loom-tests` supplies a module of the same name made of loom's types and
//! includes the other files by path, so product code has no `cfg(loom)`.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]
#![expect(clippy::disallowed_types, reason = "this is the facade that the lint points to")]

pub(crate) use crossbeam_utils::sync::{Parker, Unparker};
pub(crate) use crossbeam_utils::{Backoff, CachePadded};
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
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
    // Names have some ten to fifty bytes. For these, copies of a fixed length that overlap in the middle are far less
    // than a call of memcpy, or than a loop, which the compiler unrolls for lengths that never come.
    let copy = |at: usize, size: usize| {
        // SAFETY: every call below has `at + size <= len`, by the compares around it: in the source that is the slice; in
        // the target, by the caller's promise, words that are his alone. They do not overlap, since nobody else refers
        // to those words.
        unsafe { std::ptr::copy_nonoverlapping(from.wrapping_add(at), to.wrapping_add(at), size) }
    };
    if len >= 16 {
        copy(0, 16);
        if len > 32 {
            copy(16, 16);
            if len > 64 {
                copy(32, len - 64);
            }
            copy(len - 32, 16);
        }
        copy(len - 16, 16);
    } else if len >= 8 {
        copy(0, 8);
        copy(len - 8, 8);
    } else if len >= 4 {
        copy(0, 4);
        copy(len - 4, 4);
    } else if len > 0 {
        copy(0, 1);
        copy(len / 2, 1);
        copy(len - 1, 1);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_arrive_and_nothing_beyond_is_touched() {
        let bytes: Vec<u8> = (1..=200).collect();
        for len in 0..=bytes.len() {
            let needed = len.div_ceil(8);
            let words = words(needed + 2);
            // SAFETY: the words are this test's alone; behind the first there are as many as are needed, and one more.
            unsafe { copy_in(&words, 1, &bytes[..len]) };
            // SAFETY: as above, and no reference is kept.
            let read: Vec<u64> = words.iter().map(|word| unsafe { word.read() }).collect();
            let copied: Vec<u8> = read[1..=needed].iter().flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!(&copied[..len], &bytes[..len]);
            assert_eq!((read[0], read[needed + 1]), (0, 0), "{len} bytes");
        }
    }
}
