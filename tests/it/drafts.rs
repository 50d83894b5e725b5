//! A lock that was taken and not yet given back is a draft in its thread's ring. Whatever else happens on the thread comes
//! after it in the record, and nothing is lost or counted twice, however the section ends.

use crate::mutex::turn;
use crate::support::order::findings;
use crate::support::{LONG, Seen, assert_balanced, builder, events, wait_until};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, MutexGuard, mpsc};
use std::thread;
use std::time::Duration;
use trackside::{
    Client, Context, ManualFlusher, MemoryTransport, Stats, TrackedMutex, TrackedMutexGuard, TrackedRwLock,
    thread as tracked,
};
use trackside_wire::{Batch, Kind};

/// The client that locks record into, its flusher in the test's hands. Its rings are the smallest that there are.
struct Bench {
    client: Client,
    flusher: ManualFlusher,
    memory: MemoryTransport,
    _turn: MutexGuard<'static, ()>,
}

impl Bench {
    fn new() -> Self {
        let turn = turn();
        let memory = MemoryTransport::new();
        let builder =
            Client::builder_to(memory.clone()).service("drafts").ring_bytes(64 << 10).drop_timeout(Duration::ZERO);
        let (client, flusher) = builder.build_manual().unwrap();
        // A thread's first event makes room in its ring, which a draft does not.
        client.track_custom("first", 0);
        Self { client, flusher, memory, _turn: turn }
    }

    /// Has all delivered that can be; returns the books, which must be exact.
    #[track_caller]
    fn deliver(&mut self) -> Stats {
        // Batches are sealed by age or size, and at the latest by a flush, which waits for the steps of another thread.
        thread::scope(|scope| {
            let (client, (done, is_done)) = (&self.client, mpsc::channel());
            scope.spawn(move || done.send(client.flush(LONG)));
            while is_done.try_recv().is_err() {
                self.flusher.step();
            }
        });
        let stats = self.client.stats();
        assert_balanced(&stats);
        assert_eq!(stats.pending, 0);
        stats
    }

    /// What was recorded, but for the first event. Nothing may be lost.
    #[track_caller]
    fn seen(&mut self) -> Vec<Seen> {
        let stats = self.deliver();
        assert_eq!(stats.lost.total(), 0, "{stats}");
        let mut seen = events(&self.memory);
        assert_eq!((seen.len() as u64, seen.remove(0).name.as_deref()), (stats.delivered, Some("first")));
        seen
    }

    /// As [`Bench::seen`], in words.
    #[track_caller]
    fn told(&mut self) -> Vec<String> {
        self.seen().iter().map(tell).collect()
    }
}

/// An event in words: what was done to which lock in whose turn, or what it is called.
fn tell(seen: &Seen) -> String {
    let name = seen.name.as_deref().unwrap_or_default();
    let number = seen.b.trim_start_matches('[').split(',').next().unwrap_or_default();
    match seen.kind {
        Kind::LockAcquire => format!("+{name}{number}"),
        Kind::LockRelease => format!("-{name}{number}"),
        Kind::Custom => name.into(),
        kind => format!("{kind:?}"),
    }
}

#[test]
fn whatever_happens_in_a_section_is_told_in_it() {
    type Step<'a> = (&'a str, &'a dyn Fn(&Client), &'a [&'a str]);
    let (inner, shared) = (TrackedMutex::named("inner", ()), TrackedRwLock::named("shared", ()));
    let steps: &[Step<'_>] = &[
        ("nothing", &|_| (), &[]),
        ("an event", &|client| client.track_custom("event", 0), &["event"]),
        ("two events", &|client| (0..2).for_each(|_| client.track_custom("event", 0)), &["event"; 2]),
        ("a long event", &|client| client.track_custom("event", "x".repeat(900).as_str()), &["event"]),
        ("an error", &|client| client.track_error("Error", "message", &[]), &["Error"]),
        ("another lock", &|_| drop(inner.lock()), &["+inner1", "-inner1"]),
        (
            "a lock twice",
            &|_| (0..2).for_each(|_| drop(shared.read())),
            &["+shared1", "-shared1", "+shared2", "-shared2"],
        ),
        ("a context with an event", &|client| client.context().run(|| client.track_custom("event", 0)), &["event"]),
        ("a context without", &|client| client.context().run(|| ()), &[]),
        ("a fork", &|client| client.context().run(|| drop(Context::current().unwrap().fork("fork"))), &["AsyncSpawn"]),
        (
            "the end of a context",
            &|client| client.context().attach().detach().unwrap().finish().join(),
            &["AsyncAwait"],
        ),
        ("a flush", &|client| assert!(client.flush(Duration::ZERO).is_err()), &[]),
        ("the books", &|client| _ = client.stats(), &[]),
    ];
    for (what, step, told) in steps {
        let mut bench = Bench::new();
        let lock = TrackedMutex::named("lock", ());
        let guard = lock.lock();
        step(&bench.client);
        drop(guard);
        drop(lock.lock());
        let expected = [&["+lock1"], *told, &["-lock1", "+lock2", "-lock2"]].concat();
        assert_eq!(bench.told(), expected, "{what}");
    }
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut bench = Bench::new();
        let locks = NAMES.map(|name| TrackedMutex::named(name, ()));
        let mut guards = locks.each_ref().map(|lock| Some(lock.lock().unwrap()));
        order.iter().for_each(|at| guards[*at] = None);
        let expected = order.map(|at| format!("-{}1", NAMES[at]));
        assert_eq!(bench.told(), [&["+a1", "+b1", "+c1"].map(String::from), &expected[..]].concat());
    }
}

#[test]
fn a_draft_is_counted_when_it_is_published() {
    let mut bench = Bench::new();
    let lock = TrackedMutex::named("lock", ());
    let guard = lock.lock();
    assert_eq!((bench.deliver().recorded, events(&bench.memory).len()), (1, 1));
    drop(guard);
    assert_eq!((bench.deliver().recorded, events(&bench.memory).len()), (3, 3));
    let guard = lock.lock();
    bench.client.track_custom("event", 0);
    assert_eq!((bench.deliver().recorded, events(&bench.memory).len()), (5, 5));
    drop(guard);
    assert_eq!((bench.deliver().recorded, events(&bench.memory).len()), (6, 6));
}

#[test]
fn a_flush_delivers_what_its_own_thread_holds() {
    let memory = MemoryTransport::new();
    let _turn = turn();
    let client = Client::builder_to(memory.clone()).build().unwrap();
    client.track_custom("first", 0);
    let lock = TrackedMutex::named("lock", ());
    let guard = lock.lock();
    client.flush(LONG).unwrap();
    assert_eq!(events(&memory).iter().map(tell).collect::<Vec<_>>(), ["first", "+lock1"]);
    let stats = client.shutdown(LONG);
    drop(guard);
    assert_eq!((stats.recorded, stats.delivered), (2, 2));
    // Its release comes after the end, and is counted as such.
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.recorded, stats.lost.after_shutdown), (3, 1), "{stats}");
}

#[test]
fn a_shutdown_delivers_what_its_own_thread_holds() {
    let memory = MemoryTransport::new();
    let _turn = turn();
    let client = Client::builder_to(memory.clone()).build().unwrap();
    client.track_custom("first", 0);
    let lock = TrackedMutex::named("lock", ());
    let _guard = lock.lock();
    let stats = client.shutdown(LONG);
    assert_eq!((stats.recorded, stats.delivered), (2, 2), "{stats}");
    assert_eq!(events(&memory).iter().map(tell).collect::<Vec<_>>(), ["first", "+lock1"]);
}

#[test]
fn a_section_of_another_thread_that_ends_after_the_shutdown_is_counted_once() {
    let memory = MemoryTransport::new();
    let _turn = turn();
    let client = Client::builder_to(memory.clone()).build().unwrap();
    let (lock, barrier) = (TrackedMutex::named("lock", ()), Barrier::new(2));
    let stats = thread::scope(|scope| {
        scope.spawn(|| {
            client.track_custom("first", 0);
            let guard = lock.lock();
            barrier.wait();
            barrier.wait();
            drop(guard);
        });
        barrier.wait();
        let stats = client.shutdown(LONG);
        barrier.wait();
        stats
    });
    assert_eq!((stats.recorded, stats.delivered), (1, 1), "{stats}");
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.recorded, stats.lost.after_shutdown), (3, 2), "{stats}");
}

/// Whether the analysis finds a race between two threads of which the second is told of the first by the lock alone, where
/// `second` accesses what the first one wrote in whatever line of execution it likes.
fn races(locked: bool, second: &(dyn Fn(&Client) + Sync)) -> bool {
    let mut bench = Bench::new();
    let lock = locked.then(|| TrackedMutex::named("lock", ()));
    let client = &bench.client;
    let section = |work: &(dyn Fn(&Client) + Sync)| {
        // The thread's first event, so that the lock is drafted.
        client.track_custom("begins", 0);
        let _guard = lock.as_ref().map(|lock| lock.lock().unwrap());
        work(client);
    };
    // One after the other, by threads of which nobody knows what they order.
    thread::scope(|scope| scope.spawn(|| section(&|client| client.track_write("x", 0, 1))).join().unwrap());
    thread::scope(|scope| scope.spawn(|| section(second)).join().unwrap());
    assert_eq!(bench.deliver().lost.total(), 0);
    findings(&bench.memory).contains("x")
}

#[test]
fn lines_of_execution_that_begin_in_a_section_know_what_the_lock_knew() {
    fn access(client: &Client) {
        client.track_write("x", 1, 2);
    }
    type Case<'a> = (&'a str, &'a (dyn Fn(&Client) + Sync));
    let cases: &[Case<'_>] = &[
        ("itself", &access),
        ("a context", &|client| client.context().run(|| access(client))),
        ("a context in a context", &|client| client.context().run(|| client.context().run(|| access(client)))),
        ("after a context", &|client| {
            client.context().run(|| ());
            access(client);
        }),
        ("a context that was detached", &|client| {
            let context = client.context().attach().detach().unwrap();
            thread::scope(|scope| scope.spawn(|| context.run(|| access(client))).join().unwrap());
        }),
        ("a fork", &|client| {
            let fork = client.context().fork("fork");
            thread::scope(|scope| scope.spawn(|| fork.run(|| access(client))).join().unwrap());
        }),
        ("a fork of the current", &|client| {
            let fork = client.context().run(|| Context::current().unwrap().fork("fork"));
            thread::scope(|scope| scope.spawn(|| fork.run(|| access(client))).join().unwrap());
        }),
        ("a thread", &|client| tracked::scope(|scope| _ = scope.spawn(|| access(client)))),
        ("who joins a context", &|client| {
            let fork = client.context().fork("fork").attach();
            client.track_custom("in the fork", 0);
            let finished = fork.detach().unwrap().finish();
            thread::scope(|scope| {
                let join = || {
                    finished.join();
                    access(client);
                };
                scope.spawn(join).join().unwrap();
            });
        }),
    ];
    for (what, second) in cases {
        assert!(races(false, second), "{what}: without a lock, there is a race to be found");
        assert!(!races(true, second), "{what}: a race that is none");
    }
}

#[test]
fn what_a_blocked_thread_holds_is_known_while_it_is_blocked() {
    let memory = MemoryTransport::new();
    let _turn = turn();
    let client = Client::builder_to(memory.clone()).build().unwrap();
    let (held, wanted) = (TrackedMutex::named("held", ()), TrackedMutex::named("wanted", ()));
    let shared = TrackedRwLock::named("shared", ());
    let blocks: [&(dyn Fn() + Sync); 3] = [&|| drop(wanted.lock()), &|| drop(shared.read()), &|| drop(shared.write())];
    for (number, block) in (1..).zip(blocks) {
        let (own, own_shared) = (wanted.lock().unwrap(), shared.write().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| {
                client.track_custom("first", 0);
                let _held = held.lock().unwrap();
                block();
            });
            // Each flush looks at the rings again; nothing but the thread itself can publish its draft.
            let taken = format!("+held{number}");
            wait_until("the lock that is held is known", || {
                client.flush(LONG).unwrap();
                events(&memory).iter().any(|seen| tell(seen) == taken)
            });
            drop((own, own_shared));
        });
    }
    assert_eq!(client.shutdown(LONG).lost.total(), 0);
}

#[test]
fn a_thread_that_exits_with_a_guard_leaked_has_taken_the_lock() {
    let mut bench = Bench::new();
    let lock = TrackedMutex::named("lock", ());
    thread::scope(|scope| {
        let leak = || {
            bench.client.track_custom("begins", 0);
            std::mem::forget(lock.lock());
        };
        scope.spawn(leak).join().unwrap();
    });
    assert!(lock.try_lock().is_err());
    assert_eq!(bench.told(), ["begins", "+lock1"]);
}

#[test]
fn a_leaked_guard_does_not_disturb_what_comes_after() {
    let mut bench = Bench::new();
    let (lost, lock) = (TrackedMutex::named("lost", ()), TrackedMutex::named("lock", ()));
    std::mem::forget(lost.lock());
    let _gone = lost;
    drop(lock.lock());
    // The same, with a lock in the same place.
    for _ in 0..2 {
        let lock = TrackedMutex::named("local", ());
        std::mem::forget(lock.lock());
    }
    drop(lock.lock());
    let told = ["+lost1", "+lock1", "-lock1", "+local1", "+local1", "+lock2", "-lock2"];
    assert_eq!(bench.told(), told);
}

#[test]
fn a_guard_that_a_thread_local_keeps_is_given_back_by_its_destructor() {
    thread_local! {
        static KEPT: RefCell<Option<TrackedMutexGuard<'static, ()>>> = const { RefCell::new(None) };
    }
    static LOCK: TrackedMutex<()> = TrackedMutex::named("static", ());
    let mut bench = Bench::new();
    let client = bench.client.clone();
    let keep = move || {
        client.track_custom("begins", 0);
        KEPT.set(Some(LOCK.lock().unwrap()));
    };
    thread::spawn(keep).join().unwrap();
    drop(LOCK.lock().unwrap());
    let stats = bench.deliver();
    // Destructors of thread-locals run in some order: the release is recorded, or comes after the ring's end.
    assert_eq!((stats.recorded, stats.lost.total()), (6, stats.lost.thread_exit), "{stats}");
    let mut told: Vec<_> = events(&bench.memory).iter().map(tell).collect();
    told.sort_unstable();
    let recorded = ["+static1", "+static2", "-static1", "-static2", "begins", "first"];
    let expected: Vec<_> = recorded.into_iter().filter(|told| *told != "-static1" || stats.lost.total() == 0).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_guard_dropped_in_a_panic_ends_its_section() {
    let mut bench = Bench::new();
    let lock = TrackedMutex::named("lock", ());
    for event in [false, true] {
        let section = || {
            let _guard = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if event {
                bench.client.track_custom("event", 0);
            }
            panic!("on purpose; this is part of a test");
        };
        assert!(catch_unwind(AssertUnwindSafe(section)).is_err());
    }
    assert_eq!(bench.told(), ["+lock1", "-lock1", "+lock2", "event", "-lock2"]);
}

#[test]
fn an_event_of_another_client_publishes_the_draft() {
    let mut bench = Bench::new();
    let memory = MemoryTransport::new();
    let (other, mut flusher) = builder(&memory).build_manual().unwrap();
    let lock = TrackedMutex::named("lock", ());
    for _ in 0..2 {
        let guard = lock.lock();
        other.track_custom("other's", 0);
        drop(guard);
        drop(lock.lock());
    }
    let pair = |number| [format!("+lock{number}"), format!("-lock{number}")];
    assert_eq!(bench.told(), [1, 2, 3, 4].map(pair).concat());
    flusher.step();
    assert_eq!(other.stats().recorded, 2);
}

#[test]
fn a_lock_is_given_back_to_the_client_that_it_was_taken_for() {
    let mut bench = Bench::new();
    let locks = ["early", "late", "drafted", "next"].map(|name| TrackedMutex::named(name, ()));
    let [early, late, drafted, next] = locks.each_ref();
    let guards = [early, late, drafted].map(|lock| lock.lock().unwrap());
    let memory = MemoryTransport::new();
    let (client, flusher) = Client::builder_to(memory).build_manual().unwrap();
    let [early_guard, late_guard, drafted_guard] = guards;
    // This thread still uses the first client's ring, so what is recorded there costs nobody anything.
    drop(drafted_guard);
    drop(early_guard);
    // From here on it uses that of the next, which counts from the start.
    let guard = next.lock();
    drop(early.lock());
    drop(late_guard);
    drop(guard);
    drop(late.lock());
    drop(flusher);
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!(stats.recorded, 6, "{stats}");
    let told = ["+early1", "+late1", "+drafted1", "-drafted1", "-early1"];
    assert_eq!(bench.told(), told);
    // Nor does the first one believe that the last is still held.
    fill(&bench.client);
    bench.deliver();
    bench.client.track_custom("after the gap", 0);
    bench.deliver();
    assert_eq!(held(&bench.memory).concat(), [0; 0]);
}

/// Which locks are held according to the lanes of all batches that tell it, in order.
fn held(memory: &MemoryTransport) -> Vec<Vec<u64>> {
    let lanes = |bytes: &[u8]| Batch::decode(bytes).unwrap().lanes;
    memory.batches().iter().flat_map(|batch| lanes(&batch.bytes)).map(|lane| lane.held).collect()
}

/// Records until the ring is full; returns how many events that takes.
fn fill(client: &Client) -> u64 {
    // A ring of 64 KiB has not room for so many.
    (0..4096).for_each(|number| client.track_custom("fill", number));
    4096
}

#[test]
fn a_full_ring_loses_a_section_as_two_events() {
    let mut bench = Bench::new();
    let lock = TrackedMutex::named("lock", ());
    let filled = fill(&bench.client);
    (0..10).for_each(|_| drop(lock.lock()));
    let stats = bench.deliver();
    assert_eq!((stats.recorded, stats.lost.total()), (1 + filled + 20, stats.lost.ring_full), "{stats}");
    // The first acquisition makes the room that the gap takes; from then on, sections are drafted again.
    (0..10).for_each(|_| drop(lock.lock()));
    let stats = bench.deliver();
    assert_eq!(stats.recorded, 1 + filled + 40, "{stats}");
    let seen = events(&bench.memory);
    let told: Vec<_> = seen.iter().rev().take(20).rev().map(tell).collect();
    let expected: Vec<_> = (11..=20).flat_map(|turn| [format!("+lock{turn}"), format!("-lock{turn}")]).collect();
    assert_eq!(told, expected);
    assert_eq!(seen.iter().map(|seen| seen.lost_before).sum::<u64>(), stats.lost.ring_full);
}

#[test]
fn after_a_gap_the_locks_are_told_that_are_held() {
    let mut bench = Bench::new();
    let locks = ["a", "b", "c"].map(|name| TrackedMutex::named(name, ()));
    let [a, b, c] = locks.each_ref().map(|lock| Some(lock.lock().unwrap()));
    // The last one is a draft, which the first event of these publishes.
    fill(&bench.client);
    drop(b);
    bench.deliver();
    let ids: Vec<u64> = {
        let acquired = |seen: &Seen| (seen.kind == Kind::LockAcquire).then(|| seen.a.parse().unwrap());
        events(&bench.memory).iter().filter_map(acquired).collect()
    };
    assert_eq!(ids.len(), 3);
    // Drafted or not, what comes after the gap knows of those that are held and no others.
    drop(c);
    bench.deliver();
    drop(a);
    let stats = bench.deliver();
    let told: Vec<_> = held(&bench.memory).into_iter().filter(|held| !held.is_empty()).collect();
    assert_eq!(told, [[ids[0], ids[2]]]);
    assert_eq!(stats.recorded, 1 + 3 + 4096 + 3, "{stats}");
}

#[test]
fn a_draft_that_is_open_when_the_ring_gets_full_is_not_lost() {
    let mut bench = Bench::new();
    let lock = TrackedMutex::named("lock", ());
    let guard = lock.lock();
    let filled = fill(&bench.client);
    drop(guard);
    let stats = bench.deliver();
    assert_eq!(stats.recorded, 1 + filled + 2, "{stats}");
    let told: Vec<_> = events(&bench.memory).iter().map(tell).collect();
    assert_eq!((told[1].as_str(), told.contains(&"-lock1".into())), ("+lock1", false));
}

/// A context of a caller that does not sample.
fn unsampled(client: &Client) -> Context {
    client.extract(&[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")])
}

#[test]
fn what_is_taken_out_of_sight_is_given_back_out_of_sight() {
    let mut bench = Bench::new();
    let lock = TrackedMutex::named("lock", ());
    let context = unsampled(&bench.client).attach();
    drop(lock.lock());
    let guard = lock.lock();
    drop(context);
    drop(guard);
    drop(lock.lock());
    assert_eq!(bench.told(), ["+lock3", "-lock3"], "their numbers are not given to others");
}

#[test]
fn a_lock_that_was_given_back_out_of_sight_is_not_told_as_held() {
    let mut bench = Bench::new();
    let lock = TrackedMutex::named("lock", ());
    let guard = lock.lock();
    unsampled(&bench.client).run(|| drop(guard));
    fill(&bench.client);
    bench.deliver();
    bench.client.track_custom("after the gap", 0);
    let stats = bench.deliver();
    assert!(stats.lost.ring_full > 0, "{stats}");
    assert_eq!(held(&bench.memory).concat(), [0; 0]);
    assert_eq!(tell(&events(&bench.memory)[1]), "+lock1");
}

#[test]
fn a_lock_whose_release_found_no_room_in_another_context_is_not_told_as_held() {
    let mut bench = Bench::new();
    let lock = TrackedMutex::named("lock", ());
    let guard = lock.lock();
    let context = bench.client.context().attach();
    fill(&bench.client);
    let detached = context.detach();
    // There is no room to tell whose event this is.
    drop(guard);
    bench.deliver();
    bench.client.track_custom("after the gap", 0);
    fill(&bench.client);
    bench.deliver();
    bench.client.track_custom("after the next", 0);
    let stats = bench.deliver();
    drop(detached);
    assert_eq!(stats.recorded, 1 + 1 + 4096 + 1 + 1 + 4096 + 1, "{stats}");
    assert_eq!(held(&bench.memory).concat(), [0; 0]);
}

#[test]
fn settings_that_change_in_a_section_do_not_tear_it() {
    for event in [false, true] {
        let mut bench = Bench::new();
        let lock = TrackedMutex::named("lock", ());
        let guard = lock.lock();
        if event {
            bench.client.track_custom("event", 0);
        }
        bench.client.reconfigure(|settings| settings.enabled = false).unwrap();
        drop(lock.try_lock());
        drop(guard);
        // Out of sight, so without a number.
        drop(lock.lock());
        let guard = lock.lock();
        bench.client.reconfigure(|settings| settings.enabled = true).unwrap();
        drop(guard);
        drop(lock.lock());
        let between: &[&str] = if event { &["event"] } else { &[] };
        assert_eq!(bench.told(), [&["+lock1"], between, &["-lock1", "+lock2", "-lock2"]].concat());
    }
}
