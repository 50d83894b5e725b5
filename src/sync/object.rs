//! What synchronises and is not a lock: an object with an id and a name, and its messages and signals on their way into the
//! calling thread's ring.

use crate::record::{Arg, Bytes, Name, ObjectType, Record};
use crate::ring::pipe::{self, Group};
use crate::ring::sync::{AtomicU64, Ordering};
use crate::ring::thread_ring::ThreadRing;
use crate::ring::{frame, local};
use std::panic::Location;
use trackside_wire::Kind;

pub(crate) type Site = &'static Location<'static>;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Object {
    object_type: ObjectType,
    /// Given at the first recorded use, because `new` is const and cannot count; 0 before.
    id: AtomicU64,
    name: Name<Bytes<'static>>,
}

impl Object {
    /// An object called `name`.
    pub(crate) const fn named(object_type: ObjectType, name: &'static str) -> Self {
        Self { object_type, id: AtomicU64::new(0), name: Name::Static(name) }
    }

    /// An object that is called after the place where it is made.
    #[track_caller]
    pub(crate) const fn here(object_type: ObjectType) -> Self {
        Self { object_type, id: AtomicU64::new(0), name: Name::Location(Location::caller()) }
    }

    /// Another object of the same type and name.
    pub(crate) const fn alike(&self) -> Self {
        self.beside(self.object_type)
    }

    /// Another object of the same name.
    pub(crate) const fn beside(&self, object_type: ObjectType) -> Self {
        Self { object_type, id: AtomicU64::new(0), name: self.name }
    }

    /// Records that this thread has sent a message, received one, or given a signal. `false` if that is not in the record
    /// of the client with this key, which is not 0: the thread's events are not sampled, or find no room.
    #[inline(always)]
    pub(crate) fn record(&self, kind: Kind, key: u64, number: u64, site: Site) -> bool {
        self.put(Event { kind, key, id: self.id(), number, site, once: false })
    }

    /// Records that this thread has noticed a signal, unless the strand it runs as is known to have come after it.
    #[inline(always)]
    pub(crate) fn acquire(&self, key: u64, number: u64, site: Site) {
        self.put(Event { kind: Kind::SyncAcquire, key, id: self.id(), number, site, once: true });
    }

    #[inline(always)]
    fn id(&self) -> u64 {
        // Relaxed: it is but a number, the same for all.
        match self.id.load(Ordering::Relaxed) {
            0 => self.new_id(),
            id => id,
        }
    }

    #[cold]
    #[inline(never)]
    fn new_id(&self) -> u64 {
        let id = pipe::new_lock_id();
        match self.id.compare_exchange(0, id, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => id,
            Err(others) => others,
        }
    }

    /// As for a client's events: straight on where all is as it mostly is, and one way out for anything else.
    #[inline(always)]
    fn put(&self, event: Event) -> bool {
        // Once for each form of name, so that the record's shape is known where it is written.
        let done = match self.name {
            Name::Static(name) if frame::packs(name) => event.put_at_once(Name::Static(name), self.object_type),
            Name::Location(name) => event.put_at_once(Name::Location(name), self.object_type),
            _ => false,
        };
        done || event.put_anyhow(self.name, self.object_type)
    }
}

#[derive(Debug, Clone, Copy)]
struct Event {
    kind: Kind,
    key: u64,
    id: u64,
    number: u64,
    site: Site,
    /// Whether it is to be left out where the strand in force has recorded it before.
    once: bool,
}

impl Event {
    #[inline(always)]
    fn put_at_once(self, name: Name<Bytes<'static>>, object_type: ObjectType) -> bool {
        let Some(mut entered) = local::enter_at_once(self.key) else { return false };
        // The writing is not passed in to what both ways share, as a closure: that made each event some 4 ns dearer.
        let ring = entered.ring();
        if self.is_passed(ring) {
            return true;
        }
        let written = self.record(name, object_type, ring.hot_ticks(self.key)).write_at_once(ring);
        self.note(ring, written)
    }

    #[cold]
    #[inline(never)]
    fn put_anyhow(self, name: Name<Bytes<'static>>, object_type: ObjectType) -> bool {
        let Some(mut entered) = local::enter_default(self.key) else { return false };
        let ring = entered.ring();
        if self.is_passed(ring) {
            return true;
        }
        let written = self.record(name, object_type, ring.ticks()).write(ring);
        self.note(ring, written)
    }

    /// Whether it is in the record from before.
    #[inline(always)]
    fn is_passed(self, ring: &ThreadRing) -> bool {
        self.once && ring.has_passed(self.id, self.number)
    }

    /// Remembers it, if it is in the record by now.
    #[inline(always)]
    fn note(self, ring: &mut ThreadRing, written: bool) -> bool {
        if written && self.once {
            ring.pass(self.id, self.number);
        }
        written
    }

    #[inline(always)]
    fn record(self, name: Name<Bytes<'static>>, object_type: ObjectType, ticks: u64) -> Record<Bytes<'static>> {
        let (a, b) = (Arg::UInt(object_type.with_id(self.id)), Arg::UInt(self.number));
        Record { kind: self.kind.code(), site: Some(self.site.into()), name, ticks, a, b }
    }
}

/// Something that is done once, or again after it was undone: whoever finds it done comes after it.
///
/// What makes it true that who finds it done comes after who did it is with the user: the state of a `Once`, that of a
/// channel. This remembers what of it is in which client's record.
#[derive(Debug)]
pub(crate) struct Milestone {
    object: Object,
    /// The number of the last release that was recorded, from 1; 0 if there is none.
    number: AtomicU64,
    /// The key of the client that has it in its record.
    key: AtomicU64,
}

impl Milestone {
    pub(crate) const fn new(object: Object) -> Self {
        Self { object, number: AtomicU64::new(0), key: AtomicU64::new(0) }
    }

    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    /// It is about to be done, by one who excludes all others: the next number.
    pub(crate) fn release_next(&self, site: Site) {
        self.release(self.number.load(Ordering::Relaxed) + 1, site);
    }

    /// It is about to be done, under a number that others may have as well.
    pub(crate) fn release(&self, number: u64, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        if key != 0 && self.object.record(Kind::SyncRelease, key, number, site) {
            // Release, in this order: pairs with the loads in `acquire`. Whoever finds the number, finds what this thread
            // has done, whatever lies between.
            self.number.store(number, Ordering::Release);
            self.key.store(key, Ordering::Release);
        }
    }

    /// It was found done.
    #[inline(always)]
    pub(crate) fn acquire(&self, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        // Acquire, both: see `release`.
        if key != 0 && self.key.load(Ordering::Acquire) == key {
            self.object.acquire(key, self.number.load(Ordering::Acquire), site);
        }
    }
}

/// Doing what others wait for, as the one who has the right to; also if it ends in a panic, for the next one to try comes
/// after that.
pub(crate) fn initialise<R>(done: &Milestone, site: Site, init: impl FnOnce() -> R) -> R {
    let _beginning = begin(done, site);
    init()
}

/// As [`initialise`]: what others wait for is done until the result is dropped.
pub(crate) fn begin(done: &Milestone, site: Site) -> Beginning<'_> {
    done.acquire(site);
    Beginning { done, site }
}

/// See [`begin`].
pub(crate) struct Beginning<'a> {
    done: &'a Milestone,
    site: Site,
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        self.done.release_next(self.site);
    }
}
