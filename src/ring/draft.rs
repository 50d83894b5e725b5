//! A frame that is written and not yet published: so that what happens next can still be told in it.
//!
//! A lock that is taken and given back with nothing recorded in between is told by one frame instead of two. When it is
//! taken, its frame is written where the next one goes, and left unpublished; when it is given back, one word is added. If
//! something else is to be recorded first, the frame is published as it is.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::frame::{HEAD_WORDS, Head, HeadWords};
use super::spsc::{EVENT, Producer};
use super::sync::{Ordering, Word};

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
    /// Writes a frame for an event without publishing it. None if it is not known to fit, with one word more.
    #[inline(always)]
    pub(crate) fn draft<const WORDS: usize>(&mut self, head: HeadWords, payload: [u64; WORDS]) -> Draft {
        if !self.has_room(WORDS + 1) {
            return Draft::NONE;
        }
        let draft = Draft(self.head.wrapping_add(1));
        let Some(mut slot) = self.open_at(head, WORDS, EVENT) else { return Draft::NONE };
        payload.iter().for_each(|word| slot.put(*word));
        self.draft = draft;
        draft
    }

    /// The frame that is drafted, unless it has been published.
    #[inline(always)]
    pub(crate) fn open_draft(&self) -> Draft {
        if self.head.wrapping_add(1) == self.draft.0 { self.draft } else { Draft::NONE }
    }

    /// The second word of the payload of the frame that is drafted. `None` if there is no such frame, or it is shorter.
    pub(crate) fn drafted_word(&self) -> Option<u64> {
        if !self.open_draft().is_some() {
            return None;
        }
        // SAFETY: as in `publish_draft`.
        let head = unsafe { self.drafted(0) };
        // SAFETY: words from the producer's index on, as far as there is room, are its own.
        let first = unsafe { head.read() };
        if Head::frame_len(first) <= HEAD_WORDS + 1 {
            return None;
        }
        // SAFETY: the frame is so long.
        let second = unsafe { self.drafted(HEAD_WORDS + 1) };
        // SAFETY: words from the producer's index on, as far as there is room, are its own.
        Some(unsafe { second.read() })
    }

    /// Publishes the frame that is drafted, as it is: one event. `false` if there is none.
    pub(crate) fn publish_draft(&mut self) -> bool {
        if !self.open_draft().is_some() {
            return false;
        }
        // SAFETY: it is not published, so the frame at the producer's index was begun by `draft`, or, if it was given up by
        // now, by somebody who has opened another there.
        let head = unsafe { self.drafted(0) };
        // SAFETY: words from the producer's index on, as far as there is room, are its own.
        let first = unsafe { head.read() };
        self.publish(Head::frame_len(first) as u64 + EVENT);
        true
    }

    /// Adds a word to the frame that is drafted, which is of the next kind by that, and publishes it: two events.
    ///
    /// # Safety
    /// There must be an open draft ([`Producer::open_draft`]), with `WORDS` words of payload, and no frame may have been
    /// opened since.
    #[inline(always)]
    pub(crate) unsafe fn publish_longer<const WORDS: usize>(&mut self, word: u64) {
        debug_assert!(self.open_draft().is_some(), "no draft to be added to");
        // SAFETY: the caller's promise.
        let head = unsafe { self.drafted(0) };
        // SAFETY: as above; `draft` saw room for one word more.
        let more = unsafe { self.drafted(HEAD_WORDS + WORDS) };
        // SAFETY: words from the producer's index on, as far as there is room, are its own.
        let first = unsafe { head.read() };
        // SAFETY: as above; this is the head that it was, of the next kind.
        unsafe { head.write(first + Head::LONGER) };
        // SAFETY: as above.
        unsafe { more.write(word) };
        self.publish((HEAD_WORDS + WORDS + 1) as u64 + 2 * EVENT);
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
