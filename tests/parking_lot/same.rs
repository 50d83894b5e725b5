//! The same calls are made on both crates' locks, and their answers compared.

use crate::turn;
use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Compiles each body twice, once with either crate's names, so that they cannot differ but in these.
macro_rules! same {
    ($($(#[$doc:meta])* fn $name:ident() $body:block)*) => {$(
        #[test]
        $(#[$doc])*
        fn $name() {
            let _turn = turn();
            let theirs: Vec<String> = {
                use ::parking_lot::*;
                $body
            };
            let ours: Vec<String> = {
                use trackside::parking_lot::*;
                $body
            };
            assert_eq!(theirs, ours);
            assert!(!ours.is_empty());
        }
    )*};
}

const SHORT: Duration = Duration::from_millis(2);

fn soon() -> Instant {
    Instant::now() + SHORT
}

/// Whether a type is `Send`, as a constant: the inherent constant, which is there only if the bound holds, goes before the
/// trait's.
struct Sends<T: ?Sized>(PhantomData<T>);

/// As [`Sends`], of `Sync`.
struct Is<T: ?Sized>(PhantomData<T>);

trait Otherwise {
    const SEND: bool = false;
    const SYNC: bool = false;
}

impl<T: ?Sized> Otherwise for Sends<T> {}

impl<T: ?Sized> Otherwise for Is<T> {}

impl<T: ?Sized + Send> Sends<T> {
    const SEND: bool = true;
}

impl<T: ?Sized + Sync> Is<T> {
    const SYNC: bool = true;
}

/// What a type can do across threads.
macro_rules! send_sync {
    ($type:ty) => {
        format!("{} {}", <Sends<$type>>::SEND, <Is<$type>>::SYNC)
    };
}

same! {
    fn a_mutex() {
        static STATIC: Mutex<Vec<i32>> = const_mutex(Vec::new());
        STATIC.lock().push(1);
        let mut mutex = Mutex::new(vec![1, 2, 3]);
        mutex.get_mut().push(4);
        let mut said = vec![format!("{mutex:?} {} {:?}", mutex.is_locked(), *STATIC.lock())];
        let guard = mutex.lock();
        said.push(format!("{guard:?} {mutex:?} {}", mutex.is_locked()));
        said.push(format!("{}", mutex.try_lock().is_some()));
        said.push(format!("{} {}", mutex.try_lock_for(SHORT).is_some(), mutex.try_lock_until(soon()).is_some()));
        drop(guard);
        mutex.try_lock().unwrap().push(5);
        mutex.try_lock_for(SHORT).unwrap().push(6);
        mutex.try_lock_until(soon()).unwrap().push(7);
        said.push(format!("{:?} {:?} {}", Mutex::<u8>::default(), Mutex::from("x"), *Mutex::new("shown").lock()));
        said.push(format!("{:?}", mutex.into_inner()));
        said
    }

    fn a_mutex_s_guard() {
        let mutex = Mutex::new(vec![1, 2, 3]);
        let mut said = Vec::new();
        let mut guard = mutex.lock();
        said.push(format!("{}", std::ptr::eq(MutexGuard::mutex(&guard), &mutex)));
        said.push(MutexGuard::unlocked(&mut guard, || format!("{mutex:?} {}", mutex.is_locked())));
        said.push(MutexGuard::unlocked_fair(&mut guard, || format!("{mutex:?} {}", mutex.is_locked())));
        MutexGuard::bump(&mut guard);
        said.push(format!("{guard:?} {}", mutex.is_locked()));
        MutexGuard::unlock_fair(guard);
        said.push(format!("{}", mutex.is_locked()));
        MutexGuard::leak(mutex.lock()).push(4);
        said.push(format!("{}", mutex.is_locked()));
        said
    }

    fn a_mapped_mutex_guard() {
        let mutex = Mutex::new(vec![vec![1, 2], vec![3]]);
        let mut said = Vec::new();
        let guard = match MutexGuard::try_map(mutex.lock(), |list| list.get_mut(7)) {
            Ok(_) => unreachable!(),
            Err(guard) => guard,
        };
        let guard = match MutexGuard::try_map_or_err(guard, |list| list.get_mut(7).ok_or("none")) {
            Ok(_) => unreachable!(),
            Err((guard, why)) => {
                said.push(why.into());
                guard
            }
        };
        let mut first = MutexGuard::map(guard, |list| &mut list[0]);
        first.push(9);
        said.push(format!("{first:?} {}", mutex.is_locked()));
        let number = MappedMutexGuard::map(first, |list| &mut list[2]);
        said.push(format!("{number} {}", mutex.is_locked()));
        let Err(number) = MappedMutexGuard::try_map(number, |_| None::<&mut u8>) else { unreachable!() };
        MappedMutexGuard::unlock_fair(number);
        said.push(format!("{mutex:?}"));
        said
    }

    fn a_fair_mutex() {
        static STATIC: FairMutex<u8> = const_fair_mutex(1);
        let mutex = FairMutex::new(vec![*STATIC.lock()]);
        let mut guard = mutex.lock();
        let mut said = vec![format!("{guard:?} {mutex:?} {}", mutex.try_lock().is_some())];
        said.push(format!("{} {}", mutex.try_lock_for(SHORT).is_some(), mutex.try_lock_until(soon()).is_some()));
        said.push(FairMutexGuard::unlocked(&mut guard, || format!("{mutex:?}")));
        FairMutexGuard::bump(&mut guard);
        drop(FairMutexGuard::map(guard, |list| &mut list[0]));
        FairMutexGuard::unlock_fair(mutex.lock());
        said.push(format!("{} {:?}", mutex.is_locked(), mutex.into_inner()));
        said
    }

    fn a_reentrant_mutex() {
        static STATIC: ReentrantMutex<Cell<u8>> = const_reentrant_mutex(Cell::new(1));
        let mut mutex = ReentrantMutex::new(Cell::new(STATIC.lock().get()));
        mutex.get_mut().set(2);
        let mut said = vec![format!("{mutex:?} {:?} {:?}", ReentrantMutex::<u8>::default(), ReentrantMutex::from(3))];
        let mut outer = mutex.lock();
        let inner = (mutex.lock(), mutex.try_lock(), mutex.try_lock_for(SHORT), mutex.try_lock_until(soon()));
        inner.0.set(4);
        said.push(format!("{outer:?} {inner:?} {mutex:?}"));
        let elsewhere = || thread::scope(|scope| {
            let mutex = &mutex;
            let tries = move || (mutex.try_lock().is_some(), mutex.try_lock_for(SHORT).is_some(), mutex.is_locked());
            format!("{:?}", scope.spawn(move || (tries(), mutex.is_owned_by_current_thread())).join().unwrap())
        });
        drop(inner);
        said.push(format!("{} {}", elsewhere(), mutex.is_owned_by_current_thread()));
        said.push(ReentrantMutexGuard::unlocked(&mut outer, elsewhere));
        ReentrantMutexGuard::bump(&mut outer);
        said.push(elsewhere());
        let mapped = ReentrantMutexGuard::map(outer, |cell| cell);
        said.push(format!("{mapped:?} {}", elsewhere()));
        MappedReentrantMutexGuard::unlock_fair(mapped);
        said.push(elsewhere());
        said.push(format!("{:?}", mutex.into_inner()));
        said
    }

    fn a_rwlock_to_read_and_to_write() {
        static STATIC: RwLock<Vec<i32>> = const_rwlock(Vec::new());
        STATIC.write().push(1);
        let mut lock = RwLock::new(vec![1, 2, 3]);
        lock.get_mut().push(4);
        let mut said = vec![format!("{lock:?} {:?} {:?}", RwLock::<u8>::default(), RwLock::from("x"))];
        let state = |lock: &RwLock<Vec<i32>>| {
            let reads = [lock.try_read().is_some(), lock.try_read_for(SHORT).is_some(), lock.try_read_until(soon()).is_some()];
            let more = [
                lock.try_read_recursive().is_some(),
                lock.try_read_recursive_for(SHORT).is_some(),
                lock.try_read_recursive_until(soon()).is_some(),
            ];
            let writes = [lock.try_write().is_some(), lock.try_write_for(SHORT).is_some(), lock.try_write_until(soon()).is_some()];
            let upgradable = [
                lock.try_upgradable_read().is_some(),
                lock.try_upgradable_read_for(SHORT).is_some(),
                lock.try_upgradable_read_until(soon()).is_some(),
            ];
            format!("{reads:?} {more:?} {writes:?} {upgradable:?} {} {}", lock.is_locked(), lock.is_locked_exclusive())
        };
        said.push(state(&lock));
        let (mut reading, again) = (lock.read(), lock.read_recursive());
        said.push(format!("{reading:?} {again:?} {}", state(&lock)));
        said.push(format!("{}", std::ptr::eq(RwLockReadGuard::rwlock(&reading), &lock)));
        RwLockReadGuard::bump(&mut reading);
        RwLockReadGuard::unlock_fair(again);
        said.push(RwLockReadGuard::unlocked(&mut reading, || state(&lock)));
        said.push(RwLockReadGuard::unlocked_fair(&mut reading, || state(&lock)));
        let first = RwLockReadGuard::map(reading, |list| &list[0]);
        said.push(format!("{first} {}", state(&lock)));
        MappedRwLockReadGuard::unlock_fair(first);
        let mut writing = lock.write();
        writing.push(5);
        said.push(format!("{writing:?} {lock:?} {}", state(&lock)));
        RwLockWriteGuard::bump(&mut writing);
        said.push(RwLockWriteGuard::unlocked(&mut writing, || state(&lock)));
        let reading = RwLockWriteGuard::downgrade(writing);
        said.push(format!("{reading:?} {}", state(&lock)));
        drop(reading);
        *RwLockWriteGuard::map(lock.write(), |list| &mut list[0]) += 1;
        let Err(writing) = RwLockWriteGuard::try_map(lock.write(), |_| None::<&mut u8>) else { unreachable!() };
        RwLockWriteGuard::unlock_fair(writing);
        said.push(format!("{} {:?}", state(&lock), lock.into_inner()));
        said
    }

    fn an_upgradable_read() {
        let lock = RwLock::new(vec![1]);
        let state = || {
            let upgradable = lock.try_upgradable_read().is_some();
            format!("{} {upgradable} {}", lock.try_read().is_some(), lock.try_write().is_some())
        };
        let mut upgradable = lock.upgradable_read();
        let mut said = vec![format!("{upgradable:?} {}", state())];
        said.push(format!("{}", std::ptr::eq(RwLockUpgradableReadGuard::rwlock(&upgradable), &lock)));
        said.push(RwLockUpgradableReadGuard::unlocked(&mut upgradable, state));
        said.push(RwLockUpgradableReadGuard::unlocked_fair(&mut upgradable, state));
        RwLockUpgradableReadGuard::bump(&mut upgradable);
        let reading = lock.read();
        let mut upgradable = [
            RwLockUpgradableReadGuard::try_upgrade,
            |guard| RwLockUpgradableReadGuard::try_upgrade_for(guard, SHORT),
            |guard| RwLockUpgradableReadGuard::try_upgrade_until(guard, soon()),
        ]
        .into_iter()
        .fold(upgradable, |guard, upgrade| upgrade(guard).unwrap_err());
        said.push(format!("{:?}", upgradable.try_with_upgraded(|list| list.push(2))));
        said.push(format!("{:?}", upgradable.try_with_upgraded_for(SHORT, |list| list.push(2))));
        said.push(format!("{:?}", upgradable.try_with_upgraded_until(soon(), |list| list.push(2))));
        said.push(state());
        drop(reading);
        upgradable.with_upgraded(|list| list.push(3));
        said.push(format!("{:?}", upgradable.try_with_upgraded(|list| list.push(4))));
        said.push(format!("{upgradable:?} {}", state()));
        let mut writing = RwLockUpgradableReadGuard::try_upgrade_for(upgradable, SHORT).unwrap();
        writing.push(5);
        said.push(state());
        let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writing);
        said.push(state());
        let mut writing = RwLockUpgradableReadGuard::upgrade(upgradable);
        writing.push(6);
        let reading = RwLockUpgradableReadGuard::downgrade(RwLockWriteGuard::downgrade_to_upgradable(writing));
        said.push(format!("{reading:?} {}", state()));
        drop(reading);
        RwLockUpgradableReadGuard::unlock_fair(lock.upgradable_read());
        said.push(format!("{} {lock:?}", state()));
        said
    }

    fn a_condvar() {
        let (mutex, condvar) = (Mutex::new(0), Condvar::new());
        let mut said = vec![format!("{condvar:?} {} {}", condvar.notify_one(), condvar.notify_all())];
        let mut guard = mutex.lock();
        said.push(format!("{:?}", condvar.wait_for(&mut guard, SHORT).timed_out()));
        said.push(format!("{:?}", condvar.wait_until(&mut guard, soon())));
        said.push(format!("{:?}", condvar.wait_while_for(&mut guard, |value| *value == 0, SHORT)));
        said.push(format!("{:?}", condvar.wait_while_until(&mut guard, |value| *value == 0, soon())));
        said.push(format!("{:?}", condvar.wait_while_for(&mut guard, |value| *value == 1, SHORT)));
        condvar.wait_while(&mut guard, |value| *value == 1);
        said.push(format!("{guard} {mutex:?}"));
        drop(guard);
        thread::scope(|scope| {
            let wait = || {
                let mut guard = mutex.lock();
                *guard += 1;
                condvar.wait(&mut guard);
                // Too far away for any clock: for ever.
                condvar.wait_while_for(&mut guard, |value| *value < 10, Duration::MAX);
                *guard += 1;
            };
            let threads = [scope.spawn(wait), scope.spawn(wait)];
            while *mutex.lock() < 2 {
                thread::yield_now();
            }
            // Both wait, as both have counted under the mutex.
            said.push(format!("{}", condvar.notify_all()));
            let mut guard = mutex.lock();
            *guard = 10;
            drop(guard);
            while !threads.iter().all(|thread| thread.is_finished()) {
                condvar.notify_one();
                thread::yield_now();
            }
        });
        said.push(format!("{mutex:?}"));
        said
    }

    fn a_condvar_with_two_mutexes() {
        let (one, other, condvar) = (Mutex::new(false), Mutex::new(7), Condvar::new());
        thread::scope(|scope| {
            let (waits, waiting) = mpsc::channel();
            let (one, condvar) = (&one, &condvar);
            scope.spawn(move || {
                let mut guard = one.lock();
                waits.send(()).unwrap();
                condvar.wait_while(&mut guard, |done| !*done);
            });
            waiting.recv().unwrap();
            // It waits when its mutex can be had.
            let mut done = one.lock();
            let result = catch_unwind(AssertUnwindSafe(|| condvar.wait(&mut other.lock())));
            let panicked = *result.unwrap_err().downcast::<&str>().unwrap();
            *done = true;
            condvar.notify_one();
            vec![panicked.into(), format!("{other:?}")]
        })
    }

    fn guards_that_own_their_lock() {
        let (mutex, lock) = (Arc::new(Mutex::new(1)), Arc::new(RwLock::new(1)));
        let mut guard: ArcMutexGuard<RawMutex, i32> = mutex.lock_arc();
        *guard += 1;
        let mut said = vec![format!("{} {} {}", *guard, mutex.try_lock_arc().is_some(), mutex.try_lock_arc_for(SHORT).is_some())];
        drop(guard);
        said.push(format!("{:?}", mutex.try_lock_arc_until(soon()).map(|guard| *guard)));
        *lock.write_arc() += 1;
        let reading: ArcRwLockReadGuard<RawRwLock, i32> = lock.read_arc();
        said.push(format!("{reading:?} {} {}", lock.try_read_arc().is_some(), lock.try_write_arc().is_some()));
        drop(reading);
        let mut writing = ArcRwLockUpgradableReadGuard::upgrade(lock.upgradable_read_arc());
        *writing += 1;
        said.push(format!("{:?} {lock:?}", ArcRwLockWriteGuard::downgrade(writing)));
        said.push(format!("{lock:?} {mutex:?}"));
        said
    }

    fn the_unsized_and_what_crosses_threads() {
        let shared: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
        shared.lock()[0] = 4;
        let object: Box<RwLock<dyn std::fmt::Debug>> = Box::new(RwLock::new("text"));
        let reentrant: Box<ReentrantMutex<Cell<u8>>> = Box::default();
        type Rc = std::rc::Rc<u8>;
        type Celled = Cell<u8>;
        vec![
            format!("{shared:?} {:?} {object:?} {reentrant:?}", &*object.read()),
            [send_sync!(Mutex<u8>), send_sync!(Mutex<Celled>), send_sync!(Mutex<Rc>)].join(" "),
            [send_sync!(RwLock<u8>), send_sync!(RwLock<Celled>), send_sync!(RwLock<Rc>)].join(" "),
            [send_sync!(ReentrantMutex<u8>), send_sync!(ReentrantMutex<Celled>), send_sync!(ReentrantMutex<Rc>)].join(" "),
            [send_sync!(MutexGuard<'_, u8>), send_sync!(MutexGuard<'_, Celled>)].join(" "),
            [send_sync!(RwLockReadGuard<'_, u8>), send_sync!(RwLockUpgradableReadGuard<'_, u8>)].join(" "),
            [send_sync!(ReentrantMutexGuard<'_, u8>), send_sync!(FairMutexGuard<'_, u8>), send_sync!(Condvar)].join(" "),
        ]
    }

    fn what_is_parking_lot_s_own() {
        let once = Once::new();
        once.call_once(|| {});
        use lock_api::RawMutex as _;
        let raw = RawMutex::INIT;
        let mut said = vec![format!("{:?} {:?}", once.state(), OnceState::Done), format!("{}", raw.try_lock())];
        said.push(format!("{} {}", raw.try_lock(), raw.is_locked()));
        said.push(format!("{:?}", Mutex::from_raw(RawMutex::INIT, 7)));
        said
    }
}
