use super::Permit;
use super::leaving::Reserved;
use crate::sync::messages::Sent;
use crate::sync::mpsc::channel::Channel;
use std::fmt;
use std::iter::FusedIterator;
use tokio::sync::mpsc;

/// As [`tokio::sync::mpsc::PermitIterator`]: room for several messages. Made by [`Sender::reserve_many`](super::Sender::reserve_many).
pub struct PermitIterator<'a, T> {
    // Dropped first.
    reserved: Reserved<&'a Channel>,
    inner: mpsc::PermitIterator<'a, Sent<T>>,
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(channel: &'a Channel, inner: mpsc::PermitIterator<'a, Sent<T>>) -> Self {
        Self { reserved: Reserved { channel, room: inner.len() as u64 }, inner }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        let inner = self.inner.next()?;
        self.reserved.room -= 1;
        Some(Permit::new(self.reserved.channel, inner))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
