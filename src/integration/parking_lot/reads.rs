//! Which turns at shared locks a thread has: lock_api's guards cannot keep them, and the lock has too many holders.

use super::called::Turned;
use std::cell::RefCell;

thread_local! {
    // Without a destructor, so that it can be reached as long as the thread runs code.
    static READS: RefCell<Reads> = const { RefCell::new(Reads::NONE) };
}

const _: () = assert!(!std::mem::needs_drop::<Reads>());

/// What became of a turn that ends.
#[derive(Debug)]
pub(super) enum Ended {
    /// It is this one.
    Turn(Turned),
    /// There was one, for which there was no room.
    Unknown,
    /// There was none on this thread, as far as is known.
    None,
}

/// The calling thread has a turn at this lock.
#[inline(always)]
pub(super) fn begin(lock: u64, turned: Turned) {
    with(|reads| reads.push(lock, turned));
}

/// The calling thread's last turn at this lock ends.
#[inline(always)]
pub(super) fn end(lock: u64) -> Ended {
    with(|reads| reads.pop(lock)).unwrap_or(Ended::None)
}

/// Whether the calling thread is known to have a turn at this lock.
pub(super) fn has(lock: u64) -> bool {
    with(|reads| reads.known().iter().flatten().any(|turn| turn.lock == lock)).unwrap_or(false)
}

/// `None` in a signal handler that has interrupted one of these functions.
#[inline(always)]
fn with<R>(look: impl FnOnce(&mut Reads) -> R) -> Option<R> {
    READS.try_with(|reads| reads.try_borrow_mut().ok().map(|mut reads| look(&mut reads))).ok()?
}

#[derive(Debug)]
struct Reads {
    /// The turns, oldest first, and behind them nothing.
    turns: [Option<AtLock>; Reads::MOST],
    len: usize,
    /// How many there were no room for.
    beyond: usize,
}

#[derive(Debug)]
struct AtLock {
    lock: u64,
    turned: Turned,
}

impl Reads {
    /// How many turns are remembered at once. The end of one beyond is recorded, but not which it was.
    const MOST: usize = 16;

    const NONE: Reads = Reads { turns: [const { None }; Reads::MOST], len: 0, beyond: 0 };

    fn known(&self) -> &[Option<AtLock>] {
        self.turns.get(..self.len).unwrap_or_default()
    }

    #[inline(always)]
    fn push(&mut self, lock: u64, turned: Turned) {
        match self.turns.get_mut(self.len) {
            Some(place) => {
                *place = Some(AtLock { lock, turned });
                self.len += 1;
            }
            None => self.beyond += 1,
        }
    }

    #[inline(always)]
    fn pop(&mut self, lock: u64) -> Ended {
        // Locks are mostly given back in reverse order.
        let at = match self.known() {
            [.., Some(last)] if last.lock == lock => Some(self.len - 1),
            _ => self.older(lock),
        };
        match at.and_then(|at| self.remove(at)) {
            Some(turn) => Ended::Turn(turn.turned),
            None if self.beyond > 0 => {
                self.beyond -= 1;
                Ended::Unknown
            }
            None => Ended::None,
        }
    }

    #[cold]
    fn older(&self, lock: u64) -> Option<usize> {
        self.known().iter().rposition(|turn| turn.as_ref().is_some_and(|turn| turn.lock == lock))
    }

    #[inline(always)]
    fn remove(&mut self, at: usize) -> Option<AtLock> {
        let behind = self.turns.get_mut(at..self.len)?;
        behind.rotate_left(1);
        self.len -= 1;
        behind.last_mut()?.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::turn::Holding;
    use std::panic::Location;

    fn turned(sequence: u64) -> Turned {
        Turned { sequence, holding: Holding::none(Location::caller()) }
    }

    fn ended(reads: &mut Reads, lock: u64) -> Option<u64> {
        match reads.pop(lock) {
            Ended::Turn(turned) => Some(turned.sequence),
            Ended::Unknown => Some(0),
            Ended::None => None,
        }
    }

    #[test]
    fn of_one_lock_the_last_turn_ends_first_and_others_stay() {
        let mut reads = Reads::NONE;
        for (lock, sequence) in [(7, 1), (8, 1), (7, 2), (9, 5)] {
            reads.push(lock, turned(sequence));
        }
        let steps = [(7, Some(2)), (6, None), (8, Some(1)), (9, Some(5)), (7, Some(1)), (7, None)];
        for (lock, sequence) in steps {
            assert_eq!(ended(&mut reads, lock), sequence, "{lock}");
        }
        assert_eq!(reads.len, 0);
    }

    #[test]
    fn what_there_was_no_room_for_ends_as_unknown_and_once() {
        let mut reads = Reads::NONE;
        (1..=20).for_each(|lock| reads.push(lock, turned(lock)));
        for lock in (1..=20).rev() {
            assert_eq!(ended(&mut reads, lock), Some(if lock > 16 { 0 } else { lock }));
        }
        assert_eq!(ended(&mut reads, 20), None);
    }

    #[test]
    fn each_thread_has_turns_of_its_own() {
        begin(7, turned(1));
        assert!(has(7) && !has(8));
        assert!(!std::thread::spawn(|| has(7)).join().unwrap());
        assert!(matches!(end(7), Ended::Turn(Turned { sequence: 1, .. })));
        assert!(!has(7));
    }
}
