//! `TrackedMutex` is std's mutex, in all that std promises; and the order that it records is the order of those who held
//! it. The same calls are made on both, and their answers compared.

use crate::support::{LONG, Seen, events};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, mpsc};
use std::thread;
use trackside::{Client, MemoryTransport, Stats, TrackedMutex, TrackedMutexGuard};
use trackside_collector::Collector;
use trackside_wire::Kind;

/// Locks record into the client that was built last: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Whoever uses tracked objects holds this, or is heard by another test's client.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    // Some of these tests panic on purpose.
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` with the one client that records locks; returns the events, none of which may be lost.
pub(crate) fn in_default_client(work: impl FnOnce(&Client)) -> Vec<Seen> {
    let memory = MemoryTransport::new();
    let stats = with_default_client(&memory, work);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    events(&memory)
}

/// As [`in_default_client`], for work that may lose events; returns the books.
pub(crate) fn with_default_client(memory: &MemoryTransport, work: impl FnOnce(&Client)) -> Stats {
    let _turn = turn();
    let client = Client::builder_to(memory.clone()).service("mutex").build().unwrap();
    work(&client);
    client.flush(LONG).unwrap();
    client.shutdown(LONG)
}

/// Runs `work` while no client records locks.
pub(crate) fn without_client(work: impl FnOnce()) {
    let _turn = turn();
    work();
}

/// Poisons whatever mutex the closure locks.
pub(crate) fn poison<G>(lock: impl FnOnce() -> G) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock();
        panic!("poison; this is part of a test");
    }));
    assert!(result.is_err());
}

/// What a result of std's locks says, in words: the two kinds of guards have different types.
pub(crate) fn said<G: std::ops::Deref<Target: Debug>>(result: &Result<G, TryLockError<G>>) -> String {
    match result {
        Ok(guard) => format!("Ok {:?}", &**guard),
        Err(TryLockError::Poisoned(poison)) => format!("Poisoned {:?}", &**poison.get_ref()),
        Err(TryLockError::WouldBlock) => "WouldBlock".into(),
    }
}

/// Makes the same calls on both mutexes. `$steps` is written once and compiled twice, so that they cannot differ.
macro_rules! on_both {
    (|$mutex:pat_param| $steps:block) => {{
        let std = {
            let $mutex = Mutex::new(vec![1, 2, 3]);
            $steps
        };
        let tracked = {
            let $mutex = TrackedMutex::new(vec![1, 2, 3]);
            $steps
        };
        // Where the value is shown as locked, std's way with quotation marks has changed over the versions.
        let plain = |text: String| text.replace("\"<locked>\"", "<locked>");
        assert_eq!(plain(std), plain(tracked));
    }};
}

#[test]
fn an_unpoisoned_mutex_answers_like_stds() {
    let _turn = turn();
    on_both!(|mutex| {
        let mut said = vec![format!("{mutex:?} {}", mutex.is_poisoned())];
        let mut guard = mutex.lock().unwrap();
        guard.push(4);
        said.push(format!("{guard:?} {mutex:?} {}", self::said(&mutex.try_lock())));
        drop(guard);
        said.push(self::said(&mutex.try_lock()));
        said.push(format!("{:?}", mutex.into_inner()));
        said.join("; ")
    });
}

#[test]
fn a_poisoned_mutex_answers_like_stds() {
    let _turn = turn();
    on_both!(|mutex| {
        poison(|| mutex.lock());
        let mut said = vec![format!("{mutex:?} {}", mutex.is_poisoned())];
        said.push(self::said(&mutex.try_lock()));
        match mutex.lock() {
            Ok(_) => said.push("not poisoned".into()),
            Err(poison) => {
                said.push(format!("{poison} {:?}", **poison.get_ref()));
                poison.into_inner().push(4);
            }
        }
        mutex.clear_poison();
        said.push(format!("{mutex:?} {:?}", mutex.lock().is_ok()));
        poison(|| mutex.try_lock());
        said.push(format!("{:?}", mutex.into_inner().map_err(PoisonError::into_inner)));
        said.join("; ")
    });
}

#[test]
fn get_mut_answers_like_stds() {
    let _turn = turn();
    on_both!(|mut mutex| {
        mutex.get_mut().unwrap().push(4);
        let before = format!("{:?}", mutex.get_mut());
        poison(|| mutex.lock());
        let after = mutex.get_mut().map_err(|poison| format!("{poison} {:?}", poison.get_ref()));
        format!("{before} {after:?}")
    });
}

#[test]
fn a_guard_that_was_held_before_the_panic_does_not_poison() {
    let _turn = turn();
    on_both!(|mutex| {
        let guard = mutex.lock().unwrap();
        let _ = catch_unwind(|| panic!("elsewhere; this is part of a test"));
        drop(guard);
        format!("{}", mutex.is_poisoned())
    });
}

#[test]
fn a_guard_shows_its_value() {
    let _turn = turn();
    let (std, tracked) = (Mutex::new(5), TrackedMutex::new(5));
    let (std, tracked) = (std.lock().unwrap(), tracked.lock().unwrap());
    assert_eq!(format!("{std:?} {std}"), format!("{tracked:?} {tracked}"));
}

#[test]
fn it_can_be_made_in_all_the_ways() {
    let _turn = turn();
    static PLAIN: TrackedMutex<u8> = TrackedMutex::new(1);
    static NAMED: TrackedMutex<Vec<u8>> = TrackedMutex::named("named", Vec::new());
    *PLAIN.lock().unwrap() += 1;
    NAMED.lock().unwrap().push(*PLAIN.lock().unwrap());
    assert_eq!((*PLAIN.lock().unwrap(), &**NAMED.lock().unwrap()), (2, &[2][..]));
    assert_eq!(*TrackedMutex::<u8>::default().lock().unwrap(), 0);
    assert_eq!(*TrackedMutex::from(3).lock().unwrap(), 3);
}

#[test]
fn it_coerces_to_the_unsized() {
    let _turn = turn();
    let shared: Arc<TrackedMutex<[u8]>> = Arc::new(TrackedMutex::new([1, 2, 3]));
    shared.lock().unwrap()[0] = 4;
    assert_eq!(shared.lock().unwrap().iter().sum::<u8>(), 9);
    let object: Box<TrackedMutex<dyn Debug>> = Box::new(TrackedMutex::new("text"));
    assert_eq!(format!("{:?}", &*object.lock().unwrap()), "\"text\"");
    let borrowed: &TrackedMutex<dyn Debug> = &TrackedMutex::new(5);
    assert_eq!(format!("{borrowed:?}"), "Mutex { data: 5, poisoned: false, .. }");
}

/// Whether a type is `Send` or `Sync`, as a constant: the inherent constant, which is there only if the bound holds,
/// goes before the trait's.
pub(crate) struct Is<T: ?Sized>(std::marker::PhantomData<T>);

pub(crate) trait Otherwise {
    const SEND: bool = false;
    const SYNC: bool = false;
}

impl<T: ?Sized> Otherwise for Is<T> {}

pub(crate) struct SendOnly<T: ?Sized>(std::marker::PhantomData<T>);

impl<T: ?Sized> Otherwise for SendOnly<T> {}

impl<T: ?Sized + Sync> Is<T> {
    pub(crate) const SYNC: bool = true;
}

impl<T: ?Sized + Send> SendOnly<T> {
    pub(crate) const SEND: bool = true;
}

/// Asserts that the second type is `Send` and `Sync` if the first is.
macro_rules! same {
    ($std:ty, $tracked:ty) => {
        assert_eq!(
            (<SendOnly<$std>>::SEND, <Is<$std>>::SYNC),
            (<SendOnly<$tracked>>::SEND, <Is<$tracked>>::SYNC),
            stringify!($tracked)
        );
    };
}
pub(crate) use same;

#[test]
fn it_is_as_send_and_sync_as_stds() {
    type Cell = std::cell::Cell<u8>;
    type Rc = std::rc::Rc<u8>;
    same!(Mutex<u8>, TrackedMutex<u8>);
    same!(Mutex<Cell>, TrackedMutex<Cell>);
    same!(Mutex<Rc>, TrackedMutex<Rc>);
    same!(MutexGuard<'_, u8>, TrackedMutexGuard<'_, u8>);
    same!(MutexGuard<'_, Cell>, TrackedMutexGuard<'_, Cell>);
    same!(MutexGuard<'_, Rc>, TrackedMutexGuard<'_, Rc>);
    // And the question is one that can be answered with no.
    assert_eq!([<SendOnly<u8>>::SEND, <SendOnly<TrackedMutexGuard<'_, u8>>>::SEND], [true, false]);
}

#[test]
fn it_may_cross_a_caught_panic_like_stds() {
    fn assert_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    assert_unwind_safe::<Mutex<std::cell::Cell<u8>>>();
    assert_unwind_safe::<TrackedMutex<std::cell::Cell<u8>>>();
}

#[test]
fn the_record_tells_who_held_it_in_which_order() {
    const THREADS: usize = 4;
    const EACH: usize = 1000;
    let counter = TrackedMutex::named("counter", 0_u64);
    let seen = in_default_client(|client| {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        let mut guard = counter.lock().unwrap();
                        *guard += 1;
                        client.track_custom("held", *guard);
                    }
                });
            }
        });
    });
    // By strand, in program order: acquire n, the counter's value, release n; and the n-th to acquire counted to n.
    let mut strands = std::collections::BTreeMap::<u64, Vec<&Seen>>::new();
    seen.iter().for_each(|seen| strands.entry(seen.strand).or_default().push(seen));
    let mut numbers = Vec::new();
    for strand in strands.values_mut() {
        strand.sort_by_key(|seen| seen.step);
        for section in strand.chunks(3) {
            let [acquire, held, release] = section else { panic!("{section:?}") };
            assert_eq!((acquire.kind, release.kind), (Kind::LockAcquire, Kind::LockRelease));
            assert_eq!((acquire.name.as_deref(), &acquire.a), (Some("counter"), &release.a));
            assert_eq!(release.b, format!("[{}, \"Mutex\"]", held.a));
            // For how long it had to wait is told of one that had to.
            assert_eq!(
                acquire.b.split(", ").take(2).collect::<Vec<_>>().join(", ").trim_end_matches(']'),
                release.b.trim_end_matches(']')
            );
            numbers.push(held.a.parse::<usize>().unwrap());
        }
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=THREADS * EACH));
}

#[test]
fn the_record_names_the_lock_and_the_place() {
    static NAMED: TrackedMutex<()> = TrackedMutex::named("named", ());
    let unnamed = TrackedMutex::new(());
    let made = line!() - 1;
    let mut lines = Vec::new();
    let seen = in_default_client(|_| {
        drop(NAMED.lock().unwrap());
        drop(unnamed.try_lock().unwrap());
        lines.extend([line!() - 2, line!() - 1]);
    });
    let names: Vec<_> = seen.iter().map(|seen| seen.name.as_deref().unwrap()).collect();
    let place = format!("{}:{made}", file!());
    assert_eq!(names, ["named", "named", &place, &place]);
    let at: Vec<_> = seen.iter().map(|seen| (seen.file.as_str(), seen.line)).collect();
    assert_eq!(at, [lines[0], lines[0], lines[1], lines[1]].map(|line| (file!(), line)));
    // Two locks, each with a number of its own.
    assert!(seen[0].a == seen[1].a && seen[2].a == seen[3].a && seen[0].a != seen[2].a);
}

#[test]
fn what_does_not_lock_records_nothing_and_poison_is_recorded_like_the_rest() {
    let seen = in_default_client(|_| {
        let mut mutex = TrackedMutex::new(0);
        let guard = mutex.lock().unwrap();
        assert!(mutex.try_lock().is_err());
        drop(guard);
        *mutex.get_mut().unwrap() += 1;
        poison(|| mutex.lock());
        drop(mutex.lock());
        assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 1);
    });
    let sequences: Vec<_> = seen.iter().map(|seen| (seen.kind, seen.b.as_str())).collect();
    let pair = |b| [(Kind::LockAcquire, b), (Kind::LockRelease, b)];
    let expected = [pair("[1, \"Mutex\"]"), pair("[2, \"Mutex\"]"), pair("[3, \"Mutex\"]")];
    assert_eq!(sequences, expected.concat());
}

#[test]
fn without_a_client_it_is_a_plain_mutex() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let client = Client::builder_to(memory.clone()).build().unwrap();
    let mutex = TrackedMutex::new(0);
    *mutex.lock().unwrap() += 1;
    client.shutdown(LONG);
    // Recorded by nobody, so lost to nobody.
    *mutex.lock().unwrap() += 1;
    let held = mutex.lock().unwrap();
    let next = Client::builder_to(MemoryTransport::new()).build().unwrap();
    // A section that began before there was the client does not end in it.
    drop(held);
    let stats = (client.shutdown(LONG), next.shutdown(LONG));
    assert_eq!((stats.0.recorded, stats.1.recorded, *mutex.lock().unwrap()), (2, 0, 2));
}

#[test]
fn a_new_client_counts_a_lock_from_one() {
    let mutex = TrackedMutex::named("shared", ());
    for _ in 0..2 {
        let seen = in_default_client(|_| (0..2).for_each(|_| drop(mutex.lock().unwrap())));
        let sequences: Vec<_> = seen.into_iter().map(|seen| seen.b).collect();
        let [one, two] = ["[1, \"Mutex\"]", "[2, \"Mutex\"]"];
        assert_eq!(sequences, [one, one, two, two]);
    }
}

#[test]
fn waiting_threads_all_get_it() {
    let _turn = turn();
    let mutex = Arc::new(TrackedMutex::new(Vec::new()));
    let guard = mutex.lock().unwrap();
    let (arrived, wait) = mpsc::channel();
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let (mutex, arrived) = (mutex.clone(), arrived.clone());
            thread::spawn(move || {
                arrived.send(()).unwrap();
                mutex.lock().unwrap().push(number);
            })
        })
        .collect();
    (0..8).for_each(|_| wait.recv().unwrap());
    drop(guard);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut all = Arc::into_inner(mutex).unwrap().into_inner().unwrap();
    all.sort_unstable();
    assert_eq!(all, (0..8).collect::<Vec<_>>());
}

/// Counts on four threads, under the lock or not; returns how many findings there are about the counter.
fn findings(lock: Option<&TrackedMutex<()>>) -> usize {
    let _turn = turn();
    let collector = Collector::builder().start().unwrap();
    let client = Client::builder(collector.url()).service("mutex").build().unwrap();
    let counter = std::sync::atomic::AtomicI64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let _guard = lock.map(|lock| lock.lock().unwrap());
                    let old = counter.load(std::sync::atomic::Ordering::Relaxed);
                    client.track_read("counter", old);
                    counter.store(old + 1, std::sync::atomic::Ordering::Relaxed);
                    client.track_write("counter", old, old + 1);
                }
            });
        }
    });
    let stats = client.shutdown(LONG);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    collector.report().findings.iter().filter(|finding| finding.variable == "counter").count()
}

#[test]
fn the_analysis_finds_the_race_without_the_lock_and_nothing_with_it() {
    assert_eq!(findings(Some(&TrackedMutex::new(()))), 0);
    assert!(findings(None) > 0);
}
