//! Forks, while other threads record, flush and hold locks. The child is one thread in a copy of the process: whatever it
//! does with the parent's client returns at once, sends nothing, and changes nothing in the parent.

#![expect(unsafe_code, reason = "there is no safe way to fork")]

use crate::Ends;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use trackside::sync::atomic;
use trackside::{Client, FlushError, MemoryTransport, ReconfigureError, Timestamps, TrackedMutex};
use trackside_collector::Collector;

const LONG: Duration = Duration::from_secs(60);
const FORKS: u64 = if cfg!(debug_assertions) { 100 } else { 1000 };

pub(crate) const SCENARIOS: &[(&str, fn(), Ends)] = &[
    ("fork::while_others_record_flush_and_lock", while_others_record, Ends::Well),
    ("fork::a_child_builds_a_client_of_its_own", own_client, Ends::Well),
    ("fork::a_child_of_a_child", grandchild, Ends::Well),
    ("fork::a_child_drops_the_last_handle_and_returns", drops_last_handle, Ends::Well),
    ("fork::with_rings_of_several_clients", several_clients, Ends::Well),
    ("fork::with_coarse_timestamps_and_locks_held", coarse_and_held, Ends::Well),
    ("fork::while_another_operates_on_an_atomic", operates_on_an_atomic, Ends::Well),
];

/// Runs `work` in a forked child, and waits for it to end. A child that hangs is killed by its own alarm, one that panics
/// ends by a signal too: the result is the wait status, 0 if all went well.
fn in_child(work: impl FnOnce()) -> libc::c_int {
    // SAFETY: the child does what this tests, and leaves by _exit. It calls more than fork's contract permits a child of
    // a process with threads: glibc keeps its allocator usable, and what of ours is not, the library must keep off.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: takes a number and returns one.
        unsafe { libc::alarm(30) };
        // A panic's message needs locks that other threads of the parent may have held; its code says enough.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // SAFETY: ends the process.
        unsafe { libc::_exit(if result.is_ok() { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: the child is ours, and waited for once; its alarm bounds the wait.
    let waited = unsafe { libc::waitpid(pid, &mut status, 0) };
    assert_eq!(waited, pid);
    status
}

/// Asserts in a child, where a panic's own machinery may hang: says which line, and ends.
#[track_caller]
fn check(holds: bool) {
    if !holds {
        // A code that tells the line, as far as eight bits can.
        let code = (std::panic::Location::caller().line() % 200) as i32 + 2;
        // SAFETY: ends the process.
        unsafe { libc::_exit(code) };
    }
}

/// What a child can do with its parent's client.
fn use_parents_client(client: &Client, lock: &TrackedMutex<u64>) {
    let before = client.stats();
    client.track_custom("child", 1);
    client.track_write(&String::from("child"), "a", trackside::Value::of(&[1, 2]));
    drop(client.start_function("child", 1));
    check(client.flush(LONG) == Err(FlushError::Forked));
    check(client.reconfigure(|settings| settings.enabled = false) == Err(ReconfigureError::Forked));
    // Not the static lock of the parent, which another thread of his may have held.
    *lock.lock().expect("not poisoned") += 1;
    drop(client.clone());
    let stats = client.shutdown(LONG);
    check(stats.recorded == stats.lost.total() && stats.pending == 0 && stats.delivered == 0);
    // Four events and two of the lock.
    check(stats.lost.forked == before.lost.forked + 6);
    check(client.flush(LONG) == Err(FlushError::Forked));
}

fn collector() -> Collector {
    Collector::builder().max_bytes(1 << 30).start().expect("a free port")
}

fn client_of(collector: &Collector) -> Client {
    let builder = Client::builder(collector.url()).service("parent").flush_interval(Duration::from_millis(1));
    builder.drop_timeout(LONG).build().expect("a valid configuration")
}

/// Asserts that the parent's books are exact, and that the collector holds what they say, each once.
fn assert_books(client: &Client, collector: &Collector, recorded: u64) {
    let stats = client.shutdown(LONG);
    assert_eq!((stats.recorded, stats.pending, stats.lost.forked), (recorded, 0, 0), "{stats}");
    assert_eq!(stats.recorded, stats.delivered + stats.lost.total(), "{stats}");
    let received = collector.stats();
    assert_eq!((received.events, received.duplicates), (stats.delivered, 0), "{stats}, {received:?}");
}

fn while_others_record() {
    static LOCK: TrackedMutex<u64> = TrackedMutex::new(0);
    let collector = collector();
    let client = client_of(&collector);
    let (done, recorded) = (AtomicBool::new(false), AtomicU64::new(0));
    let going = || !done.load(Ordering::Relaxed);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut own = 0;
            while going() {
                client.track_custom("event", own);
                own += 1;
            }
            recorded.fetch_add(own, Ordering::Relaxed);
        });
        scope.spawn(|| {
            while going() {
                *LOCK.lock().expect("not poisoned") += 1;
            }
            recorded.fetch_add(2 * *LOCK.lock().expect("not poisoned") + 2, Ordering::Relaxed);
        });
        // Flushes, reads of the books, threads that come and go: all the locks there are.
        scope.spawn(|| {
            while going() {
                // A flush that is up in time and one that is not are both fine here.
                let _ = client.flush(Duration::from_millis(5));
                let _ = client.stats();
            }
        });
        scope.spawn(|| {
            while going() {
                let thread = thread::scope(|scope| scope.spawn(|| client.track_custom("thread", 1)).join());
                recorded.fetch_add(u64::from(thread.is_ok()), Ordering::Relaxed);
            }
        });

        let statuses: Vec<_> = (0..FORKS)
            .map(|number| {
                // The forking thread has a ring, every other time one in which something waits.
                if number % 2 == 0 {
                    client.track_custom("forks", number);
                    recorded.fetch_add(1, Ordering::Relaxed);
                }
                let lock = TrackedMutex::new(0);
                in_child(|| use_parents_client(&client, &lock))
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        assert!(statuses.iter().all(|status| *status == 0), "{statuses:?}");
    });
    assert_books(&client, &collector, recorded.into_inner());
}

fn own_client() {
    let (collector, of_children) = (collector(), collector());
    let client = client_of(&collector);
    let children = FORKS / 10;
    for number in 0..children {
        client.track_custom("parent", number);
        let status = in_child(|| {
            let own = client_of(&of_children);
            let lock = TrackedMutex::new(0_u64);
            for number in 0..100 {
                own.track_custom("child", number);
                // Turned away, in between.
                client.track_custom("not the child's", number);
            }
            // The locks are the new client's now.
            drop(lock.lock());
            check(own.flush(LONG).is_ok());
            let stats = own.shutdown(LONG);
            check(stats.recorded == 102 && stats.delivered == 102);
            check(client.stats().lost.forked == 100);
        });
        assert_eq!(status, 0, "child {number}");
    }
    assert_books(&client, &collector, children);
    let received = of_children.stats();
    assert_eq!((received.events, received.runs.len() as u64), (102 * children, children));
    let count = |name: &str| {
        let in_batch = |bytes: &[u8]| {
            let batch = trackside_wire::Batch::decode(bytes).expect("a well-formed batch");
            batch.events().filter(|event| event.name.is_some_and(|index| batch.string(index) == name)).count() as u64
        };
        of_children.batches().map(|bytes| in_batch(&bytes)).sum::<u64>()
    };
    assert_eq!((count("child"), count("parent"), count("not the child's")), (100 * children, 0, 0));
}

/// The thread that tells a coarse client's time is not in the child; and what the forking thread holds is a draft in its
/// ring, or published, which is the parent's to tell of.
fn coarse_and_held() {
    let coarse = Timestamps::Coarse { resolution: Duration::from_millis(1) };
    let (collector, of_children) = (collector(), collector());
    let client_of = |collector: &Collector| {
        let builder = Client::builder(collector.url()).service("coarse").timestamps(coarse).drop_timeout(LONG);
        builder.build().expect("a valid configuration")
    };
    let client = client_of(&collector);
    client.track_custom("first", 0);
    let (drafted, published) = (TrackedMutex::named("drafted", 0_u64), TrackedMutex::named("published", 0_u64));
    let children = FORKS / 10;
    for number in 0..children {
        let guards = (published.lock().expect("not poisoned"), drafted.lock().expect("not poisoned"));
        let status = in_child(|| {
            let before = client.stats().lost.forked;
            let own = if number % 2 == 0 {
                // Turned away, like all that is recorded for the parent's client here.
                drop(guards);
                check(client.stats().lost.forked == before + 2);
                client_of(&of_children)
            } else {
                let own = client_of(&of_children);
                own.track_custom("makes room", number);
                // Locks are recorded by the child's client now, and these were taken for another: they are nobody's.
                drop(guards);
                check(client.stats().lost.forked == before);
                own
            };
            own.track_custom("child", number);
            drop((drafted.lock(), published.lock()));
            check(own.flush(LONG).is_ok());
            let stats = own.shutdown(LONG);
            check(stats.recorded == 5 + number % 2 && stats.delivered == stats.recorded);
        });
        assert_eq!(status, 0, "child {number}");
    }
    // Here, the guards went with the closure that was not called.
    assert_books(&client, &collector, 1 + 4 * children);
    assert_eq!(of_children.stats().events, 5 * children + children / 2);
}

fn grandchild() {
    let (collector, below) = (collector(), collector());
    let client = client_of(&collector);
    client.track_custom("parent", 1);
    let status = in_child(|| {
        let own = client_of(&below);
        own.track_custom("child", 1);
        let status = in_child(|| {
            for foreign in [&client, &own] {
                foreign.track_custom("grandchild", 1);
                check(foreign.flush(LONG) == Err(FlushError::Forked));
            }
            let own = client_of(&below);
            own.track_custom("grandchild", 1);
            check(own.flush(LONG).is_ok());
        });
        check(status == 0);
        own.track_custom("child", 2);
        check(own.flush(LONG).is_ok());
        check(own.stats().delivered == 2);
    });
    assert_eq!(status, 0);
    assert_books(&client, &collector, 1);
    assert_eq!((below.distinct_events(), below.stats().runs.len()), (3, 2));
}

/// The child returns from everything it was in, and its thread-locals are destroyed.
fn drops_last_handle() {
    let collector = collector();
    let recorded = 20;
    for _ in 0..recorded {
        let client = client_of(&collector);
        client.track_custom("parent", 1);
        // SAFETY: as in `in_child`; there is no other thread here that holds a lock of std's.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: takes a number and returns one.
            unsafe { libc::alarm(30) };
            client.track_custom("child", 1);
            drop(client);
            // With all exit handlers and destructors, which run for the forking thread alone.
            std::process::exit(0);
        }
        let mut status = 0;
        // SAFETY: the child is ours, and waited for once; its alarm bounds the wait.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        assert_eq!(status, 0);
        assert_eq!(client.shutdown(LONG).delivered, 1);
    }
    let received = collector.stats();
    assert_eq!((received.events, received.duplicates), (recorded, 0));
}

fn several_clients() {
    let collectors = [collector(), collector()];
    let clients = [client_of(&collectors[0]), client_of(&collectors[1])];
    let rounds = FORKS / 10;
    for number in 0..rounds {
        // The thread has a ring of each, one of them put aside.
        clients.iter().for_each(|client| client.track_custom("parent", number));
        let status = in_child(|| {
            let own = client_of(&collectors[0]);
            for client in &clients {
                own.track_custom("child", 1);
                client.track_custom("turned away", 1);
                check(client.shutdown(LONG).lost.forked == 1);
            }
            check(own.shutdown(LONG).delivered == 2);
        });
        assert_eq!(status, 0);
    }
    let events = |collector: &Collector| collector.distinct_events();
    for client in &clients {
        let stats = client.shutdown(LONG);
        assert_eq!((stats.recorded, stats.delivered, stats.lost.total()), (rounds, rounds, 0), "{stats}");
    }
    assert_eq!((events(&collectors[0]), events(&collectors[1])), (3 * rounds, rounds));
}

/// A thread holds the lock of an atomic's numbers most of the time, and is not there in the child to give it back.
fn operates_on_an_atomic() {
    static SHARED: atomic::AtomicU64 = atomic::AtomicU64::named("shared", 0);
    // So many that a child that waits for that thread again and again is ended by its alarm.
    const OPERATIONS: u64 = 20_000;
    let collector = collector();
    let client = client_of(&collector);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                SHARED.fetch_add(1, Ordering::AcqRel);
            }
        });
        for fork in 0..FORKS {
            let status = in_child(|| {
                let before = SHARED.load(Ordering::Acquire);
                (before..before + OPERATIONS).for_each(|value| check(SHARED.fetch_add(1, Ordering::AcqRel) == value));
                if fork % 10 == 0 {
                    // Whether or not its numbers can be known, the atomic goes on.
                    let own = Client::builder_to(MemoryTransport::new()).build().expect("a valid configuration");
                    SHARED.store(1, Ordering::Release);
                    check(SHARED.swap(2, Ordering::AcqRel) == 1 && SHARED.load(Ordering::Acquire) == 2);
                    check(own.shutdown(LONG).recorded == 3);
                }
            });
            assert_eq!(status, 0, "fork {fork}");
        }
        done.store(true, Ordering::Relaxed);
    });
    client.shutdown(LONG);
}
