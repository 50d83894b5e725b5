//! Random programs of locks on several threads. A counter inside each lock tells in which order it was really held; the
//! numbers in the record tell the same.

use crate::mutex::in_default_client;
use crate::support::Seen;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;
use trackside::{Client, TrackedCondvar, TrackedMutex, TrackedRwLock, TrackedRwLockWriteGuard};
use trackside_wire::Kind;

const THREADS: usize = 3;
const NAMES: [&str; 4] = ["first", "second", "third", "fourth"];

/// How a lock is taken, if it is taken at all. What a mutex cannot do is done in the next best way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Not,
    Exclusive,
    TryExclusive,
    Shared,
    TryShared,
    /// With a mutex: and waited with, in vain. Of the other kind: and then shared.
    Twice,
}

/// What is done to each of the four locks, in their order, one within the other; and within which of them something else is
/// recorded first.
type Section = [(How, bool); NAMES.len()];

fn section() -> impl Strategy<Value = Section> {
    let how = prop_oneof![
        3 => Just(How::Not),
        2 => Just(How::Exclusive),
        1 => Just(How::TryExclusive),
        2 => Just(How::Shared),
        1 => Just(How::TryShared),
        1 => Just(How::Twice),
    ];
    [(); NAMES.len()].map(|()| (how.clone(), any::<bool>()))
}

/// A turn as its holder knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    /// Of those who held it alone, the n-th.
    Alone(u64),
    /// After so many of those.
    After(u64),
}

/// The locks, each with the number of its exclusive holders so far.
struct Locks {
    mutexes: [TrackedMutex<u64>; 2],
    rwlocks: [TrackedRwLock<u64>; 2],
    condvar: TrackedCondvar,
}

impl Locks {
    fn new() -> Self {
        let [first, second, third, fourth] = NAMES;
        Self {
            mutexes: [first, second].map(|name| TrackedMutex::named(name, 0)),
            rwlocks: [third, fourth].map(|name| TrackedRwLock::named(name, 0)),
            condvar: TrackedCondvar::new(),
        }
    }

    /// Runs a section from this lock on; appends what was true of each turn.
    fn run(&self, client: &Client, section: &Section, lock: usize, truth: &mut Vec<(usize, Truth)>) {
        let Some((how, event)) = section.get(lock) else { return };
        let within = |truth: &mut Vec<_>, turn| {
            truth.push((lock, turn));
            if *event {
                client.track_custom("within", 0);
            }
        };
        let next = |count: &mut u64| {
            *count += 1;
            Truth::Alone(*count)
        };
        let inner = |truth: &mut Vec<_>| self.run(client, section, lock + 1, truth);
        if *how == How::Not {
            return inner(truth);
        }
        if let Some(mutex) = self.mutexes.get(lock) {
            let guard = if matches!(how, How::TryExclusive | How::TryShared) {
                mutex.try_lock().ok()
            } else {
                mutex.lock().ok()
            };
            let Some(mut guard) = guard else { return inner(truth) };
            within(truth, next(&mut guard));
            if *how == How::Twice {
                guard = self.condvar.wait_timeout(guard, Duration::ZERO).unwrap().0;
                within(truth, next(&mut guard));
            }
            inner(truth);
            return self.condvar.notify_one();
        }
        let rwlock = &self.rwlocks[lock - self.mutexes.len()];
        match how {
            How::Shared | How::TryShared => {
                let guard = if *how == How::Shared { rwlock.read().ok() } else { rwlock.try_read().ok() };
                if let Some(guard) = &guard {
                    within(truth, Truth::After(**guard));
                }
                inner(truth);
            }
            How::Exclusive | How::TryExclusive => {
                let mut guard = if *how == How::Exclusive { rwlock.write().ok() } else { rwlock.try_write().ok() };
                if let Some(guard) = &mut guard {
                    within(truth, next(guard));
                }
                inner(truth);
            }
            How::Twice | How::Not => {
                let mut guard = rwlock.write().unwrap();
                within(truth, next(&mut guard));
                let guard = TrackedRwLockWriteGuard::downgrade(guard);
                within(truth, Truth::After(*guard));
                inner(truth);
            }
        }
    }
}

/// The number of a turn.
fn number(seen: &Seen) -> u64 {
    seen.b.trim_start_matches('[').split(',').next().unwrap().parse().unwrap()
}

/// The turns that each thread says it had, in its own order, against those in the record.
fn check(seen: &[Seen], truths: &[Vec<(usize, Truth)>]) {
    let mut strands = BTreeMap::<u64, Vec<&Seen>>::new();
    seen.iter().for_each(|seen| strands.entry(seen.strand).or_default().push(seen));
    // By lock: the numbers of those who held it alone, by how many there had been, and of the others.
    let mut alone = vec![BTreeMap::from([(0, 0)]); NAMES.len()];
    let mut after = vec![Vec::new(); NAMES.len()];
    let mut compared = BTreeSet::new();
    for strand in strands.values_mut() {
        strand.sort_by_key(|seen| seen.step);
        let thread = strand[0].a.parse::<usize>().unwrap();
        assert!(strand[0].name.as_deref() == Some("thread") && compared.insert(thread), "{strand:?}");
        let of_kind = |kind| strand.iter().filter(move |seen| seen.kind == kind);
        let taken: Vec<_> = of_kind(Kind::LockAcquire).collect();
        assert_eq!(taken.len(), truths[thread].len());
        for (seen, (lock, truth)) in taken.iter().zip(&truths[thread]) {
            assert_eq!(seen.name.as_deref(), Some(NAMES[*lock]));
            match *truth {
                Truth::Alone(turn) => assert_eq!(alone[*lock].insert(turn, number(seen)), None),
                Truth::After(turns) => after[*lock].push((turns, number(seen))),
            }
        }
        // Each turn is given back once, after it was taken.
        let turn = |seen: &&Seen| (seen.name.clone(), number(seen));
        let mut open = BTreeSet::new();
        for seen in strand.iter() {
            match seen.kind {
                Kind::LockAcquire => assert!(open.insert(turn(seen))),
                Kind::LockRelease => assert!(open.remove(&turn(seen))),
                _ => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
    assert_eq!(compared.len(), truths.len());
    for (lock, (alone, after)) in alone.iter().zip(&after).enumerate() {
        assert!(alone.values().is_sorted_by(|a, b| a < b), "{}: {alone:?}", NAMES[lock]);
        for (turns, number) in after {
            let next = alone.get(&(turns + 1)).copied().unwrap_or(u64::MAX);
            assert!(alone[turns] < *number && *number < next, "{}: {number} of {alone:?}", NAMES[lock]);
        }
        let mut numbers: Vec<_> = alone.values().copied().chain(after.iter().map(|(_, number)| *number)).collect();
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "{}: {numbers:?}", NAMES[lock]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 48 } else { 512 }, ..ProptestConfig::default() })]

    #[test]
    fn the_numbers_in_the_record_tell_the_true_order(
        programs in [(); THREADS].map(|()| vec(section(), 1..40)),
    ) {
        let locks = Locks::new();
        let barrier = Barrier::new(THREADS);
        let mut truths = vec![Vec::new(); THREADS];
        let seen = in_default_client(|client| {
            thread::scope(|scope| {
                for (number, (program, truth)) in programs.iter().zip(&mut truths).enumerate() {
                    let (locks, barrier) = (&locks, &barrier);
                    scope.spawn(move || {
                        client.track_custom("thread", number);
                        barrier.wait();
                        program.iter().for_each(|section| locks.run(client, section, 0, truth));
                    });
                }
            });
        });
        check(&seen, &truths);
    }
}
