//! What the analysis makes of the record: no race where the locks rule one out, and each that they do not.

use crate::recorded;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;
use trackside::parking_lot::{
    Condvar, FairMutex, Mutex, MutexGuard, ReentrantMutex, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
use trackside::{Client, MemoryTransport};
use trackside_analysis::{Analyzer, Report};
use trackside_wire::Batch;

fn report(memory: &MemoryTransport) -> Report {
    let mut analyzer = Analyzer::new();
    memory.batches().iter().for_each(|batch| analyzer.ingest(&Batch::decode(&batch.bytes).unwrap()));
    analyzer.finish()
}

/// The variables of which there are findings, in a record of which nothing is missing.
fn findings(work: impl FnOnce(&Client)) -> BTreeSet<String> {
    let report = report(&recorded(work));
    assert!(report.summary.is_complete(), "{report:?}");
    report.findings.iter().map(|finding| finding.variable.clone()).collect()
}

/// Whether the two race, each done by a thread of its own, one after the other: but for the locks, nothing orders them.
fn race(one: impl FnOnce(&Client) + Send, other: impl FnOnce(&Client) + Send) -> bool {
    let found = findings(|client| {
        thread::scope(|scope| scope.spawn(|| one(client)).join().unwrap());
        thread::scope(|scope| scope.spawn(|| other(client)).join().unwrap());
    });
    assert!(found.is_empty() || found.iter().eq(["total"]), "{found:?}");
    !found.is_empty()
}

fn write(client: &Client) {
    client.track_write("total", 0, 1);
}

/// Writes while others may read the lock too.
fn read_section(lock: &RwLock<()>, client: &Client) {
    let _guard = lock.read();
    write(client);
}

/// Writes while nobody else has the lock.
fn write_section(lock: &RwLock<()>, client: &Client) {
    let _guard = lock.write();
    write(client);
}

#[test]
fn exclusive_locks_order_and_nothing_else_does() {
    let (mutex, other, fair, reentrant) = (Mutex::new(()), Mutex::new(()), FairMutex::new(()), ReentrantMutex::new(()));
    let under = |mutex: &Mutex<()>, client: &Client| {
        let _guard = mutex.lock();
        write(client);
    };
    assert!(race(write, write));
    assert!(!race(|client| under(&mutex, client), |client| under(&mutex, client)));
    assert!(race(|client| under(&mutex, client), |client| under(&other, client)));
    let section = |client: &Client| {
        let _guard = fair.lock();
        write(client);
    };
    assert!(!race(section, section));
    let section = |client: &Client| {
        let _outer = reentrant.lock();
        // The inner one does not end it.
        drop(reentrant.lock());
        write(client);
    };
    assert!(!race(section, section));
}

#[test]
fn what_is_done_while_a_mutex_is_given_back_is_ordered_by_nothing() {
    let mutex = Mutex::new(());
    for given_back in [true, false] {
        let found = findings(|client| {
            thread::scope(|scope| {
                let mut guard = mutex.lock();
                if !given_back {
                    write(client);
                }
                let meanwhile = || {
                    if given_back {
                        write(client);
                    }
                    let section = || {
                        let _guard = mutex.lock();
                        write(client);
                    };
                    scope.spawn(section).join().unwrap();
                };
                MutexGuard::unlocked(&mut guard, meanwhile);
            });
        });
        assert_eq!(found.iter().eq(["total"]), given_back, "{found:?}");
    }
}

#[test]
fn readers_are_ordered_with_writers_and_not_among_themselves() {
    let lock = RwLock::new(());
    let (reading, writing) =
        (|client: &Client| read_section(&lock, client), |client: &Client| write_section(&lock, client));
    let downgraded = |client: &Client| {
        let _guard = RwLockWriteGuard::downgrade(lock.write());
        write(client);
    };
    assert!(race(reading, reading));
    assert!(!race(reading, writing) && !race(writing, reading) && !race(writing, writing));
    assert!(!race(writing, downgraded) && !race(downgraded, writing));
    assert!(race(downgraded, reading) && !race(reading, downgraded));
    // What it did while it could write comes before those who read now.
    let before = |client: &Client| {
        let guard = lock.write();
        write(client);
        drop(RwLockWriteGuard::downgrade(guard));
    };
    assert!(!race(before, reading) && !race(before, downgraded));
}

#[test]
fn those_who_may_upgrade_are_ordered_among_themselves_too_and_not_with_readers() {
    let lock = RwLock::new(());
    let (reading, writing) =
        (|client: &Client| read_section(&lock, client), |client: &Client| write_section(&lock, client));
    let upgradable = |client: &Client| {
        let _guard = lock.upgradable_read();
        write(client);
    };
    let upgraded = |client: &Client| {
        let _guard = RwLockUpgradableReadGuard::upgrade(lock.upgradable_read());
        write(client);
    };
    let before_upgrade = |client: &Client| {
        let guard = lock.upgradable_read();
        write(client);
        drop(RwLockUpgradableReadGuard::upgrade(guard));
    };
    let back = |client: &Client| {
        let _guard = RwLockWriteGuard::downgrade_to_upgradable(lock.write());
        write(client);
    };
    let no_longer = |client: &Client| {
        let _guard = RwLockUpgradableReadGuard::downgrade(lock.upgradable_read());
        write(client);
    };
    assert!(!race(upgradable, upgradable) && !race(upgradable, before_upgrade) && !race(before_upgrade, upgradable));
    assert!(race(upgradable, reading) && race(reading, upgradable) && race(reading, before_upgrade));
    assert!(!race(upgradable, writing) && !race(writing, upgradable));
    assert!(!race(upgraded, reading) && !race(reading, upgraded) && !race(upgraded, upgradable));
    assert!(!race(back, upgradable) && !race(upgradable, back) && !race(back, writing));
    assert!(race(no_longer, no_longer) && race(no_longer, upgradable) && !race(no_longer, writing));
}

#[test]
fn a_condition_that_was_waited_for_orders_what_came_before() {
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    let found = findings(|client| {
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut guard = ready.lock();
                changed.wait_while(&mut guard, |ready| !*ready);
                drop(guard);
                write(client);
            });
            scope.spawn(|| {
                write(client);
                *ready.lock() = true;
                changed.notify_all();
            });
        });
    });
    assert!(found.is_empty(), "{found:?}");
}

/// xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Threads do what they like with three locks, but write only what the lock they hold keeps from the others.
#[test]
fn in_a_crowd_no_race_is_invented() {
    let locks: [RwLock<()>; 3] = Default::default();
    let mutex = ReentrantMutex::new(());
    // What they write is what it says: made-up values would be lost updates.
    let counts: [AtomicI64; 7] = Default::default();
    let names = ["a", "b", "c", "right to a", "right to b", "right to c", "d"];
    let write = |client: &Client, at: usize| {
        let old = counts[at].load(Relaxed);
        client.track_write(names[at], old, old + 1);
        counts[at].store(old + 1, Relaxed);
    };
    let step = |client: &Client, random: &mut Random| {
        let at = random.below(3) as usize;
        let lock = &locks[at];
        let read = || client.track_read(names[at], counts[at].load(Relaxed));
        let (touch, claim) = (|| write(client, at), || write(client, at + 3));
        match random.below(8) {
            0 | 1 => {
                let _guard = lock.read();
                read();
            }
            2 => {
                let _guard = lock.write();
                touch();
                claim();
            }
            3 => {
                let guard = lock.upgradable_read();
                read();
                claim();
                let _guard = RwLockUpgradableReadGuard::upgrade(guard);
                touch();
                claim();
            }
            4 => {
                let mut guard = lock.write();
                touch();
                RwLockWriteGuard::bump(&mut guard);
                touch();
                let guard = RwLockWriteGuard::downgrade_to_upgradable(guard);
                read();
                claim();
                let _guard = RwLockUpgradableReadGuard::downgrade(guard);
                read();
            }
            5 => {
                let mut guard = lock.upgradable_read();
                if guard.try_with_upgraded(|()| touch()).is_none() {
                    claim();
                }
                RwLockUpgradableReadGuard::bump(&mut guard);
                claim();
            }
            6 => {
                let guard = lock.write();
                touch();
                let _guard = RwLockWriteGuard::downgrade(guard);
                read();
            }
            _ => {
                let _outer = mutex.lock();
                let _inner = mutex.lock();
                write(client, 6);
            }
        }
    };
    let found = findings(|client| {
        thread::scope(|scope| {
            for seed in 1..=4 {
                let step = &step;
                scope.spawn(move || {
                    let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
                    (0..500).for_each(|_| step(client, &mut random));
                });
            }
        });
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_read_given_back_by_nobody_knows_whom_leaves_the_answer_incomplete_and_not_wrong() {
    let lock = RwLock::new(());
    let crowd: Vec<_> = (0..16).map(|_| RwLock::new(())).collect();
    // With one other, all turns are remembered; with as many as there is room for, the one in question is not.
    for (others, complete) in [(1, true), (crowd.len(), false)] {
        let report = report(&recorded(|client| {
            let read = || {
                let others: Vec<_> = crowd.iter().take(others).map(|lock| lock.read()).collect();
                let guard = lock.read();
                client.track_read("total", 0);
                drop(guard);
                drop(others);
            };
            let work = || {
                let _guard = lock.write();
                write(client);
            };
            thread::scope(|scope| scope.spawn(read).join().unwrap());
            thread::scope(|scope| scope.spawn(work).join().unwrap());
        }));
        assert_eq!(report.summary.is_complete(), complete, "{report:#?}");
        assert!(report.findings.iter().all(|finding| finding.incomplete.is_some()), "{report:#?}");
    }
}
