//! The locks are tokio's, in all that tokio promises: the same calls are made on both. And what they
//! record is who held them, on whatever thread, for as long as that was.

use super::kit::{found, migrate, on_both, poll, recorded, runtime, shown};
use crate::mutex::{in_default_client, turn};
use crate::support::{LONG, Seen, events, scaled};
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use trackside::tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard, OwnedRwLockWriteGuard, RwLock, RwLockWriteGuard};
use trackside::tokio::task;
use trackside::{Client, MemoryTransport};
use trackside_wire::{Batch, Kind};

#[test]
fn a_mutex_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let lock = Arc::new(Mutex::new(vec![1, 2, 3]));
            let (mut said, threads) = (Vec::new(), runtime());
            threads.block_on(async {
                let mut guard = lock.lock().await;
                guard.push(4);
                said.push(format!("{guard:?} {lock:?} {}", MutexGuard::mutex(&guard).try_lock().is_err()));
                said.push(shown(lock.try_lock()));
                let mut waits = pin!(lock.lock());
                assert!(poll(waits.as_mut()).is_pending());
                drop(guard);
                said.push(shown(lock.try_lock()));
                let guard = waits.await;
                let first = MutexGuard::map(guard, |all| &mut all[..2]);
                said.push(format!("{first:?}"));
                let one =
                    MappedMutexGuard::map(MappedMutexGuard::try_map(first, |two| two.first_mut()).unwrap(), |one| one);
                said.push(format!("{one:?} {one} {}", lock.try_lock().is_err()));
                drop(one);
                let guard = MutexGuard::try_map(lock.lock().await, |all| all.get_mut(9)).unwrap_err();
                said.push(format!("{guard:?}"));
                drop(guard);
                let owned = lock.clone().lock_owned().await;
                said.push(format!("{owned:?} {}", OwnedMutexGuard::mutex(&owned).try_lock().is_err()));
                said.push(shown(lock.clone().try_lock_owned()));
                let mut last = OwnedMutexGuard::map(owned, |all| all.last_mut().unwrap());
                *last += 1;
                let last = OwnedMappedMutexGuard::try_map(last, |_| None::<&mut i32>).unwrap_err();
                said.push(format!("{last:?} {last} {lock:?}"));
                drop(last);
                said.push(shown(lock.clone().try_lock_owned()));
            });
            let jobs = [lock.clone(), lock.clone()];
            lock.blocking_lock().push(6);
            let _ = jobs.map(|lock| std::thread::spawn(move || lock.blocking_lock_owned().push(7)).join().unwrap());
            let panicked = threads.block_on(async { tokio::spawn(async move { lock.blocking_lock().push(8) }).await });
            let panicked = panicked.unwrap_err().into_panic();
            said.push(format!(
                "{:?}",
                panicked
                    .downcast_ref::<&str>()
                    .map(|text| text.len())
                    .or(panicked.downcast_ref::<String>().map(String::len))
            ));
            let mut lock = Mutex::from(said.len());
            *lock.get_mut() += 1;
            said.push(format!("{:?} {:?}", lock, Mutex::<u8>::default()));
            said.push(format!("{}", lock.into_inner()));
            said
        });
    });
}

#[test]
fn a_read_write_lock_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let lock = Arc::new(RwLock::new(vec![1, 2, 3]));
            let (mut said, threads) = (Vec::new(), runtime());
            threads.block_on(async {
                let (one, two) = (lock.read().await, lock.clone().read_owned().await);
                said.push(format!("{one:?} {two:?} {} {lock:?}", lock.try_write().is_err()));
                let (one, two) =
                    (RwLockReadGuard::map(one, |all| &all[1]), OwnedRwLockReadGuard::map(two, |all| &all[2]));
                let two = OwnedRwLockReadGuard::try_map(two, |_| None::<&u8>).unwrap_err();
                said.push(format!("{one} {two} {}", OwnedRwLockReadGuard::rwlock(&two).try_write().is_err()));
                let mut writes = pin!(lock.write());
                assert!(poll(writes.as_mut()).is_pending());
                // Nobody overtakes who waits.
                said.push(format!("{} {}", shown(lock.try_read()), shown(lock.clone().try_read_owned())));
                drop((one, two));
                let mut guard = writes.await;
                guard.push(4);
                said.push(format!("{guard:?} {lock:?} {}", shown(lock.clone().try_write_owned())));
                let guard = RwLockWriteGuard::try_downgrade_map(guard, |_| None::<&u8>).unwrap_err();
                said.push(shown(lock.try_read()));
                let guard = RwLockWriteGuard::try_downgrade_map(guard, |all| all.get(3)).unwrap();
                said.push(format!("{guard} {} {}", shown(lock.try_read()), lock.try_write().is_err()));
                drop(guard);
                let mut part = RwLockWriteGuard::map(lock.write().await, |all| &mut all[..2]);
                part[0] = 9;
                let part = RwLockMappedWriteGuard::map(
                    RwLockMappedWriteGuard::try_map(part, |two| two.get_mut(0)).unwrap(),
                    |one| one,
                );
                said.push(format!("{part:?} {part} {}", shown(lock.try_read())));
                drop(part);
                let whole = RwLockWriteGuard::into_mapped(lock.try_write().unwrap());
                said.push(format!("{whole:?}"));
                drop(whole);
                let guard = RwLockWriteGuard::try_map(lock.write().await, |_| None::<&mut u8>).unwrap_err();
                let read = RwLockWriteGuard::downgrade_map(guard, |all| &all[..1]);
                said.push(format!("{read:?} {}", lock.try_write().is_err()));
                drop(read);
                let owned = lock.clone().write_owned().await;
                said.push(format!("{owned:?} {}", OwnedRwLockWriteGuard::rwlock(&owned).try_read().is_err()));
                let owned = OwnedRwLockWriteGuard::try_map(owned, |_| None::<&mut u8>).unwrap_err();
                let mapped = OwnedRwLockWriteGuard::map(owned, |all| &mut all[..]);
                said.push(format!("{}", OwnedRwLockMappedWriteGuard::rwlock(&mapped).try_read().is_err()));
                let mapped = OwnedRwLockMappedWriteGuard::try_map(
                    OwnedRwLockMappedWriteGuard::map(mapped, |all| &mut all[..2]),
                    |two| two.last_mut(),
                );
                said.push(shown(mapped.map_err(|_| std::fmt::Error)));
                drop(OwnedRwLockWriteGuard::into_mapped(lock.clone().try_write_owned().unwrap()));
                let owned = lock.clone().write_owned().await.downgrade();
                said.push(format!("{owned:?} {} {}", shown(lock.try_read()), lock.try_write().is_err()));
                drop(owned);
                let owned = OwnedRwLockWriteGuard::downgrade_map(lock.clone().write_owned().await, |all| &all[0]);
                said.push(format!("{owned} {}", lock.try_write().is_err()));
                drop(owned);
                let owned = OwnedRwLockWriteGuard::try_downgrade_map(lock.clone().write_owned().await, |_| None::<&u8>);
                said.push(format!("{:?} {}", owned.as_deref().map_err(|guard| guard.len()), lock.try_read().is_err()));
                drop(owned);
                said.push(shown(lock.clone().try_read_owned()));
            });
            lock.blocking_write().push(5);
            said.push(format!("{:?}", lock.blocking_read()));
            let panicked = threads.block_on(async { tokio::spawn(async move { lock.blocking_read().len() }).await });
            said.push(format!("{}", panicked.unwrap_err().is_panic()));
            let mut lock = RwLock::with_max_readers(5, 1);
            *lock.get_mut() += 1;
            let one = lock.try_read().unwrap();
            said.push(format!("{:?} {:?}", lock, shown(lock.try_read())));
            drop(one);
            said.push(format!("{} {:?}", lock.into_inner(), RwLock::<u8>::from(2)));
            said
        });
    });
}

#[test]
fn they_are_made_in_all_ways_and_go_where_tokio_s_go() {
    static PLAIN: Mutex<u8> = Mutex::const_new(1);
    static NAMED: RwLock<u8> = RwLock::const_named("named", 2);
    static FEW: RwLock<u8> = RwLock::const_with_max_readers(3, 1);
    fn moves<T: Send + Sync>(_: &T) {}
    fn goes<T: Send>(_: &T) {}
    let _ = in_default_client(|_| {
        let unsized_: [Arc<Mutex<[u8]>>; 2] = [Arc::new(Mutex::new([1, 2])), Arc::new(Mutex::named("two", [3, 4]))];
        let dynamic: Arc<RwLock<dyn Debug + Send + Sync>> = Arc::new(RwLock::named("any", 7));
        runtime().block_on(async {
            let sum = *PLAIN.lock().await + *NAMED.read().await + *FEW.write().await;
            assert_eq!((sum, FEW.read().await.to_string()), (6, "3".to_owned()));
            let two = unsized_[1].clone().lock_owned().await;
            assert_eq!((unsized_[0].lock().await.len(), two.last()), (2, Some(&4)));
            let (read, borrowed) = (dynamic.clone().read_owned().await, PLAIN.lock().await);
            assert_eq!(format!("{:?}", &*read), "7");
            moves(&(two, borrowed, NAMED.read().await));
            goes(&(PLAIN.lock(), unsized_[0].clone().lock_owned(), NAMED.write()));
        });
        // Tokio does not ask that a value lives for ever.
        let text = String::from("borrowed");
        let lock = Arc::new(Mutex::new(text.as_str()));
        assert_eq!(lock.try_lock_owned().unwrap().len(), 8);
    });
}

/// Acquisitions and releases, as they were told: strand, kind and detail without the time waited.
fn locks(seen: &[Seen]) -> Vec<(u64, Kind, String)> {
    let lock = seen.iter().filter(|seen| matches!(seen.kind, Kind::LockAcquire | Kind::LockRelease));
    let plain = |b: &str| b.split(',').take(2).collect::<String>().trim_end_matches(']').to_owned() + "]";
    lock.map(|seen| (seen.strand, seen.kind, plain(&seen.b))).collect()
}

const A: Kind = Kind::LockAcquire;
const R: Kind = Kind::LockRelease;

#[test]
fn each_way_to_take_a_lock_has_its_name_and_numbers_are_dense() {
    let mut lines = Vec::new();
    let seen = recorded(|_| {
        lines.push(line!() + 1);
        let (mutex, lock) = (Arc::new(Mutex::named("m", 0)), Arc::new(RwLock::new(0)));
        async move {
            drop(mutex.lock().await);
            drop(mutex.try_lock().unwrap());
            drop(mutex.clone().lock_owned().await);
            drop(mutex.clone().try_lock_owned().unwrap());
            drop(MutexGuard::map(mutex.lock().await, |all| all));
            let other = OwnedMutexGuard::map(mutex.clone().lock_owned().await, |all| all);
            assert!(mutex.try_lock().is_err() && mutex.clone().try_lock_owned().is_err());
            drop(other);
            let readers = (lock.read().await, lock.try_read().unwrap());
            drop(readers.0);
            drop(readers.1);
            drop(lock.try_write().unwrap());
            drop(RwLockWriteGuard::downgrade(lock.write().await));
            drop(OwnedRwLockWriteGuard::downgrade(lock.clone().write_owned().await));
            drop(RwLockWriteGuard::try_downgrade_map(lock.write().await, |_| None::<&u8>));
        }
    });
    let told = locks(&seen);
    let (mutex, lock) = told.split_at(12);
    let expect = |number: u64, types: [&str; 2]| {
        types.map(|name| format!("[{number} \"{name}\"]")).into_iter().zip([A, R]).collect::<Vec<_>>()
    };
    let plain = |told: &[(u64, Kind, String)]| told.iter().map(|(_, kind, b)| (b.clone(), *kind)).collect::<Vec<_>>();
    let (waits, tries) = (["tokio-Mutex", "tokio-Mutex"], ["tokio-Mutex-Try", "tokio-Mutex"]);
    let expected =
        [waits, tries, waits, tries, waits, waits].into_iter().zip(1..).flat_map(|(types, n)| expect(n, types));
    assert_eq!(plain(mutex), expected.collect::<Vec<_>>());
    let (read, write) = ("tokio-RwLock-Read", "tokio-RwLock-Write");
    let (tried_read, tried_write) = ("tokio-RwLock-Read-Try", "tokio-RwLock-Write-Try");
    let [one, two] = [expect(1, [read, read]), expect(2, [tried_read, read])];
    let overlapping = [&one[..1], &two[..1], &one[1..], &two[1..]].concat();
    let expected = [
        overlapping,
        expect(3, [tried_write, write]),
        expect(4, [write, write]),
        expect(5, [tried_read, read]),
        expect(6, [write, write]),
        expect(7, [tried_read, read]),
        expect(8, [write, write]),
    ];
    assert_eq!(plain(lock), expected.concat());
    assert!(seen.iter().filter(|seen| [A, R].contains(&seen.kind)).all(|seen| seen.b.matches(',').count() == 1));
    // Named after itself, or the place where it is made; told at the place where it was taken.
    let first = &seen[0];
    assert_eq!((first.name.as_deref(), first.line), (Some("m"), lines[0] + 2));
    assert!(first.file.ends_with("locks.rs"));
    assert_eq!(seen.last().unwrap().name, Some(format!("{}:{}", file!(), lines[0])));
}

#[test]
fn a_guard_that_goes_from_worker_to_worker_stays_in_its_task_s_lock_set() {
    const TASKS: u64 = 4;
    let seen = recorded(|client| async move {
        let lock = Arc::new(Mutex::named("moves", 0));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (client, lock) = (client.clone(), lock.clone());
                task::spawn(async move {
                    for _ in 0..5 {
                        let mut guard = lock.lock().await;
                        let old = *guard;
                        client.track_read("guarded", old);
                        migrate().await;
                        *guard += 1;
                        client.track_write("guarded", old, old + 1);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    let told = locks(&seen);
    assert_eq!(told.len() as u64, 2 * 5 * TASKS);
    for (number, pair) in (1..).zip(told.chunks(2)) {
        let detail = format!("[{number} \"tokio-Mutex\"]");
        assert_eq!([(pair[0].1, &pair[0].2), (pair[1].1, &pair[1].2)], [(A, &detail), (R, &detail)]);
        assert_eq!(pair[0].0, pair[1].0, "the task that took it gave it back");
    }
    // Between the two there are just the two accesses of that task, with whatever the others wait for; and that it awaited,
    // told once, as often as it may have been polled in vain.
    for task in told.iter().map(|(strand, ..)| *strand).collect::<std::collections::BTreeSet<_>>() {
        let kinds: Vec<_> = seen.iter().filter(|seen| seen.strand == task).map(|seen| seen.kind).collect();
        assert!(kinds.chunks(5).all(|five| five == [A, Kind::Read, Kind::Suspended, Kind::Write, R]), "{kinds:?}");
    }
}

#[test]
fn who_had_to_wait_says_for_how_long() {
    let seen = recorded(|_| async move {
        let lock = Arc::new(RwLock::named("waited for", 0));
        let write = lock.write().await;
        let mut waits = pin!(lock.read());
        assert!(poll(waits.as_mut()).is_pending());
        drop(write);
        drop(waits.await);
        let other = lock.clone();
        let read = lock.read().await;
        let (begun, has_begun) = oneshot::channel();
        let job = task::spawn_blocking(move || {
            begun.send(()).unwrap();
            *other.blocking_write() += 1;
        });
        has_begun.await.unwrap();
        // It cannot be seen to wait but by this: that nobody can read any more.
        while lock.try_read().is_ok() {
            tokio::task::yield_now().await;
        }
        drop(read);
        job.await.unwrap();
        drop(lock.read().await);
    });
    let waited: Vec<_> = seen
        .iter()
        .filter(|seen| seen.kind == A && !seen.b.contains("Try"))
        .map(|seen| seen.b.trim_end_matches(']').split(", ").nth(2).map(|ns| ns.parse::<u64>().unwrap() > 0))
        .collect();
    assert_eq!(waited, [None, Some(true), None, Some(true), None]);
}

#[test]
fn a_lock_future_that_is_dropped_leaves_nothing_held_and_nothing_recorded() {
    let seen = recorded(|client| async move {
        let lock = Arc::new(Mutex::named("given up", 0));
        let guard = lock.lock().await;
        // While it waits.
        {
            let mut gives_up = pin!(lock.lock());
            assert!(poll(gives_up.as_mut()).is_pending());
        }
        // When it has got the lock and does not know yet.
        {
            let mut one = pin!(lock.clone().lock_owned());
            assert!(poll(one.as_mut()).is_pending());
            drop(guard);
            assert!(lock.try_lock().is_err(), "it is in the future");
        }
        client.track_custom("nothing is held", 0);
        let mut guard = lock.try_lock().expect("it was given back");
        *guard += 1;
        // As in a `select!` or a timeout: the task that waits is aborted.
        let other = lock.clone();
        let (begun, has_begun) = oneshot::channel();
        let task = task::spawn(async move {
            begun.send(()).unwrap();
            *other.lock().await += 1;
        });
        has_begun.await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        drop(guard);
        assert_eq!(*lock.lock().await, 1);
    });
    let kinds: Vec<_> = locks(&seen).into_iter().map(|(_, kind, b)| (kind, b)).collect();
    let turn =
        |number: u64, kind: &str| [(A, format!("[{number} \"{kind}\"]")), (R, format!("[{number} \"tokio-Mutex\"]"))];
    let expected = [turn(1, "tokio-Mutex"), turn(2, "tokio-Mutex-Try"), turn(3, "tokio-Mutex")].concat();
    assert_eq!(kinds, expected);
}

#[test]
fn a_guard_that_goes_to_another_task_protects_what_that_one_does() {
    for round in 0..scaled(50, 10) {
        let found = found(|client| async move {
            let lock = Arc::new(Mutex::named("goes", 0));
            let write = |client: &Client, guard: &mut OwnedMutexGuard<u64>| {
                client.track_write("guarded", **guard, **guard + 1);
                **guard += 1;
            };
            let (recorder, other) = (client.clone(), lock.clone());
            let begins = task::spawn(async move {
                let mut guard = other.clone().lock_owned().await;
                write(&recorder, &mut guard);
                let client = recorder.clone();
                let ends = task::spawn(async move {
                    write(&client, &mut guard);
                    migrate().await;
                    drop(guard);
                });
                // After the task that gives it back, by the lock alone.
                write(&recorder, &mut other.lock_owned().await);
                ends.await.unwrap();
            });
            write(&client, &mut lock.clone().lock_owned().await);
            begins.await.unwrap();
            assert_eq!(*lock.lock().await, 4);
        });
        assert_eq!(found, [""; 0], "round {round}");
    }
}

#[test]
fn who_has_sent_the_guard_away_is_not_protected_any_more() {
    let found = found(|client| async move {
        let lock = Arc::new(Mutex::named("sent away", 0));
        let (written, has_written) = oneshot::channel();
        let recorder = client.clone();
        let guard = lock.clone().lock_owned().await;
        client.track_custom("before", 0);
        let ends = task::spawn(async move {
            recorder.track_write("guarded", 0, 1);
            recorder.track_write("raced", 0, 1);
            drop(guard);
            written.send(()).unwrap();
        });
        has_written.await.unwrap();
        // The order in which it happened is one of which the record knows nothing, and the lock does not make it either.
        client.track_write("raced", 1, 2);
        let guard = lock.lock().await;
        client.track_read("guarded", 1);
        drop(guard);
        ends.await.unwrap();
    });
    assert_eq!(found, ["raced"]);
}

#[test]
fn the_race_is_found_without_the_lock_and_nothing_with_it() {
    for (locked, expected) in [(true, &[""; 0][..]), (false, &["counter"])] {
        let found = found(|client| async move {
            let lock = Arc::new(RwLock::new(()));
            let (both, count) =
                (Arc::new(tokio::sync::Barrier::new(4)), Arc::new(std::sync::atomic::AtomicI64::new(0)));
            let tasks: Vec<_> = (0..4)
                .map(|_| {
                    let (client, lock, both, count) = (client.clone(), lock.clone(), both.clone(), count.clone());
                    task::spawn(async move {
                        both.wait().await;
                        for _ in 0..20 {
                            let guard = if locked { Some(lock.write().await) } else { None };
                            let old = count.load(std::sync::atomic::Ordering::Relaxed);
                            client.track_read("counter", old);
                            tokio::task::yield_now().await;
                            count.store(old + 1, std::sync::atomic::Ordering::Relaxed);
                            client.track_write("counter", old, old + 1);
                            drop(guard);
                            let read = if locked { Some(lock.read().await) } else { None };
                            client.track_read("counter", count.load(std::sync::atomic::Ordering::Relaxed));
                            drop(read);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(found, expected);
    }
}

#[test]
fn what_a_thread_is_told_to_hold_after_a_gap_is_not_what_its_tasks_took() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let builder =
        Client::builder_to(memory.clone()).service("it").ring_bytes(64 << 10).flush_interval(Duration::from_millis(1));
    let (client, mut flusher) = builder.build_manual().unwrap();
    let (of_tasks, of_threads) = (Arc::new(Mutex::new(0)), trackside::sync::Mutex::new(0));
    let taken = of_tasks.clone().try_lock_owned().unwrap();
    let held = of_threads.lock().unwrap();
    let released = std::thread::scope(|scope| scope.spawn(|| drop(taken)).join());
    assert!(released.is_ok());
    while client.stats().lost.ring_full == 0 {
        client.track_custom("fills the ring", 0);
    }
    while !flusher.step() {}
    client.track_custom("after the gap", 0);
    while !flusher.step() {}
    drop(held);
    let told: Vec<u64> = memory
        .batches()
        .iter()
        .flat_map(|batch| Batch::decode(&batch.bytes).unwrap().lanes.clone())
        .flat_map(|lane| lane.held)
        .collect();
    let seen = events(&memory);
    let id = |name: &str| -> u64 {
        seen.iter().find(|seen| seen.kind == A && seen.b.contains(name)).unwrap().a.parse().unwrap()
    };
    assert_eq!(told, [id("\"Mutex\"")]);
    assert_ne!(id("\"tokio-Mutex-Try\""), told[0]);
}

#[test]
fn without_a_client_nothing_is_recorded_and_a_hold_that_began_before_one_does_not_end_in_it() {
    let lock = Arc::new(Mutex::new(0));
    let mut held = None;
    let before = in_default_client(|_| drop(lock.try_lock().unwrap()));
    let after = in_default_client(|client| {
        client.flush(LONG).unwrap();
        held = Some(lock.clone().try_lock_owned().unwrap());
    });
    // Neither is the hold that outlives its client.
    let next = in_default_client(|_| drop(held.take()));
    assert_eq!((before.len(), after.len(), next.len()), (2, 1, 0));
    assert!(lock.try_lock().is_ok());
}
