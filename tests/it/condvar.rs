//! `TrackedCondvar` is std's, for tracked mutexes; a wait is told as what it is to the mutex, given back and taken again.

use crate::mutex::{Is, SendOnly, in_default_client, same, turn};
use crate::support::Seen;
use crate::sync_once::on_both;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;
use trackside::{TrackedCondvar, TrackedMutex};
use trackside_wire::Kind;

/// More than any test takes: a bound on hanging.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn it_shows_and_is_made_like_stds() {
    on_both!({
        static CONDVAR: sync::Condvar = sync::Condvar::new();
        // Nobody waits: nothing happens.
        CONDVAR.notify_one();
        CONDVAR.notify_all();
        format!("{CONDVAR:?} {:?}", sync::Condvar::default())
    });
}

#[test]
fn who_waits_is_woken_like_with_stds() {
    on_both!({
        let (mutex, condvar) = (sync::Mutex::new(0), sync::Condvar::new());
        thread::scope(|scope| {
            for number in 1..=3 {
                let (mutex, condvar) = (&mutex, &condvar);
                scope.spawn(move || {
                    let mut turn = mutex.lock().unwrap();
                    while *turn != number {
                        turn = condvar.wait(turn).unwrap();
                    }
                    *turn += 1;
                    // With `notify_one`, one of the others might take the wake-up that is not for him.
                    condvar.notify_all();
                });
            }
            *mutex.lock().unwrap() = 1;
            condvar.notify_one();
            condvar.notify_all();
            let turn = condvar.wait_while(mutex.lock().unwrap(), |turn| *turn != 4).unwrap();
            format!("{turn:?}")
        })
    });
}

#[test]
fn times_are_over_or_not_like_with_stds() {
    on_both!({
        let (mutex, condvar) = (sync::Mutex::new(5), sync::Condvar::new());
        let mut told = Vec::new();
        let (guard, result) = condvar.wait_timeout(mutex.lock().unwrap(), Duration::ZERO).unwrap();
        told.push(format!("{guard:?} {}", result.timed_out()));
        drop(guard);
        #[expect(deprecated, reason = "it is one of std's methods")]
        let (guard, in_time) = condvar.wait_timeout_ms(mutex.lock().unwrap(), 0).unwrap();
        told.push(format!("{guard:?} {in_time}"));
        drop(guard);
        for condition in [true, false] {
            let mut calls = 0;
            let keep = |value: &mut i32| {
                calls += 1;
                *value += 1;
                condition
            };
            let (guard, result) = condvar.wait_timeout_while(mutex.lock().unwrap(), Duration::ZERO, keep).unwrap();
            told.push(format!("{guard:?} {result:?} {}", result.timed_out()));
            let copy = result;
            drop(guard);
            told.push(format!("{calls} {}", copy == result));
        }
        // What is true at once is not waited for, however long one may.
        let (guard, result) = condvar.wait_timeout_while(mutex.lock().unwrap(), LONG, |_| false).unwrap();
        told.push(format!("{guard:?} {}", result.timed_out()));
        told
    });
}

#[test]
fn who_is_notified_in_time_is_told_so_like_with_stds() {
    on_both!({
        let (mutex, condvar) = (sync::Mutex::new(false), sync::Condvar::new());
        thread::scope(|scope| {
            let notified = scope.spawn(|| {
                let (guard, result) = condvar.wait_timeout_while(mutex.lock().unwrap(), LONG, |set| !*set).unwrap();
                format!("{guard:?} {result:?}")
            });
            *mutex.lock().unwrap() = true;
            condvar.notify_one();
            notified.join().unwrap()
        })
    });
}

#[test]
fn a_mutex_that_is_poisoned_meanwhile_is_found_so_like_with_stds() {
    on_both!({
        let (mutex, condvar) = (sync::Mutex::new(5), sync::Condvar::new());
        let poison = || {
            let unwind = AssertUnwindSafe(|| {
                let _guard = mutex.lock();
                panic!("poison; this is part of a test");
            });
            assert!(catch_unwind(unwind).is_err());
        };
        let locked = || mutex.lock().unwrap_or_else(|poison| poison.into_inner());
        poison();
        let mut told = Vec::new();
        let waited = condvar.wait_timeout(locked(), Duration::ZERO).unwrap_err();
        told.push(format!("{waited} {:?} {}", waited.get_ref().0, waited.get_ref().1.timed_out()));
        drop(waited);
        #[expect(deprecated, reason = "it is one of std's methods")]
        let waited = condvar.wait_timeout_ms(locked(), 0).unwrap_err();
        told.push(format!("{waited} {:?}", waited.get_ref()));
        drop(waited);
        // What need not be waited for is not looked at for poison.
        told.push(format!("{:?}", condvar.wait_while(locked(), |_| false).is_ok()));
        told.push(format!("{:?}", condvar.wait_timeout_while(locked(), LONG, |_| false).is_ok()));
        // A waiter gets to know of the panic of who has taken the mutex meanwhile.
        mutex.clear_poison();
        let (holds, is_held) = std::sync::mpsc::channel();
        let panics = thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut guard = mutex.lock().unwrap();
                holds.send(()).unwrap();
                loop {
                    guard = match condvar.wait_timeout(guard, Duration::from_millis(1)) {
                        Ok((guard, _)) => guard,
                        Err(poison) => return format!("{:?}", poison.into_inner().0),
                    };
                }
            });
            is_held.recv().unwrap();
            poison();
            waiter.join().unwrap()
        });
        told.push(panics);
        told.push(format!("{:?}", condvar.wait_timeout_while(locked(), Duration::ZERO, |_| true).is_ok()));
        told
    });
}

#[test]
fn a_condition_that_panics_gives_the_mutex_back_poisoned_like_with_stds() {
    on_both!({
        let (mutex, condvar) = (sync::Mutex::new(5), sync::Condvar::new());
        let unwind = AssertUnwindSafe(|| {
            drop(condvar.wait_while(mutex.lock().unwrap(), |_| panic!("poison; this is part of a test")));
        });
        assert!(catch_unwind(unwind).is_err());
        format!("{mutex:?}")
    });
}

#[test]
fn it_is_as_send_and_sync_as_stds_and_as_safe_to_unwind_over() {
    fn assert_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    same!(std::sync::Condvar, TrackedCondvar);
    same!(std::sync::WaitTimeoutResult, trackside::sync::WaitTimeoutResult);
    assert_unwind_safe::<std::sync::Condvar>();
    assert_unwind_safe::<TrackedCondvar>();
}

/// What was done to the mutex, and in which turn; what it is not told by.
fn told(seen: &[Seen]) -> Vec<(Kind, &str)> {
    seen.iter().map(|seen| (seen.kind, seen.b.as_str())).collect()
}

#[test]
fn a_wait_is_a_release_and_an_acquisition_at_its_place() {
    let mut lines = Vec::new();
    let seen = in_default_client(|client| {
        let (mutex, condvar) = (TrackedMutex::named("mutex", 0), TrackedCondvar::new());
        let start = line!();
        let guard = mutex.lock().unwrap();
        let (guard, _) = condvar.wait_timeout(guard, Duration::ZERO).unwrap();
        client.track_custom("between", 0);
        let (guard, _) = condvar.wait_timeout_while(guard, Duration::ZERO, |_| true).unwrap();
        drop(guard);
        lines.extend([start + 1, start + 2]);
    });
    let [one, two] = ["[1, \"Mutex\"]", "[2, \"Mutex\"]"];
    let (taken, given_back) = (Kind::LockAcquire, Kind::LockRelease);
    let first = [(taken, one), (given_back, one), (taken, two), (Kind::Custom, "null")];
    // The last one has a time that is over before it waits.
    assert_eq!(told(&seen), [&first[..], &[(given_back, two)]].concat());
    let at = |at: usize| (seen[at].file.as_str(), seen[at].line);
    assert_eq!([at(0), at(1), at(2), at(4)], [lines[0], lines[0], lines[1], lines[1]].map(|line| (file!(), line)));
}

#[test]
fn who_waits_in_vain_over_and_over_tells_each_time() {
    const TIMES: u64 = 5;
    let seen = in_default_client(|_| {
        let (mutex, condvar) = (TrackedMutex::named("mutex", 0), TrackedCondvar::new());
        let mut guard = mutex.lock().unwrap();
        for _ in 0..TIMES {
            guard = condvar.wait_timeout(guard, Duration::ZERO).unwrap().0;
        }
        drop(guard);
    });
    let turn = |number| {
        let text = format!("[{number}, \"Mutex\"]");
        [(Kind::LockAcquire, text.clone()), (Kind::LockRelease, text)]
    };
    let expected: Vec<_> = (1..=TIMES + 1).flat_map(turn).collect();
    assert_eq!(told(&seen), expected.iter().map(|(kind, text)| (*kind, text.as_str())).collect::<Vec<_>>());
}

/// A value handed over by nothing but the mutex and the wait: the analysis knows that it was.
#[test]
fn what_is_handed_over_by_a_wait_is_no_race() {
    let _turn = turn();
    let memory = trackside::MemoryTransport::new();
    let client = trackside::Client::builder_to(memory.clone()).service("condvar").build().unwrap();
    let (mutex, condvar) = (TrackedMutex::named("mutex", false), TrackedCondvar::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            let guard = condvar.wait_while(mutex.lock().unwrap(), |set| !*set).unwrap();
            drop(guard);
            client.track_write("handed over", 1, 2);
            client.track_write("raced for", 1, 2);
        });
        client.track_write("handed over", 0, 1);
        *mutex.lock().unwrap() = true;
        condvar.notify_one();
        client.track_write("raced for", 0, 1);
    });
    assert_eq!(client.shutdown(LONG).lost.total(), 0);
    let found = crate::support::order::findings(&memory);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["raced for"]);
}

/// A thread that is seen to wait, and what it holds besides.
#[cfg(target_os = "linux")]
#[test]
fn what_who_waits_holds_besides_is_known_meanwhile() {
    use crate::support::blocked::{this_thread, wait_until_blocked};
    let (other, mutex, condvar) = (TrackedMutex::named("other", ()), TrackedMutex::new(false), TrackedCondvar::new());
    let (arrived, is_there) = std::sync::mpsc::channel();
    let held = in_default_client(|client| {
        thread::scope(|scope| {
            scope.spawn(|| {
                client.track_custom("first", 0);
                arrived.send(this_thread()).unwrap();
                let guard = mutex.lock().unwrap();
                // The last lock that was taken, so drafted.
                let _other = other.lock();
                drop(condvar.wait_while(guard, |set| !*set));
                client.track_custom("woken", 0);
            });
            wait_until_blocked(&is_there.recv().unwrap(), &condvar);
            client.flush(LONG).unwrap();
            assert_eq!(client.stats().recorded, 4, "the first event, both acquisitions, and the release");
            *mutex.lock().unwrap() = true;
            condvar.notify_all();
        });
    });
    let of_other: Vec<_> = held.iter().filter(|seen| seen.name.as_deref() != Some("other")).collect();
    assert_eq!((held.len(), of_other.len()), (10, 8));
}
