//! [`std::sync::mpsc`], whose messages are recorded: what was done before a message was sent happens before what is done
//! after it was received.
//!
//! Each message has a number on its channel, which travels with it. Beside that, the record has the order that comes of a
//! channel's other ways to tell something:
//!
//! - *No more senders.* What was done before each sender was dropped happens before what follows the receiver's
//!   `Disconnected`, or the end of its iterator. (`for message in receiver` waits for the senders that way.)
//! - *No receiver.* What was done before the receiver was dropped happens before what follows a `send` that fails.
//! - *Room.* What a bounded channel's receiver did up to taking out a message happens before what follows the `send` that
//!   had to have that room; for a bound of 0, the `send` of that message. Which one that is can be told from the outside
//!   as long as no two threads send at once. Where they do, what is recorded is what is certain: of order that comes of
//!   room it may be less than there was.
//!
//! std's documentation does not spell these three out; they are how its channels work, and what programs count on. Not
//! recorded is what a message orders that is never received: it is dropped, with the receiver or the last sender.
//!
//! A send is recorded before the message goes on its way. So one that fails, or finds no room, is recorded too, as a
//! message that nobody receives: who asks for room in a loop records an event each time. Of what is sent or received while
//! there is no client, nothing is recorded, and a message that is received for another client than it was sent for is not
//! recorded as received.
//!
//! # Examples
//!
//! ```
//! use trackside::{sync::mpsc, thread};
//!
//! let (sender, receiver) = mpsc::channel();
//! let worker = thread::spawn(move || (1..=3).try_for_each(|number| sender.send(number)));
//! assert_eq!(receiver.iter().sum::<i32>(), 6);
//! assert!(worker.join().is_ok_and(|sent| sent.is_ok()));
//! ```

pub(crate) mod channel;
mod iter;
mod receiver;
mod sender;

pub use iter::{IntoIter, Iter, TryIter};
pub use receiver::Receiver;
pub use sender::{Sender, SyncSender};
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use super::object::Object;
use crate::record::ObjectType;

/// As [`std::sync::mpsc::channel`]: a channel without a bound, named after the place in the source where it is made.
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    channel::unbounded(Object::here(ObjectType::Mpsc))
}

/// As [`channel`], with a name of its own.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = trackside::sync::mpsc::named_channel("jobs");
/// sender.send("first")?;
/// assert_eq!(receiver.recv(), Ok("first"));
/// # Ok::<(), trackside::sync::mpsc::SendError<&str>>(())
/// ```
#[must_use]
pub fn named_channel<T>(name: &'static str) -> (Sender<T>, Receiver<T>) {
    channel::unbounded(Object::named(ObjectType::Mpsc, name))
}

/// As [`std::sync::mpsc::sync_channel`]: a channel that holds `bound` messages at most, named after the place in the source
/// where it is made. For a bound of 0, each `send` waits until its message is received.
///
/// # Examples
///
/// ```
/// use trackside::sync::mpsc::{TrySendError, sync_channel};
///
/// let (sender, receiver) = sync_channel(1);
/// assert_eq!(sender.try_send(1), Ok(()));
/// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
/// assert_eq!(receiver.recv(), Ok(1));
/// assert_eq!(sender.try_send(3), Ok(()));
/// ```
#[must_use]
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    channel::bounded(Object::here(ObjectType::Mpsc), bound)
}

/// As [`sync_channel`], with a name of its own.
#[must_use]
pub fn named_sync_channel<T>(name: &'static str, bound: usize) -> (SyncSender<T>, Receiver<T>) {
    channel::bounded(Object::named(ObjectType::Mpsc, name), bound)
}
