//! The locks of the crate [`parking_lot`](https://docs.rs/parking_lot/0.12), which also tell who held them in which order.
//!
//! `use trackside::parking_lot::` in place of `use parking_lot::` is all there is to change. The types are lock_api's, as
//! parking_lot's are, so they have every method, mapped and fair and timed and all; whatever is not here in a form of our own
//! ([`Once`], [`lock_api`], and what parking_lot's features add) is parking_lot's. They record where
//! [`sync::Mutex`](crate::sync::Mutex) does.
//!
//! **Names.** `Mutex::new` is a `const fn` that cannot be told where it is called. So a lock is called after the place where it
//! was first taken, as far as that is recorded, unless it has a name of its own: [`named_mutex`] and its like.
//!
//! **What is recorded.** Each acquisition and each release, with the place of the acquisition. A wait is measured where the
//! first try fails. An upgradable read takes two locks of one name, as that is how it excludes: the one that other readers take
//! too, and the right to upgrade. An upgrade gives back the first as a reader, and takes it as a writer. A bump gives the lock
//! back and takes it again. Of a [`ReentrantMutex`], only the outermost acquisition is recorded, because no other orders
//! anything.
//!
//! **What is not known.** Where a guard has its lock again after `unlocked`, or the right to upgrade after `with_upgraded`: the
//! place told is one in lock_api, which does not pass on its caller there. Which of its turns a thread ends that holds more
//! than 16 read locks at once: the release does not say, and the analysis calls incomplete what depends on it.
//!
//! **With parking_lot's feature `send_guard`**, a lock may be given back by another thread than took it. The order is told as
//! exactly as ever for mutexes and writers; the release of a reader does not say which acquisition it ends, as above. But the
//! report's lock sets take the lock for held on by who took it.
//!
//! **Without the feature `tracked`** they are parking_lot's, and nothing is recorded.
//!
//! **What is not here:** `lock_arc` and its like of [`ReentrantMutex`], and its `from_raw`; both are to be had of the type that it
//! dereferences to.
//!
//! # Examples
//!
//! ```
//! use trackside::parking_lot::{Condvar, Mutex, RwLock, RwLockUpgradableReadGuard, named_mutex};
//!
//! static QUEUE: Mutex<Vec<u32>> = named_mutex("queue", Vec::new());
//! static FILLED: Condvar = Condvar::new();
//!
//! let consumer = std::thread::spawn(|| {
//!     let mut queue = QUEUE.lock();
//!     FILLED.wait_while(&mut queue, |queue| queue.is_empty());
//!     queue.pop()
//! });
//! QUEUE.lock().push(7);
//! FILLED.notify_one();
//! assert_eq!(consumer.join().unwrap(), Some(7));
//!
//! let rates = RwLock::new(vec![1]);
//! let reading = rates.upgradable_read();
//! if !reading.contains(&2) {
//!     RwLockUpgradableReadGuard::upgrade(reading).push(2);
//! }
//! assert_eq!(*rates.read(), [1, 2]);
//! ```

mod called;
mod condvar;
mod mutex;
mod reads;
mod reentrant;
mod rwlock;

pub use self::condvar::{Condvar, WaitTimeoutResult};
pub use self::mutex::{
    FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedMutexGuard, Mutex, MutexGuard, RawFairMutex, RawMutex,
    const_fair_mutex, const_mutex, named_fair_mutex, named_mutex,
};
pub use self::reentrant::{
    MappedReentrantMutexGuard, RawOutermost, ReentrantMutex, ReentrantMutexGuard, const_reentrant_mutex,
    named_reentrant_mutex,
};
pub use self::rwlock::{
    MappedRwLockReadGuard, MappedRwLockWriteGuard, RawRwLock, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard, const_rwlock, named_rwlock,
};
// What stands above goes before what comes this way. What parking_lot's features add is only to be had so.
pub use ::parking_lot::*;
