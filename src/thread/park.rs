//! Parked threads, and who unparks them.

use crate::record::ObjectType;
use crate::ring::pipe::{self, Group};
use crate::ring::sync::{Arc, AtomicU64, Ordering};
use crate::sync::object::{Object, Site};
use std::cell::OnceCell;
use std::fmt;
use std::panic::Location;
use std::thread::ThreadId;
use std::time::Duration;
use trackside_wire::Kind;

/// As [`std::thread::Thread`]: a thread's handle, whose unparks are recorded. Made by [`current`], and to be had from what
/// spawns threads.
#[derive(Clone)]
pub struct Thread {
    inner: std::thread::Thread,
    token: Arc<Token>,
}

/// What a thread parks for, as far as it is recorded: each unpark has a number, from 1.
#[derive(Debug)]
pub(super) struct Token {
    object: Object,
    unparks: AtomicU64,
    /// The key of the client for which it was unparked last.
    key: AtomicU64,
}

thread_local! {
    static TOKEN: OnceCell<Arc<Token>> = const { OnceCell::new() };
}

/// The calling thread's handle.
///
/// # Examples
///
/// ```
/// use trackside::thread;
///
/// let parked = thread::spawn(|| thread::park());
/// // Before it parks or after, its token is there or will be.
/// parked.thread().unpark();
/// assert!(parked.join().is_ok());
/// ```
#[must_use]
pub fn current() -> Thread {
    let token =
        TOKEN.try_with(|token| token.get_or_init(|| Token::new(Object::named(ObjectType::Thread, "thread"))).clone());
    // Where the thread-locals are gone, the thread is exiting: if it still parks, that is not recorded.
    let token = token.unwrap_or_else(|_| Token::new(Object::named(ObjectType::Thread, "thread")));
    Thread { inner: std::thread::current(), token }
}

/// As [`std::thread::park`]: waits for the calling thread's token, and takes it. What was done before each
/// [`Thread::unpark`] so far happens before what is done next.
///
/// It may return without a token, as std's does.
///
/// # Examples
///
/// ```
/// use trackside::thread;
///
/// let waiting = thread::current();
/// thread::spawn(move || waiting.unpark());
/// thread::park();
/// ```
#[track_caller]
pub fn park() {
    std::thread::park();
    parked(Location::caller());
}

/// As [`park`], for at most so long.
#[track_caller]
pub fn park_timeout(dur: Duration) {
    std::thread::park_timeout(dur);
    parked(Location::caller());
}

/// As [`park_timeout`], for at most so many milliseconds.
#[track_caller]
#[deprecated = "replaced by `park_timeout`"]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(u64::from(ms)));
}

fn parked(site: Site) {
    let key = pipe::default_key_of(Group::Signals);
    if key != 0 {
        // A thread without a token has not been unparked through one.
        let _ = TOKEN.try_with(|token| token.get().inspect(|token| token.taken(key, site)).is_some());
    }
}

impl Token {
    fn new(object: Object) -> Arc<Self> {
        Arc::new(Self { object, unparks: AtomicU64::new(0), key: AtomicU64::new(0) })
    }

    /// That of a thread which is about to be spawned.
    #[track_caller]
    pub(super) fn of_new_thread() -> Arc<Self> {
        Self::new(Object::here(ObjectType::Thread))
    }

    /// The work, on a thread of its own that this then belongs to.
    pub(super) fn around<T>(self: Arc<Self>, work: impl FnOnce() -> T) -> impl FnOnce() -> T {
        move || {
            // The thread has just begun, and has none yet.
            let _ = TOKEN.try_with(|token| token.set(self).is_ok());
            work()
        }
    }

    /// As a handle of the thread that it belongs to.
    pub(super) fn of(self: Arc<Self>, thread: &std::thread::Thread) -> Thread {
        Thread { inner: thread.clone(), token: self }
    }

    /// Its thread is about to be unparked.
    ///
    /// This is where our unpark happens, in the one order that all parks and unparks of a thread have: a park that is over
    /// by now comes after it, whether or not std's token has been given yet. If it has not, the next park will return
    /// without one, and nothing is recorded then.
    fn given(&self, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        if key != 0 {
            self.key.store(key, Ordering::Relaxed);
            // AcqRel: the Release pairs with the Acquire in `taken`; each unpark also passes on those before it.
            let number = self.unparks.fetch_add(1, Ordering::AcqRel) + 1;
            self.object.record(Kind::SyncRelease, key, number, site);
        }
    }

    /// Its thread goes on after a park.
    fn taken(&self, key: u64, site: Site) {
        // Acquire: pairs with the Release in `given`, and so orders what is recorded here.
        let unparks = self.unparks.load(Ordering::Acquire);
        if unparks > 0 && self.key.load(Ordering::Relaxed) == key {
            self.object.acquire(key, unparks, site);
        }
    }
}

impl Thread {
    /// Gives the thread its token: if it is parked, it goes on, and if not, its next [`park`] returns at once. What was done
    /// before happens before what the thread does then.
    #[inline]
    #[track_caller]
    pub fn unpark(&self) {
        self.token.given(Location::caller());
        self.inner.unpark();
    }

    /// The thread's id, as std counts them.
    #[inline]
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.inner.id()
    }

    /// The thread's name, if it has one.
    #[inline]
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
