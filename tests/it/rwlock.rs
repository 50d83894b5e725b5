//! `TrackedRwLock` is std's, in all that std promises; and the record tells which readers came between which writers.

use crate::mutex::{Is, Otherwise, SendOnly, in_default_client, poison, said, same, turn};
use crate::support::Seen;
use crate::sync_once::on_both;
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, PoisonError};
use std::thread;
use trackside::{TrackedRwLock, TrackedRwLockReadGuard, TrackedRwLockWriteGuard};
use trackside_wire::Kind;

#[test]
fn an_unpoisoned_lock_answers_like_stds() {
    on_both!({
        let lock = sync::RwLock::new(vec![1, 2, 3]);
        let mut told = vec![format!("{lock:?} {}", lock.is_poisoned())];
        let mut writer = lock.write().unwrap();
        writer.push(4);
        told.push(format!("{writer:?} {lock:?} {} {}", said(&lock.try_read()), said(&lock.try_write())));
        drop(writer);
        let (first, second) = (lock.read().unwrap(), lock.try_read().unwrap());
        told.push(format!("{first:?} {second:?} {lock:?} {} {}", said(&lock.try_read()), said(&lock.try_write())));
        drop(first);
        told.push(said(&lock.try_write()));
        drop(second);
        told.push(said(&lock.try_write()));
        told.push(format!("{:?}", lock.into_inner()));
        told
    });
}

#[test]
fn a_poisoned_lock_answers_like_stds() {
    on_both!({
        let lock = sync::RwLock::new(vec![1, 2, 3]);
        poison(|| lock.write());
        let mut told = vec![format!("{lock:?} {}", lock.is_poisoned())];
        told.push(said(&lock.try_read()));
        told.push(said(&lock.try_write()));
        told.push(lock.read().map_or_else(|poison| format!("{poison} {:?}", **poison.get_ref()), |_| "fine".into()));
        match lock.write() {
            Ok(_) => told.push("fine".into()),
            Err(poison) => {
                told.push(format!("{poison} {:?}", **poison.get_ref()));
                poison.into_inner().push(4);
            }
        }
        lock.clear_poison();
        told.push(format!("{lock:?} {}", lock.read().is_ok()));
        told.push(format!("{}", lock.write().is_ok()));
        poison(|| lock.try_write());
        told.push(format!("{:?}", lock.into_inner().map_err(PoisonError::into_inner)));
        told
    });
}

#[test]
fn who_panics_reading_poisons_nothing_as_with_stds() {
    on_both!({
        let lock = sync::RwLock::new(1);
        poison(|| lock.read());
        poison(|| lock.try_read());
        // Nor does a panic that is over, or that the guard is older than.
        let writer = lock.write();
        let _ = catch_unwind(|| panic!("elsewhere; this is part of a test"));
        drop(writer);
        format!("{lock:?}")
    });
}

#[test]
fn get_mut_answers_like_stds() {
    on_both!({
        let mut lock = sync::RwLock::new(vec![1]);
        lock.get_mut().unwrap().push(4);
        let before = format!("{:?}", lock.get_mut());
        poison(|| lock.write());
        let after = lock.get_mut().map_err(|poison| format!("{poison} {:?}", poison.get_ref()));
        format!("{before} {after:?}")
    });
}

#[test]
fn a_writer_that_goes_on_reading_lets_others_read_like_stds() {
    on_both!({
        let lock = sync::RwLock::new(1);
        let mut writer = lock.write().unwrap();
        *writer += 1;
        let reader = sync::RwLockWriteGuard::downgrade(writer);
        let told = format!("{reader} {} {}", said(&lock.try_read()), said(&lock.try_write()));
        drop(reader);
        // It poisons no more: it reads.
        poison(|| sync::RwLockWriteGuard::downgrade(lock.write().unwrap()));
        format!("{told} {lock:?}")
    });
}

#[test]
fn guards_show_their_values() {
    on_both!({
        let lock = sync::RwLock::new(5);
        let shown = format!("{0:?} {0}", lock.read().unwrap());
        format!("{shown} {0:?} {0}", lock.write().unwrap())
    });
}

#[test]
fn it_can_be_made_in_all_the_ways() {
    let _turn = turn();
    static PLAIN: TrackedRwLock<u8> = TrackedRwLock::new(1);
    static NAMED: TrackedRwLock<Vec<u8>> = TrackedRwLock::named("named", Vec::new());
    *PLAIN.write().unwrap() += 1;
    NAMED.write().unwrap().push(*PLAIN.read().unwrap());
    assert_eq!((*PLAIN.read().unwrap(), &**NAMED.read().unwrap()), (2, &[2][..]));
    assert_eq!(*TrackedRwLock::<u8>::default().read().unwrap(), 0);
    assert_eq!(*TrackedRwLock::from(3).read().unwrap(), 3);
}

#[test]
fn it_coerces_to_the_unsized() {
    let _turn = turn();
    let shared: Arc<TrackedRwLock<[u8]>> = Arc::new(TrackedRwLock::new([1, 2, 3]));
    shared.write().unwrap()[0] = 4;
    assert_eq!(shared.read().unwrap().iter().sum::<u8>(), 9);
    let object: Box<TrackedRwLock<dyn Debug>> = Box::new(TrackedRwLock::new("text"));
    assert_eq!(format!("{:?}", &*object.read().unwrap()), "\"text\"");
    let reader = TrackedRwLockWriteGuard::downgrade(object.write().unwrap());
    assert_eq!(format!("{reader:?}"), "\"text\"");
}

#[test]
fn a_reader_s_guard_can_stand_for_one_of_a_shorter_life() {
    /// Compiles only if the guard is covariant, as std's is.
    fn shorter<'a>(guard: TrackedRwLockReadGuard<'a, &'static str>) -> TrackedRwLockReadGuard<'a, &'a str> {
        guard
    }
    let _turn = turn();
    static TEXT: TrackedRwLock<&str> = TrackedRwLock::new("text");
    assert_eq!(*shorter(TEXT.read().unwrap()), "text");
}

#[test]
fn it_is_as_send_and_sync_as_stds() {
    type Cell = std::cell::Cell<u8>;
    type Rc = std::rc::Rc<u8>;
    type Guard = std::sync::MutexGuard<'static, u8>;
    same!(std::sync::RwLock<u8>, TrackedRwLock<u8>);
    same!(std::sync::RwLock<Cell>, TrackedRwLock<Cell>);
    same!(std::sync::RwLock<Rc>, TrackedRwLock<Rc>);
    same!(std::sync::RwLock<Guard>, TrackedRwLock<Guard>);
    same!(std::sync::RwLockReadGuard<'_, u8>, TrackedRwLockReadGuard<'_, u8>);
    same!(std::sync::RwLockReadGuard<'_, Cell>, TrackedRwLockReadGuard<'_, Cell>);
    same!(std::sync::RwLockReadGuard<'_, Guard>, TrackedRwLockReadGuard<'_, Guard>);
    same!(std::sync::RwLockWriteGuard<'_, u8>, TrackedRwLockWriteGuard<'_, u8>);
    same!(std::sync::RwLockWriteGuard<'_, Cell>, TrackedRwLockWriteGuard<'_, Cell>);
    same!(std::sync::RwLockWriteGuard<'_, Guard>, TrackedRwLockWriteGuard<'_, Guard>);
    // And the answers differ from one question to the other.
    assert_eq!([<Is<TrackedRwLock<u8>>>::SYNC, <Is<TrackedRwLock<Cell>>>::SYNC], [true, false]);
}

#[test]
fn it_may_cross_a_caught_panic_like_stds() {
    fn assert_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    assert_unwind_safe::<std::sync::RwLock<std::cell::Cell<u8>>>();
    assert_unwind_safe::<TrackedRwLock<std::cell::Cell<u8>>>();
    assert_unwind_safe::<std::sync::RwLockReadGuard<'_, u8>>();
    assert_unwind_safe::<TrackedRwLockReadGuard<'_, u8>>();
    assert_unwind_safe::<std::sync::RwLockWriteGuard<'_, u8>>();
    assert_unwind_safe::<TrackedRwLockWriteGuard<'_, u8>>();
}

/// What was recorded of a lock: taken or given back, and what is told of that.
fn told(seen: &[Seen]) -> Vec<(Kind, &str)> {
    seen.iter().map(|seen| (seen.kind, seen.b.as_str())).collect()
}

const TAKEN: Kind = Kind::LockAcquire;
const GIVEN_BACK: Kind = Kind::LockRelease;

#[test]
fn the_record_tells_how_it_was_held_and_in_which_turn() {
    let mut lines = Vec::new();
    let seen = in_default_client(|_| {
        let mut lock = TrackedRwLock::named("lock", 0);
        drop(lock.write());
        drop(lock.read());
        drop(lock.try_write());
        drop(lock.try_read());
        let line = line!();
        lines.extend([line - 4, line - 3, line - 2, line - 1]);
        let (first, second) = (lock.read(), lock.read());
        assert!(lock.try_write().is_err());
        drop(first);
        drop(second);
        *lock.get_mut().unwrap() += 1;
        assert_eq!(lock.into_inner().unwrap(), 1);
    });
    let [write, read] = ["\"RwLock-Write\"", "\"RwLock-Read\""];
    let expected = [
        (TAKEN, format!("[1, {write}]")),
        (GIVEN_BACK, format!("[1, {write}]")),
        (TAKEN, format!("[2, {read}]")),
        (GIVEN_BACK, format!("[2, {read}]")),
        (TAKEN, "[3, \"RwLock-Write-Try\"]".into()),
        (GIVEN_BACK, format!("[3, {write}]")),
        (TAKEN, "[4, \"RwLock-Read-Try\"]".into()),
        (GIVEN_BACK, format!("[4, {read}]")),
        (TAKEN, format!("[5, {read}]")),
        (TAKEN, format!("[6, {read}]")),
        (GIVEN_BACK, format!("[5, {read}]")),
        (GIVEN_BACK, format!("[6, {read}]")),
    ];
    assert_eq!(told(&seen), expected.each_ref().map(|(kind, text)| (*kind, text.as_str())));
    assert!(seen.iter().all(|seen| seen.name.as_deref() == Some("lock")));
    assert!(seen.iter().all(|other| other.a == seen[0].a), "one lock, one number");
    let at: Vec<_> = seen.iter().take(8).map(|seen| (seen.file.as_str(), seen.line)).collect();
    let expected: Vec<_> = lines.iter().flat_map(|line| [(file!(), *line); 2]).collect();
    assert_eq!(at, expected);
}

#[test]
fn going_on_reading_is_a_release_and_an_acquisition_with_nothing_between() {
    let mut line = 0;
    let seen = in_default_client(|client| {
        let lock = TrackedRwLock::named("lock", 0);
        let writer = lock.write().unwrap();
        client.track_custom("writing", 0);
        let reader = TrackedRwLockWriteGuard::downgrade(writer);
        line = line!() - 1;
        client.track_custom("reading", 0);
        drop(reader);
    });
    let expected = [
        (TAKEN, "[1, \"RwLock-Write\"]"),
        (Kind::Custom, "null"),
        (GIVEN_BACK, "[1, \"RwLock-Write\"]"),
        (TAKEN, "[2, \"RwLock-Read-Try\"]"),
        (Kind::Custom, "null"),
        (GIVEN_BACK, "[2, \"RwLock-Read\"]"),
    ];
    assert_eq!(told(&seen), expected);
    assert_eq!([seen[3].line, seen[5].line], [line; 2]);
}

#[test]
fn a_panic_s_guards_are_recorded_like_others() {
    let seen = in_default_client(|_| {
        let lock = TrackedRwLock::new(());
        poison(|| lock.write());
        poison(|| lock.read());
        drop(lock.try_write());
    });
    let [write, read] = ["[1, \"RwLock-Write\"]", "[2, \"RwLock-Read\"]"];
    let last = [(TAKEN, "[3, \"RwLock-Write-Try\"]"), (GIVEN_BACK, "[3, \"RwLock-Write\"]")];
    let expected = [[(TAKEN, write), (GIVEN_BACK, write)], [(TAKEN, read), (GIVEN_BACK, read)], last].concat();
    assert_eq!(told(&seen), expected);
}

#[test]
fn each_client_counts_from_one() {
    let lock = TrackedRwLock::named("shared", ());
    for _ in 0..2 {
        let seen = in_default_client(|_| (0..2).for_each(|_| drop(lock.read())));
        let [one, two] = ["[1, \"RwLock-Read\"]", "[2, \"RwLock-Read\"]"];
        assert_eq!(told(&seen).iter().map(|(_, text)| *text).collect::<Vec<_>>(), [one, one, two, two]);
    }
}

#[test]
fn readers_at_once_have_numbers_of_their_own() {
    const THREADS: usize = 4;
    let lock = TrackedRwLock::named("lock", ());
    let barrier = Barrier::new(THREADS);
    let seen = in_default_client(|_| {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let _reader = lock.read();
                    // All of them hold it.
                    barrier.wait();
                });
            }
        });
    });
    for kind in [TAKEN, GIVEN_BACK] {
        // Nobody has written, so nobody had to wait.
        let mut numbers: Vec<_> = told(&seen).into_iter().filter(|told| told.0 == kind).map(|told| told.1).collect();
        numbers.sort_unstable();
        let expected: Vec<_> = (1..=THREADS).map(|number| format!("[{number}, \"RwLock-Read\"]")).collect();
        assert_eq!(numbers, expected);
    }
}

/// Threads that cannot but wait, and are seen to do so before the lock is given back.
#[cfg(target_os = "linux")]
mod waiting {
    use super::*;
    use crate::support::blocked::{this_thread, wait_until_blocked};
    use std::panic::AssertUnwindSafe;
    use std::sync::mpsc;
    use trackside::{Client, TrackedMutex};

    /// Has `wait` wait for `object`, which `hold` has taken; returns the acquisitions by the thread that waited.
    fn waited<T: Sync, G>(object: &T, hold: impl FnOnce() -> G, wait: impl Fn(&T, &Client) + Sync) -> Vec<Seen> {
        let seen = in_default_client(|client| {
            let held = hold();
            let (arrived, is_there) = mpsc::channel();
            thread::scope(|scope| {
                scope.spawn({
                    let wait = &wait;
                    move || {
                        client.track_custom("arrived", 0);
                        arrived.send(this_thread()).unwrap();
                        wait(object, client);
                    }
                });
                wait_until_blocked(&is_there.recv().unwrap(), object);
                drop(held);
            });
        });
        let strand = seen.iter().find(|seen| seen.kind == Kind::Custom).unwrap().strand;
        seen.into_iter().filter(|seen| seen.strand == strand && seen.kind == TAKEN).collect()
    }

    /// How many nanoseconds were waited, if that is told, of a turn that is otherwise as expected.
    #[track_caller]
    fn nanoseconds(seen: &Seen, turn: &str) -> Option<u64> {
        if seen.b == format!("[{turn}]") {
            return None;
        }
        let waited = seen.b.strip_prefix(&format!("[{turn}, ")).and_then(|rest| rest.strip_suffix(']'));
        Some(waited.unwrap_or_else(|| panic!("{turn}: {seen:?}")).parse().unwrap())
    }

    #[test]
    fn who_had_to_wait_tells_for_how_long_and_nobody_else_does() {
        let (mutex, lock) = (TrackedMutex::named("mutex", ()), TrackedRwLock::named("lock", ()));
        // Waits, and then does not have to.
        let read = waited(&lock, || lock.write(), |lock, _| (0..2).for_each(|_| drop(lock.read())));
        assert!(nanoseconds(&read[0], "2, \"RwLock-Read\"").is_some_and(|waited| waited > 0), "{read:?}");
        assert_eq!(nanoseconds(&read[1], "3, \"RwLock-Read\""), None);
        let write = waited(&lock, || lock.read(), |lock, _| (0..2).for_each(|_| drop(lock.write())));
        assert!(nanoseconds(&write[0], "2, \"RwLock-Write\"").is_some_and(|waited| waited > 0), "{write:?}");
        assert_eq!(nanoseconds(&write[1], "3, \"RwLock-Write\""), None);
        let taken = waited(&mutex, || mutex.lock(), |mutex, _| (0..2).for_each(|_| drop(mutex.lock())));
        assert!(nanoseconds(&taken[0], "2, \"Mutex\"").is_some_and(|waited| waited > 0), "{taken:?}");
        assert_eq!(nanoseconds(&taken[1], "3, \"Mutex\""), None);
    }

    #[test]
    fn a_lock_that_was_waited_for_can_be_poisoned() {
        let (mutex, lock) = (TrackedMutex::new(1), TrackedRwLock::new(2));
        let taken = waited(
            &mutex,
            || Unwinding(Some(mutex.lock().unwrap())),
            |mutex, _| assert_eq!(*mutex.lock().unwrap_err().into_inner(), 1),
        );
        assert!(nanoseconds(&taken[0], "2, \"Mutex\"").is_some());
        let taken = waited(
            &lock,
            || Unwinding(Some(lock.write().unwrap())),
            |lock, _| assert_eq!(*lock.read().unwrap_err().into_inner(), 2),
        );
        assert!(nanoseconds(&taken[0], "2, \"RwLock-Read\"").is_some());
    }

    /// Drops its guard in a panic.
    struct Unwinding<G>(Option<G>);

    impl<G> Drop for Unwinding<G> {
        fn drop(&mut self) {
            let guard = self.0.take();
            let unwind = AssertUnwindSafe(|| {
                let _guard = guard;
                panic!("poison; this is part of a test");
            });
            assert!(catch_unwind(unwind).is_err());
        }
    }
}
