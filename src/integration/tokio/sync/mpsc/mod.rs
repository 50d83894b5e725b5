//! [`tokio::sync::mpsc`], whose messages are recorded: what was done before a message was sent happens before what is done
//! after it was received.
//!
//! Each message has a number on its channel, which travels with it. Beside that, the record has the order that comes of a
//! channel's other ways to tell something, as that of [`sync::mpsc`](crate::sync::mpsc) has:
//!
//! - *No more senders.* What was done before each of them was dropped happens before what follows a `recv` that finds none.
//! - *No receiver.* What was done before the receiver was dropped, or closed the channel, happens before what follows a
//!   `send` that fails, or `closed`.
//! - *Room.* What the receiver of a bounded channel did up to taking out a message happens before what follows the `send`,
//!   or the permit, that had to have that room. Where several send at once, that is what is certain: of order that comes of
//!   room it may be less than there was.
//!
//! A `send` that is cancelled while it waits for room has sent nothing, and has recorded nothing.
//!
//! # Examples
//!
//! ```
//! use trackside::tokio::{sync::mpsc, task};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let (sender, mut receiver) = mpsc::channel(1);
//! task::spawn(async move {
//!     for number in 1..=3 {
//!         sender.send(number).await.expect("there is a receiver");
//!     }
//! });
//! let mut sum = 0;
//! while let Some(number) = receiver.recv().await {
//!     sum += number;
//! }
//! assert_eq!(sum, 6);
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

mod leaving;
mod many;
mod permit;
mod receiver;
mod sender;
mod unbounded;

pub use many::PermitIterator;
pub use permit::{OwnedPermit, Permit};
pub use receiver::{Receiver, UnboundedReceiver};
pub use sender::{Sender, WeakSender};
pub use tokio::sync::mpsc::error;
pub use unbounded::{UnboundedSender, WeakUnboundedSender};

use crate::record::ObjectType;
use crate::sync::object::Object;
use std::panic::Location;

/// As [`tokio::sync::mpsc::channel`]: a channel that holds `buffer` messages at most, called after the place in the source
/// where it is made.
///
/// # Panics
/// If `buffer` is 0, or more than [`Semaphore::MAX_PERMITS`](super::Semaphore::MAX_PERMITS).
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    sender::bounded(Object::here(ObjectType::Mpsc), buffer, Location::caller())
}

/// As [`channel`], with a name of its own.
///
/// # Panics
/// As [`channel`].
#[track_caller]
pub fn named_channel<T>(name: &'static str, buffer: usize) -> (Sender<T>, Receiver<T>) {
    sender::bounded(Object::named(ObjectType::Mpsc, name), buffer, Location::caller())
}

/// As [`tokio::sync::mpsc::unbounded_channel`]: a channel without a bound, called after the place in the source where it is
/// made.
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    unbounded::unbounded(Object::here(ObjectType::Mpsc), Location::caller())
}

/// As [`unbounded_channel`], with a name of its own.
#[track_caller]
pub fn named_unbounded_channel<T>(name: &'static str) -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    unbounded::unbounded(Object::named(ObjectType::Mpsc, name), Location::caller())
}
