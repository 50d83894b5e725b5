//! `trackside::sync` and `Tracked`, with their types named as programs name them: in statics, fields and signatures.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::time::Duration;
use trackside::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    compiler_fence, fence,
};
use trackside::sync::mpsc::{
    self, Receiver, RecvTimeoutError, SendError, Sender, SyncSender, TryRecvError, TrySendError,
};
use trackside::sync::{
    Arc, Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Once, OnceLock, PoisonError,
    RwLock, RwLockReadGuard, RwLockWriteGuard, Tracked, TryLockError, TryLockResult, WaitTimeoutResult, Weak,
    WriteGuard,
};
use trackside::{
    TrackedCondvar, TrackedMutex, TrackedMutexGuard, TrackedRwLock, TrackedRwLockReadGuard, TrackedRwLockWriteGuard,
};

static PLACED: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static TOTAL: Mutex<Tracked<i64>> = Mutex::new(Tracked::named("total", 100));
static RATES: RwLock<Tracked<Vec<u8>>> = RwLock::named("rates", Tracked::new(Vec::new()));
static STARTED: Once = Once::named("started");
static CONFIG: OnceLock<String> = OnceLock::named("config");
static LAZY: LazyLock<HashMap<&str, u32>> = LazyLock::named("lazy", || HashMap::from([("EUR", 1)]));
static GATE: Barrier = Barrier::named("gate", 1);
static COUNT: AtomicU64 = AtomicU64::named("count", 1);
static STOP: AtomicBool = AtomicBool::new(false);
static CHANGED: Condvar = Condvar::new();

/// What a program keeps in its own types.
#[derive(Debug, Default)]
struct Account {
    balance: Mutex<Tracked<i64>>,
    history: RwLock<Vec<i64>>,
    owner: OnceLock<String>,
    visits: AtomicU32,
    open: AtomicBool,
    changed: Condvar,
}

impl Account {
    fn lock(&self) -> LockResult<MutexGuard<'_, Tracked<i64>>> {
        self.balance.lock()
    }

    fn try_lock(&self) -> TryLockResult<MutexGuard<'_, Tracked<i64>>> {
        self.balance.try_lock()
    }

    fn history(&self) -> RwLockReadGuard<'_, Vec<i64>> {
        self.history.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn history_mut(&self) -> RwLockWriteGuard<'_, Vec<i64>> {
        self.history.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn change<'a>(mut guard: WriteGuard<'a, i64>) -> WriteGuard<'a, i64> {
    *guard += 1;
    guard
}

#[test]
fn types_are_named_as_std_names_them() {
    let account = Account::default();
    account.lock().unwrap().set(5);
    drop(change(account.lock().unwrap().write()));
    assert_eq!(account.try_lock().unwrap().get(), 6);
    account.history_mut().push(6);
    assert_eq!(*account.history(), [6]);
    assert_eq!(account.owner.set("alice".into()), Ok(()));
    account.visits.fetch_add(2, Ordering::Relaxed);
    account.open.store(true, Ordering::Release);
    account.changed.notify_all();
    let text = format!("{account:?}");
    for part in ["Mutex { data: Tracked(6), poisoned: false, .. }", "OnceLock(\"alice\")", "visits: 2", "Condvar"] {
        assert!(text.contains(part), "{text}");
    }

    let mutex: TrackedMutex<u8> = TrackedMutex::from(1);
    let guard: TrackedMutexGuard<'_, u8> = mutex.lock().unwrap();
    assert_eq!((format!("{guard:?}"), format!("{guard}")), ("1".into(), "1".into()));
    let lock: TrackedRwLock<u8> = TrackedRwLock::default();
    let guard: TrackedRwLockWriteGuard<'_, u8> = lock.write().unwrap();
    let guard: TrackedRwLockReadGuard<'_, u8> = TrackedRwLockWriteGuard::downgrade(guard);
    assert_eq!(*guard, 0);
    TrackedCondvar::new().notify_one();
}

#[test]
fn methods_are_functions_that_can_be_passed_on() {
    let [one, two] = [1, 2].map(Mutex::new);
    let sum: i32 = [&one, &two].into_iter().map(Mutex::lock).map(|locked| *locked.unwrap()).sum();
    assert_eq!(sum, 3);
    assert_eq!([one, two].map(Mutex::into_inner).map(Result::unwrap), [1, 2]);
    assert_eq!([3, 4].map(AtomicU64::new).map(AtomicU64::into_inner), [3, 4]);
    assert_eq!([3, 4].map(RwLock::new).map(RwLock::into_inner).map(Result::unwrap), [3, 4]);
    let cells = [OnceLock::from(1), OnceLock::new()];
    assert_eq!(cells.iter().filter_map(OnceLock::get).sum::<i32>(), 1);
    assert_eq!(cells.clone().map(OnceLock::into_inner), [Some(1), None]);
    assert!(cells[0] == cells[0].clone() && cells[0] != cells[1]);
    assert_eq!([Tracked::new(1)].map(Tracked::into_inner), [1]);
}

#[test]
fn locks_of_what_has_no_size() {
    let called = Arc::new(AtomicUsize::new(0));
    let count = called.clone();
    let callback: Arc<Mutex<dyn FnMut() + Send>> =
        Arc::new(Mutex::new(move || _ = count.fetch_add(1, Ordering::AcqRel)));
    (callback.lock().unwrap())();
    let weak: Weak<Mutex<dyn FnMut() + Send>> = Arc::downgrade(&callback);
    drop(callback);
    assert!(weak.upgrade().is_none());
    let slice: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2]));
    assert_eq!(slice.read().unwrap().len(), 2);
    assert_eq!(called.load(Ordering::Acquire), 1);
}

#[test]
fn locks_are_tried_poisoned_and_taken_apart() {
    let mut mutex = Mutex::named("mutex", 1);
    let guard = mutex.lock().unwrap();
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
    drop(guard);
    assert!(catch_unwind(|| panic_with(&mutex.lock())).is_err());
    assert!(mutex.is_poisoned() && matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    *mutex.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    mutex.clear_poison();
    *mutex.get_mut().unwrap() += 1;
    assert_eq!(mutex.into_inner().unwrap(), 3);

    let mut lock = RwLock::new(1);
    {
        let (_one, _two) = (lock.read().unwrap(), lock.try_read().unwrap());
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    }
    assert!(catch_unwind(|| panic_with(&lock.write())).is_err());
    assert!(lock.is_poisoned() && lock.read().is_err());
    lock.clear_poison();
    *lock.get_mut().unwrap() += 1;
    assert_eq!(lock.into_inner().unwrap(), 2);
}

fn panic_with<T>(_held: &T) {
    std::panic::resume_unwind(Box::new("on purpose"));
}

#[test]
fn a_condition_is_waited_for() {
    let pair: Arc<(Mutex<u32>, Condvar)> = Arc::default();
    let other = pair.clone();
    let thread = trackside::thread::spawn(move || {
        *other.0.lock().unwrap() += 1;
        other.1.notify_one();
    });
    let (lock, changed) = &*pair;
    let guard = changed.wait_while(lock.lock().unwrap(), |count| *count == 0).unwrap();
    let (mut guard, timeout): (MutexGuard<'_, u32>, WaitTimeoutResult) =
        changed.wait_timeout_while(guard, Duration::from_millis(1), |count| *count == 1).unwrap();
    assert!(timeout.timed_out());
    *guard = 7;
    drop(guard);
    thread.join().unwrap();
    let (guard, _) = CHANGED.wait_timeout(PLACED.lock().unwrap(), Duration::from_millis(1)).unwrap();
    assert!(guard.is_empty());
    assert_eq!(*pair.0.lock().unwrap(), 7);
}

#[test]
fn what_happens_once() {
    let mut calls = 0;
    STARTED.call_once(|| calls += 1);
    STARTED.call_once_force(|_| calls += 1);
    STARTED.wait();
    assert!(STARTED.is_completed() && calls == 1);

    assert_eq!(CONFIG.get_or_init(|| "fast".into()), CONFIG.wait());
    assert_eq!(CONFIG.set("slow".into()), Err("slow".into()));
    let mut cell = OnceLock::from(5);
    *cell.get_mut().unwrap() += 1;
    assert_eq!(cell.take(), Some(6));

    assert_eq!((LAZY["EUR"], LazyLock::force(&LAZY).len()), (1, 1));
    let mut lazy = LazyLock::new(|| 5);
    assert_eq!((format!("{lazy:?}"), LazyLock::get(&lazy)), ("LazyLock(<uninit>)".into(), None));
    *lazy += 1;
    *LazyLock::force_mut(&mut lazy) += 1;
    assert_eq!((LazyLock::get_mut(&mut lazy).copied(), *lazy), (Some(7), 7));
    assert_eq!(*LazyLock::<u8>::default(), 0);

    let result: BarrierWaitResult = GATE.wait();
    assert!(result.is_leader() && format!("{GATE:?}").starts_with("Barrier"));
    assert!(Barrier::new(0).wait().is_leader());
}

#[test]
fn atomics_do_what_stds_do() {
    assert_eq!(COUNT.fetch_add(2, Ordering::AcqRel), 1);
    assert_eq!(COUNT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |value| Some(value * 2)), Ok(3));
    assert_eq!(COUNT.compare_exchange(6, 7, Ordering::AcqRel, Ordering::Acquire), Ok(6));
    assert_eq!(COUNT.compare_exchange_weak(6, 8, Ordering::AcqRel, Ordering::Acquire), Err(7));
    assert!(!STOP.swap(true, Ordering::AcqRel) && STOP.fetch_not(Ordering::AcqRel));
    fence(Ordering::SeqCst);
    compiler_fence(Ordering::SeqCst);
    let mut small = AtomicI8::from(i8::MAX);
    assert_eq!((small.fetch_add(1, Ordering::Relaxed), *small.get_mut()), (i8::MAX, i8::MIN));
    assert_eq!(AtomicI64::new(1).fetch_max(5, Ordering::Relaxed), 1);
    let mut target = 5;
    let pointer = AtomicPtr::<i32>::default();
    assert!(pointer.swap(&raw mut target, Ordering::AcqRel).is_null() && !pointer.load(Ordering::Acquire).is_null());
    assert!(catch_unwind(|| COUNT.load(Ordering::Release)).is_err(), "as std's");
    let text = serde_json::to_string(&AtomicU8::new(7)).unwrap();
    assert_eq!(serde_json::from_str::<AtomicIsize>(&text).unwrap().into_inner(), 7);
}

/// Both ends, with the types of their errors.
fn send_all(sender: Sender<u32>, last: u32) -> Result<(), SendError<u32>> {
    (1..=last).try_for_each(|number| sender.send(number))
}

#[test]
fn channels() {
    let (sender, receiver): (Sender<u32>, Receiver<u32>) = mpsc::channel();
    send_all(sender.clone(), 3).unwrap();
    drop(sender);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_iter().next(), Some(2));
    assert_eq!(receiver.recv_timeout(Duration::from_secs(60)), Ok(3));
    assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Disconnected));
    assert_eq!(receiver.into_iter().count(), 0);

    let (sender, receiver): (SyncSender<u32>, Receiver<u32>) = mpsc::named_sync_channel("jobs", 1);
    assert_eq!((sender.try_send(1), sender.try_send(2)), (Ok(()), Err(TrySendError::Full(2))));
    assert_eq!((receiver.recv(), receiver.try_recv()), (Ok(1), Err(TryRecvError::Empty)));
    drop(receiver);
    assert_eq!(sender.send(3), Err(SendError(3)));
    let (sender, receiver) = mpsc::named_channel("jobs");
    sender.send(Box::new(5)).unwrap();
    assert_eq!(receiver.iter().next().as_deref(), Some(&5));
}

#[test]
fn values_are_what_they_are() {
    let balance = TOTAL.lock().unwrap().get();
    TOTAL.lock().unwrap().set(balance - 30);
    TOTAL.lock().unwrap().update(|balance| *balance -= 10);
    let mut total = TOTAL.lock().unwrap();
    assert_eq!((total.replace(5), total.take()), (60, 5));
    drop(total);
    RATES.write().unwrap().write().push(1);
    assert_eq!(RATES.read().unwrap().read().len(), 1);
    let mut account = Tracked::opaque(Secret(7)).renamed(format!("accounts.{}", 5));
    account.untracked_mut().0 += 1;
    assert_eq!((account.read().0, account.untracked().0, Tracked::<u8>::VALUE_LIMIT > 0), (8, 8, true));
    assert_eq!(format!("{:?} {:?}", Tracked::from(5), Tracked::<u8>::default()), "Tracked(5) Tracked(0)");
}

struct Secret(u8);

#[test]
fn threads_may_share_them_and_panics_may_pass_them() {
    fn check<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    check::<Mutex<u8>>();
    check::<RwLock<u8>>();
    check::<Condvar>();
    check::<Barrier>();
    check::<Once>();
    check::<OnceLock<u8>>();
    check::<LazyLock<u8>>();
    check::<AtomicU64>();
    check::<AtomicPtr<u8>>();
    check::<AssertUnwindSafe<Tracked<u8>>>();
    fn send<T: Send>() {}
    send::<Sender<u8>>();
    send::<SyncSender<u8>>();
    send::<Receiver<u8>>();
}
