//! The ends of a channel, which tell when they go.

use crate::ring::sync::Arc;
use crate::sync::mpsc::channel::Channel;
use crate::sync::object::Site;
use std::ops::Deref;

/// A sender's hold of the channel. To be dropped before the sender is.
#[derive(Debug)]
pub(super) struct Sending {
    channel: Arc<Channel>,
    /// Where the sender was made.
    site: Site,
}

impl Sending {
    pub(super) fn new(channel: Arc<Channel>, site: Site) -> Self {
        Self { channel, site }
    }

    /// The channel, to be held beyond the sender.
    pub(super) fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }
}

impl Deref for Sending {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.channel
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.channel.sender_goes(self.site);
    }
}

/// The receiver's hold of the channel. To be dropped before the receiver is.
#[derive(Debug)]
pub(super) struct Receiving {
    channel: Arc<Channel>,
    /// Where the channel was made.
    site: Site,
    /// How many messages were taken out.
    taken: u64,
    closed: bool,
}

impl Receiving {
    pub(super) fn new(channel: Arc<Channel>, site: Site) -> Self {
        Self { channel, site, taken: 0, closed: false }
    }

    /// No more messages are taken. That is told once: who finds it so comes after each time that it was told.
    pub(super) fn close(&mut self, site: Site) {
        if !std::mem::replace(&mut self.closed, true) {
            self.channel.receiver_goes(site);
        }
    }

    /// A message is taken out: counted whether or not there is a client, or the number of a signal would claim too much.
    pub(super) fn take(&mut self) -> u64 {
        self.taken += 1;
        self.taken
    }
}

impl Deref for Receiving {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.channel
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.close(self.site);
    }
}

/// Room in a channel that was reserved, so much of it. What is left of it when it is dropped goes back: to be dropped before
/// it does.
#[derive(Debug)]
pub(super) struct Reserved<C: Deref<Target = Channel>> {
    pub(super) channel: C,
    pub(super) room: u64,
}

impl<C: Deref<Target = Channel>> Drop for Reserved<C> {
    fn drop(&mut self) {
        if self.room > 0 {
            self.channel.room_goes_back(self.room);
        }
    }
}
