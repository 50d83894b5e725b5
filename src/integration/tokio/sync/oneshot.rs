//! [`tokio::sync::oneshot`], whose message is recorded: what was done before it was sent happens before what is done after
//! it was received. So do, the other way to end it, what was done before the sender was dropped and what follows the error
//! that tells so; and what was done before the receiver was closed or dropped, and what follows a `send` that fails, or
//! `closed`.
//!
//! A channel that is made while nothing is recorded is tokio's, and records nothing later on.
//!
//! # Examples
//!
//! ```
//! use trackside::tokio::{sync::oneshot, task};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let (sender, receiver) = oneshot::channel();
//! task::spawn(async move { sender.send(7) });
//! assert_eq!(receiver.await, Ok(7));
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

pub use tokio::sync::oneshot::error;

use super::end::End;
use crate::record::ObjectType;
use crate::ring::pipe::{self, Group};
use crate::ring::sync::Arc;
use crate::sync::messages::{Messages, Sent};
use crate::sync::object::{Object, Site};
use crate::sync::signal::Signal;
use error::{RecvError, TryRecvError};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// As [`tokio::sync::oneshot::channel`]: a channel for one message, called after the place in the source where it is made.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    of(Object::here(ObjectType::Oneshot), Location::caller())
}

/// As [`channel`], with a name of its own.
#[track_caller]
pub fn named_channel<T>(name: &'static str) -> (Sender<T>, Receiver<T>) {
    of(Object::named(ObjectType::Oneshot, name), Location::caller())
}

fn of<T>(object: Object, site: Site) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = oneshot::channel();
    let recorded = [Group::Messages, Group::Signals].into_iter().any(|group| pipe::default_key_of(group) != 0);
    let shared = recorded.then(|| {
        let [sender, receiver] =
            [ObjectType::Oneshot, ObjectType::OneshotReceiver].map(|of| Signal::new(object.beside(of)));
        Arc::new(Shared { message: Messages::new(object), sender, receiver })
    });
    let end = |goes| shared.clone().map(|shared| End::new(shared, goes, site));
    let sender = Sender { end: end(|shared: &Shared| &shared.sender), inner: sender };
    (sender, Receiver { end: end(|shared| &shared.receiver), inner: receiver })
}

#[derive(Debug)]
struct Shared {
    message: Messages,
    /// That the sender is gone.
    sender: Signal,
    /// That the receiver is closed, or gone.
    receiver: Signal,
}

/// As [`tokio::sync::oneshot::Sender`]. Made by [`channel`].
#[derive(Debug)]
pub struct Sender<T> {
    // Dropped first.
    end: Option<End<Shared>>,
    inner: oneshot::Sender<Sent<T>>,
}

impl<T> Sender<T> {
    /// Sends the message, without waiting.
    ///
    /// # Errors
    /// If there is no receiver, or it was closed; the message is given back.
    #[track_caller]
    pub fn send(self, t: T) -> Result<(), T> {
        let site = Location::caller();
        let Self { mut end, inner } = self;
        let sent = match &mut end {
            Some(end) => {
                end.hush();
                end.message.send(t, site)
            }
            None => Sent::unrecorded(t),
        };
        inner.send(sent).map_err(|refused| {
            end.iter().for_each(|end| end.receiver.notice(site));
            refused.value
        })
    }

    /// Waits until there is no receiver, or it is closed.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        let site = Location::caller();
        std::future::poll_fn(move |context| self.poll_closed_at(context, site))
    }

    /// Whether there is no receiver, or it is closed.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        let closed = self.inner.is_closed();
        if closed {
            self.found_closed(Location::caller());
        }
        closed
    }

    /// As [`Sender::closed`], for futures written by hand.
    #[track_caller]
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_closed_at(context, Location::caller())
    }

    fn poll_closed_at(&mut self, context: &mut Context<'_>, site: Site) -> Poll<()> {
        ready!(self.inner.poll_closed(context));
        self.found_closed(site);
        Poll::Ready(())
    }

    fn found_closed(&self, site: Site) {
        self.end.iter().for_each(|end| end.receiver.notice(site));
    }
}

/// As [`tokio::sync::oneshot::Receiver`]. Made by [`channel`].
///
/// What it receives is recorded at the place where the channel was made: a future does not get to know where it is awaited.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Receiver<T> {
    // Dropped first.
    end: Option<End<Shared>>,
    inner: oneshot::Receiver<Sent<T>>,
}

impl<T> Receiver<T> {
    /// No message can be sent any more. One that was is still there.
    #[track_caller]
    pub fn close(&mut self) {
        let site = Location::caller();
        self.end.iter().for_each(|end| end.receiver.give(site));
        self.inner.close();
    }

    /// Whether it was ready, and so cannot be awaited any more.
    pub fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }

    /// Whether there is no message now.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// The message, if it is there.
    ///
    /// # Errors
    /// If it is not there yet, or there will be none, or it was received before.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let site = Location::caller();
        match self.inner.try_recv() {
            Ok(sent) => Ok(received(&mut self.end, sent, site)),
            Err(TryRecvError::Empty) => Err(TryRecvError::Empty),
            Err(TryRecvError::Closed) => {
                self.end.iter().for_each(|end| end.sender.notice(site));
                Err(TryRecvError::Closed)
            }
        }
    }

    /// Waits for the message, on a thread that is not a runtime's.
    ///
    /// # Errors
    /// If there will be none.
    ///
    /// # Panics
    /// Within an asynchronous execution.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        let site = Location::caller();
        let Self { mut end, inner } = self;
        told(&mut end, inner.blocking_recv(), site)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.inner).poll(context));
        let site = self.end.as_ref().map_or(Location::caller(), End::site);
        Poll::Ready(told(&mut self.end, result, site))
    }
}

fn told<T>(end: &mut Option<End<Shared>>, result: Result<Sent<T>, RecvError>, site: Site) -> Result<T, RecvError> {
    match result {
        Ok(sent) => Ok(received(end, sent, site)),
        Err(error) => {
            end.iter().for_each(|end| end.sender.notice(site));
            Err(error)
        }
    }
}

fn received<T>(end: &mut Option<End<Shared>>, sent: Sent<T>, site: Site) -> T {
    match end {
        Some(end) => {
            end.hush();
            end.message.received(sent, site)
        }
        None => sent.value,
    }
}
