//! What all locks do when they are taken and given back: they tell whose turn it was.

use crate::clock;
use crate::lock_record::{ACQUIRE, ID_BITS, Mode, RELEASE, Turn, WORDS};
use crate::ring::draft::Draft;
use crate::ring::frame::{FixedName, HEAD_WORDS, Head};
use crate::ring::held::{LOCK_ID, LockPlace};
use crate::ring::thread_ring::ThreadRing;
use crate::ring::turns::LazyId;
use crate::ring::{local, pipe};
use std::panic::Location;

#[cfg(feature = "parking_lot")]
mod moved;

// The ring finds the number of a lock where `Turn::words` puts it.
const _: () = assert!(LOCK_ID == (1 << ID_BITS) - 1);

/// What is known of a lock.
#[derive(Debug)]
pub(crate) struct Meta {
    id: LazyId,
    name: FixedName,
}

/// What there is to be known of a lock that is held, to record its release.
#[derive(Debug)]
pub(crate) struct Holding {
    /// The client for which the acquisition was recorded, or 0.
    key: u64,
    /// The frame that tells of it, if it was not published at once.
    draft: Draft,
    /// Where it was.
    site: &'static Location<'static>,
}

/// The turns of those who hold a lock that one at a time may hold.
#[derive(Debug)]
pub(crate) struct Turns {
    /// The client whose turns are counted: another one counts from the start.
    key: u64,
    /// The present one or the last, from 1.
    sequence: u64,
}

impl Turns {
    /// None so far.
    pub(crate) const fn new() -> Self {
        Self { key: 0, sequence: 0 }
    }

    /// The number of the next turn, for the client with this key, if that is not 0.
    #[inline(always)]
    pub(crate) fn take(&mut self, key: u64) -> u64 {
        if key != 0 {
            if self.key != key {
                (self.key, self.sequence) = (key, 0);
            }
            self.sequence += 1;
        }
        self.sequence
    }

    /// The number of the present turn.
    #[inline(always)]
    pub(crate) fn present(&self) -> u64 {
        self.sequence
    }
}

impl Holding {
    /// Nobody holds the lock.
    pub(crate) const fn none(site: &'static Location<'static>) -> Self {
        Self { key: 0, draft: Draft::NONE, site }
    }
}

impl Meta {
    /// A lock that is called after a place in the source.
    pub(crate) const fn at(location: &'static Location<'static>) -> Self {
        Self { id: LazyId::new(), name: FixedName::location(location) }
    }

    /// A lock with a name of its own, of which 255 bytes are told.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { id: LazyId::new(), name: FixedName::text(name) }
    }

    /// The lock was taken without waiting for it. The turn is one of the client's with this key, and nobody's if that is 0.
    #[inline(always)]
    pub(crate) fn acquired(
        &self,
        place: LockPlace,
        mode: Mode,
        (key, sequence): (u64, u64),
        site: &'static Location<'static>,
    ) -> Holding {
        let mut draft = Draft::NONE;
        if key != 0 {
            let turn = Turn { id: self.id.get(), mode, sequence };
            let head = Head::fixed(ACQUIRE, self.name, site, HEAD_WORDS + WORDS);
            draft = local::draft_at_once(key, head, |ring| turn.words(ring.hot_ticks(key)), place);
            if !draft.is_some() {
                self.record(ACQUIRE, key, (turn, place), None, Some(site));
                return Holding { key: seen(key), draft, site };
            }
        }
        Holding { key, draft, site }
    }

    /// The lock was taken after waiting for it since `start`, as [`about_to_wait`] told.
    pub(crate) fn acquired_after(
        &self,
        place: LockPlace,
        start: u64,
        mode: Mode,
        (key, sequence): (u64, u64),
        site: &'static Location<'static>,
    ) -> Holding {
        if key != 0 {
            // The clock says 0 before there is a client: for how long it was waited for is then not known.
            let waited = (start != 0).then(|| clock::ticks().saturating_sub(start));
            let turn = Turn { id: self.id.get(), mode, sequence };
            self.record(ACQUIRE, key, (turn, place), waited, Some(site));
        }
        Holding { key: seen(key), draft: Draft::NONE, site }
    }

    /// The lock is about to be given back.
    #[inline(always)]
    pub(crate) fn released(&self, mode: Mode, sequence: u64, holding: &Holding) {
        let &Holding { key, draft, site } = holding;
        if !draft.is_some() || !local::complete_at_once::<WORDS>(key, draft, |ring| ring.hot_ticks(key)) {
            self.released_later(mode, (key, sequence), site);
        }
    }

    /// Something was recorded since the lock was taken, or nothing is recorded at all.
    #[inline(never)]
    fn released_later(&self, mode: Mode, (key, sequence): (u64, u64), site: &'static Location<'static>) {
        if key == 0 {
            return;
        }
        let turn = Turn { id: self.id.get(), mode, sequence };
        if let Some(mut entered) = local::enter_at_once(key) {
            let ring = entered.ring();
            if put_at_once(ring, key, (RELEASE, turn), self.name, site) {
                ring.held.remove(turn.id);
                return;
            }
        }
        self.record(RELEASE, key, (turn, LockPlace::UNKNOWN), None, Some(site));
    }

    /// Gets a ring, makes room, asks another clock: whatever it takes.
    #[cold]
    #[inline(never)]
    fn record(
        &self,
        kind: u8,
        key: u64,
        (turn, place): (Turn, LockPlace),
        waited: Option<u64>,
        site: Option<&'static Location<'static>>,
    ) {
        let Some(mut entered) = local::enter_default(key) else {
            if kind == RELEASE {
                local::forget_held(key, turn.id);
            }
            return;
        };
        let ring = entered.ring();
        put(ring, (kind, turn), waited, self.name, site);
        // After the frame: should a gap come before it, the locks held are told as they were.
        if kind == ACQUIRE {
            ring.hold(turn.id, place);
        } else {
            ring.held.remove(turn.id);
        }
    }
}

/// Writes a frame without a wait, where room is known. `false`, and nothing counted, where it would have to be made.
#[inline(always)]
pub(super) fn put_at_once(
    ring: &mut ThreadRing,
    key: u64,
    (kind, turn): (u8, Turn),
    name: FixedName,
    site: &'static Location<'static>,
) -> bool {
    let words = turn.words(ring.hot_ticks(key));
    let head = Head::fixed(kind, name, site, HEAD_WORDS + WORDS);
    let Some(mut slot) = ring.open_at_once(head, WORDS) else { return false };
    words.iter().for_each(|word| slot.put(*word));
    slot.commit();
    true
}

/// Writes a frame, or has it counted that there is no room for it.
pub(super) fn put(
    ring: &mut ThreadRing,
    (kind, turn): (u8, Turn),
    waited: Option<u64>,
    name: FixedName,
    site: Option<&'static Location<'static>>,
) {
    let words = turn.words(ring.ticks());
    let more = waited.as_slice();
    let head = Head { kind, tags: 0, site: site.map(Into::into), name: name.name() };
    if let Some(mut slot) = ring.reserve(&head, WORDS + more.len()) {
        words.iter().chain(more).for_each(|word| slot.put(*word));
        slot.commit();
    }
}

/// The key, or 0 if what the calling thread does is not to be recorded: what is taken out of sight is given back so, too.
fn seen(key: u64) -> u64 {
    if local::is_quiet(key) { 0 } else { key }
}

/// The calling thread is about to wait for a lock: what it holds is known from now on. Returns the time, in ticks.
pub(crate) fn about_to_wait() -> u64 {
    local::publish_draft();
    clock::ticks()
}

/// The client that locks record into now, or 0.
#[inline(always)]
pub(crate) fn client() -> u64 {
    pipe::default_key()
}
