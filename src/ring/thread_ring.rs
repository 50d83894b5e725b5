//! A ring in the hands of the thread that records into it: room is looked for, waited for if the user said so, and told to
//! be wanted.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::draft::Draft;
use super::frame::{Head, HeadWords};
use super::held::{Held, LOCK_ID, LockPlace};
use super::local::is_flusher;
use super::passed::Passed;
use super::pipe::{Overflow, Pipe, key_is_coarse};
use super::spsc::{EVENT, Producer, Slot};
use super::stay::{Progress, Stay};
use super::sync::Arc;
use super::tsc;
use std::time::{Duration, Instant};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct ThreadRing {
    producer: Producer,
    pipe: Arc<Pipe>,
    /// Whose events these are.
    stay: Stay,
    /// The thread's own strand: whose events they are if no other is said to be.
    own: Progress,
    /// The tracked locks that the thread holds, to be told again after a gap.
    pub(crate) held: Held,
    /// Where the lock is that the drafted frame, if there is one, says was taken.
    drafted: LockPlace,
    passed: Passed,
}

impl ThreadRing {
    /// A ring that has just been leased from `pipe`. The thread gets a strand of its own.
    pub(super) fn new(producer: Producer, pipe: &Arc<Pipe>) -> Self {
        let own = Progress::new(pipe.next_number());
        Self {
            producer,
            pipe: pipe.clone(),
            stay: Stay::NONE,
            own,
            held: Held::default(),
            drafted: LockPlace::UNKNOWN,
            passed: Passed::new(),
        }
    }

    /// The pipe it belongs to.
    pub(crate) fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }

    /// How many events went through it, or were dropped in front of it.
    pub(crate) fn events(&self) -> u64 {
        self.producer.events()
    }

    /// Closes the ring, and has the flusher empty it soon: until then no other thread can use it, and where threads come
    /// and go faster than the flusher looks, each would need a ring of its own.
    pub(super) fn close(self) {
        let Self { producer, pipe, .. } = self;
        drop(producer);
        // In a forked child there is no flusher, and the lock on the way to it may be held for ever.
        if !pipe.is_foreign() {
            pipe.signal.wake();
        }
    }

    /// Whether the strand in force is known to have recorded here that it came after the object's signal of this number.
    #[inline(always)]
    pub(crate) fn has_passed(&self, id: u64, number: u64) -> bool {
        self.passed.holds(self.stay.strand(), id, number)
    }

    /// The strand in force has just recorded that it came after the object's signal of this number.
    #[inline(always)]
    pub(crate) fn pass(&mut self, id: u64, number: u64) {
        self.passed.note(self.stay.strand(), id, number);
    }

    /// Opens a frame for an event, making room if need be. `None`, and counted, if the ring is full.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        if !self.producer.has_room(payload) && !self.make_room(payload) {
            self.producer.count_dropped();
            return None;
        }
        self.producer.reserve(head, payload)
    }

    /// As [`ThreadRing::reserve`], where room is known. `None`, and nothing counted, where it would have to be made.
    #[inline(always)]
    pub(crate) fn reserve_at_once(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        self.producer.reserve(head, payload)
    }

    /// The time of an event, in ticks, for the hot path: there, the pipe's key says how to tell it.
    #[inline(always)]
    pub(crate) fn hot_ticks(&self, key: u64) -> u64 {
        if key_is_coarse(key) {
            aside();
            return self.pipe.tick();
        }
        tsc::counter()
    }

    /// The time of an event, in ticks, wherever it comes from.
    pub(crate) fn ticks(&self) -> u64 {
        if key_is_coarse(self.pipe.key()) { self.pipe.tick() } else { (self.pipe.clock)() }
    }

    /// Drafts a frame which tells that a lock was taken, where room is known. The lock's number is the lower part of its
    /// second word ([`LOCK_ID`]).
    #[inline(always)]
    pub(super) fn draft<const WORDS: usize>(
        &mut self,
        head: HeadWords,
        payload: [u64; WORDS],
        place: LockPlace,
    ) -> Draft {
        self.drafted = place;
        self.producer.draft(head, payload)
    }

    /// The draft that is not published, if there is one.
    #[inline(always)]
    pub(super) fn open_draft(&self) -> Draft {
        self.producer.open_draft()
    }

    /// Publishes the draft, if there is one. The lock is held from now on, as far as the record knows.
    #[cold]
    pub(super) fn publish_draft(&mut self) -> bool {
        let word = self.producer.drafted_word();
        let published = self.producer.publish_draft();
        if let Some(word) = word.filter(|_| published) {
            self.hold(word & LOCK_ID, self.drafted);
        }
        published
    }

    /// The strand in force holds the lock of this number from now on.
    #[inline(always)]
    pub(crate) fn hold(&mut self, lock: u64, place: LockPlace) {
        self.held.push(lock, place, self.stay.strand());
    }

    /// Whose events these are.
    pub(crate) fn strand(&self) -> u64 {
        self.stay.strand()
    }

    /// Publishes the draft with one word more: the lock was given back.
    ///
    /// # Safety
    /// As [`Producer::publish_longer`].
    #[inline(always)]
    pub(super) unsafe fn publish_longer<const WORDS: usize>(&mut self, word: u64) {
        // SAFETY: the caller's promise.
        unsafe { self.producer.publish_longer::<WORDS>(word) };
    }

    /// As [`ThreadRing::reserve_at_once`], with the words of the head.
    #[inline(always)]
    pub(crate) fn open_at_once(&mut self, head: HeadWords, payload: usize) -> Option<Slot<'_>> {
        self.producer.open_at(head, payload, EVENT)
    }

    /// Opens a frame that is no event, making room if need be. `None`, and nothing counted, if the ring is full.
    pub(crate) fn reserve_control(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        if !self.producer.has_room(payload) && !self.make_room(payload) {
            return None;
        }
        self.producer.reserve_control(head, payload)
    }

    /// Counts an event that cannot be recorded, because what would have to come before it has no room.
    pub(crate) fn drop_event(&mut self) {
        self.producer.count_dropped();
    }

    /// Whether the flusher is still to be told that the events are those of `strand` (of the thread's own one, if that is
    /// `None`), or something about it. Their stay begins, if it has not.
    pub(crate) fn turn_to(&mut self, strand: Option<&Progress>) -> bool {
        self.settle_own();
        let progress = strand.unwrap_or(&self.own);
        if !self.stay.holds(progress, self.events()) {
            self.stay = Stay::of(progress, self.events());
        }
        !self.stay.is_told(progress)
    }

    /// The flusher has been told whose events these are.
    pub(crate) fn told(&mut self, strand: Option<&mut Progress>) {
        self.stay.told();
        strand.unwrap_or(&mut self.own).told();
    }

    /// How many events of the strand were dropped while the flusher could not be told of it.
    pub(crate) fn dropped_untold(&self) -> u64 {
        self.stay.dropped(self.events())
    }

    /// Brings a strand's progress up to date, if it is the one whose events these are.
    pub(crate) fn settle(&self, strand: &mut Progress) {
        self.stay.settle(strand, self.producer.number(), self.events());
    }

    /// How far the thread's own strand has come.
    pub(crate) fn own(&mut self) -> &mut Progress {
        self.settle_own();
        &mut self.own
    }

    fn settle_own(&mut self) {
        self.stay.settle(&mut self.own, self.producer.number(), self.producer.events());
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, payload: usize) -> bool {
        self.try_make_room(payload) || self.wait_for_room(payload)
    }

    fn try_make_room(&mut self, payload: usize) -> bool {
        let made = self.producer.make_room(payload, self.held.ids());
        if self.producer.take_past_half() {
            self.pipe.signal.wake();
        }
        made
    }

    fn wait_for_room(&mut self, payload: usize) -> bool {
        let Overflow::Block { timeout } = self.pipe.overflow else { return false };
        if is_flusher() {
            return false;
        }
        let start = Instant::now();
        while self.pipe.is_open() && start.elapsed() < timeout {
            if self.try_make_room(payload) {
                return true;
            }
            // The flusher empties a ring in some 100 us; a thread that is to wait need not be told to the nanosecond.
            std::thread::sleep(Duration::from_micros(50));
        }
        false
    }
}

/// Has the compiler lay out the way it is called on beside the straight one: of the two, it is the cheaper by far, and can
/// afford a jump.
#[cold]
#[inline]
fn aside() {}
