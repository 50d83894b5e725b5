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

/// The acquisitions and releases, a line each: `+` or `-`, number, type, and how far below `line` the place is. A release may
/// say that its acquisition was tried for, or not: it does where both are one record.
fn told(seen: &[Seen], line: u32) -> String {
    let mut text = String::new();
    for seen in seen {
        let sign = match seen.kind {
            Kind::LockAcquire => '+',
            Kind::LockRelease => '-',
            other => panic!("{other:?}"),
        };
        let fields: Vec<&str> = seen.b.trim_matches(['[', ']']).split(", ").collect();
        let mode = fields[1].trim_matches('"');
        let mode = if sign == '-' { mode.trim_end_matches("-Try") } else { mode };
        let place = if seen.file == file!() { format!("+{}", seen.line - line) } else { "elsewhere".into() };
        writeln!(text, "{sign}{} {mode} {place}", fields[0]).unwrap();
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
        drop(reading);
        RwLockWriteGuard::unlock_fair(lock.write());
        RwLockUpgradableReadGuard::unlock_fair(lock.upgradable_read());
        let mut upgradable = lock.upgradable_read();
        RwLockUpgradableReadGuard::bump(&mut upgradable);
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
        "+13 RwLock-Write +17",
        "-13 RwLock-Write +17",
        "+1 RwLock-Upgradable +18",
        "+14 RwLock-Read +18",
        "-14 RwLock-Read +18",
        "-1 RwLock-Upgradable +18",
        "+2 RwLock-Upgradable +19",
        "+15 RwLock-Read +19",
        "-15 RwLock-Read +19",
        "-2 RwLock-Upgradable +19",
        "+3 RwLock-Upgradable +20",
        "+16 RwLock-Read +20",
        "-16 RwLock-Read +20",
        "-3 RwLock-Upgradable +20",
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
    let taken = |number: u32, right: u32, way: &str, place: &str| {
        [format!("+{right} RwLock-Upgradable{way} {place}"), format!("+{number} RwLock-Read{way} {place}")]
    };
    let given = |number: u32, right: u32, place: &str| {
        [format!("-{number} RwLock-Read {place}"), format!("-{right} RwLock-Upgradable {place}")]
    };
    let turn = |number: u32, way: &str, line: u32| {
        let mode = way.split('-').next().unwrap();
        [format!("+{number} RwLock-{way} +{line}"), format!("-{number} RwLock-{mode} +{line}")]
    };
    let [read, right] = given(7, 4, "elsewhere");
    let expected = [
        taken(1, 1, "", "+2"),
        given(1, 1, "+2"),
        taken(2, 2, "-Try", "+3"),
        given(2, 2, "+3"),
        turn(3, "Write", 4),
        taken(4, 3, "-Try", "+5"),
        turn(5, "Read", 6),
        given(4, 3, "+5"),
        turn(6, "Write", 10),
        taken(7, 4, "-Try", "elsewhere"),
        // First it becomes a read like any other.
        [right, read],
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
    let told: Vec<_> = seen.iter().map(|seen| (seen.kind, seen.b.replace("-Try", ""), seen.file == file!())).collect();
    let turn = |b: &str, here| [Kind::LockAcquire, Kind::LockRelease].map(|kind| (kind, b.to_owned(), here));
    let expected = [
        turn("[1, \"Mutex\"]", true),
        turn("[2, \"Mutex\"]", true),
        turn("[3, \"Mutex\"]", false),
        turn("[1, \"RwLock-Read\"]", true),
        turn("[2, \"RwLock-Write\"]", true),
        turn("[3, \"RwLock-Read\"]", false),
    ];
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
    let names = |kind| seen.iter().filter(move |seen| seen.kind == kind).map(|seen| seen.name.as_deref().unwrap());
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
        let last: Vec<_> = seen[8..].iter().map(|seen| seen.b.as_str()).take(4).collect();
        let expected = ["[2, \"Mutex\"]", "[2, \"RwLock-Upgradable\"]", "[3, \"RwLock-Read\"]", "[4, \"RwLock-Read\"]"];
        assert_eq!(last, expected);
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
fn a_mutex_tells_a_wait_too() {
    let mutex = Mutex::new(0);
    let start = Instant::now();
    loop {
        let seen = seen(|_| {
            thread::scope(|scope| {
                let guard = mutex.lock();
                let (arrives, arrived) = mpsc::channel();
                let mutex = &mutex;
                scope.spawn(move || {
                    arrives.send(()).unwrap();
                    *mutex.lock() += 1;
                });
                arrived.recv().unwrap();
                (0..100).for_each(|_| thread::yield_now());
                drop(guard);
            });
        });
        // Most likely the other thread is waiting by then; where it is not, nothing has been shown.
        if waits(&seen, "Mutex").len() == 1 {
            break;
        }
        assert!(start.elapsed() < LONG);
    }
}

#[test]
fn a_fair_unlock_hands_the_mutex_over() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let seen = seen(|_| {
        for _ in 0..20 {
            thread::scope(|scope| {
                let ((waits, waiting), (goes, go)) = (mpsc::channel(), mpsc::channel::<()>());
                let (mutex, condvar) = (&mutex, &condvar);
                scope.spawn(move || {
                    let mut guard = mutex.lock();
                    waits.send(()).unwrap();
                    condvar.wait(&mut guard);
                    go.recv().unwrap();
                });
                waiting.recv().unwrap();
                let guard = mutex.lock();
                // From now on it waits for the mutex.
                assert!(condvar.notify_one());
                MutexGuard::unlock_fair(guard);
                assert!(mutex.try_lock().is_none());
                goes.send(()).unwrap();
            });
        }
    });
    let releases = seen.iter().filter(|seen| seen.kind == Kind::LockRelease).count();
    assert_eq!((seen.len() - releases, releases), (60, 60));
}

#[test]
fn more_reads_than_are_remembered_are_given_back_by_somebody() {
    let locks: Vec<_> = (0..20).map(RwLock::new).collect();
    let seen = seen(|_| drop(locks.iter().map(|lock| lock.read()).collect::<Vec<_>>()));
    let releases = |unknown| {
        let of = |seen: &&Seen| seen.kind == Kind::LockRelease && seen.b.starts_with("[null") == unknown;
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
