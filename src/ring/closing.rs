//! Something that is to be closed before it is dropped, unless it is taken out.

#![expect(unsafe_code, reason = "a value cannot be moved out of what has a destructor by safe code")]

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

/// What is done before the value is dropped. Must not panic: it may run while another panic unwinds.
pub(crate) trait Close {
    /// Called once, just before the drop.
    fn close(&mut self);
}

/// See the module's documentation.
pub(crate) struct Closing<T: Close>(T);

impl<T: Close> Closing<T> {
    /// `value` will be closed.
    #[inline(always)]
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// Closes the value and takes it out.
    pub(crate) fn close(mut self) -> T {
        self.0.close();
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is never looked at again, nor dropped: so the value has moved.
        unsafe { std::ptr::read(&raw const this.0) }
    }
}

impl<T: Close> Drop for Closing<T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<T: Close> Deref for Closing<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Close> DerefMut for Closing<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Close + fmt::Debug> fmt::Debug for Closing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    struct Counted(Rc<Cell<(u32, u32)>>);

    impl Close for Counted {
        fn close(&mut self) {
            let (closed, dropped) = self.0.get();
            self.0.set((closed + 1, dropped));
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            let (closed, dropped) = self.0.get();
            self.0.set((closed, dropped + 1));
        }
    }

    #[test]
    fn it_is_closed_once_and_dropped_once_whichever_way_it_goes() {
        let count = Rc::new(Cell::new((0, 0)));
        drop(Closing::new(Counted(count.clone())));
        assert_eq!(count.get(), (1, 1));
        let taken = Closing::new(Counted(count.clone())).close();
        assert_eq!(count.get(), (2, 1));
        drop(taken);
        assert_eq!(count.get(), (2, 2));
    }
}
