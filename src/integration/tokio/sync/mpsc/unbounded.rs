use super::UnboundedReceiver;
use super::error::SendError;
use super::leaving::{Receiving, Sending};
use crate::ring::sync::Arc;
use crate::sync::messages::Sent;
use crate::sync::mpsc::channel::Channel;
use crate::sync::object::{Object, Site};
use std::fmt;
use std::panic::Location;
use tokio::sync::mpsc;

pub(super) fn unbounded<T>(object: Object, site: Site) -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let channel = Channel::new(object, None);
    let sending = Sending::new(channel.clone(), site);
    (UnboundedSender { sending, inner: sender }, UnboundedReceiver::new(Receiving::new(channel, site), receiver))
}

/// As [`tokio::sync::mpsc::UnboundedSender`]. Made by [`unbounded_channel`](super::unbounded_channel), and by cloning.
pub struct UnboundedSender<T> {
    // Dropped first.
    sending: Sending,
    inner: mpsc::UnboundedSender<Sent<T>>,
}

impl<T> UnboundedSender<T> {
    /// Sends a message, without waiting.
    ///
    /// # Errors
    /// If there is no receiver, or it has closed the channel; the message is given back.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let site = Location::caller();
        self.inner.send(self.sending.send(message, site)).map_err(|refused| {
            self.sending.receiver_gone(site);
            SendError(refused.0.value)
        })
    }

    /// Waits until there is no receiver, or it has closed the channel.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let site = Location::caller();
        async move {
            self.inner.closed().await;
            self.sending.receiver_gone(site);
        }
    }

    /// Whether there is no receiver, or it has closed the channel.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        let closed = self.inner.is_closed();
        if closed {
            self.sending.receiver_gone(Location::caller());
        }
        closed
    }

    /// Whether both are for the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// A sender that does not keep the channel open.
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender { channel: self.sending.channel().clone(), inner: self.inner.downgrade() }
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for UnboundedSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let sending = Sending::new(self.sending.channel().clone(), Location::caller());
        Self { sending, inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// As [`tokio::sync::mpsc::WeakUnboundedSender`]. Made by [`UnboundedSender::downgrade`].
pub struct WeakUnboundedSender<T> {
    channel: Arc<Channel>,
    inner: mpsc::WeakUnboundedSender<Sent<T>>,
}

impl<T> WeakUnboundedSender<T> {
    /// A sender, if there still is one.
    #[track_caller]
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        let inner = self.inner.upgrade()?;
        Some(UnboundedSender { sending: Sending::new(self.channel.clone(), Location::caller()), inner })
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for WeakUnboundedSender<T> {
    fn clone(&self) -> Self {
        Self { channel: self.channel.clone(), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for WeakUnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
