//! What the record says: numbers, types, places, names and waits.

use crate::{LONG, Seen, events, seen, turn};
use std::fmt::Write as _;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use trackside::parking_lot::{
    Condvar, FairMutex, FairMutexGuard, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard, named_fair_mutex, named_mutex, named_reentrant_mutex, named_rwlock,
};
use trackside::{Client, MemoryTransport};
use trackside_wire::Kind;

/// The acquisitions and releases, a line each: `+` or `-`, number, type, and how far below `line` the place is.
fn told(seen: &[Seen], line: u32) -> String {
    let mut text = String::new();
    for seen in seen {
        let sign = match seen.kind {
            Kind::LockAcquire => '+',
            Kind::LockRelease => '-',
            other => panic!("{other:?}"),
        };
        let fields: Vec<&str> = seen.b.trim_matches(['[', ']']).split(", ").collect();
        let place = if seen.file == file!() { format!("+{}", seen.line - line) } else { seen.file.clone() };
        writeln!(text, "{sign}{} {} {place}", fields[0], fields[1].trim_matches('"')).unwrap();
    }
    text
}

/// Asserts what is told of what `work` does, which is written below `line`.
#[track_caller]
fn check(line: u32, expected: &[&str], work: impl FnOnce()) {
    let seen = seen(|_| work());
    assert_eq!(told(&seen, line).trim_end().split('\n').collect::<Vec<_>>(), expected);
}

#[test]
fn a_mutex_tells_each_turn_and_its_place() {
    let mutex = Mutex::new(0);
    let line = line!();
    let work = || {
        *mutex.lock() += 1;
        *mutex.try_lock().unwrap() += 1;
        *mutex.try_lock_for(LONG).unwrap() += 1;
        *mutex.try_lock_until(Instant::now() + LONG).unwrap() += 1;
        let guard = mutex.lock();
        assert!(mutex.try_lock().is_none() && mutex.try_lock_for(Duration::ZERO).is_none() && mutex.is_locked());
        MutexGuard::unlock_fair(guard);
        let mut guard = mutex.lock();
        MutexGuard::bump(&mut guard);
        *MutexGuard::map(guard, |value| value) += 1;
    };
    let turns = [
        ["+1 Mutex +2", "-1 Mutex +2"],
        ["+2 Mutex-Try +3", "-2 Mutex +3"],
        ["+3 Mutex-Try +4", "-3 Mutex +4"],
        ["+4 Mutex-Try +5", "-4 Mutex +5"],
        ["+5 Mutex +6", "-5 Mutex +6"],
        ["+6 Mutex +9", "-6 Mutex +9"],
        ["+7 Mutex +10", "-7 Mutex +10"],
    ];
    check(line, turns.as_flattened(), work);
}

#[test]
fn a_fair_mutex_and_owning_guards_tell_the_same() {
    let (fair, mutex) = (FairMutex::new(0), std::sync::Arc::new(Mutex::new(0)));
    let line = line!();
    let work = || {
        FairMutexGuard::unlock_fair(fair.lock());
        drop(fair.try_lock_for(LONG));
        drop(mutex.lock_arc());
        drop(mutex.try_lock_arc());
    };
    let turns = [
        ["+1 Mutex +2", "-1 Mutex +2"],
        ["+2 Mutex-Try +3", "-2 Mutex +3"],
        ["+1 Mutex +4", "-1 Mutex +4"],
        ["+2 Mutex-Try +5", "-2 Mutex +5"],
    ];
    check(line, turns.as_flattened(), work);
}

#[test]
fn of_a_reentrant_mutex_the_outermost_turn_is_told() {
    let mutex = named_reentrant_mutex("reentrant", 0);
    let line = line!();
    let work = || {
        let outer = mutex.lock();
        drop((mutex.lock(), mutex.try_lock()));
        drop(outer);
        drop(mutex.try_lock());
        drop(mutex.try_lock_for(LONG));
        drop(mutex.try_lock_until(Instant::now() + LONG));
    };
    let turns = [
        ["+1 Mutex +2", "-1 Mutex +2"],
        ["+2 Mutex-Try +5", "-2 Mutex +5"],
        ["+3 Mutex-Try +6", "-3 Mutex +6"],
        ["+4 Mutex-Try +7", "-4 Mutex +7"],
    ];
    check(line, turns.as_flattened(), work);
}

#[test]
fn a_rwlock_tells_each_turn_and_its_place() {
    let lock = RwLock::new(0);
    let line = line!();
    let work = || {
        let one = lock.read();
        let other = lock.read_recursive();
        assert!(lock.try_write().is_none());
        drop(one);
        RwLockReadGuard::unlock_fair(other);
        drop(lock.read_recursive());
        drop(lock.try_read_recursive());
        drop((lock.try_read(), lock.try_read_for(LONG)));
        *lock.try_write_until(Instant::now() + LONG).unwrap() += 1;
        let mut writing = lock.write();
        RwLockWriteGuard::bump(&mut writing);
        let mut reading = RwLockWriteGuard::downgrade(writing);
        RwLockReadGuard::bump(&mut reading);
        drop(lock.try_read());
    };
    let expected = [
        "+1 RwLock-Read +2",
        // By who reads already: it can wait for nobody.
        "+2 RwLock-Read-Try +3",
        "-2 RwLock-Read +3",
        "-1 RwLock-Read +2",
        "+3 RwLock-Read +7",
        "-3 RwLock-Read +7",
        "+4 RwLock-Read-Try +8",
        "-4 RwLock-Read +8",
        "+5 RwLock-Read-Try +9",
        "+6 RwLock-Read-Try +9",
        "-6 RwLock-Read +9",
        "-5 RwLock-Read +9",
        "+7 RwLock-Write-Try +10",
        "-7 RwLock-Write +10",
        "+8 RwLock-Write +11",
        "-8 RwLock-Write +11",
        "+9 RwLock-Write +12",
        "-9 RwLock-Write +12",
        "+10 RwLock-Read-Try +13",
        "-10 RwLock-Read +13",
        "+11 RwLock-Read +14",
        "+12 RwLock-Read-Try +15",
        "-12 RwLock-Read +15",
        "-11 RwLock-Read +14",
    ];
    // Of two turns of a thread at one lock, the later one is told to end first: nothing depends on which of them does.
    check(line, &expected, work);
}

#[test]
fn an_upgradable_read_tells_the_right_to_upgrade_as_a_lock_of_its_own() {
    let lock = RwLock::new(0);
    let line = line!();
    let work = || {
        drop(lock.upgradable_read());
        let upgradable = lock.try_upgradable_read().unwrap();
        let writing = RwLockUpgradableReadGuard::upgrade(upgradable);
        let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writing);
        let reading = lock.read();
        let upgradable = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap_err();
        drop(reading);
        let mut upgradable = upgradable;
        upgradable.with_upgraded(|value| *value += 1);
        drop(RwLockUpgradableReadGuard::downgrade(upgradable));
    };
    let taken = |number: u32, right: u32, way: &str, line: u32| {
        [format!("+{right} RwLock-Upgradable{way} +{line}"), format!("+{number} RwLock-Read{way} +{line}")]
    };
    let given = |number: u32, right: u32, line: u32| {
        [format!("-{number} RwLock-Read +{line}"), format!("-{right} RwLock-Upgradable +{line}")]
    };
    let turn = |number: u32, way: &str, line: u32| {
        let mode = way.split('-').next().unwrap();
        [format!("+{number} RwLock-{way} +{line}"), format!("-{number} RwLock-{mode} +{line}")]
    };
    let [right, read] = given(7, 4, 9);
    let expected = [
        taken(1, 1, "", 2),
        given(1, 1, 2),
        taken(2, 2, "-Try", 3),
        given(2, 2, 3),
        turn(3, "Write", 4),
        taken(4, 3, "-Try", 5),
        turn(5, "Read", 6),
        given(4, 3, 5),
        turn(6, "Write", 9),
        taken(7, 4, "-Try", 9),
        // First it becomes a read like any other.
        [read, right],
    ];
    let expected: Vec<&str> = expected.as_flattened().iter().map(String::as_str).collect();
    check(line, &expected, work);
}

#[test]
fn a_wait_for_a_condition_gives_the_mutex_back_and_takes_it_again() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let line = line!();
    let work = || {
        let mut guard = mutex.lock();
        condvar.wait_for(&mut guard, Duration::ZERO);
        condvar.wait_until(&mut guard, Instant::now());
        condvar.wait_while_for(&mut guard, |_| true, Duration::ZERO);
        condvar.wait_while(&mut guard, |_| false);
    };
    let turns = [
        ["+1 Mutex +2", "-1 Mutex +2"],
        ["+2 Mutex +3", "-2 Mutex +3"],
        ["+3 Mutex +4", "-3 Mutex +4"],
        ["+4 Mutex +5", "-4 Mutex +5"],
    ];
    check(line, turns.as_flattened(), work);
}

#[test]
fn what_lock_api_takes_again_is_told_though_not_where() {
    let (mutex, lock) = (Mutex::new(0), RwLock::new(0));
    let seen = seen(|_| {
        let mut guard = mutex.lock();
        MutexGuard::unlocked(&mut guard, || drop(mutex.try_lock().unwrap()));
        drop(guard);
        let mut reading = lock.read();
        RwLockReadGuard::unlocked_fair(&mut reading, || drop(lock.write()));
    });
    let told: Vec<_> = seen.iter().map(|seen| (seen.kind, seen.b.as_str(), seen.file == file!())).collect();
    let turn = |b, here| [(Kind::LockAcquire, b, here), (Kind::LockRelease, b, here)];
    let mut expected = [
        turn("[1, \"Mutex\"]", true),
        turn("[2, \"Mutex\"]", true),
        turn("[3, \"Mutex\"]", false),
        turn("[1, \"RwLock-Read\"]", true),
        turn("[2, \"RwLock-Write\"]", true),
        turn("[3, \"RwLock-Read\"]", false),
    ];
    expected[1][0].1 = "[2, \"Mutex-Try\"]";
    assert_eq!(told, expected.as_flattened());
}

#[test]
fn a_lock_is_called_as_it_was_told_or_where_it_was_first_taken() {
    static NAMED: Mutex<()> = named_mutex("named", ());
    let (fair, lock) = (named_fair_mutex("fair", ()), named_rwlock("lock", ()));
    let reentrant = named_reentrant_mutex("reentrant", ());
    let (unnamed, reads) = (Mutex::new(()), RwLock::new(()));
    // Before there is a client, nothing is recorded, and no name taken.
    {
        let _turn = turn();
        drop((unnamed.lock(), reads.upgradable_read()));
    }
    let line = line!();
    let seen = seen(|_| {
        drop((NAMED.lock(), fair.lock(), lock.upgradable_read(), reentrant.lock()));
        drop(unnamed.lock());
        drop(unnamed.lock());
        drop(reads.read());
        drop(reads.upgradable_read());
    });
    let names = |kind| seen.iter().filter(|seen| seen.kind == kind).map(|seen| seen.name.as_deref().unwrap());
    let [unnamed, reads] = [3, 5].map(|at| format!("{}:{}", file!(), line + at));
    let expected = ["named", "fair", "lock", "lock", "reentrant", &unnamed, &unnamed, &reads, &reads, &reads];
    assert_eq!(names(Kind::LockAcquire).collect::<Vec<_>>(), expected);
    // Each lock has a number of its own, and so has the right to upgrade.
    let numbers = seen.iter().map(|seen| seen.a.as_str()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(numbers.len(), 8);
}

#[test]
fn a_lock_that_was_taken_before_there_was_a_client_is_not_given_back_in_it() {
    let (mutex, lock) = (Mutex::new(0), RwLock::new(0));
    let held = {
        let _turn = turn();
        (mutex.lock(), lock.upgradable_read())
    };
    let seen = seen(|_| {
        drop(held);
        drop((mutex.lock(), lock.read()));
    });
    assert_eq!(seen.len(), 4, "{seen:#?}");
}

#[test]
fn each_client_counts_from_one() {
    let (mutex, lock) = (Mutex::new(0), RwLock::new(0));
    for _ in 0..2 {
        let seen = seen(|_| (0..2).for_each(|_| drop((mutex.lock(), lock.upgradable_read(), lock.read()))));
        let last: Vec<_> = seen.iter().rev().take(3).map(|seen| seen.b.as_str()).collect();
        assert_eq!(last, ["[2, \"Mutex\"]", "[2, \"RwLock-Upgradable\"]", "[3, \"RwLock-Read\"]"]);
    }
}

/// The waits, in nanoseconds, of the acquisitions of this type.
fn waits(seen: &[Seen], mode: &str) -> Vec<u64> {
    let acquired = seen.iter().filter(|seen| seen.kind == Kind::LockAcquire);
    let fields = acquired.map(|seen| seen.b.trim_matches(['[', ']']).split(", ").collect::<Vec<_>>());
    fields
        .filter(|fields| fields[1].trim_matches('"') == mode)
        .filter_map(|fields| fields.get(2)?.parse().ok())
        .collect()
}

#[test]
fn a_wait_is_told_and_at_least_as_long_as_somebody_saw_it() {
    let lock = RwLock::new(0);
    let mut waited = Duration::ZERO;
    let seen = seen(|_| {
        thread::scope(|scope| {
            let reading = lock.read();
            let writer = scope.spawn(|| *lock.write() += 1);
            // Nobody gets to read any more once somebody waits to write.
            while lock.try_read().is_some() {
                thread::yield_now();
            }
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(2) {
                thread::yield_now();
            }
            waited = start.elapsed();
            drop(reading);
            writer.join().unwrap();
            let reading = lock.read();
            let upgrade = scope.spawn(|| *RwLockUpgradableReadGuard::upgrade(lock.upgradable_read()) += 1);
            while lock.try_read().is_some() {
                thread::yield_now();
            }
            drop(reading);
            upgrade.join().unwrap();
        });
    });
    let waits = waits(&seen, "RwLock-Write");
    assert!(waits.len() == 2 && u128::from(waits[0]) >= waited.as_nanos(), "{waits:?}, {waited:?}");
    assert!(self::waits(&seen, "RwLock-Read").is_empty() && self::waits(&seen, "RwLock-Read-Try").is_empty());
}

#[test]
fn a_mutex_tells_a_wait_too_and_a_fair_unlock_hands_it_over() {
    let mutex = Mutex::new(0);
    let start = Instant::now();
    loop {
        let mut handed_over = false;
        let seen = seen(|_| {
            thread::scope(|scope| {
                let guard = mutex.lock();
                let (arrives, arrived) = mpsc::channel();
                let other = scope.spawn(|| {
                    arrives.send(()).unwrap();
                    let guard = mutex.lock();
                    arrives.send(()).unwrap();
                    drop(guard);
                });
                arrived.recv().unwrap();
                (0..100).for_each(|_| thread::yield_now());
                MutexGuard::unlock_fair(guard);
                handed_over = mutex.try_lock().is_none();
                other.join().unwrap();
            });
        });
        // Most likely the other thread is waiting by then; where it is not, nothing has been shown.
        if handed_over && waits(&seen, "Mutex").len() == 1 {
            break;
        }
        assert!(start.elapsed() < LONG);
    }
}

#[test]
fn more_reads_than_are_remembered_are_given_back_by_somebody() {
    let locks: Vec<_> = (0..20).map(RwLock::new).collect();
    let seen = seen(|_| drop(locks.iter().map(RwLock::read).collect::<Vec<_>>()));
    let releases = |unknown| {
        let of = |seen: &&Seen| seen.kind == Kind::LockRelease && seen.b.starts_with("[nil") == unknown;
        seen.iter().filter(of).count()
    };
    assert_eq!((releases(false), releases(true)), (16, 4), "{seen:#?}");
}

#[test]
fn nothing_is_told_that_is_not_wanted() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let client = Client::builder_to(memory.clone()).record_locks(false).build().unwrap();
    let (mutex, lock) = (Mutex::new(0), RwLock::new(0));
    drop((mutex.lock(), lock.upgradable_read(), lock.read()));
    assert_eq!(client.shutdown(LONG).recorded, 0);
    assert!(events(&memory).is_empty());
}
