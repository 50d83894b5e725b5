//! [`std::sync::mpsc`] under this crate's names: the feature `tracked` is off, and nothing is recorded.

pub use std::sync::mpsc::{
    IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender, TryIter, TryRecvError,
    TrySendError, channel, sync_channel,
};

/// As [`channel`]: the name is for the record, and there is none.
#[inline(always)]
#[must_use]
pub fn named_channel<T>(_name: &'static str) -> (Sender<T>, Receiver<T>) {
    channel()
}

/// As [`sync_channel`]: the name is for the record, and there is none.
#[inline(always)]
#[must_use]
pub fn named_sync_channel<T>(_name: &'static str, bound: usize) -> (SyncSender<T>, Receiver<T>) {
    sync_channel(bound)
}
