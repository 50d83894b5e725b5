use super::error::{SendError, SendTimeoutError, TrySendError};
use super::leaving::{Receiving, Sending};
use super::{OwnedPermit, Permit, PermitIterator, Receiver};
use crate::ring::sync::Arc;
use crate::sync::messages::Sent;
use crate::sync::mpsc::channel::Channel;
use crate::sync::object::{Object, Site};
use std::fmt;
use std::panic::Location;
use std::time::Duration;
use tokio::sync::mpsc;

#[track_caller]
pub(super) fn bounded<T>(object: Object, buffer: usize, site: Site) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel(buffer);
    let channel = Channel::new(object, Some(buffer));
    (Sender::new(Sending::new(channel.clone(), site), sender), Receiver::new(Receiving::new(channel, site), receiver))
}

/// As [`tokio::sync::mpsc::Sender`]. Made by [`channel`](super::channel()), and by cloning.
pub struct Sender<T> {
    // Dropped first.
    sending: Sending,
    inner: mpsc::Sender<Sent<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(sending: Sending, inner: mpsc::Sender<Sent<T>>) -> Self {
        Self { sending, inner }
    }

    pub(super) fn inner(&self) -> &mpsc::Sender<Sent<T>> {
        &self.inner
    }

    /// Sends a message, as soon as there is room for it.
    ///
    /// Cancel safe: if it is dropped before it is ready, the message was not sent.
    ///
    /// # Errors
    /// If there is no receiver, or it has closed the channel; the message is given back.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let site = Location::caller();
        async move {
            match self.reserve_at(site).await {
                Ok(permit) => {
                    permit.send_at(value, site);
                    Ok(())
                }
                Err(_) => Err(SendError(value)),
            }
        }
    }

    /// Sends a message, if there is room for it.
    ///
    /// # Errors
    /// If there is none, or no receiver any more; the message is given back.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let site = Location::caller();
        match self.try_reserve_at(site) {
            Ok(permit) => {
                permit.send_at(message, site);
                Ok(())
            }
            Err(TrySendError::Full(())) => Err(TrySendError::Full(message)),
            Err(TrySendError::Closed(())) => Err(TrySendError::Closed(message)),
        }
    }

    /// As [`Sender::send`], waiting at most so long.
    ///
    /// # Errors
    /// If there was no room until then, or there is no receiver any more; the message is given back.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer.
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> impl Future<Output = Result<(), SendTimeoutError<T>>> {
        let site = Location::caller();
        async move {
            match tokio::time::timeout(timeout, self.reserve_at(site)).await {
                Ok(Ok(permit)) => {
                    permit.send_at(value, site);
                    Ok(())
                }
                Ok(Err(_)) => Err(SendTimeoutError::Closed(value)),
                Err(_) => Err(SendTimeoutError::Timeout(value)),
            }
        }
    }

    /// As [`Sender::send`], for threads that are not a runtime's. Recorded before it waits.
    ///
    /// # Errors
    /// As [`Sender::send`].
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        let (site, before) = (Location::caller(), self.sending.before());
        match self.inner.blocking_send(self.sending.send(value, site)) {
            Ok(()) => {
                self.sending.had_room(before, 1, site);
                Ok(())
            }
            Err(refused) => {
                self.sending.receiver_gone(site);
                Err(SendError(refused.0.value))
            }
        }
    }

    /// Waits for room for a message, and keeps it.
    ///
    /// # Errors
    /// If there is no receiver, or it has closed the channel.
    #[track_caller]
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> {
        self.reserve_at(Location::caller())
    }

    async fn reserve_at(&self, site: Site) -> Result<Permit<'_, T>, SendError<()>> {
        let before = self.sending.before();
        let reserved = self.inner.reserve().await;
        self.reserved(before, 1, reserved.is_ok(), site);
        reserved.map(|permit| Permit::new(&self.sending, permit))
    }

    /// Waits for room for so many messages, and keeps it.
    ///
    /// # Errors
    /// If there is no receiver, or it has closed the channel, or the channel cannot hold so many.
    #[track_caller]
    pub fn reserve_many(&self, n: usize) -> impl Future<Output = Result<PermitIterator<'_, T>, SendError<()>>> {
        let site = Location::caller();
        async move {
            let before = self.sending.before();
            let reserved = self.inner.reserve_many(n).await;
            if reserved.is_ok() || self.inner.is_closed() {
                self.reserved(before, n, reserved.is_ok(), site);
            }
            reserved.map(|permits| PermitIterator::new(&self.sending, permits))
        }
    }

    /// As [`Sender::reserve`], for a permit that has the sender in it.
    ///
    /// # Errors
    /// As [`Sender::reserve`].
    #[track_caller]
    pub fn reserve_owned(self) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> {
        let site = Location::caller();
        async move {
            let Self { sending, inner } = self;
            let before = sending.before();
            match inner.reserve_owned().await {
                Ok(permit) => {
                    sending.had_room(before, 1, site);
                    Ok(OwnedPermit::new(sending, permit))
                }
                Err(refused) => {
                    sending.receiver_gone(site);
                    Err(refused)
                }
            }
        }
    }

    /// Keeps room for a message, if there is some.
    ///
    /// # Errors
    /// If there is none, or no receiver any more.
    #[track_caller]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.try_reserve_at(Location::caller())
    }

    fn try_reserve_at(&self, site: Site) -> Result<Permit<'_, T>, TrySendError<()>> {
        let before = self.sending.before();
        let reserved = self.inner.try_reserve();
        self.tried(before, 1, &reserved, site);
        reserved.map(|permit| Permit::new(&self.sending, permit))
    }

    /// Keeps room for so many messages, if there is so much.
    ///
    /// # Errors
    /// If there is not, or no receiver any more.
    #[track_caller]
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        let before = self.sending.before();
        let reserved = self.inner.try_reserve_many(n);
        self.tried(before, n, &reserved, Location::caller());
        reserved.map(|permits| PermitIterator::new(&self.sending, permits))
    }

    /// As [`Sender::try_reserve`], for a permit that has the sender in it.
    ///
    /// # Errors
    /// As [`Sender::try_reserve`]; the sender is given back.
    #[track_caller]
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        let (site, before) = (Location::caller(), self.sending.before());
        let Self { sending, inner } = self;
        match inner.try_reserve_owned() {
            Ok(permit) => {
                sending.had_room(before, 1, site);
                Ok(OwnedPermit::new(sending, permit))
            }
            Err(TrySendError::Full(inner)) => Err(TrySendError::Full(Self { sending, inner })),
            Err(TrySendError::Closed(inner)) => {
                sending.receiver_gone(site);
                Err(TrySendError::Closed(Self { sending, inner }))
            }
        }
    }

    fn tried<P>(&self, before: u64, n: usize, reserved: &Result<P, TrySendError<()>>, site: Site) {
        if !matches!(reserved, Err(TrySendError::Full(()))) {
            self.reserved(before, n, reserved.is_ok(), site);
        }
    }

    fn reserved(&self, before: u64, n: usize, done: bool, site: Site) {
        if done {
            self.sending.had_room(before, n as u64, site);
        } else {
            self.sending.receiver_gone(site);
        }
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

    /// For how many messages there is room now.
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// For how many messages there is room in all.
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }

    /// A sender that does not keep the channel open.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { channel: self.sending.channel().clone(), inner: self.inner.downgrade() }
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

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self::new(Sending::new(self.sending.channel().clone(), Location::caller()), self.inner.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// As [`tokio::sync::mpsc::WeakSender`]. Made by [`Sender::downgrade`].
pub struct WeakSender<T> {
    channel: Arc<Channel>,
    inner: mpsc::WeakSender<Sent<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, if there still is one.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let inner = self.inner.upgrade()?;
        Some(Sender::new(Sending::new(self.channel.clone(), Location::caller()), inner))
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

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { channel: self.channel.clone(), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
