use super::error::TryRecvError;
use super::leaving::Receiving;
use crate::integration::tokio::sync::wait::assert_may_block;
use crate::sync::messages::Sent;
use crate::sync::object::Site;
use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// The two receivers, which differ in what they receive from.
macro_rules! receiver {
    ($(#[$doc:meta])* $name:ident of $inner:ident) => {
        $(#[$doc])*
        pub struct $name<T> {
            // Dropped first.
            receiving: Receiving,
            inner: mpsc::$inner<Sent<T>>,
        }

        impl<T> $name<T> {
            pub(super) fn new(receiving: Receiving, inner: mpsc::$inner<Sent<T>>) -> Self {
                Self { receiving, inner }
            }

            /// Waits for a message. `None` if there is none, and no sender any more, or the channel was closed.
            ///
            /// Cancel safe: if it is dropped before it is ready, no message was received.
            #[track_caller]
            pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
                let site = Location::caller();
                poll_fn(move |context| self.poll_at(context, site))
            }

            /// Waits for messages, and puts those that there are then, at most `limit`, at the end of `buffer`. Returns how
            /// many that were: none if there is no sender any more, or the channel was closed, or `limit` is 0.
            ///
            /// Cancel safe: if it is dropped before it is ready, no message was received.
            #[track_caller]
            pub fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> impl Future<Output = usize> {
                let site = Location::caller();
                poll_fn(move |context| self.poll_many_at(context, buffer, limit, site))
            }

            /// The next message, if there is one.
            ///
            /// # Errors
            /// If there is none yet, or no sender any more.
            #[track_caller]
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                let site = Location::caller();
                match self.inner.try_recv() {
                    Ok(sent) => Ok(self.received(sent, site)),
                    Err(TryRecvError::Empty) => Err(TryRecvError::Empty),
                    Err(TryRecvError::Disconnected) => {
                        self.ended(site);
                        Err(TryRecvError::Disconnected)
                    }
                }
            }

            /// As `recv`, for threads that are not a runtime's.
            ///
            /// # Panics
            /// Within an asynchronous execution.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                let site = Location::caller();
                let received = self.inner.blocking_recv();
                self.told(received, site)
            }

            /// As `recv_many`, for threads that are not a runtime's.
            ///
            /// # Panics
            /// Within an asynchronous execution.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                assert_may_block();
                let mut count = 0;
                while count < limit {
                    let next = if count == 0 { self.blocking_recv() } else { self.try_recv().ok() };
                    let Some(value) = next else { break };
                    buffer.push(value);
                    count += 1;
                }
                count
            }

            /// No more messages can be sent. Those that were are still there.
            #[track_caller]
            pub fn close(&mut self) {
                self.receiving.close(Location::caller());
                self.inner.close();
            }

            /// Whether it was closed, or there is no sender any more.
            pub fn is_closed(&self) -> bool {
                self.inner.is_closed()
            }

            /// Whether there is no message.
            pub fn is_empty(&self) -> bool {
                self.inner.is_empty()
            }

            /// How many messages there are.
            pub fn len(&self) -> usize {
                self.inner.len()
            }

            /// As `recv`, for futures written by hand.
            #[track_caller]
            pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
                self.poll_at(context, Location::caller())
            }

            /// As `recv_many`, for futures written by hand.
            #[track_caller]
            pub fn poll_recv_many(
                &mut self,
                context: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                self.poll_many_at(context, buffer, limit, Location::caller())
            }

            /// How many senders there are.
            pub fn sender_strong_count(&self) -> usize {
                self.inner.sender_strong_count()
            }

            /// How many weak senders there are.
            pub fn sender_weak_count(&self) -> usize {
                self.inner.sender_weak_count()
            }

            fn poll_at(&mut self, context: &mut Context<'_>, site: Site) -> Poll<Option<T>> {
                let received = ready!(self.inner.poll_recv(context));
                Poll::Ready(self.told(received, site))
            }

            fn poll_many_at(
                &mut self,
                context: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
                site: Site,
            ) -> Poll<usize> {
                // One after the other, because a buffer of the messages as they are sent would have to be allocated.
                for count in 0..limit {
                    match self.poll_at(context, site) {
                        Poll::Ready(Some(value)) => buffer.push(value),
                        Poll::Pending if count == 0 => return Poll::Pending,
                        Poll::Ready(None) | Poll::Pending => return Poll::Ready(count),
                    }
                }
                Poll::Ready(limit)
            }

            fn told(&mut self, received: Option<Sent<T>>, site: Site) -> Option<T> {
                match received {
                    Some(sent) => Some(self.received(sent, site)),
                    None => {
                        self.ended(site);
                        None
                    }
                }
            }

            fn received(&mut self, sent: Sent<T>, site: Site) -> T {
                let taken = self.receiving.take();
                let value = self.receiving.received(sent, site);
                self.receiving.makes_room(taken, site);
                value
            }

            /// Where the receiver has closed the channel, some senders may still be there.
            fn ended(&self, site: Site) {
                if self.inner.sender_strong_count() == 0 {
                    self.receiving.senders_gone(site);
                }
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

receiver! {
    /// As [`tokio::sync::mpsc::Receiver`]. Made by [`channel`](super::channel()).
    Receiver of Receiver
}

receiver! {
    /// As [`tokio::sync::mpsc::UnboundedReceiver`]. Made by [`unbounded_channel`](super::unbounded_channel).
    UnboundedReceiver of UnboundedReceiver
}

impl<T> Receiver<T> {
    /// For how many messages there is room now.
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// For how many messages there is room in all.
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}
