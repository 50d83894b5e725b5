//! The very end of a thread: after the destructors of its thread-locals, as far as the system has such a moment.
//!
//! Destructors of thread-locals run in an order that nobody can choose. On Unix, what hangs on a key of pthreads is
//! destroyed after all of them, so a thread that is told of its exit by a thread-local's destructor hangs itself there, and
//! goes on until that is called.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

/// Has the calling thread, which is exiting, do [`super::shelf::close`] once its thread-locals are gone. `false` if there is
/// no such moment here, or no key to be had.
#[cfg(unix)]
pub(super) fn close_later() -> bool {
    use std::sync::OnceLock;

    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();

    extern "C" fn close(_: *mut libc::c_void) {
        super::shelf::close();
    }

    fn make() -> Option<libc::pthread_key_t> {
        let mut key = 0;
        // SAFETY: the key's place is a local's, and `close` lives for ever and does not unwind.
        let result = unsafe { libc::pthread_key_create(&raw mut key, Some(close)) };
        (result == 0).then_some(key)
    }

    let Some(key) = *KEY.get_or_init(make) else { return false };
    // Any value but null has the destructor called.
    let value = std::ptr::dangling::<u8>().cast();
    // SAFETY: the key was made above and is never deleted, and the value is never followed.
    unsafe { libc::pthread_setspecific(key, value) == 0 }
}

#[cfg(not(unix))]
pub(super) fn close_later() -> bool {
    false
}
