//! Threads that are known to wait for a lock, and not to be just before it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the kernel tells what the calling thread is doing.
pub(crate) fn this_thread() -> PathBuf {
    Path::new("/proc").join(std::fs::read_link("/proc/thread-self").expect("there is a /proc"))
}

/// Waits until the thread sleeps in the kernel for a word of `object`.
#[track_caller]
pub(crate) fn wait_until_blocked<T: ?Sized>(thread: &Path, object: &T) {
    let begin = std::ptr::from_ref(object).addr();
    let object = begin..begin + size_of_val(object);
    let start = Instant::now();
    let waits = || {
        // The number of the system call, then its arguments: of a wait for a futex, the first is the word's address.
        let call = std::fs::read_to_string(thread.join("syscall")).expect("the thread is alive");
        let word = call.split_whitespace().nth(1).and_then(|word| word.strip_prefix("0x"));
        word.and_then(|word| usize::from_str_radix(word, 16).ok()).is_some_and(|word| object.contains(&word))
    };
    while !waits() {
        assert!(start.elapsed() < Duration::from_secs(60), "the thread does not wait for the object");
        std::thread::yield_now();
    }
}
