//! [`tokio::sync::watch`] under this crate's names: the feature `tracked` is off, and nothing is recorded.

pub use tokio::sync::watch::{Receiver, Ref, Sender, channel, error};

/// As [`channel`]: the name is for the record, and there is none.
#[inline(always)]
pub fn named_channel<T>(_name: &'static str, init: T) -> (Sender<T>, Receiver<T>) {
    channel(init)
}
