//! Threads that wait for each other: who is told of them, and how they are found.
//!
//! Only those who wait can be part of a deadlock, and whoever is about to wait can say what he holds. So nobody has to be
//! asked who holds a lock, and who need not wait pays nothing.

use crate::ring::held::{Held, LockPlace};
use std::fmt;
use std::ops::Range;
use std::panic::Location;

/// Is told of deadlocks.
pub(crate) type OnDeadlock = Box<dyn Fn(&Deadlock) + Send + Sync>;

/// Threads that wait for each other, and will for ever; or one that waits for itself.
///
/// See [`Builder::on_deadlock`](crate::Builder::on_deadlock).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlock {
    /// The threads: each waits for a lock that the next one holds, and the last one for a lock that the first one holds. The
    /// first one is the thread that is about to wait, and completes the circle.
    pub threads: Vec<StuckThread>,
}

/// A thread that waits for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StuckThread {
    /// The thread's name, if it has one.
    pub thread: Option<String>,
    /// Where it waits.
    pub location: &'static Location<'static>,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |stuck: &StuckThread| stuck.thread.clone().unwrap_or_else(|| "a thread without a name".to_owned());
        f.write_str("trackside: deadlock")?;
        for (at, stuck) in self.threads.iter().enumerate() {
            let holder = match &self.threads[..] {
                [_] => "it".to_owned(),
                all => name(&all[(at + 1) % all.len()]),
            };
            let before = if at == 0 { ": " } else { "; " };
            write!(f, "{before}{} waits at {} for a lock that {holder} holds", name(stuck), stuck.location)?;
        }
        Ok(())
    }
}

/// A thread that is about to wait for a lock, and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct Waiter {
    pub(crate) strand: u64,
    pub(crate) thread: Option<String>,
    /// Where the lock lies in memory.
    pub(crate) lies: Range<usize>,
    /// Whether it is asked for in a way that lets others hold it too.
    pub(crate) reads: bool,
    pub(crate) location: &'static Location<'static>,
    pub(crate) held: Held,
}

impl Waiter {
    /// The number of the lock that the other one waits for, if this one holds it, and so that the other one has to wait.
    ///
    /// Who reads a lock keeps nobody from reading it. But nobody reads a lock at once that somebody waits to write, not even
    /// who reads it already: who waits for what it holds itself, waits for ever, however it holds it.
    fn is_in_the_way_of(&self, other: &Waiter, is_itself: bool) -> Option<u64> {
        let in_the_way = |place: LockPlace| {
            other.lies.contains(&place.address()) && (is_itself || !(other.reads && place.is_shared()))
        };
        self.held.locks().find(|(_, place)| in_the_way(*place)).map(|(lock, _)| lock)
    }
}

/// The strands of a circle, each with the number of the lock that it waits for.
pub(crate) fn steps(circle: &[&Waiter]) -> Vec<(u64, u64)> {
    let next = circle.iter().cycle().skip(1);
    let lock = |waiter: &Waiter, holder: &Waiter| holder.is_in_the_way_of(waiter, circle.len() == 1).unwrap_or(0);
    circle.iter().zip(next).map(|(waiter, holder)| (waiter.strand, lock(waiter, holder))).collect()
}

/// Those who wait, by the numbers they were given.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: Vec<(u64, Waiter)>,
    next: u64,
}

impl Waiters {
    /// A thread is about to wait. Returns its number.
    pub(crate) fn add(&mut self, waiter: Waiter) -> u64 {
        self.next += 1;
        self.waiting.push((self.next, waiter));
        self.next
    }

    /// It waits no more, or is about to hold what it waited for.
    pub(crate) fn remove(&mut self, number: u64) {
        self.waiting.retain(|(waiting, _)| *waiting != number);
    }

    /// The circle that the last one who was added is in, if it is in one: it comes first.
    ///
    /// What is found is so, although others may have got by now what they are said to wait for: the last one holds what it
    /// says it does, so who waits for that has not got it, and holds what that one says it does, and so on.
    pub(crate) fn circle(&self) -> Vec<&Waiter> {
        let Some(last) = self.waiting.len().checked_sub(1) else { return Vec::new() };
        let waiter = |at: usize| &self.waiting[at].1;
        let holds = |at: usize, by: usize| waiter(at).is_in_the_way_of(waiter(by), at == by).is_some();
        // How each one was come to, from the last one on.
        let mut from: Vec<Option<usize>> = vec![None; self.waiting.len()];
        let mut open = vec![last];
        while let Some(at) = open.pop() {
            if holds(last, at) {
                let steps = std::iter::successors(Some(at), |at| from[*at]);
                let mut circle: Vec<&Waiter> = steps.map(waiter).collect();
                circle.reverse();
                return circle;
            }
            for next in (0..last).filter(|next| holds(*next, at)) {
                if from[next].is_none() {
                    from[next] = Some(at);
                    open.push(next);
                }
            }
        }
        Vec::new()
    }
}

impl Deadlock {
    /// What people are told of a circle.
    pub(crate) fn of(circle: &[&Waiter]) -> Self {
        let stuck = |waiter: &&Waiter| StuckThread { thread: waiter.thread.clone(), location: waiter.location };
        Self { threads: circle.iter().map(stuck).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locks, each of one element; and whether it is asked for, or held, in a way that lets others hold it too.
    static LOCKS: [[u64; 2]; 10] = [[0; 2]; 10];
    const SHARED: u64 = 100;
    use proptest::prelude::*;

    const NOBODY: [u64; 0] = [];

    #[track_caller]
    fn waiter(strand: u64, lock: u64, held: &[u64]) -> Waiter {
        let (read, number) = (|lock: u64| lock >= SHARED, |lock: u64| (lock % SHARED) as usize);
        let mut all = Held::default();
        for (at, lock) in held.iter().enumerate() {
            // At its beginning, or a little further on.
            let place = LockPlace::of(&LOCKS[number(*lock)][at % 2], read(*lock));
            all.push(1000 + lock % SHARED, place, strand);
        }
        let begins = std::ptr::from_ref(&LOCKS[number(lock)]).addr();
        Waiter {
            strand,
            thread: Some(format!("t{strand}")),
            lies: begins..begins + size_of::<[u64; 2]>(),
            reads: read(lock),
            location: Location::caller(),
            held: all,
        }
    }

    /// The circle that the last of those is in who wait for these locks and hold those.
    fn circle(waiting: &[(u64, &[u64])]) -> Vec<u64> {
        let mut waiters = Waiters::default();
        for (strand, (lock, held)) in (1..).zip(waiting) {
            waiters.add(waiter(strand, *lock, held));
        }
        let steps = steps(&waiters.circle());
        let wanted = |strand: u64| waiting[strand as usize - 1].0 % SHARED;
        assert!(steps.iter().all(|(strand, lock)| *lock == 1000 + wanted(*strand)), "{steps:?}");
        steps.into_iter().map(|(strand, _)| strand).collect()
    }

    #[test]
    fn who_waits_for_whom_goes_round_or_does_not() {
        assert_eq!(circle(&[(7, &[7])]), [1]);
        assert_eq!(circle(&[(7, &[8])]), NOBODY);
        assert_eq!(circle(&[(1, &[2]), (2, &[1])]), [2, 1]);
        assert_eq!(circle(&[(1, &[2]), (2, &[3]), (3, &[1])]), [3, 2, 1]);
        // The last one waits for the others, and they for each other.
        assert_eq!(circle(&[(1, &[2]), (2, &[1]), (2, &[3])]), NOBODY);
        // Dead ends on the way.
        assert_eq!(circle(&[(9, &[3]), (8, &[3, 5]), (1, &[5]), (5, &[4, 1]), (4, &[6, 2]), (2, &[8])]), [6, 5, 4, 2]);
    }

    #[test]
    fn readers_are_in_the_way_of_writers_and_of_themselves() {
        let reads = |lock: u64| lock + SHARED;
        assert_eq!(circle(&[(reads(1), &[reads(1)])]), [1]);
        assert_eq!(circle(&[(1, &[reads(1)])]), [1]);
        assert_eq!(circle(&[(reads(1), &[2]), (2, &[1])]), [2, 1]);
        assert_eq!(circle(&[(1, &[2]), (2, &[reads(1)])]), [2, 1]);
        // The first one may have got it by now.
        assert_eq!(circle(&[(reads(1), &[2]), (2, &[reads(1)])]), NOBODY);
    }

    #[test]
    fn who_waits_no_more_is_in_no_circle() {
        let mut waiters = Waiters::default();
        let first = waiters.add(waiter(1, 1, &[2]));
        waiters.remove(first);
        let second = waiters.add(waiter(2, 2, &[1]));
        assert!(waiters.circle().is_empty() && second != first);
        waiters.remove(second);
        assert!(waiters.circle().is_empty());
    }

    #[test]
    fn it_reads_well() {
        let (one, two) = (waiter(1, 1, &[]), Waiter { thread: None, ..waiter(2, 2, &[]) });
        let at = one.location;
        assert_eq!(
            Deadlock::of(&[&one]).to_string(),
            format!("trackside: deadlock: t1 waits at {at} for a lock that it holds")
        );
        let at = [at, two.location];
        let expect = format!(
            "trackside: deadlock: t1 waits at {} for a lock that a thread without a name holds; a thread without a name waits \
             at {} for a lock that t1 holds",
            at[0], at[1]
        );
        assert_eq!(Deadlock::of(&[&one, &two]).to_string(), expect);
    }

    proptest! {
        /// A circle is one, and there is none only if nobody whom the last one waits for waits for it.
        #[test]
        fn circles_are_found_where_they_are(
            waiting in prop::collection::vec((0_u64..6, prop::collection::vec(0_u64..6, 0..3)), 1..8)
        ) {
            let waiting: Vec<(u64, &[u64])> = waiting.iter().map(|(lock, held)| (*lock, &held[..])).collect();
            let found = circle(&waiting);
            let (wants, holds) = (|at: usize| waiting[at].0, |at: usize, lock: u64| waiting[at].1.contains(&lock));
            for (at, strand) in found.iter().enumerate() {
                let next = found[(at + 1) % found.len()] as usize - 1;
                prop_assert!(holds(next, wants(*strand as usize - 1)), "{:?}", found);
            }
            // By hand: whom the last one waits for, and whom those do.
            let last = waiting.len() - 1;
            let mut reached = vec![false; waiting.len()];
            for _ in 0..=waiting.len() {
                for next in 0..waiting.len() {
                    reached[next] |= (0..waiting.len()).any(|at| (at == last || reached[at]) && holds(next, wants(at)));
                }
            }
            prop_assert_eq!(!found.is_empty(), reached[last]);
            prop_assert!(found.first().is_none_or(|first| *first as usize - 1 == last));
        }
    }
}
