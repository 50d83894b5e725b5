//! [`tokio::sync::broadcast`], whose messages are recorded: what was done before a message was sent happens before what is
//! done after it was received, by whichever receiver. Who has lagged behind has not received what was skipped. The order that
//! comes of all senders, or all receivers, being gone is recorded too.
//!
//! # Examples
//!
//! ```
//! use trackside::tokio::sync::broadcast;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let (sender, mut one) = broadcast::channel(16);
//! let mut other = sender.subscribe();
//! sender.send(7).expect("there are receivers");
//! assert_eq!((one.recv().await, other.recv().await), (Ok(7), Ok(7)));
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

pub use tokio::sync::broadcast::error;

use super::end::End;
use crate::record::ObjectType;
use crate::ring::sync::Arc;
use crate::sync::messages::{Messages, Sent};
use crate::sync::object::{Object, Site};
use crate::sync::signal::Signal;
use error::{RecvError, SendError, TryRecvError};
use std::fmt;
use std::panic::Location;
use tokio::sync::broadcast;

/// As [`tokio::sync::broadcast::channel`]: a channel that keeps `capacity` messages for its receivers, or the next power of
/// two, called after the place in the source where it is made.
///
/// # Panics
/// If `capacity` is 0 or more than `usize::MAX / 2`.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    Sender::of(Object::here(ObjectType::Broadcast), capacity, Location::caller()).with_receiver()
}

/// As [`channel`], with a name of its own.
///
/// # Panics
/// As [`channel`].
#[track_caller]
pub fn named_channel<T: Clone>(name: &'static str, capacity: usize) -> (Sender<T>, Receiver<T>) {
    Sender::of(Object::named(ObjectType::Broadcast, name), capacity, Location::caller()).with_receiver()
}

#[derive(Debug)]
struct Shared {
    messages: Messages,
    /// That a sender is gone.
    senders: Signal,
    /// That a receiver is gone.
    receivers: Signal,
}

/// As [`tokio::sync::broadcast::Sender`]. Made by [`channel`], and by cloning.
pub struct Sender<T> {
    // Dropped first.
    end: End<Shared>,
    inner: broadcast::Sender<Sent<T>>,
}

impl<T> Sender<T> {
    /// As [`channel`], without a receiver.
    ///
    /// # Panics
    /// As [`channel`].
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        Self::of(Object::here(ObjectType::Broadcast), capacity, Location::caller())
    }

    #[track_caller]
    fn of(object: Object, capacity: usize, site: Site) -> Self {
        let inner = broadcast::Sender::new(capacity);
        let of = [ObjectType::Broadcast, ObjectType::BroadcastReceiver];
        let [senders, receivers] = of.map(|of| Signal::new(object.beside(of)));
        let shared = Arc::new(Shared { messages: Messages::new(object), senders, receivers });
        Self { end: End::new(shared, |shared| &shared.senders, site), inner }
    }

    fn with_receiver(self) -> (Self, Receiver<T>) {
        let receiver = self.receiver(self.end.site());
        (self, receiver)
    }

    fn receiver(&self, site: Site) -> Receiver<T> {
        let end = End::new(self.end.shared().clone(), |shared: &Shared| &shared.receivers, site);
        Receiver { end, inner: self.inner.subscribe() }
    }

    /// Sends a message to all receivers that there are, and returns how many that are.
    ///
    /// # Errors
    /// If there are none; the message is given back.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let site = Location::caller();
        self.inner.send(self.end.messages.send(value, site)).map_err(|refused| {
            self.end.receivers.notice(site);
            SendError(refused.0.value)
        })
    }

    /// Another receiver, of what is sent from now on.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        self.receiver(Location::caller())
    }

    /// A sender that does not keep the channel open.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { shared: self.end.shared().clone(), inner: self.inner.downgrade() }
    }

    /// How many messages some receiver has yet to receive.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// Whether both are for the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Waits until there are no receivers.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let site = Location::caller();
        async move {
            self.inner.closed().await;
            self.end.receivers.notice(site);
        }
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
        Self { end: self.end.another(Location::caller()), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// As [`tokio::sync::broadcast::WeakSender`]. Made by [`Sender::downgrade`].
pub struct WeakSender<T> {
    shared: Arc<Shared>,
    inner: broadcast::WeakSender<Sent<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, if there still is one.
    #[track_caller]
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let inner = self.inner.upgrade()?;
        Some(Sender { end: End::new(self.shared.clone(), |shared| &shared.senders, Location::caller()), inner })
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
        Self { shared: self.shared.clone(), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// As [`tokio::sync::broadcast::Receiver`]. Made by [`channel`] and [`Sender::subscribe`].
pub struct Receiver<T> {
    // Dropped first.
    end: End<Shared>,
    inner: broadcast::Receiver<Sent<T>>,
}

impl<T> Receiver<T> {
    /// How many messages it has yet to receive, those included that it has lagged behind.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Whether both are of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// How many senders there are.
    pub fn sender_strong_count(&self) -> usize {
        self.inner.sender_strong_count()
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.inner.sender_weak_count()
    }

    /// Whether there are no senders any more.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        let closed = self.inner.is_closed();
        if closed {
            self.end.senders.notice(Location::caller());
        }
        closed
    }

    fn received(&self, sent: Sent<T>, site: Site) -> T {
        self.end.messages.received(sent, site)
    }
}

impl<T: Clone> Receiver<T> {
    /// Another receiver, of what is sent from now on.
    #[track_caller]
    pub fn resubscribe(&self) -> Self {
        Self { end: self.end.another(Location::caller()), inner: self.inner.resubscribe() }
    }

    /// Waits for the next message.
    ///
    /// Cancel safe: if it is dropped before it is ready, no message was received.
    ///
    /// # Errors
    /// If there are no senders any more, or the receiver has lagged behind: then some messages were skipped.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Result<T, RecvError>> {
        let site = Location::caller();
        async move {
            let result = self.inner.recv().await;
            self.told(result, site)
        }
    }

    /// The next message, if it is there.
    ///
    /// # Errors
    /// If it is not, and as [`Receiver::recv`].
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let site = Location::caller();
        match self.inner.try_recv() {
            Ok(sent) => Ok(self.received(sent, site)),
            Err(error) => {
                if error == TryRecvError::Closed {
                    self.end.senders.notice(site);
                }
                Err(error)
            }
        }
    }

    /// As [`Receiver::recv`], for threads that are not a runtime's.
    ///
    /// # Errors
    /// As [`Receiver::recv`].
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        let site = Location::caller();
        let result = self.inner.blocking_recv();
        self.told(result, site)
    }

    fn told(&self, result: Result<Sent<T>, RecvError>, site: Site) -> Result<T, RecvError> {
        match result {
            Ok(sent) => Ok(self.received(sent, site)),
            Err(error) => {
                if error == RecvError::Closed {
                    self.end.senders.notice(site);
                }
                Err(error)
            }
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
