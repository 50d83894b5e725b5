//! A frame that is written and not yet published: so that what happens next can still be told in it.
//!
//! A lock that is taken and given back with nothing recorded in between is told by one frame instead of two. When it is
//! taken, its frame is written where the next one goes, as what it will be if nothing comes in between, but for its last
//! word, and left unpublished; when it is given back, that word is added. If something else is to be recorded first, the
//! frame is made one of the acquisition alone, and published as that.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::frame::{HEAD_WORDS, Head, HeadWords};
use super::spsc::{EVENT, Producer};
use super::sync::{Ordering, Word};

/// How many bits a lock's number has.
pub(crate) const LOCK_BITS: u32 = 56;

/// Marks the number of a lock that others may hold too, where one is said to be held.
pub(crate) const SHARED: u64 = 1 << 63;

/// Which word of a draft has the lock's number, in its lower bits, and the mark of one that others may hold too.
const LOCK: usize = HEAD_WORDS + 1;

/// Says which frame is meant: the producer's index where it was written, plus one. No two frames of a ring have the same, so
/// one that is published is told from one that can still be added to. 0 is said of none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draft(u64);

impl Draft {
    /// No frame.
    pub(crate) const NONE: Draft = Draft(0);

    /// Whether there is a frame.
    #[inline(always)]
    pub(crate) fn is_some(self) -> bool {
        self != Draft::NONE
    }
}

impl Producer {
    /// Writes a frame for two events, but for its last word, without publishing it; the head is that of the whole frame. The
    /// second word tells which lock was taken. None if the frame is not known to fit.
    #[inline(always)]
    pub(crate) fn draft<const WORDS: usize>(&mut self, head: HeadWords, payload: [u64; WORDS]) -> Draft {
        const { assert!(WORDS > LOCK - HEAD_WORDS, "a draft tells which lock was taken") };
        let draft = Draft(self.head.wrapping_add(1));
        let Some(mut slot) = self.open_at(head, WORDS + 1, 2 * EVENT) else { return Draft::NONE };
        payload.iter().for_each(|word| slot.put(*word));
        self.draft = draft;
        draft
    }

    /// The frame that is drafted, unless it has been published.
    #[inline(always)]
    pub(crate) fn open_draft(&self) -> Draft {
        if self.head.wrapping_add(1) == self.draft.0 { self.draft } else { Draft::NONE }
    }

    /// Publishes the frame that is drafted without its last word, by which it is of the kind before: one event. Returns the
    /// number of the lock, with its mark; `None` if there is no draft.
    pub(crate) fn publish_draft(&mut self) -> Option<u64> {
        if !self.open_draft().is_some() {
            return None;
        }
        // SAFETY: it is not published, so there was room at the producer's index for the frame that `draft` began.
        let head = unsafe { self.drafted(0) };
        // SAFETY: as above.
        let lock = unsafe { self.drafted(LOCK) };
        // SAFETY: words from the producer's index on, as far as there is room, are its own.
        let first = unsafe { head.read() } - Head::LONGER;
        // SAFETY: as above.
        let lock = unsafe { lock.read() };
        // SAFETY: as above; this is the head that it was, of the kind before.
        unsafe { head.write(first) };
        self.publish(Head::frame_len(first) as u64 + EVENT);
        Some(lock & (SHARED | ((1 << LOCK_BITS) - 1)))
    }

    /// Adds the last word to the frame that is drafted, if it is this one, and publishes it: two events. `false`, and nothing
    /// done, if the draft has been published.
    ///
    /// # Safety
    /// `draft` must have been made by this producer, with `WORDS` words of payload, and unless it is published, no frame may
    /// have been opened since.
    #[inline(always)]
    pub(crate) unsafe fn complete<const WORDS: usize>(&mut self, draft: Draft, word: impl FnOnce() -> u64) -> bool {
        // The index goes on with whatever is published.
        if self.head.wrapping_add(1) != draft.0 {
            return false;
        }
        let word = word();
        // SAFETY: the caller's promise; `draft` saw room for that word.
        let last = unsafe { self.drafted(HEAD_WORDS + WORDS) };
        // SAFETY: words from the producer's index on, as far as there is room, are its own.
        unsafe { last.write(word) };
        self.publish((HEAD_WORDS + WORDS + 1) as u64 + 2 * EVENT);
        true
    }

    /// A word of the frame that is drafted, or the one behind it.
    ///
    /// # Safety
    /// `offset` must be in the longest frame that there has been room for at the producer's index.
    #[inline(always)]
    unsafe fn drafted(&self, offset: usize) -> &Word {
        let at = (self.head as usize & self.ring.mask) + offset;
        // SAFETY: a frame begins at an index under the mask and has at most MAX_WORDS words, for which there is a slack.
        unsafe { self.ring.words.get_unchecked(at) }
    }

    #[inline(always)]
    fn publish(&mut self, more: u64) {
        self.head = self.head.wrapping_add(more);
        // Release: pairs with the Acquire in Consumer::drain; the words are written before they can be seen.
        self.ring.head.store(self.head, Ordering::Release);
    }
}
