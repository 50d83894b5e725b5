use super::Sender;
use super::leaving::{Reserved, Sending};
use crate::ring::sync::Arc;
use crate::sync::messages::Sent;
use crate::sync::mpsc::channel::Channel;
use crate::sync::object::Site;
use std::fmt;
use std::panic::Location;
use tokio::sync::mpsc;

/// As [`tokio::sync::mpsc::Permit`]: room for a message. Made by [`Sender::reserve`].
pub struct Permit<'a, T> {
    // Dropped first.
    reserved: Reserved<&'a Channel>,
    inner: mpsc::Permit<'a, Sent<T>>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(channel: &'a Channel, inner: mpsc::Permit<'a, Sent<T>>) -> Self {
        Self { reserved: Reserved { channel, room: 1 }, inner }
    }

    /// Sends a message into the room that was reserved.
    #[track_caller]
    pub fn send(self, value: T) {
        self.send_at(value, Location::caller());
    }

    pub(super) fn send_at(self, value: T, site: Site) {
        let Self { mut reserved, inner } = self;
        reserved.room = 0;
        inner.send(reserved.channel.send(value, site));
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// As [`tokio::sync::mpsc::OwnedPermit`]: room for a message, and the sender. Made by [`Sender::reserve_owned`].
pub struct OwnedPermit<T> {
    // Dropped first, then the second.
    reserved: Reserved<Arc<Channel>>,
    sending: Sending,
    inner: mpsc::OwnedPermit<Sent<T>>,
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(sending: Sending, inner: mpsc::OwnedPermit<Sent<T>>) -> Self {
        Self { reserved: Reserved { channel: sending.channel().clone(), room: 1 }, sending, inner }
    }

    /// Sends a message into the room that was reserved, and gives the sender back.
    #[track_caller]
    pub fn send(self, value: T) -> Sender<T> {
        let Self { mut reserved, sending, inner } = self;
        reserved.room = 0;
        let sent = sending.send(value, Location::caller());
        Sender::new(sending, inner.send(sent))
    }

    /// Gives the sender back, and the room.
    pub fn release(self) -> Sender<T> {
        let Self { reserved, sending, inner } = self;
        drop(reserved);
        Sender::new(sending, inner.release())
    }

    /// Whether both are for the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Whether it is for the same channel as the sender.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.inner.same_channel_as_sender(sender.inner())
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
