use super::channel::Channel;
use super::{SendError, TrySendError};
use crate::ring::sync::Arc;
use crate::sync::messages::Sent;
use std::fmt;
use std::panic::Location;
use std::sync::mpsc;

/// As [`std::sync::mpsc::Sender`]. Made by [`channel`](super::channel()), and by cloning.
pub struct Sender<T> {
    inner: mpsc::Sender<Sent<T>>,
    channel: Arc<Channel>,
}

impl<T> Sender<T> {
    pub(super) fn new(inner: mpsc::Sender<Sent<T>>, channel: Arc<Channel>) -> Self {
        Self { inner, channel }
    }

    /// Sends a message, without waiting.
    ///
    /// # Errors
    /// If there is no receiver any more; the message is given back. A message that was sent may still not be received.
    #[inline]
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        let site = Location::caller();
        self.inner.send(self.channel.send(t, site)).map_err(|refused| {
            self.channel.receiver_gone(site);
            SendError(refused.0.value)
        })
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), channel: self.channel.clone() }
    }
}

impl<T> Drop for Sender<T> {
    #[track_caller]
    fn drop(&mut self) {
        // The fields are dropped after this.
        self.channel.sender_goes(Location::caller());
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// As [`std::sync::mpsc::SyncSender`]. Made by [`sync_channel`](super::sync_channel), and by cloning.
pub struct SyncSender<T> {
    inner: mpsc::SyncSender<Sent<T>>,
    channel: Arc<Channel>,
}

impl<T> SyncSender<T> {
    pub(super) fn new(inner: mpsc::SyncSender<Sent<T>>, channel: Arc<Channel>) -> Self {
        Self { inner, channel }
    }

    /// Sends a message, as soon as there is room for it; for a bound of 0, returns when it is received.
    ///
    /// # Errors
    /// If there is no receiver, or no more while this waits; the message is given back.
    #[inline]
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        let (site, before) = (Location::caller(), self.channel.before());
        match self.inner.send(self.channel.send(t, site)) {
            Ok(()) => {
                self.channel.had_room(before, 1, site);
                Ok(())
            }
            Err(refused) => {
                self.channel.receiver_gone(site);
                Err(SendError(refused.0.value))
            }
        }
    }

    /// Sends a message, if there is room for it; for a bound of 0, if somebody is waiting to receive it.
    ///
    /// # Errors
    /// [`TrySendError::Full`] if there is no room, [`TrySendError::Disconnected`] if there is no receiver; the message is
    /// given back.
    #[inline]
    #[track_caller]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        let (site, before) = (Location::caller(), self.channel.before());
        match self.inner.try_send(self.channel.send(t, site)) {
            Ok(()) => {
                self.channel.had_room(before, 1, site);
                Ok(())
            }
            Err(TrySendError::Full(refused)) => Err(TrySendError::Full(refused.value)),
            Err(TrySendError::Disconnected(refused)) => {
                self.channel.receiver_gone(site);
                Err(TrySendError::Disconnected(refused.value))
            }
        }
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), channel: self.channel.clone() }
    }
}

impl<T> Drop for SyncSender<T> {
    #[track_caller]
    fn drop(&mut self) {
        // The fields are dropped after this.
        self.channel.sender_goes(Location::caller());
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
