//! Tokio's locks, and what there is beside what they guard.
//!
//! An owned guard of tokio's holds an `Arc` of tokio's lock, and whoever asks ours for one has an `Arc` of ours. So that the
//! one is the other, ours are laid out as tokio's: what is ours lies inside, beside the value.

#![expect(unsafe_code, reason = "an Arc of the one is turned into an Arc of the other")]

use super::frame::FixedName;
use super::turns::{LazyId, SharedTurns};
use pin_project_lite::pin_project;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::futures::Notified;

/// What is known of a lock.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) id: LazyId,
    pub(crate) name: FixedName,
    pub(crate) turns: SharedTurns,
}

impl Known {
    /// A lock that is called after a place in the source.
    pub(crate) const fn at(location: &'static Location<'static>) -> Self {
        Self::of(FixedName::location(location))
    }

    /// A lock with a name of its own, of which 255 bytes are told.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self::of(FixedName::text(name))
    }

    const fn of(name: FixedName) -> Self {
        Self { id: LazyId::new(), name, turns: SharedTurns::new() }
    }
}

/// A value, and what is known of the lock that guards it.
pub(crate) struct Beside<T: ?Sized> {
    pub(crate) known: Known,
    pub(crate) value: T,
}

/// [`tokio::sync::Mutex`], which also records who held it in which order.
///
/// Same methods, same guarantees, first come, first served. What comes in addition: each acquisition has a number, taken
/// while the lock is held, so that the order of critical sections is known exactly. The lock is held by the task that took
/// it, on whatever worker that goes on, until its guard is dropped, wherever that is. It records into the client that was
/// built last (see [`Builder::record_locks`](crate::Builder::record_locks)); where there is none, it is tokio's mutex.
///
/// # Examples
///
/// ```
/// use trackside::tokio::sync::Mutex;
///
/// static TOTAL: Mutex<u64> = Mutex::const_named("total", 0);
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// *TOTAL.lock().await += 1;
/// assert_eq!(*TOTAL.lock().await, 1);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[repr(transparent)]
pub struct Mutex<T: ?Sized>(pub(crate) tokio::sync::Mutex<Beside<T>>);

impl<T: ?Sized> Mutex<T> {
    /// The mutex as tokio's.
    pub(crate) fn peel(self: Arc<Self>) -> Arc<tokio::sync::Mutex<Beside<T>>> {
        let whole = Arc::into_raw(self) as *const tokio::sync::Mutex<Beside<T>>;
        // SAFETY: it is what `into_raw` returned, of a type that is laid out as the other one, and is dropped as it.
        unsafe { Arc::from_raw(whole) }
    }
}

/// [`tokio::sync::RwLock`], which also records who held it in which order.
///
/// Same methods, same guarantees, first come, first served. In addition, each acquisition has a number, taken while the lock
/// is held: so it is known which readers came between which writers. It records where a [`Mutex`] does.
///
/// # Examples
///
/// ```
/// use trackside::tokio::sync::RwLock;
///
/// static RATES: RwLock<Vec<u32>> = RwLock::const_named("rates", Vec::new());
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// RATES.write().await.push(7);
/// assert_eq!(*RATES.read().await, [7]);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[repr(transparent)]
pub struct RwLock<T: ?Sized>(pub(crate) tokio::sync::RwLock<Beside<T>>);

impl<T: ?Sized> RwLock<T> {
    /// The lock as tokio's.
    pub(crate) fn peel(self: Arc<Self>) -> Arc<tokio::sync::RwLock<Beside<T>>> {
        let whole = Arc::into_raw(self) as *const tokio::sync::RwLock<Beside<T>>;
        // SAFETY: as for the mutex.
        unsafe { Arc::from_raw(whole) }
    }
}

pin_project! {
    /// What waits for a notification, and what holds whatever that comes from. The first is dropped first.
    #[derive(Debug)]
    pub(crate) struct Lasting<O> {
        #[pin]
        notified: Notified<'static>,
        owner: Arc<O>,
    }
}

impl<O> Lasting<O> {
    /// Waits for a notification of the owner's.
    pub(crate) fn new(owner: Arc<O>, notify: fn(&O) -> &tokio::sync::Notify) -> Self {
        let notify = std::ptr::from_ref(notify(&owner));
        // SAFETY: the reference is good for as long as one to the owner is. That stays where it is, shared, while there is an
        // Arc of it, and this one goes after all that is made of the reference.
        let notify: &'static tokio::sync::Notify = unsafe { &*notify };
        Self { notified: notify.notified(), owner }
    }

    /// As [`Notified::enable`]; and the owner.
    pub(crate) fn enable(self: Pin<&mut Self>) -> (bool, &O) {
        let this = self.project();
        (this.notified.enable(), this.owner)
    }

    /// As [`Notified`]'s; and the owner.
    pub(crate) fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> (Poll<()>, &O) {
        let this = self.project();
        (this.notified.poll(context), this.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside<T>(value: T) -> Beside<T> {
        Beside { known: Known::named("peeled"), value }
    }

    #[test]
    fn what_is_peeled_is_the_same_and_is_dropped_once() {
        let dropped = Arc::new(());
        let one = Arc::new(Mutex(tokio::sync::Mutex::new(beside(dropped.clone()))));
        let peeled = one.clone().peel();
        assert!(std::ptr::addr_eq(Arc::as_ptr(&one), Arc::as_ptr(&peeled)));
        assert_eq!((Arc::strong_count(&one), Arc::strong_count(&dropped)), (2, 2));
        drop(one);
        drop(peeled.try_lock_owned().map(|guard| assert_eq!(Arc::strong_count(&guard.value), 2)));
        assert_eq!(Arc::strong_count(&dropped), 1);
    }

    #[test]
    fn so_is_what_has_no_size() {
        let one: Arc<RwLock<[u8]>> = Arc::new(RwLock(tokio::sync::RwLock::new(beside([1, 2, 3]))));
        assert_eq!(one.peel().try_read_owned().map(|guard| guard.value.len()).ok(), Some(3));
    }
}
