//! Short sections in which a thread may hold what a signal handler of its own must not wait for.

use std::cell::Cell;
use std::sync::atomic::{Ordering, compiler_fence};

thread_local! {
    // No destructor, so that it can be asked at any moment of the thread's life.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// A section that the calling thread is in, until this is dropped.
#[derive(Debug)]
pub(crate) struct Section {
    /// Begun by a signal handler that interrupted another one.
    nested: bool,
}

/// Whether the calling thread is in a section.
pub(super) fn is_inside() -> bool {
    INSIDE.get()
}

impl Section {
    /// How often a thread yields to the holder of a lock who has been stopped within a few instructions. That is enough for
    /// the holder to run again, unless it is this very thread's priority that keeps it from that: then it would be for ever.
    const PATIENCE: u32 = 10_000;

    /// Begins a section.
    #[inline(always)]
    pub(crate) fn begin() -> Self {
        let nested = INSIDE.replace(true);
        // A handler must not find the lock taken and no word of it.
        compiler_fence(Ordering::SeqCst);
        Self { nested }
    }

    /// How often to wait for somebody else, who may be the very code that was interrupted.
    #[inline(always)]
    pub(crate) fn patience(&self) -> u32 {
        if self.nested { 0 } else { Self::PATIENCE }
    }
}

impl Drop for Section {
    #[inline(always)]
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        INSIDE.set(self.nested);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_within_another_waits_for_nobody() {
        for _ in 0..2 {
            let outer = Section::begin();
            assert_eq!(outer.patience(), Section::PATIENCE);
            for _ in 0..2 {
                assert_eq!(Section::begin().patience(), 0);
            }
        }
        std::thread::spawn(|| assert_eq!(Section::begin().patience(), Section::PATIENCE)).join().unwrap();
    }
}
