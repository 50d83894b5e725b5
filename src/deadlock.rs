//! Threads that wait for each other: who is told of them, and how they are found.
//!
//! Only those who wait can be part of a deadlock, and whoever is about to wait can say what he holds. So nobody has to be
//! asked who holds a lock, and who need not wait pays nothing.

use crate::ring::frame::Name;
use crate::ring::held::Held;
use std::fmt;
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
    /// What the lock is called that it waits for: its name, or else the place where it was made.
    pub lock: String,
    /// Where it waits.
    pub location: &'static Location<'static>,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |stuck: &StuckThread| stuck.thread.clone().unwrap_or_else(|| "a thread without a name".to_owned());
        f.write_str("trackside: deadlock")?;
        for (at, stuck) in self.threads.iter().enumerate() {
            let holder = match &self.threads[..] {
                [_] => "it holds itself".to_owned(),
                all => format!("{} holds", name(&all[(at + 1) % all.len()])),
            };
            let before = if at == 0 { ": " } else { "; " };
            write!(f, "{before}{} waits at {} for `{}`, which {holder}", name(stuck), stuck.location, stuck.lock)?;
        }
        Ok(())
    }
}

/// A thread that is about to wait for a lock, and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct Waiter {
    pub(crate) strand: u64,
    pub(crate) thread: Option<String>,
    /// The lock's number, and whether it is asked for in a way that lets others hold it too.
    pub(crate) lock: (u64, bool),
    pub(crate) name: Name,
    pub(crate) location: &'static Location<'static>,
    pub(crate) held: Held,
}

impl Waiter {
    /// Whether it holds the lock that the other one waits for, and so that has to.
    ///
    /// Who reads a lock keeps nobody from reading it. But nobody reads a lock at once that somebody waits to write, not even
    /// who reads it already: who waits for what it holds itself, waits for ever, however it holds it.
    fn is_in_the_way_of(&self, other: &Waiter, is_itself: bool) -> bool {
        let (lock, reads) = other.lock;
        self.held.locks().any(|(held, shared)| held == lock && (is_itself || !(reads && shared)))
    }
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
        let holds = |at: usize, wanted_by: usize| waiter(at).is_in_the_way_of(waiter(wanted_by), at == wanted_by);
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
        let stuck = |waiter: &&Waiter| StuckThread {
            thread: waiter.thread.clone(),
            lock: match waiter.name {
                Name::Static(name) => name.to_owned(),
                Name::Location(made) => made.to_string(),
                Name::Inline { .. } | Name::None => String::new(),
            },
            location: waiter.location,
        };
        Self { threads: circle.iter().map(stuck).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::draft::SHARED;
    use proptest::prelude::*;

    const NOBODY: [u64; 0] = [];

    fn waiter(strand: u64, lock: u64, held: &[u64]) -> Waiter {
        let mut all = Held::default();
        held.iter().for_each(|lock| all.push(*lock, strand));
        Waiter {
            strand,
            thread: Some(format!("t{strand}")),
            lock: (lock & !SHARED, lock & SHARED != 0),
            name: Name::Static("lock"),
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
        waiters.circle().iter().map(|waiter| waiter.strand).collect()
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
        let reads = |lock: u64| lock | SHARED;
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
            format!("trackside: deadlock: t1 waits at {at} for `lock`, which it holds itself")
        );
        let at = [at, two.location];
        let expect = format!(
            "trackside: deadlock: t1 waits at {} for `lock`, which a thread without a name holds; a thread without a name \
             waits at {} for `lock`, which t1 holds",
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
