//! Loom's twin of the product's facade, item by item.

#![expect(unsafe_code, reason = "it has the signatures of the product's facade")]

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::ops::Deref;
use std::time::Duration;

/// One word of a ring. A cell each, so that loom sees two copies that overlap in a single word.
#[derive(Debug)]
pub(crate) struct Word(loom::cell::UnsafeCell<u64>);

impl Word {
    /// # Safety
    /// No other thread may write it at the same time; here, loom checks that.
    pub(crate) unsafe fn read(&self) -> u64 {
        // SAFETY: the caller rules out a concurrent write, and loom reports one before the closure runs.
        self.0.with(|word| unsafe { *word })
    }

    /// # Safety
    /// No other thread may access it at the same time; here, loom checks that.
    pub(crate) unsafe fn write(&self, word: u64) {
        // SAFETY: the caller rules out a concurrent access, and loom reports one before the closure runs.
        self.0.with_mut(|place| unsafe { *place = word });
    }
}

/// # Safety
/// No other thread may access the words at the same time; here, loom checks that.
pub(crate) unsafe fn copy_in(words: &[Word], at: usize, bytes: &[u8]) {
    for (word, chunk) in words[at..].iter().zip(bytes.chunks(8)) {
        let mut padded = [0; 8];
        padded[..chunk.len()].copy_from_slice(chunk);
        // SAFETY: the caller rules out a concurrent access to this word.
        unsafe { word.write(u64::from_le_bytes(padded)) };
    }
}

pub(crate) fn words(len: usize) -> Box<[Word]> {
    (0..len).map(|_| Word(loom::cell::UnsafeCell::new(0))).collect()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Padding makes no difference to loom.
#[derive(Debug)]
pub(crate) struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Crossbeam's backoff: here, the explorer decides who goes on.
#[derive(Debug)]
pub(crate) struct Backoff;

impl Backoff {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn snooze(&self) {
        loom::thread::yield_now();
    }
}

/// Crossbeam's parker: one token, left by `unpark` and taken by `park_timeout`.
#[derive(Debug)]
pub(crate) struct Parker {
    unparker: Unparker,
}

#[derive(Debug, Clone)]
pub(crate) struct Unparker {
    token: Arc<Token>,
}

#[derive(Debug)]
struct Token {
    present: Mutex<bool>,
    left: Condvar,
}

impl Parker {
    pub(crate) fn new() -> Self {
        let token = Token { present: Mutex::new(false), left: Condvar::new() };
        Self { unparker: Unparker { token: Arc::new(token) } }
    }

    pub(crate) fn unparker(&self) -> &Unparker {
        &self.unparker
    }

    /// Without a time limit, whatever is asked for: then a wake-up that is lost is a deadlock, which loom reports. In
    /// the product the limit would hide it.
    pub(crate) fn park_timeout(&self, _timeout: Duration) {
        let Token { present, left } = &*self.unparker.token;
        let mut present = lock(present);
        while !*present {
            present = left.wait(present).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        *present = false;
    }
}

impl Unparker {
    pub(crate) fn unpark(&self) {
        *lock(&self.token.present) = true;
        self.token.left.notify_one();
    }
}
