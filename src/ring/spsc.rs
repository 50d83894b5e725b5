//! A bounded queue of frames between one producer and one consumer.
//!
//! The buffer holds a power of two of 64-bit words, and behind them a slack for the longest frame of all: a frame that
//! begins near the end runs on into the slack, so that it is always contiguous and no word needs a mask. Head and tail
//! are free-running word counts; `index & mask` is where a frame begins. At most `capacity` words are in flight, so the
//! slack belongs to at most one live frame.
//!
//! Each side keeps its own index in a plain field and only ever stores the atomic one: that is faster, and loom's
//! explorer is blind to other threads' earlier loads where an owner loads its own index just before storing it.
//!
//! The producer keeps `limit`, a bound up to which it may write without looking at the consumer. It is at first only
//! half a ring ahead of the consumer, so that the one compare of the hot path also notices a ring that is half full.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::draft::Draft;
use super::frame::{GAP, HEAD_WORDS, Head, HeadWords, MAX_WORDS, Name};
use super::sync::{Arc, AtomicBool, AtomicU32, AtomicU64, CachePadded, Ordering, Word, copy_in, words};
use std::fmt;
use std::num::NonZeroUsize;

/// What both sides share.
pub(crate) struct Ring {
    /// Words ever written, in the lower half: the upper one is the producer's own business. Stored by the producer, read by
    /// the consumer.
    pub(super) head: CachePadded<AtomicU64>,
    /// Words ever consumed. Stored by the consumer, read by the producer when it seems to run out of room.
    tail: CachePadded<AtomicU32>,
    /// Set by the producer when it goes, never followed by another frame of the same lease.
    closed: AtomicBool,
    /// Frames ever dropped for want of room, over all leases. Stored by the producer.
    dropped: AtomicU64,
    /// Events ever recorded or dropped in the leases that are over. Stored by the producer when it goes.
    events: AtomicU64,
    pub(super) words: Box<[Word]>,
    pub(super) mask: usize,
    /// The ring's number in its registry.
    number: u16,
}

// SAFETY: the words are reached through Producer and Consumer only. The producer writes words between the tail it
// acquired and its own head, the consumer reads words between its own tail and the head it acquired; these ranges never
// overlap, and the Release/Acquire pairs on head and tail order a word's accesses before it changes sides.
unsafe impl Sync for Ring {}
// SAFETY: nothing in a ring is tied to a thread; who may use which side is a question of Producer and Consumer.
unsafe impl Send for Ring {}

impl Ring {
    /// A ring of `capacity` words, rounded up to a power of two and at most 2^31, whose indices begin at `start`: 0 but in
    /// tests of wrapping. A frame that does not fit beside a gap frame is never accepted after a loss, so a ring should have room
    /// for several of the longest.
    pub(crate) fn new(capacity: NonZeroUsize, number: u16, start: u32) -> Arc<Ring> {
        let capacity = capacity.get().min(1 << 31).next_power_of_two();
        Arc::new(Ring {
            head: CachePadded::new(AtomicU64::new(u64::from(start))),
            tail: CachePadded::new(AtomicU32::new(start)),
            closed: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            events: AtomicU64::new(0),
            // What `has_room` lets in has at most MAX_WORDS words, and at most the capacity: the slack holds that.
            words: words(capacity + MAX_WORDS.min(capacity)),
            mask: capacity - 1,
            number,
        })
    }

    fn capacity(&self) -> usize {
        self.mask + 1
    }

    /// The longest frame there can be in this ring.
    fn longest(&self) -> usize {
        MAX_WORDS.min(self.capacity())
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// Frames ever dropped because there was no room. A statistic: may lag behind the producer.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("number", &self.number).field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

/// The two ends of a ring with no frame in it.
///
/// # Safety
/// No other producer or consumer of this ring may exist, and `position` must be its head and its tail.
pub(crate) unsafe fn ends(ring: &Arc<Ring>, position: u32) -> (Producer, Consumer) {
    // Relaxed: the lock through which the registry hands out both ends orders this before any use of them.
    ring.closed.store(false, Ordering::Relaxed);
    let dropped = ring.dropped();
    // Relaxed, as above.
    let events = ring.events.load(Ordering::Relaxed);
    let (head, limit) = (u64::from(position), position);
    let (counted, announced, past_half) = (head, dropped, false);
    let draft = Draft::NONE;
    let producer = Producer { head, limit, counted, events, dropped, announced, past_half, draft, ring: ring.clone() };
    (producer, Consumer { tail: position, exhausted: false, ring: ring.clone() })
}

/// What an event adds to the upper half of [`Producer::head`].
pub(super) const EVENT: u64 = 1 << 32;

/// The writing end. `&mut self` makes "one producer" a fact of the type.
#[repr(C)]
pub(crate) struct Producer {
    pub(super) ring: Arc<Ring>,
    /// In the lower half, words ever written. In the upper half, events: counting them there costs nothing, because it
    /// takes no more than to add one number instead of another. Both halves wrap, and what the lower one carries over is
    /// of no account, because only differences are looked at. The shared head follows it at each commit.
    pub(super) head: u64,
    /// The frame that was drafted last, published or not.
    pub(super) draft: Draft,
    /// Writing may go on up to here without looking at the consumer. Never behind the lower half of `head`.
    limit: u32,
    /// What `head` was when `events` was last brought up to date. Neither half of the difference wraps: that would take
    /// more words than a ring can have, and it is brought up to date whenever room is looked for.
    counted: u64,
    /// Events ever recorded or dropped, over all leases, up to `counted`.
    events: u64,
    /// Frames ever dropped; the shared count follows it.
    dropped: u64,
    /// What `dropped` was when a gap frame last told the consumer.
    announced: u64,
    /// Set where the ring was found more than half full; the owner takes it and wakes the flusher.
    past_half: bool,
}

impl Producer {
    /// Whether a frame with `payload` words is known to fit. If not, [`Producer::make_room`] looks again.
    #[inline(always)]
    pub(crate) fn has_room(&self, payload: usize) -> bool {
        let len = HEAD_WORDS + payload;
        // Room alone is not enough: a longer frame would run beyond the slack, and its length out of its field.
        len <= MAX_WORDS && self.limit.wrapping_sub(self.head as u32) as usize >= len
    }

    /// Opens a frame for an event, with `payload` words behind its head; `None` if it is not known to fit.
    ///
    /// A frame that is not committed was never there.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        self.open(head, payload, EVENT)
    }

    /// As [`Producer::reserve`], for a frame that is no event.
    #[inline(always)]
    pub(crate) fn reserve_control(&mut self, head: &Head, payload: usize) -> Option<Slot<'_>> {
        self.open(head, payload, 0)
    }

    #[inline(always)]
    fn open(&mut self, head: &Head, payload: usize, event: u64) -> Option<Slot<'_>> {
        self.open_at(HeadWords(head.words(HEAD_WORDS + payload)), payload, event)
    }

    /// As [`Producer::reserve`], with the words of the head, which must be those of a frame of this length.
    #[inline(always)]
    pub(super) fn open_at(&mut self, head: HeadWords, payload: usize, event: u64) -> Option<Slot<'_>> {
        if !self.has_room(payload) {
            return None;
        }
        let len = HEAD_WORDS + payload;
        debug_assert_eq!(Head::frame_len(head.0[0]), len);
        let Producer { ring, head: index, .. } = self;
        let (at, end) = (*index as usize & ring.mask, index.wrapping_add(len as u64 + event));
        let mut slot = Slot { at, left: len, words: &ring.words, end, index, ring };
        let [first, second] = head.0;
        slot.put(first);
        slot.put(second);
        Some(slot)
    }

    /// Events ever recorded or dropped in this ring, over all leases: the sequence number of the next one.
    pub(crate) fn events(&self) -> u64 {
        self.events + (self.head.wrapping_sub(self.counted) >> 32)
    }

    fn count(&mut self) {
        self.events = self.events();
        self.counted = self.head;
    }

    /// Asks the consumer's side for room for a frame with `payload` words, and tells it of a gap if there is one.
    ///
    /// `held` are the locks that the thread holds, to be told after a gap. Returns whether the frame now fits. A ring
    /// that is more than half full is remembered for [`Producer::take_past_half`].
    #[cold]
    #[inline(never)]
    pub(crate) fn make_room(&mut self, payload: usize, held: &[u64]) -> bool {
        self.count();
        let len = HEAD_WORDS + payload;
        let longest = self.ring.longest();
        if len > longest {
            return false;
        }
        let held = &held[..held.len().min(longest.saturating_sub(HEAD_WORDS + 1))];
        let gap = if self.dropped == self.announced { 0 } else { HEAD_WORDS + 1 + held.len() };
        if !self.refresh(gap + len) {
            return false;
        }
        if gap != 0 {
            self.announce_gap(held);
        }
        true
    }

    /// Looks at the consumer's index and moves the limit. Returns whether `len` words fit.
    fn refresh(&mut self, len: usize) -> bool {
        // Acquire: pairs with the Release in Consumer::drain; the words up to there have been read and may be reused.
        let tail = self.ring.tail.load(Ordering::Acquire);
        let used = (self.head as u32).wrapping_sub(tail) as usize;
        let half = self.ring.capacity() / 2;
        if used + len <= half {
            self.limit = tail.wrapping_add(half as u32);
            return true;
        }
        self.past_half = true;
        if used + len <= self.ring.capacity() {
            self.limit = tail.wrapping_add(self.ring.capacity() as u32);
            return true;
        }
        false
    }

    fn announce_gap(&mut self, held: &[u64]) {
        let lost = self.dropped - self.announced;
        let head = Head { kind: GAP, tags: 0, site: None, name: Name::None };
        // The caller has made room for the gap and the frame behind it; but without the gap, no later frame may go in.
        let Some(mut slot) = self.reserve_control(&head, 1 + held.len()) else { return };
        slot.put(lost);
        for lock in held {
            slot.put(*lock);
        }
        slot.commit();
        self.announced = self.dropped;
    }

    /// Counts an event that could not be written. Whatever is written next is preceded by a gap frame.
    pub(crate) fn count_dropped(&mut self) {
        self.count();
        self.events += 1;
        self.dropped += 1;
        self.ring.dropped.store(self.dropped, Ordering::Relaxed);
        // No room is known of any more, so the next frame takes the cold path, which announces the gap.
        self.limit = self.head as u32;
    }

    /// The ring's number.
    pub(crate) fn number(&self) -> u16 {
        self.ring.number
    }

    /// Whether the ring was found more than half full since this was last asked.
    pub(crate) fn take_past_half(&mut self) -> bool {
        std::mem::take(&mut self.past_half)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // Relaxed: whoever leases the ring next has seen it closed, by way of the flusher and the registry's lock.
        self.ring.events.store(self.events(), Ordering::Relaxed);
        // Release: pairs with the Acquire in Consumer::is_closed; who sees the ring closed sees its last frame.
        self.ring.closed.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("head", &self.head).field("ring", &self.ring).finish_non_exhaustive()
    }
}

/// A frame being written. Dropped without [`Slot::commit`], it leaves no trace.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    /// Where the next word goes in the buffer.
    at: usize,
    /// How many words may still be put.
    left: usize,
    words: &'a [Word],
    /// The producer's index, and what it will be after the commit.
    index: &'a mut u64,
    end: u64,
    ring: &'a Ring,
}

impl Slot<'_> {
    /// Appends a word. Words beyond the reserved number are ignored.
    #[inline(always)]
    pub(crate) fn put(&mut self, word: u64) {
        if self.left > 0 {
            // SAFETY: there is a word left.
            unsafe { self.put_next(word) };
            self.left -= 1;
        }
    }

    /// Appends bytes, eight to a word, little-endian. What the last word has behind them means nothing. Ignored if they
    /// do not fit.
    #[inline(always)]
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        let needed = words_for(bytes.len());
        if needed > self.left {
            return;
        }
        // SAFETY: `needed` words are left: as in `put_next`, they are in the buffer, and the producer's alone.
        unsafe { copy_in(self.words, self.at, bytes) };
        self.at += needed;
        self.left -= needed;
    }

    /// Writes the next word, without counting it as used.
    ///
    /// # Safety
    /// Since the frame was opened, fewer words than were reserved must have been written.
    #[inline(always)]
    unsafe fn put_next(&mut self, word: u64) {
        // SAFETY: reserve() saw `len` words of room before `limit`, so the `len` words from the frame's start on are the
        // producer's, and the slack keeps them inside the buffer (start <= mask, len <= MAX_WORDS); by the caller's
        // promise, `at` is among them.
        let cell = unsafe { self.words.get_unchecked(self.at) };
        // SAFETY: as above: until the head is released over it, the consumer does not touch this word.
        unsafe { cell.write(word) };
        self.at += 1;
    }

    /// Publishes the frame.
    #[inline(always)]
    pub(crate) fn commit(self) {
        *self.index = self.end;
        // Release: pairs with the Acquire in Consumer::drain; the words are written before they can be seen.
        self.ring.head.store(self.end, Ordering::Release);
    }
}

/// How many words so many bytes take. `len` is far below the point where this could overflow: a slice's length.
#[inline(always)]
pub(crate) const fn words_for(len: usize) -> usize {
    // Two instructions; div_ceil takes four.
    (len + 7) >> 3
}

/// The reading end.
#[derive(Debug)]
pub(crate) struct Consumer {
    /// Words ever consumed; the shared tail follows it.
    tail: u32,
    /// Whether the producer was gone before all that there was had been read: then nothing more will come.
    exhausted: bool,
    ring: Arc<Ring>,
}

/// What one look at a ring found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drained {
    /// Whether the producer was gone before the look, and all was taken: then nothing more will come.
    pub(crate) closed: bool,
    /// Whether a frame was not taken.
    pub(crate) held: bool,
}

impl Consumer {
    /// Hands every frame that is there to `each`, head and payload, oldest first, up to one that `each` does not take (and
    /// returns `false`): that one, and all behind it, are left.
    ///
    /// Frames pushed meanwhile are left for the next time, so the work is bounded by the ring's size. `scratch` is
    /// working memory, so that it can serve many rings.
    pub(crate) fn drain(&mut self, scratch: &mut Vec<u64>, mut each: impl FnMut(&Head, &[u64]) -> bool) -> Drained {
        // The order matters: `closed` first. The other way round, a producer could push and go between the two looks,
        // and its last frames would be taken for none.
        // Acquire: pairs with the Release in Producer::drop.
        let closed = self.ring.closed.load(Ordering::Acquire);
        // Acquire: pairs with the Release in Slot::commit; the words below `head` have been written.
        let head = self.ring.head.load(Ordering::Acquire) as u32;
        let publish_every = (self.ring.capacity() / 4).max(1);
        let mut published = self.tail;
        let mut held = false;
        while self.tail != head {
            let at = self.tail as usize & self.ring.mask;
            let first = self.word(at);
            let len = Head::frame_len(first);
            if len < HEAD_WORDS {
                // No producer writes such a frame. Were it ever to happen, all that is left is unreadable; skipping it
                // keeps the flusher alive, and debug builds say so.
                debug_assert!(false, "a frame shorter than its head");
                self.tail = head;
                break;
            }
            scratch.clear();
            scratch.extend((HEAD_WORDS..len).map(|offset| self.word(at + offset)));
            // SAFETY: the producer made the first two words of every frame by Head::words.
            let frame = unsafe { Head::from_words([first, self.word(at + 1)]) };
            // Before the frame is handed over: should that panic, the frame is not handed over again.
            let start = self.tail;
            self.tail = start.wrapping_add(len as u32);
            if !each(&frame, scratch) {
                self.tail = start;
                held = true;
                break;
            }
            if self.tail.wrapping_sub(published) as usize >= publish_every {
                self.publish();
                published = self.tail;
            }
        }
        self.publish();
        self.exhausted = closed && !held;
        Drained { closed: self.exhausted, held }
    }

    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        // SAFETY: `at` lies in a frame that begins at an index under the mask and has at most MAX_WORDS words, which is
        // the length of the slack.
        let word = unsafe { self.ring.words.get_unchecked(at) };
        // SAFETY: the frame lies below the head that was acquired, and above the tail, so the producer keeps off it.
        unsafe { word.read() }
    }

    fn publish(&self) {
        // Release: pairs with the Acquire in Producer::refresh; the words have been read before they may be reused.
        self.ring.tail.store(self.tail, Ordering::Release);
    }

    pub(crate) fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// The ring and the position at which its next lease begins, if the present lease is over: the producer is gone and
    /// nothing is left to be read.
    pub(crate) fn into_parts(self) -> Option<(Arc<Ring>, u32)> {
        self.exhausted.then_some((self.ring, self.tail))
    }
}
