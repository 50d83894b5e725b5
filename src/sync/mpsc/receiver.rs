use super::channel::Channel;
use super::{IntoIter, Iter, RecvError, RecvTimeoutError, TryIter, TryRecvError};
use crate::ring::sync::{Arc, AtomicU64, Ordering};
use crate::sync::messages::Sent;
use crate::sync::object::Site;
use std::fmt;
use std::panic::Location;
use std::sync::mpsc;
use std::time::Duration;

/// As [`std::sync::mpsc::Receiver`]. Made by [`channel`](super::channel()) and [`sync_channel`](super::sync_channel).
pub struct Receiver<T> {
    inner: mpsc::Receiver<Sent<T>>,
    channel: Arc<Channel>,
    /// How many messages were taken out. A receiver is one thread's at a time; an atomic, because a cell would keep it from
    /// being as unwind-safe as std's.
    taken: AtomicU64,
}

impl<T> Receiver<T> {
    pub(super) fn new(inner: mpsc::Receiver<Sent<T>>, channel: Arc<Channel>) -> Self {
        Self { inner, channel, taken: AtomicU64::new(0) }
    }

    /// Waits for a message.
    ///
    /// # Errors
    /// If there is none, and no sender any more.
    #[inline]
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at(Location::caller())
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if there is none yet, [`TryRecvError::Disconnected`] if there is no sender any more either.
    #[inline]
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.try_recv_at(Location::caller())
    }

    /// Waits for a message, at most so long.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`] if none came, [`RecvTimeoutError::Disconnected`] if there is no sender any more either.
    #[inline]
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let site = Location::caller();
        match self.inner.recv_timeout(timeout) {
            Ok(sent) => Ok(self.received(sent, site)),
            Err(RecvTimeoutError::Timeout) => Err(RecvTimeoutError::Timeout),
            Err(RecvTimeoutError::Disconnected) => {
                self.channel.senders_gone(site);
                Err(RecvTimeoutError::Disconnected)
            }
        }
    }

    /// Waits for each message in turn, until there is no sender any more.
    #[inline]
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { rx: self, site: Location::caller() }
    }

    /// The messages that are there, without waiting.
    #[inline]
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { rx: self, site: Location::caller() }
    }

    #[inline]
    pub(super) fn recv_at(&self, site: Site) -> Result<T, RecvError> {
        match self.inner.recv() {
            Ok(sent) => Ok(self.received(sent, site)),
            Err(RecvError) => {
                self.channel.senders_gone(site);
                Err(RecvError)
            }
        }
    }

    #[inline]
    pub(super) fn try_recv_at(&self, site: Site) -> Result<T, TryRecvError> {
        match self.inner.try_recv() {
            Ok(sent) => Ok(self.received(sent, site)),
            Err(TryRecvError::Empty) => Err(TryRecvError::Empty),
            Err(TryRecvError::Disconnected) => {
                self.channel.senders_gone(site);
                Err(TryRecvError::Disconnected)
            }
        }
    }

    #[inline]
    fn received(&self, sent: Sent<T>, site: Site) -> T {
        // Counted whether or not there is a client: the number of a signal would else claim too much.
        let taken = self.taken.load(Ordering::Relaxed) + 1;
        self.taken.store(taken, Ordering::Relaxed);
        let value = self.channel.received(sent, site);
        self.channel.makes_room(taken, site);
        value
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { rx: self, site: Location::caller() }
    }
}

impl<T> Drop for Receiver<T> {
    #[track_caller]
    fn drop(&mut self) {
        // The fields are dropped after this.
        self.channel.receiver_goes(Location::caller());
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
