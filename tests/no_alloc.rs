//! The promise of the hot path: after a thread's first event, recording neither allocates nor frees, whatever is recorded
//! and whether or not there is room for it. A global allocator counts, per thread, so the flusher may do as it likes.

#![expect(unsafe_code, reason = "a global allocator cannot be written without")]

use serde::Serialize;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::task::{self, Poll, Waker};
use std::time::Duration;
use trackside::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, fence};
use trackside::sync::{Barrier, LazyLock, Once, OnceLock, mpsc};
use trackside::{
    Access, Client, InContext, ManualFlusher, MemoryTransport, Name, Timestamps, TrackErr, Tracked, TrackedCondvar,
    TrackedMutex, TrackedRwLock, TrackedRwLockWriteGuard, Value, Variable, thread,
};

struct Counting;

/// Calls of the allocator by one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Calls {
    allocations: u64,
    deallocations: u64,
}

thread_local! {
    // No destructor and no lazy initialisation, so that the allocator itself may use it at any time.
    static CALLS: Cell<Calls> = const { Cell::new(Calls { allocations: 0, deallocations: 0 }) };
}

fn note(change: impl Fn(&mut Calls)) {
    CALLS.with(|calls| {
        let mut now = calls.get();
        change(&mut now);
        calls.set(now);
    });
}

// SAFETY: every call is passed on to the system's allocator unchanged; the counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(|calls| calls.allocations += 1);
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(|calls| calls.allocations += 1);
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(|calls| {
            calls.allocations += 1;
            calls.deallocations += 1;
        });
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(|calls| calls.deallocations += 1);
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` does to this thread's counts.
fn calls_of(work: impl FnOnce()) -> Calls {
    let before = CALLS.get();
    work();
    let after = CALLS.get();
    Calls {
        allocations: after.allocations - before.allocations,
        deallocations: after.deallocations - before.deallocations,
    }
}

/// Asserts that `work` leaves the allocator alone, the first time and later.
#[track_caller]
fn check(what: &str, mut work: impl FnMut()) {
    for round in 0..3 {
        assert_eq!(calls_of(&mut work), Calls::default(), "{what}, round {round}");
    }
}

/// A client whose ring nobody empties but by hand, and the recording thread's first event.
fn client() -> (Client, ManualFlusher) {
    client_that(MemoryTransport::new(), false, Timestamps::Precise)
}

/// As [`client`], and the one that locks, atomics and values are recorded into, while the first part of the result lives.
fn default_client() -> (MutexGuard<'static, ()>, Client, ManualFlusher) {
    default_client_to(MemoryTransport::new(), Timestamps::Precise)
}

/// As [`default_client`], reporting to `memory`.
fn default_client_to(
    memory: MemoryTransport,
    timestamps: Timestamps,
) -> (MutexGuard<'static, ()>, Client, ManualFlusher) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (client, flusher) = client_that(memory, true, timestamps);
    (turn, client, flusher)
}

fn client_that(memory: MemoryTransport, record_locks: bool, timestamps: Timestamps) -> (Client, ManualFlusher) {
    let builder = Client::builder_to(memory).service("no-alloc").record_locks(record_locks).timestamps(timestamps);
    let (client, flusher) = builder.ring_bytes(4 << 20).build_manual().expect("a valid configuration");
    client.track_read("first", 0);
    (client, flusher)
}

#[derive(Serialize)]
struct Order<'a> {
    id: u64,
    customer: &'a str,
    lines: [Option<(u32, f64)>; 2],
    paid: bool,
}

const ORDER: Order<'static> = Order { id: 17, customer: "alice", lines: [Some((3, 9.5)), None], paid: true };

#[test]
fn the_counter_sees_what_it_should() {
    assert_eq!(calls_of(|| {}), Calls::default());
    let boxed = calls_of(|| drop(black_box(Box::new(1_u64))));
    assert_eq!(boxed, Calls { allocations: 1, deallocations: 1 });
    let grown = calls_of(|| {
        let mut list = Vec::with_capacity(1);
        list.extend(black_box([1, 2, 3]));
        drop(black_box(list));
    });
    assert!(grown.allocations >= 2 && grown.deallocations >= 2, "{grown:?}");
    // The first event of a thread is the one that may allocate; if this did not see it, nothing below would mean much.
    let (client, _flusher) = client();
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(calls_of(|| client.track_read("first", 0)).allocations > 0));
    });
}

#[test]
fn every_tracking_method_with_scalars() {
    let (client, _flusher) = client();
    let ms = Duration::from_millis(1);
    let accesses = [Access::Read, Access::Write, Access::AtomicRead, Access::AtomicWrite, Access::AtomicRmw];
    for access in accesses {
        check("track_state_change", || client.track_state_change("variable", 1, 2, access));
    }
    check("track_read", || client.track_read("variable", 1.5));
    check("track_write", || client.track_write("variable", true, None::<u8>));
    check("track_function_call", || client.track_function_call("transfer", "bank", 7));
    check("track_function_return", || client.track_function_return("transfer", -7));
    check("start_function", || drop(client.start_function("transfer", 7_u8)));
    check("track_http_request", || client.track_http_request("GET", "/accounts", Value::NIL, "body"));
    check("track_http_response", || client.track_http_response(200, "headers", Value::NIL, ms));
    check("tasks", || {
        let task = client.track_async_spawn("worker");
        drop(client.enter(task));
        client.track_async_await(task);
    });
    check("track_lock_acquire", || client.track_lock_acquire("ledger", "Mutex"));
    check("track_lock_release", || client.track_lock_release("ledger", "Mutex"));
    check("track_memory_fence", || client.track_memory_fence(Ordering::SeqCst));
    check("track_database_query", || client.track_database_query("main", "select 1", ms));
    check("track_database_result", || client.track_database_result(1));
    check("track_error", || client.track_error("Overdrawn", "account 7", &[]));
    check("track_error with a stack", || client.track_error("Overdrawn", "account 7", &["a.rs:1", "b.rs:2"]));
    check("track_enqueue", || client.track_enqueue("queue", 17));
    check("track_dequeue", || client.track_dequeue("queue", 17));
    check("track_custom", || client.track_custom("checkpoint", i64::MIN));
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn variables() {
    static FIXED: Variable = Variable::new("accounts.alice.balance");
    let dynamic = Variable::dynamic(format!("accounts.{}.balance", 17));
    let (client, _flusher) = client();
    check("a static variable", || {
        FIXED.read(&client, 1);
        FIXED.write(&client, 1, 2);
        FIXED.access(&client, 1, 2, Access::AtomicWrite);
        FIXED.atomic_rmw(&client, 1, 2);
    });
    check("a dynamic variable", || {
        dynamic.read(&client, 1);
        dynamic.write(&client, 1, 2);
        dynamic.access(&client, 1, 2, Access::AtomicWrite);
        dynamic.atomic_rmw(&client, 1, 2);
    });
    check("a clone of a variable", || dynamic.clone().read(&client, 1));
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn functions_around_closures_and_futures() {
    let (client, _flusher) = client();
    let args = [("user", 123.into()), ("name", "alice".into()), ("order", Value::of(&ORDER))];
    check("track_function", || assert_eq!(client.track_function("pay", Value::map(&args), || 1), 1));
    check("returns", || client.start_function("pay", 1).returns(Value::of(&ORDER)));
    check("track_future", || {
        let mut polls = 0;
        let work = std::future::poll_fn(|_| {
            polls += 1;
            if polls == 2 { Poll::Ready(polls) } else { Poll::Pending }
        });
        let mut work = pin!(client.track_future("pay", Value::map(&args), work));
        let mut context = task::Context::from_waker(Waker::noop());
        assert!(work.as_mut().poll(&mut context).is_pending());
        assert_eq!(work.as_mut().poll(&mut context), Poll::Ready(2));
    });
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn locks_around_closures() {
    let (client, _flusher) = client();
    let (mutex, rwlock) = (Mutex::new(0_u64), RwLock::new(0_u64));
    let name = String::from("a.dynamic.name");
    // Where std has to set up a lock, it does so at its first use.
    drop((mutex.lock(), rwlock.read()));
    check("with_lock", || client.with_lock(&mutex, &name, "Mutex", |value| *value.expect("not poisoned") += 1));
    check("with_rwlock_read", || {
        assert!(client.with_rwlock_read(&rwlock, "rwlock", |value| value.is_ok()));
    });
    check("with_rwlock_write", || {
        client.with_rwlock_write(&rwlock, "rwlock", |value| *value.expect("not poisoned") += 1)
    });
    check("track_guard", || **client.track_guard(mutex.lock().expect("not poisoned"), "mutex", "Mutex") += 1);
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn errors_with_what_is_behind_them() {
    let (client, _flusher) = client();
    let parse = "many".parse::<u8>();
    check("track_err", || assert!(parse.clone().track_err(&client).is_err()));
    let (caused, error) =
        (std::io::Error::other(parse.clone().expect_err("not a number")), parse.expect_err("neither"));
    check("an error with a cause", || client.track_error_from(&caused));
    let untyped: &dyn std::error::Error = &error;
    check("an error of unknown type", || client.track_error_from(untyped));
    let frames = ["a long stack: src/frame.rs:17"; 100];
    check("an error with a long stack", || client.track_error("Deep", "very", &frames));
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn names_of_every_length_and_sort() {
    let (client, _flusher) = client();
    let long = "ä".repeat(Name::INLINE_LIMIT);
    for len in [0, 2, 6, 8, 16, 64, 254, 256, 258, 2 * Name::INLINE_LIMIT] {
        let name = &long[..len];
        check("a dynamic name", || client.track_write(Name::dynamic(name), 1, 2));
        check("a dynamic name of a packed event", || client.track_lock_acquire(Name::dynamic(name), "Mutex"));
    }
    let leaked: &'static str = Box::leak(long.clone().into_boxed_str());
    for len in [0, 254, 256, 258, 2 * Name::INLINE_LIMIT] {
        check("a static name", || client.track_write(&leaked[..len], 1, 2));
    }
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn values_of_every_length_and_sort() {
    let (client, _flusher) = client();
    let long = "x".repeat(4 * Value::INLINE_LIMIT);
    for len in [0, 7, 1023, 1024, 1025, long.len()] {
        let text = &long[..len];
        check("a text", || client.track_write("variable", text, Value::NIL));
        check("a text as an object", || client.track_custom("event", Value::of(&text)));
        check("a text as a part", || client.track_http_request("GET", text, text, text));
    }
    check("a struct", || client.track_custom("order", Value::of(&ORDER)));
    check("two structs", || client.track_write("order", Value::of(&ORDER), Value::of(&ORDER)));
    check("a struct as a part", || client.track_http_request("GET", "/", Value::of(&ORDER), Value::of(&ORDER)));
    let big = [0xffff_ffff_u32; 1000];
    check("a struct too large", || client.track_custom("order", Value::of(&big.as_slice())));
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn events_that_find_no_room() {
    let memory = MemoryTransport::new();
    let builder = Client::builder_to(memory).record_locks(false).ring_bytes(64 << 10);
    let (client, mut flusher) = builder.build_manual().expect("a valid configuration");
    client.track_read("first", 0);
    let (events, name) = (10_000, String::from("a.dynamic.name"));
    let calls = calls_of(|| {
        for number in 0..events {
            client.track_write(&name, number, Value::of(&ORDER));
        }
    });
    assert_eq!(calls, Calls::default());
    flusher.step();
    // With room again, the next event is preceded by the news of the gap.
    check("the event after a gap", || client.track_read("variable", 1));
    flusher.step();
    let stats = client.stats();
    assert!(stats.lost.ring_full > 1000, "{stats}");
    assert_eq!(stats.recorded, 1 + events + 3, "{stats}");
}

#[test]
fn events_turned_away() {
    let (client, flusher) = client();
    let mut capped = Client::builder_to(MemoryTransport::new()).record_locks(false);
    capped = capped.ring_bytes(64 << 10).ring_memory(64 << 10);
    let (capped, _capped_flusher) = capped.build_manual().expect("a valid configuration");
    capped.track_read("takes the only ring", 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            capped.track_read("finds none", 0);
            let calls = calls_of(|| (0..1000).for_each(|number| capped.track_read("finds none", number)));
            assert_eq!(calls, Calls::default());
        });
    });
    assert_eq!(capped.stats().lost.no_ring, 1001);

    drop(flusher);
    check("an event after shutdown", || client.track_read("variable", 1));
    assert_eq!(client.stats().lost.after_shutdown, 3);
}

#[test]
fn two_clients_in_turn() {
    let (one, _one_flusher) = client();
    let (other, _other_flusher) = client();
    one.track_read("back again", 0);
    other.track_read("back again", 0);
    check("two clients in turn", || {
        one.track_read("variable", 1);
        other.track_read("variable", 1);
    });
}

#[cfg(feature = "parking_lot")]
#[test]
fn parking_lot_s_locks() {
    use trackside::parking_lot::{Mutex, ReentrantMutex, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard};
    let (mutex, lock, reentrant) = (Mutex::new(0_u64), RwLock::new(0_u64), ReentrantMutex::new(0_u64));
    let (_turn, client, mut flusher) = default_client();
    check("locks of parking_lot's kind", || {
        *mutex.lock() += 1;
        drop((mutex.try_lock(), mutex.try_lock(), reentrant.lock(), reentrant.lock()));
        drop((lock.read(), lock.read_recursive(), lock.try_write()));
        let mut writing = RwLockUpgradableReadGuard::upgrade(lock.upgradable_read());
        *writing += 1;
        drop(RwLockWriteGuard::downgrade(writing));
    });
    flusher.step();
    // Three of mutexes, two reads, the right to upgrade beside another, a write and a read once more, each taken and given back.
    assert_eq!(client.stats().recorded, 1 + 3 * 2 * (3 + 2 + 2 + 2));
}

#[test]
fn a_tracked_mutex() {
    static NAMED: TrackedMutex<u64> = TrackedMutex::named("counter", 0);
    let unnamed = TrackedMutex::new(0_u64);
    let (_turn, client, mut flusher) = default_client();
    check("lock, try_lock, unlock", || {
        for mutex in [&NAMED, &unnamed] {
            let mut guard = mutex.lock().expect("not poisoned");
            *guard += 1;
            assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
            drop(guard);
            *mutex.try_lock().expect("free") += 1;
        }
    });
    flusher.step();
    // Two mutexes, each taken and released twice a round: they really were recorded.
    assert_eq!(client.stats().recorded, 1 + 3 * 8);
}

#[test]
fn a_tracked_rwlock() {
    static LOCK: TrackedRwLock<u64> = TrackedRwLock::named("counter", 0);
    let (_turn, client, mut flusher) = default_client();
    check("read, write, try, downgrade", || {
        *LOCK.write().expect("not poisoned") += 1;
        let readers = (LOCK.read().expect("not poisoned"), LOCK.try_read().expect("read only"));
        assert!(matches!(LOCK.try_write(), Err(TryLockError::WouldBlock)));
        // A release between two acquisitions, and one after an event.
        drop(readers.0);
        client.track_read("counter", *readers.1);
        drop(readers.1);
        let writer = LOCK.try_write().expect("free");
        drop(TrackedRwLockWriteGuard::downgrade(writer));
    });
    flusher.step();
    assert_eq!(client.stats().recorded, 1 + 3 * (2 + 4 + 1 + 4));
}

#[test]
fn a_tracked_condvar() {
    static MUTEX: TrackedMutex<u64> = TrackedMutex::named("counter", 0);
    static CONDVAR: TrackedCondvar = TrackedCondvar::new();
    let (_turn, client, mut flusher) = default_client();
    check("wait, notify", || {
        let guard = MUTEX.lock().expect("not poisoned");
        let (mut guard, result) = CONDVAR.wait_timeout(guard, Duration::ZERO).expect("not poisoned");
        assert!(result.timed_out());
        *guard += 1;
        let (guard, _) = CONDVAR.wait_timeout_while(guard, Duration::ZERO, |_| true).expect("not poisoned");
        drop(CONDVAR.wait_while(guard, |_| false));
        CONDVAR.notify_one();
        CONDVAR.notify_all();
    });
    flusher.step();
    assert_eq!(client.stats().recorded, 1 + 3 * 4);
}

/// Threads that get in each other's way, until the record says that each lock was waited for.
#[test]
fn locks_that_are_waited_for() {
    const EACH: u64 = 1000;
    let (mutex, rwlock) = (TrackedMutex::named("mutex", 0), TrackedRwLock::named("rwlock", 0));
    let memory = MemoryTransport::new();
    let (_turn, client, mut flusher) = default_client_to(memory.clone(), Timestamps::Precise);
    // An acquisition that had to wait has a third element.
    let waited = |text: &str| text.starts_with('[') && text.split(',').count() == 3;
    let start = std::time::Instant::now();
    let mut modes = std::collections::BTreeSet::new();
    while modes.len() < 3 {
        assert!(start.elapsed() < Duration::from_secs(60), "only {modes:?} had to be waited for");
        let work = || {
            client.track_read("first", 0);
            calls_of(|| {
                for number in 0..EACH {
                    let mut guard = mutex.lock().expect("not poisoned");
                    *guard += 1;
                    std::thread::yield_now();
                    drop(guard);
                    let mut guard = rwlock.write().expect("not poisoned");
                    *guard += 1;
                    std::thread::yield_now();
                    drop(guard);
                    assert!(*rwlock.read().expect("not poisoned") > number);
                }
            })
        };
        let calls = std::thread::scope(|scope| [scope.spawn(work), scope.spawn(work)].map(|thread| thread.join()));
        assert_eq!(calls.map(|calls| calls.expect("it does not panic")), [Calls::default(); 2]);
        while !flusher.step() {}
        for batch in memory.take_batches() {
            let batch = trackside_wire::Batch::decode(&batch.bytes).expect("a well-formed batch");
            let texts = batch.events().map(|event| event.b.to_string()).filter(|text| waited(text));
            modes.extend(texts.filter_map(|text| Some(text.split(", ").nth(1)?.to_owned())));
        }
    }
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn coarse_timestamps() {
    let memory = MemoryTransport::new();
    let coarse = Timestamps::Coarse { resolution: Duration::from_millis(1) };
    let (_turn, client, mut flusher) = default_client_to(memory, coarse);
    let (mutex, rwlock) = (TrackedMutex::new(0), TrackedRwLock::new(0));
    check("events and locks", || {
        client.track_write("variable", 1, Value::of(&ORDER));
        *mutex.lock().expect("not poisoned") += 1;
        let guard = rwlock.write().expect("not poisoned");
        client.track_read("variable", *guard);
        drop(guard);
    });
    flusher.step();
    assert_eq!((client.stats().recorded, client.stats().lost.total()), (1 + 3 * 6, 0));
}

#[cfg(feature = "tokio")]
#[test]
fn locks_of_tasks() {
    use trackside::tokio::sync::{Mutex, RwLock, RwLockWriteGuard};
    let (_turn, client, mut flusher) = default_client();
    let (mutex, rwlock) = (std::sync::Arc::new(Mutex::new(0_u64)), RwLock::new(0_u64));
    check("locks of tasks", || {
        *ready(pin!(mutex.lock())).expect("free") += 1;
        drop(mutex.try_lock().expect("free"));
        let held = ready(pin!(mutex.clone().lock_owned())).expect("free");
        // One that has to wait, and one that gives up.
        let mut waits = pin!(mutex.lock());
        assert!(ready(waits.as_mut()).is_none() && ready(pin!(mutex.lock())).is_none());
        drop(held);
        drop(ready(waits).expect("given back"));
        drop(RwLockWriteGuard::downgrade(ready(pin!(rwlock.write())).expect("free")));
        drop(ready(pin!(rwlock.read())).expect("free"));
    });
    flusher.step();
    // They really were recorded: seven acquisitions a round, and seven releases.
    assert_eq!(client.stats().recorded, 1 + 3 * 14);
    assert_eq!(client.stats().lost.total(), 0);
}

#[test]
fn objects_of_sync_and_a_thread_s_token() {
    static CELL: OnceLock<u64> = OnceLock::new();
    static LAZY: LazyLock<u64> = LazyLock::new(|| 7);
    let (once, barrier, (sender, receiver)) = (Once::new(), Barrier::new(1), mpsc::sync_channel(1));
    let own = thread::current();
    let (_turn, client, mut flusher) = default_client();
    check("once", || {
        once.call_once(|| ());
        assert!(once.is_completed() && CELL.get_or_init(|| 7) == CELL.wait() && CELL.get() == Some(&*LAZY));
    });
    check("a barrier", || assert!(barrier.wait().is_leader()));
    check("a channel", || {
        sender.try_send(1).expect("there is room");
        assert_eq!(receiver.try_recv(), Ok(1));
    });
    check("park and unpark", || {
        own.unpark();
        thread::park();
    });
    flusher.step();
    // Once: three signals, and the first look at each of them; then three rounds of two signals; two ends, and room that is
    // made each time, and after the first time needed; two signals.
    assert_eq!(client.stats().recorded, 1 + 2 * 3 + 3 * 2 + 3 * 3 + 2 + 3 * 2);
}

#[cfg(feature = "tokio")]
#[test]
fn signals_of_tasks() {
    use trackside::tokio::sync::{Notify, OnceCell, Semaphore, watch};
    let (_turn, client, mut flusher) = default_client();
    let (semaphore, notify, cell) = (Semaphore::new(2), Notify::new(), OnceCell::new());
    let (sender, receiver) = watch::channel(0_u64);
    cell.set(1).expect("it is empty");
    check("signals of tasks", || {
        let permit = ready(pin!(semaphore.acquire_many(2))).expect("free");
        let mut waits = pin!(semaphore.acquire());
        assert!(ready(waits.as_mut()).is_none());
        drop(permit);
        drop(ready(waits).expect("put back"));
        notify.notify_one();
        ready(pin!(notify.notified())).expect("notified");
        sender.send_modify(|value| *value += 1);
        assert!(*receiver.borrow() > 0 && cell.get() == Some(&1));
    });
    flusher.step();
    assert!(client.stats().recorded > 3 * 8 && client.stats().lost.total() == 0, "{}", client.stats());
}

#[cfg(feature = "tokio")]
fn ready<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut task::Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
#[test]
fn tracked_atomics() {
    static WORD: AtomicU64 = AtomicU64::named("word", 0);
    let (flag, pointer) = (AtomicBool::new(false), AtomicPtr::<u8>::default());
    let (_turn, client, mut flusher) = default_client();
    check("load, store, update, fence", || {
        WORD.store(WORD.load(Ordering::Acquire) + 1, Ordering::Release);
        WORD.fetch_max(17, Ordering::AcqRel);
        assert!(WORD.compare_exchange(5, 6, Ordering::AcqRel, Ordering::Acquire).is_err());
        assert!(WORD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, Some).is_ok());
        flag.fetch_not(Ordering::SeqCst);
        pointer.swap(std::ptr::null_mut(), Ordering::SeqCst);
        fence(Ordering::SeqCst);
    });
    flusher.step();
    assert_eq!((client.stats().recorded, client.stats().lost.total()), (1 + 3 * 9, 0));
}

#[test]
fn tracked_values() {
    let (_turn, client, mut flusher) = default_client();
    let mut order = Tracked::named("order", ORDER);
    let mut opaque = Tracked::opaque(5);
    let mut numbers: Vec<_> = (0..3).map(|number| Tracked::new(number).renamed("number")).collect();
    check("read, write", || {
        let paid = order.read().paid;
        order.write().paid = !paid;
        order.set(ORDER);
        opaque.update(|value| *value += 1);
        numbers.iter_mut().for_each(|number| number.set(number.get() + 1));
    });
    flusher.step();
    assert_eq!((client.stats().recorded, client.stats().lost.total()), (1 + 3 * 12, 0));
}

#[test]
fn a_future_s_context_comes_and_goes_with_each_poll() {
    let (client, _flusher) = client();
    let recorder = client.clone();
    let work = std::future::poll_fn(move |_| {
        (0..3).for_each(|value| recorder.track_write("x", value, value + 1));
        Poll::<()>::Pending
    });
    let mut work = pin!(work.in_context(client.context()));
    let mut poll = || {
        let _ = work.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
        client.track_read("between the polls", 1);
    };
    // The first event in a context tells its clock, and the thread's stack of contexts gets its room.
    poll();
    check("a poll", &mut poll);
    assert!(client.stats().lost.total() == 0);
}

#[test]
fn a_context_that_is_not_sampled_records_nothing_at_no_cost() {
    let (client, _flusher) = client();
    let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")];
    let _attached = client.extract(&headers).attach();
    check("an event that is not sampled", || client.track_write("x", 1, Value::of(&ORDER)));
    client.track_error("Overdrawn", "account 7", &[]);
    check("an error that is", || client.track_error("Overdrawn", "account 7", &["a.rs:1"]));
}
