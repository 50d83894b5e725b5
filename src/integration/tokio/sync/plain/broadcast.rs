//! [`tokio::sync::broadcast`] under this crate's names: the feature `tracked` is off, and nothing is recorded.

pub use tokio::sync::broadcast::{Receiver, Sender, WeakSender, channel, error};

/// As [`channel`]: the name is for the record, and there is none.
#[inline(always)]
pub fn named_channel<T: Clone>(_name: &'static str, capacity: usize) -> (Sender<T>, Receiver<T>) {
    channel(capacity)
}
