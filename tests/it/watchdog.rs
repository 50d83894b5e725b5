//! Deadlocks that really happen are told of before they do: to who asked for it, and in the record, which is sent at once.
//!
//! What would wait for ever is ended by a panic in what is called; who really waits is left to itself when the tests end.

use crate::mutex::turn;
use crate::support::events::{Seen, events};
use crate::support::{LONG, wait_until};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Barrier, Mutex as StdMutex, PoisonError};
use std::thread;
use std::time::Duration;
use trackside::sync::{Condvar, Mutex, RwLock, RwLockWriteGuard};
use trackside::{Builder, Client, Deadlock, MemoryTransport};
use trackside_analysis::{Analyzer, Finding, FindingKind};
use trackside_wire::{Batch, Kind};

/// A builder for a client that sends nothing on its own account while a test runs.
fn builder(memory: &MemoryTransport) -> Builder {
    Client::builder_to(memory.clone()).service("watchdog").flush_interval(Duration::from_secs(3600))
}

/// A client that tells of deadlocks, and what it tells. If `breaks`, a thread that would wait for ever panics instead.
fn watching(memory: &MemoryTransport, breaks: bool) -> (Client, Receiver<Deadlock>) {
    let (tell, told) = channel();
    let tell = StdMutex::new(tell);
    let on_deadlock = move |deadlock: &Deadlock| {
        // Whoever listens may have had enough.
        let _ = tell.lock().unwrap_or_else(PoisonError::into_inner).send(deadlock.clone());
        if breaks {
            resume_unwind(Box::new("a deadlock; this is part of a test"));
        }
    };
    (builder(memory).on_deadlock(on_deadlock).build().unwrap(), told)
}

fn findings(memory: &MemoryTransport) -> Vec<Finding> {
    let mut analyzer = Analyzer::new();
    memory.batches().iter().for_each(|batch| analyzer.ingest(&Batch::decode(&batch.bytes).expect("well-formed")));
    analyzer.finish().findings
}

fn waits(memory: &MemoryTransport) -> Vec<Seen> {
    events(memory).into_iter().filter(|seen| seen.kind == Kind::LockWait).collect()
}

/// Who waits in which line.
fn told(deadlock: &Deadlock) -> Vec<(&str, u32)> {
    let stuck = deadlock.threads.iter();
    stuck.map(|stuck| (stuck.thread.as_deref().unwrap_or(""), stuck.location.line())).collect()
}

/// Locks, holder, line where it is held, and where it is asked for.
fn steps(finding: &Finding) -> Vec<(&str, &str, Option<u32>, Option<u32>)> {
    let line = |info: &trackside_analysis::AccessInfo| info.line;
    let steps = finding.orders.iter();
    steps.map(|step| (&*step.holds, &*step.asks, step.held.as_ref().and_then(line), step.asked.line)).collect()
}

/// A thread of this name, which goes on when the test is over, if it ever does.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).unwrap()
}

#[test]
fn a_thread_that_waits_for_itself_is_reported_before_it_hangs() {
    static LEDGER: Mutex<()> = Mutex::named("ledger", ());
    let _turn = turn();
    let memory = MemoryTransport::new();
    let (client, tells) = watching(&memory, false);
    let line = line!() + 3;
    // Never joined: on Linux it hangs for good.
    drop(spawn("stuck", || {
        let _held = LEDGER.lock().unwrap();
        let _again = LEDGER.lock();
    }));
    let deadlock = tells.recv_timeout(LONG).expect("it is told");
    assert_eq!(told(&deadlock), [("stuck", line + 1)]);
    // Nobody asks for a flush, and none is due for an hour.
    wait_until("the report is there", || findings(&memory).len() == 1);
    let [finding] = &findings(&memory)[..] else { unreachable!("there is one") };
    assert_eq!(finding.kind, FindingKind::Deadlock);
    assert_eq!(steps(finding), [("ledger", "ledger", Some(line), Some(line + 1))]);
    client.shutdown(LONG);
}

#[test]
fn two_threads_that_wait_for_each_other_are_reported_once_and_a_panic_ends_it() {
    static LOCKS: [Mutex<u32>; 2] = [Mutex::named("one", 0), Mutex::named("other", 0)];
    static BOTH_HOLD: Barrier = Barrier::new(2);
    let _turn = turn();
    let memory = MemoryTransport::new();
    let (client, tells) = watching(&memory, true);
    let line = line!() + 3;
    let threads = [(0, "first"), (1, "second")].map(|(mine, name)| {
        spawn(name, move || {
            let _held = LOCKS[mine].lock().unwrap();
            BOTH_HOLD.wait();
            *LOCKS[1 - mine].lock().unwrap_or_else(PoisonError::into_inner) += 1;
        })
    });
    let deadlock = tells.recv_timeout(LONG).expect("it is told");
    let ended = threads.map(|thread| thread.join().is_ok());
    // Whoever came last was told, and panicked; so the other one got its lock.
    assert_ne!(ended[0], ended[1]);
    assert!(tells.try_recv().is_err(), "told once");
    let mut all = told(&deadlock);
    assert_eq!(all[0].0, if ended[0] { "second" } else { "first" });
    all.sort_unstable();
    assert_eq!(all, [("first", line + 2), ("second", line + 2)]);
    client.flush(LONG).unwrap();
    let found = findings(&memory);
    let finding = found.iter().find(|finding| finding.kind == FindingKind::Deadlock).expect("a deadlock");
    let mut all = steps(finding);
    all.sort_unstable();
    let lines = (Some(line), Some(line + 2));
    assert_eq!(all, [("one", "other", lines.0, lines.1), ("other", "one", lines.0, lines.1)]);
    client.shutdown(LONG);
}

#[test]
fn three_threads_with_a_lock_of_readers_and_writers_among_theirs() {
    static MUTEXES: [Mutex<()>; 2] = [Mutex::named("a", ()), Mutex::named("b", ())];
    static RWLOCK: RwLock<()> = RwLock::named("rw", ());
    static ALL_HOLD: Barrier = Barrier::new(3);
    let _turn = turn();
    let memory = MemoryTransport::new();
    let (client, tells) = watching(&memory, true);
    let threads = [
        spawn("t0", || {
            let _held = MUTEXES[0].lock().unwrap();
            ALL_HOLD.wait();
            drop(RWLOCK.read());
        }),
        spawn("t1", || {
            let _held = RWLOCK.write().unwrap();
            ALL_HOLD.wait();
            drop(MUTEXES[1].lock());
        }),
        spawn("t2", || {
            let _held = MUTEXES[1].lock().unwrap();
            ALL_HOLD.wait();
            drop(MUTEXES[0].lock());
        }),
    ];
    let deadlock = tells.recv_timeout(LONG).expect("it is told");
    assert_eq!(threads.map(thread::JoinHandle::join).iter().filter(|ended| ended.is_err()).count(), 1);
    let mut all: Vec<_> = told(&deadlock).into_iter().map(|(thread, _)| thread).collect();
    let first = all.iter().position(|thread| *thread == "t0").unwrap();
    all.rotate_left(first);
    assert_eq!(all, ["t0", "t1", "t2"]);
    client.flush(LONG).unwrap();
    let found = findings(&memory);
    let finding = found.iter().find(|finding| finding.kind == FindingKind::Deadlock).expect("a deadlock");
    let mut all: Vec<_> = steps(finding).into_iter().map(|(holds, asks, ..)| (holds, asks)).collect();
    all.sort_unstable();
    assert_eq!(all, [("a", "rw"), ("b", "a"), ("rw", "b")]);
    client.shutdown(LONG);
}

#[test]
fn whoever_reads_or_writes_what_it_holds_itself_waits_for_itself() {
    static RWLOCK: RwLock<()> = RwLock::named("rw", ());
    let _turn = turn();
    let memory = MemoryTransport::new();
    let (client, tells) = watching(&memory, true);
    let both: [fn(); 2] = [
        || {
            let _held = RWLOCK.write();
            drop(RWLOCK.read());
        },
        || {
            let _held = RWLOCK.read();
            drop(RWLOCK.write());
        },
    ];
    for (name, work) in ["writer", "reader"].into_iter().zip(both) {
        assert!(spawn(name, work).join().is_err());
        let deadlock = tells.recv_timeout(LONG).expect("it is told");
        assert_eq!(deadlock.threads.iter().map(|stuck| stuck.thread.as_deref()).collect::<Vec<_>>(), [Some(name)]);
    }
    client.shutdown(LONG);
}

/// The guard that a condition variable gives back, or a downgrade makes, is of the lock that it was of; and one lock that
/// lies in another is not that one.
#[test]
fn locks_are_known_from_outside_however_they_were_taken_and_wherever_they_lie() {
    static WAITED_WITH: Mutex<()> = Mutex::named("waited with", ());
    static DOWNGRADED: RwLock<()> = RwLock::named("downgraded", ());
    static OUTER: RwLock<Mutex<()>> = RwLock::named("outer", Mutex::named("inner", ()));
    static READS: Barrier = Barrier::new(2);
    let _turn = turn();
    let memory = MemoryTransport::new();
    let (client, tells) = watching(&memory, true);
    let stuck: [fn(); 3] = [
        || {
            let held = WAITED_WITH.lock().unwrap();
            let _held = Condvar::new().wait_timeout(held, Duration::ZERO);
            drop(WAITED_WITH.lock());
        },
        || {
            let _held = RwLockWriteGuard::downgrade(DOWNGRADED.write().unwrap());
            drop(DOWNGRADED.write());
        },
        || {
            let outer = OUTER.read().unwrap_or_else(PoisonError::into_inner);
            let _held = outer.lock();
            drop(outer.lock());
        },
    ];
    for work in stuck {
        assert!(spawn("stuck", work).join().is_err());
        assert_eq!(tells.recv_timeout(LONG).expect("it is told").threads.len(), 1);
    }
    client.flush(LONG).unwrap();
    let mut found: Vec<_> =
        findings(&memory).into_iter().filter(|finding| finding.kind == FindingKind::Deadlock).collect();
    found.sort_by_key(|finding| finding.second.line);
    let names: Vec<_> = found.iter().map(|finding| finding.variable.as_str()).collect();
    assert_eq!(names, ["waited with", "downgraded", "inner"]);
    // One reads the outer lock and holds the inner one; the other one holds something that the first waits for, and reads the
    // outer lock: it does not wait for that.
    static OTHER: Mutex<()> = Mutex::named("other", ());
    let reader = spawn("reader", || {
        let outer = OUTER.read().unwrap_or_else(PoisonError::into_inner);
        let _held = outer.lock();
        READS.wait();
        drop(OTHER.lock());
    });
    let _other = OTHER.lock().unwrap();
    READS.wait();
    let before = waits(&memory).len();
    wait_until("it waits", || {
        client.flush(LONG).unwrap();
        waits(&memory).len() > before
    });
    drop(OUTER.read());
    drop(_other);
    reader.join().unwrap();
    assert!(tells.try_recv().is_err());
    client.shutdown(LONG);
}

#[test]
fn who_waits_and_gets_the_lock_is_recorded_as_that_and_reported_to_nobody() {
    let _turn = turn();
    let lock = Mutex::named("busy", 0);
    let changed = Condvar::new();
    for watched in [true, false] {
        let memory = MemoryTransport::new();
        let (tell, tells) = channel::<Deadlock>();
        let builder = builder(&memory);
        let client = if watched {
            let tell = StdMutex::new(tell);
            builder.on_deadlock(move |deadlock| tell.lock().unwrap().send(deadlock.clone()).unwrap()).build().unwrap()
        } else {
            drop(tell);
            builder.on_deadlock(|_| unreachable!()).deadlock_watchdog(false).build().unwrap()
        };
        thread::scope(|scope| {
            let guard = lock.lock().unwrap();
            let waiter = scope.spawn(|| *lock.lock().unwrap() += 1);
            // It is there once it is known to wait; where nobody watches, it may as well come later.
            if watched {
                client.flush(LONG).unwrap();
                wait_until("it waits", || {
                    client.flush(LONG).unwrap();
                    waits(&memory).len() == 1
                });
            }
            drop(guard);
            waiter.join().unwrap();
        });
        // A wait that gives the mutex back is none for it.
        let _ = changed.wait_timeout(lock.lock().unwrap(), Duration::ZERO).unwrap();
        client.flush(LONG).unwrap();
        assert_eq!(waits(&memory).len(), usize::from(watched));
        assert!(waits(&memory).iter().all(|seen| seen.b == "[null, \"Mutex\"]"), "{:?}", waits(&memory));
        assert!(findings(&memory).is_empty());
        client.shutdown(LONG);
        // What is called is gone with the client, and was not called.
        assert_eq!(tells.recv_timeout(LONG), Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
    }
}
