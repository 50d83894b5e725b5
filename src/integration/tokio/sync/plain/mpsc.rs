//! [`tokio::sync::mpsc`] under this crate's names: the feature `tracked` is off, and nothing is recorded.

pub use tokio::sync::mpsc::{
    OwnedPermit, Permit, PermitIterator, Receiver, Sender, UnboundedReceiver, UnboundedSender, WeakSender,
    WeakUnboundedSender, channel, error, unbounded_channel,
};

/// As [`channel`]: the name is for the record, and there is none.
#[inline(always)]
pub fn named_channel<T>(_name: &'static str, buffer: usize) -> (Sender<T>, Receiver<T>) {
    channel(buffer)
}

/// As [`unbounded_channel`]: the name is for the record, and there is none.
#[inline(always)]
pub fn named_unbounded_channel<T>(_name: &'static str) -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    unbounded_channel()
}
