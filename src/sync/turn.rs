//! What all locks do when they are taken and given back: they tell whose turn it was.

use crate::clock;
use crate::lock_record::{ACQUIRE, Mode, RELEASE, SECTION, Turn, WORDS};
use crate::ring::draft::Draft;
use crate::ring::draft::SHARED;
use crate::ring::frame::{FixedName, HEAD_WORDS, Head, Name};
use crate::ring::thread_ring::ThreadRing;
use crate::ring::turns::{LazyId, SharedTurns};
use crate::ring::{local, pipe};
use std::panic::Location;

#[cfg(feature = "parking_lot")]
mod moved;

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

    /// Another lock of the same name; or the same one's twin, to be looked at by who does not hold the lock.
    pub(crate) const fn namesake(&self) -> Meta {
        Meta { id: LazyId::new(), name: self.name }
    }

    /// The lock's number, if it has one.
    pub(super) fn known_id(&self) -> Option<u64> {
        self.id.known()
    }

    /// What the lock is called.
    pub(super) fn name(&self) -> Name {
        self.name.name()
    }

    /// The lock was taken without waiting for it. The turn is one of the client's with this key, and nobody's if that is 0.
    /// If the lock has a twin, that gets its number.
    #[inline(always)]
    pub(crate) fn acquired(
        &self,
        twin: Option<&Meta>,
        mode: Mode,
        (key, sequence): (u64, u64),
        site: &'static Location<'static>,
    ) -> Holding {
        if key == 0 {
            return Holding { key, draft: Draft::NONE, site };
        }
        let turn = Turn { id: self.id.get_with(twin.map(|twin| &twin.id)), mode, sequence };
        let draft = self.draft(key, turn, site);
        if draft.is_some() {
            return Holding { key, draft, site };
        }
        let (key, draft) = self.acquired_anyhow(key, mode, sequence, site);
        Holding { key, draft, site }
    }

    #[inline(always)]
    fn draft(&self, key: u64, turn: Turn, site: &'static Location<'static>) -> Draft {
        let head = Head::fixed(SECTION, self.name, site, HEAD_WORDS + WORDS + 1);
        local::draft_at_once(key, head, |ring| turn.words(ring.hot_ticks(key)))
    }

    /// Where another lock is held and nothing was recorded since, which is published first; or something has to be seen to.
    /// What is known of the turn is passed one by one, so that it need not be in memory for the sake of this call. The key is
    /// 0 if the acquisition is not to be recorded.
    #[inline(never)]
    fn acquired_anyhow(&self, key: u64, mode: Mode, sequence: u64, site: &'static Location<'static>) -> (u64, Draft) {
        let turn = Turn { id: self.id.get(), mode, sequence };
        if local::settle(key) {
            let draft = self.draft(key, turn, site);
            if draft.is_some() {
                return (key, draft);
            }
        }
        self.record(ACQUIRE, key, turn, None, Some(site));
        (seen(key), Draft::NONE)
    }

    /// The lock was taken after waiting for it since `start`, as [`about_to_wait`] told.
    pub(crate) fn acquired_after(
        &self,
        twin: Option<&Meta>,
        start: u64,
        mode: Mode,
        (key, sequence): (u64, u64),
        site: &'static Location<'static>,
    ) -> Holding {
        if key != 0 {
            // The clock says 0 before there is a client: for how long it was waited for is then not known.
            let waited = (start != 0).then(|| clock::ticks().saturating_sub(start));
            let id = self.id.get_with(twin.map(|twin| &twin.id));
            if let Some(twin) = twin {
                // Where the lock got its number by a way on which the twin is not at hand.
                twin.id.set(id);
            }
            self.record(ACQUIRE, key, Turn { id, mode, sequence }, waited, Some(site));
        }
        Holding { key: seen(key), draft: Draft::NONE, site }
    }

    /// The lock is about to be given back.
    #[inline(always)]
    pub(crate) fn released(&self, mode: Mode, sequence: u64, holding: &Holding) {
        if !holding.draft.is_some() || !complete(holding.key, holding.draft) {
            self.released_later(mode, (holding.key, sequence), holding.site);
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
        self.record(RELEASE, key, turn, None, Some(site));
    }

    /// Gets a ring, makes room, asks another clock: whatever it takes.
    #[cold]
    #[inline(never)]
    fn record(&self, kind: u8, key: u64, turn: Turn, waited: Option<u64>, site: Option<&'static Location<'static>>) {
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
            ring.hold(held(turn));
        } else {
            ring.held.remove(turn.id);
        }
    }
}

/// Completes the frame of a section. Out of line, because that makes the drop of a guard so small that it is inlined: a guard
/// whose drop is called has to be in memory.
#[inline(never)]
fn complete(key: u64, draft: Draft) -> bool {
    local::complete_at_once::<WORDS>(key, draft)
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

/// The lock, as one that is held so.
#[inline(always)]
fn held(turn: Turn) -> u64 {
    if turn.mode.is_shared() { turn.id | SHARED } else { turn.id }
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

/// That client, and the next turn of those who may hold a lock together, if there is one. To be taken while it is held.
#[inline(always)]
pub(crate) fn shared_turn(turns: &SharedTurns) -> Option<(u64, u64)> {
    match client() {
        0 => None,
        key => turns.take(key).map(|turn| (key, turn)),
    }
}

/// As [`shared_turn`], of the one who excludes all others.
#[inline(always)]
pub(crate) fn turn_alone(turns: &mut SharedTurns) -> Option<(u64, u64)> {
    match client() {
        0 => None,
        key => turns.take_alone(key).map(|turn| (key, turn)),
    }
}
