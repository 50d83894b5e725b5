use crate::record::ObjectType;
use crate::ring::apart::Lasting;
use crate::sync::object::{Object, Site};
use crate::sync::signal::Signal;
use pin_project_lite::pin_project;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// [`tokio::sync::Notify`], which also records what it orders: who was notified comes after whoever notified.
///
/// Which of several notifications it was is not to be told from the outside. So who was notified is taken to come after all
/// that were given until it noticed.
///
/// # Examples
///
/// ```
/// use trackside::tokio::sync::Notify;
///
/// static READY: Notify = Notify::const_named("ready");
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// READY.notify_one();
/// READY.notified().await;
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Notify {
    given: Signal,
    inner: tokio::sync::Notify,
}

impl Notify {
    /// One without a notification, called after the place in the source where it is made.
    #[track_caller]
    pub fn new() -> Self {
        Self::const_new()
    }

    /// As [`Notify::new`], in a `const` or a `static`.
    #[track_caller]
    pub const fn const_new() -> Self {
        Self::of(Object::here(ObjectType::Notify))
    }

    /// One with a name of its own.
    pub fn named(name: &'static str) -> Self {
        Self::const_named(name)
    }

    /// As [`Notify::named`], in a `const` or a `static`.
    pub const fn const_named(name: &'static str) -> Self {
        Self::of(Object::named(ObjectType::Notify, name))
    }

    const fn of(object: Object) -> Self {
        Self { given: Signal::new(object), inner: tokio::sync::Notify::const_new() }
    }

    /// As [`tokio::sync::Notify::notified`]: ready once there is a notification.
    #[track_caller]
    pub fn notified(&self) -> Notified<'_> {
        Notified { inner: self.inner.notified(), given: &self.given, site: Location::caller() }
    }

    /// As [`Notify::notified`], for a future that may outlive the borrow.
    #[track_caller]
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        OwnedNotified { inner: Lasting::new(self, |notify| &notify.inner), site: Location::caller() }
    }

    /// As [`tokio::sync::Notify::notify_one`]: to the one who has waited longest, or else to the next one to come.
    #[track_caller]
    pub fn notify_one(&self) {
        self.given.give(Location::caller());
        self.inner.notify_one();
    }

    /// As [`tokio::sync::Notify::notify_last`]: to the one who has waited shortest, or else to the next one to come.
    #[track_caller]
    pub fn notify_last(&self) {
        self.given.give(Location::caller());
        self.inner.notify_last();
    }

    /// As [`tokio::sync::Notify::notify_waiters`]: to all who wait, and to nobody who comes later.
    #[track_caller]
    pub fn notify_waiters(&self) {
        self.given.give(Location::caller());
        self.inner.notify_waiters();
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

pin_project! {
    /// As [`tokio::sync::futures::Notified`]. Made by [`Notify::notified`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Notified<'a> {
        #[pin]
        inner: tokio::sync::futures::Notified<'a>,
        given: &'a Signal,
        site: Site,
    }
}

impl Notified<'_> {
    /// From now on waits for a notification, as if it had been polled. Whether there is one already.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        let notified = this.inner.enable();
        if notified {
            this.given.notice(this.site);
        }
        notified
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let polled = this.inner.poll(context);
        if polled.is_ready() {
            this.given.notice(this.site);
        }
        polled
    }
}

pin_project! {
    /// As [`tokio::sync::futures::OwnedNotified`]. Made by [`Notify::notified_owned`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct OwnedNotified {
        #[pin]
        inner: Lasting<Notify>,
        site: Site,
    }
}

impl OwnedNotified {
    /// As [`Notified::enable`].
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        let (notified, notify) = this.inner.enable();
        if notified {
            notify.given.notice(this.site);
        }
        notified
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let (polled, notify) = this.inner.poll(context);
        if polled.is_ready() {
            notify.given.notice(this.site);
        }
        polled
    }
}
