//! Locks that count their acquisitions: what each acquisition has to come after, and what is missing.
//!
//! An exclusive acquisition comes after every release of a lower number, a shared one after every exclusive release of
//! a lower number. Before the engine runs, all acquisitions and releases of a lock in the record are lined up by their
//! numbers; an acquisition then waits until enough of the releases below it have been processed.
//!
//! Numbers may be left out although nothing was lost: a strand that is not sampled takes its turns without recording
//! them. The order among the recorded turns is the same as if there were none in between. But such a strand may carry
//! on what it learned elsewhere, of which the record says nothing; so the next turn is a hole point all the same, and
//! what depends on there being no such path is called incomplete.

use crate::clock::{Clock, Snapshot, Tree};
use crate::hole::{HoleId, Holes};
/// What is known of one number of a lock.
#[derive(Debug, Default, Clone, Copy)]
struct Turn {
    seq: u64,
    exclusive: bool,
    released: bool,
    /// Releases with a lower number, all and exclusive ones.
    rank: u32,
    exclusive_rank: u32,
    /// Whether a release that should be below this number is not in the record.
    missing: bool,
    /// Whether its acquisition was processed, and came after what the lock knew.
    joined: bool,
}

/// One lock.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    /// By their numbers, once they are lined up.
    turns: Vec<Turn>,
    all: Progress,
    exclusive: Progress,
    /// The highest numbers whose releases were processed, of all and of exclusive ones.
    newest: Option<u64>,
    newest_exclusive: Option<u64>,
    /// What the last exclusive release knew, and what shared ones since then did.
    last: Option<(Snapshot, HoleId)>,
    readers: Option<(Tree, HoleId)>,
}

/// How many of a lock's releases have been processed without one left out.
#[derive(Debug, Default)]
struct Progress {
    done: Vec<bool>,
    count: u32,
}

impl Progress {
    fn finish(&mut self, rank: u32) {
        if let Some(done) = self.done.get_mut(rank as usize) {
            *done = true;
        }
        while self.done.get(self.count as usize) == Some(&true) {
            self.count += 1;
        }
    }
}

/// What an acquisition waits for: this many releases of the lock, all or only exclusive ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) exclusive: bool,
    pub(crate) count: u32,
}

impl Lock {
    /// Takes note that the record has this acquisition or release.
    pub(crate) fn note(&mut self, seq: u64, shared: bool, release: bool) {
        // Mostly a release is noted right after the acquisition that it ends.
        match self.turns.last_mut().filter(|turn| turn.seq == seq) {
            Some(turn) => (turn.exclusive, turn.released) = (turn.exclusive || !shared, turn.released || release),
            None => self.turns.push(Turn { seq, exclusive: !shared, released: release, ..Turn::default() }),
        }
    }

    /// Lines the numbers up; to be called once, after the last [`Lock::note`]. True if numbers are left out between the
    /// first and the last.
    pub(crate) fn line_up(&mut self) -> bool {
        self.turns.sort_by_key(|turn| turn.seq);
        self.turns.dedup_by(|again, turn| {
            let same = again.seq == turn.seq;
            turn.exclusive |= same && again.exclusive;
            turn.released |= same && again.released;
            same
        });
        self.turns.shrink_to_fit();
        let (mut rank, mut exclusive_rank) = (0, 0);
        let mut expected = 1;
        let mut left_out = false;
        let (mut unknown, mut unreleased, mut unread) = (false, false, false);
        for turn in &mut self.turns {
            unknown |= turn.seq > expected;
            left_out |= turn.seq > expected && expected > 1;
            expected = turn.seq.saturating_add(1);
            turn.missing = unknown || unreleased || (turn.exclusive && unread);
            (turn.rank, turn.exclusive_rank) = (rank, exclusive_rank);
            match (turn.released, turn.exclusive) {
                (true, true) => (unknown, unreleased, unread) = (false, false, false),
                (false, true) => unreleased = true,
                (false, false) => unread = true,
                (true, false) => {}
            }
            rank += u32::from(turn.released);
            exclusive_rank += u32::from(turn.released && turn.exclusive);
        }
        self.all.done = vec![false; rank as usize];
        self.exclusive.done = vec![false; exclusive_rank as usize];
        left_out
    }

    /// Where the turn with this number is. Mostly none is left out, so that its number tells.
    fn find(&self, seq: u64) -> Option<usize> {
        let first = self.turns.first()?.seq;
        let likely = usize::try_from(seq.checked_sub(first)?).ok()?;
        if self.turns.get(likely).is_some_and(|turn| turn.seq == seq) {
            return Some(likely);
        }
        self.turns.binary_search_by_key(&seq, |turn| turn.seq).ok()
    }

    fn turn(&self, seq: u64) -> Option<&Turn> {
        self.find(seq).map(|at| &self.turns[at])
    }

    /// What the acquisition with this number still has to wait for, if anything.
    pub(crate) fn wait(&self, seq: u64) -> Option<Need> {
        let turn = self.turn(seq)?;
        let (need, progress) = if turn.exclusive {
            (Need { exclusive: false, count: turn.rank }, &self.all)
        } else {
            (Need { exclusive: true, count: turn.exclusive_rank }, &self.exclusive)
        };
        (progress.count < need.count).then_some(need)
    }

    /// Whether the release that the acquisition with this number comes directly after is in the record.
    pub(crate) fn knows_holder(&self, seq: u64) -> bool {
        self.turn(seq).is_some_and(|turn| !turn.missing)
    }

    /// Lets the acquirer's clock come after the releases below its number. False if that is not the whole truth:
    /// one of them is not in the record, or later ones were processed already.
    pub(crate) fn acquire(&mut self, seq: u64, clock: &mut Clock, holes: &mut HoleId, sets: &mut Holes) -> bool {
        let Some(at) = self.find(seq) else { return false };
        let turn = &mut self.turns[at];
        let newest = if turn.exclusive { self.newest } else { self.newest_exclusive };
        if newest.is_some_and(|newest| newest > seq) {
            return false;
        }
        turn.joined = true;
        if let Some((last, theirs)) = &self.last {
            clock.acquire(last);
            *holes = sets.union(*holes, *theirs);
        }
        if let Some((readers, theirs)) = self.readers.as_ref().filter(|_| turn.exclusive) {
            clock.acquire_tree(readers);
            *holes = sets.union(*holes, *theirs);
        }
        !turn.missing
    }

    /// Takes in what the releaser knew. Returns the releases processed so far, all and exclusive ones, so that waiters
    /// can be woken.
    pub(crate) fn release(&mut self, seq: u64, knew: Snapshot, holes: HoleId, sets: &mut Holes) -> [Need; 2] {
        let turn = self.turn(seq).copied().unwrap_or_default();
        self.newest = self.newest.max(Some(seq));
        self.all.finish(turn.rank);
        if turn.exclusive {
            self.exclusive.finish(turn.exclusive_rank);
            self.newest_exclusive = self.newest_exclusive.max(Some(seq));
            let before = self.last.replace((knew, holes));
            if turn.joined {
                self.readers = None;
            } else if let Some((before, theirs)) = before {
                // The holder does not know what the lock knew: that its acquisition is missing makes it no less true.
                self.keep(&before, theirs, sets);
            }
        } else {
            self.keep(&knew, holes, sets);
        }
        [Need { exclusive: false, count: self.all.count }, Need { exclusive: true, count: self.exclusive.count }]
    }

    fn keep(&mut self, knew: &Snapshot, holes: HoleId, sets: &mut Holes) {
        let (tree, theirs) = self.readers.get_or_insert_with(|| (knew.empty_tree(), HoleId::NONE));
        knew.join_into(tree);
        *theirs = sets.union(*theirs, holes);
    }
}
