//! [`tokio::sync::watch`], which also records what it orders: who looks at the value comes after all who have changed it
//! before, and so does who changes it. What is done with the value while it is looked at or changed is done under a lock, so
//! which changes those are is known exactly. The order that comes of all senders, or all receivers, being gone is recorded
//! too.
//!
//! # Examples
//!
//! ```
//! use trackside::tokio::{sync::watch, task};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let (sender, mut receiver) = watch::channel(0);
//! task::spawn(async move { sender.send(7) });
//! assert_eq!(*receiver.wait_for(|value| *value > 0).await.expect("it was sent"), 7);
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

pub use tokio::sync::watch::{Ref, error};

use super::end::End;
use crate::record::ObjectType;
use crate::ring::sync::Arc;
use crate::sync::object::{Object, Site};
use crate::sync::signal::Signal;
use error::{RecvError, SendError};
use std::panic::Location;
use tokio::sync::watch;

/// As [`tokio::sync::watch::channel`]: a value that can be changed and watched, called after the place in the source where
/// it is made.
#[track_caller]
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    Sender::of(Object::here(ObjectType::Watch), init, Location::caller()).with_receiver()
}

/// As [`channel`], with a name of its own.
#[track_caller]
pub fn named_channel<T>(name: &'static str, init: T) -> (Sender<T>, Receiver<T>) {
    Sender::of(Object::named(ObjectType::Watch, name), init, Location::caller()).with_receiver()
}

#[derive(Debug)]
struct Shared {
    /// That the value was changed.
    changed: Signal,
    /// That a sender is gone.
    senders: Signal,
    /// That a receiver is gone.
    receivers: Signal,
}

/// As [`tokio::sync::watch::Sender`]. Made by [`channel`], and by cloning.
#[derive(Debug)]
pub struct Sender<T> {
    // Dropped first.
    end: End<Shared>,
    inner: watch::Sender<T>,
}

impl<T> Sender<T> {
    /// As [`channel`], without a receiver.
    #[track_caller]
    pub fn new(init: T) -> Self {
        Self::of(Object::here(ObjectType::Watch), init, Location::caller())
    }

    fn of(object: Object, init: T, site: Site) -> Self {
        let of = [ObjectType::Watch, ObjectType::WatchSender, ObjectType::WatchReceiver];
        let [changed, senders, receivers] = of.map(|of| Signal::new(object.beside(of)));
        let shared = Arc::new(Shared { changed, senders, receivers });
        Self { end: End::new(shared, |shared| &shared.senders, site), inner: watch::Sender::new(init) }
    }

    fn with_receiver(self) -> (Self, Receiver<T>) {
        let receiver = self.receiver(self.end.site());
        (self, receiver)
    }

    fn receiver(&self, site: Site) -> Receiver<T> {
        let end = End::new(self.end.shared().clone(), |shared: &Shared| &shared.receivers, site);
        Receiver { end, inner: self.inner.subscribe() }
    }

    /// Changes the value, and tells the receivers.
    ///
    /// # Errors
    /// If there are none; the new value is given back.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let site = Location::caller();
        if self.inner.receiver_count() == 0 {
            self.end.receivers.notice(site);
            return Err(SendError(value));
        }
        self.replace(value, site);
        Ok(())
    }

    /// Changes the value in place, and tells the receivers.
    ///
    /// # Panics
    /// If `modify` does; then nobody is told.
    #[track_caller]
    pub fn send_modify<F: FnOnce(&mut T)>(&self, modify: F) {
        self.change(Location::caller(), |value| {
            modify(value);
            true
        });
    }

    /// Changes the value in place, and tells the receivers if `modify` says that it has. Returns what it says.
    ///
    /// # Panics
    /// If `modify` does; then nobody is told.
    #[track_caller]
    pub fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {
        self.change(Location::caller(), modify)
    }

    /// Changes the value whether or not there are receivers, tells them, and returns the old one.
    #[track_caller]
    pub fn send_replace(&self, value: T) -> T {
        self.replace(value, Location::caller())
    }

    fn replace(&self, mut value: T, site: Site) -> T {
        self.change(site, |old| {
            std::mem::swap(old, &mut value);
            true
        });
        value
    }

    /// Whoever sees what `modify` does comes after it, however it ends.
    fn change(&self, site: Site, modify: impl FnOnce(&mut T) -> bool) -> bool {
        self.inner.send_if_modified(|value| {
            self.end.changed.notice(site);
            let _changing = Changing { changed: &self.end.changed, site };
            modify(value)
        })
    }

    /// The value. It cannot be changed while it is borrowed.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        let value = self.inner.borrow();
        self.end.changed.notice(Location::caller());
        value
    }

    /// Whether there are no receivers.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        let closed = self.inner.is_closed();
        if closed {
            self.end.receivers.notice(Location::caller());
        }
        closed
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

    /// Another receiver, to which the present value is not news.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        self.receiver(Location::caller())
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        self.inner.sender_count()
    }

    /// Whether both are of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

struct Changing<'a> {
    changed: &'a Signal,
    site: Site,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.changed.give(self.site);
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { end: self.end.another(Location::caller()), inner: self.inner.clone() }
    }
}

impl<T: Default> Default for Sender<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// As [`tokio::sync::watch::Receiver`]. Made by [`channel`] and [`Sender::subscribe`], and by cloning.
#[derive(Debug)]
pub struct Receiver<T> {
    // Dropped first.
    end: End<Shared>,
    inner: watch::Receiver<T>,
}

impl<T> Receiver<T> {
    /// The value. It cannot be changed while it is borrowed.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        let value = self.inner.borrow();
        self.end.changed.notice(Location::caller());
        value
    }

    /// As [`Receiver::borrow`]; and it is no news any more.
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let value = self.inner.borrow_and_update();
        self.end.changed.notice(Location::caller());
        value
    }

    /// Whether the value is news.
    ///
    /// # Errors
    /// If there are no senders.
    #[track_caller]
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        let changed = self.inner.has_changed();
        if !matches!(changed, Ok(false)) {
            self.told(changed.is_ok(), Location::caller());
        }
        changed
    }

    /// Whether there are no senders.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        let closed = self.inner.is_closed();
        if closed {
            self.told(false, Location::caller());
        }
        closed
    }

    /// From now on, the present value is news.
    pub fn mark_changed(&mut self) {
        self.inner.mark_changed();
    }

    /// From now on, the present value is no news.
    pub fn mark_unchanged(&mut self) {
        self.inner.mark_unchanged();
    }

    /// Waits until the value is news; then it is none any more.
    ///
    /// # Errors
    /// If there are no senders.
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> {
        let site = Location::caller();
        async move {
            let changed = self.inner.changed().await;
            self.told(changed.is_ok(), site);
            changed
        }
    }

    /// Waits until the value is one that `f` says yes to; then it is no news any more.
    ///
    /// # Errors
    /// If there are no senders, and the value is not one.
    ///
    /// # Panics
    /// If `f` does.
    #[track_caller]
    pub fn wait_for(&mut self, mut f: impl FnMut(&T) -> bool) -> impl Future<Output = Result<Ref<'_, T>, RecvError>> {
        let site = Location::caller();
        async move {
            let Self { end, inner } = self;
            let value = inner
                .wait_for(|value| {
                    end.changed.notice(site);
                    f(value)
                })
                .await;
            if value.is_err() {
                end.senders.notice(site);
            }
            value
        }
    }

    /// Whether both are of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// The value was found changed, or else there are no senders.
    fn told(&self, changed: bool, site: Site) {
        let signal = if changed { &self.end.changed } else { &self.end.senders };
        signal.notice(site);
    }
}

impl<T> Clone for Receiver<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { end: self.end.another(Location::caller()), inner: self.inner.clone() }
    }
}
