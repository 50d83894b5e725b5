//! Locks around closures, and guards of any lock.

use super::assert_rows;
use crate::support::client;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, RwLock};
use trackside::Client;
use trackside_wire::Kind::{Custom, LockAcquire, LockRelease, Write};

const MUTEX: &str = "[null, \"Mutex\"]";

#[test]
fn closures_run_between_acquisition_and_release() {
    let (client, memory) = client();
    let (mutex, rwlock) = (Mutex::new(100), RwLock::new(vec![1]));
    let name = String::from("account_lock");
    let start = line!();
    let left = client.with_lock(&mutex, &name, "Mutex", |balance| {
        let balance = balance.unwrap();
        *balance -= 70;
        client.track_write("balance", 100, *balance);
        *balance
    });
    client.with_rwlock_write(&rwlock, "data_lock", |data| data.unwrap().push(left));
    let len = client.with_rwlock_read(&rwlock, "data_lock", |data| data.unwrap().len());
    assert_eq!((left, len, mutex.into_inner().unwrap()), (30, 2, 30));
    let rows = [
        (start + 1, LockAcquire, "account_lock", "null", MUTEX),
        (start + 4, Write, "balance", "100", "30"),
        (start + 1, LockRelease, "account_lock", "null", MUTEX),
        (start + 7, LockAcquire, "data_lock", "null", "[null, \"RwLock-Write\"]"),
        (start + 7, LockRelease, "data_lock", "null", "[null, \"RwLock-Write\"]"),
        (start + 8, LockAcquire, "data_lock", "null", "[null, \"RwLock-Read\"]"),
        (start + 8, LockRelease, "data_lock", "null", "[null, \"RwLock-Read\"]"),
    ];
    assert_rows(&client, &memory, file!(), &rows);
}

#[test]
fn unsized_values_are_locked_like_others() {
    let (client, _) = client();
    let slice: &Mutex<[i32]> = &Mutex::new([1, 2, 3]);
    assert_eq!(client.with_lock(slice, "slice", "Mutex", |slice| slice.unwrap().len()), 3);
}

#[test]
fn a_panic_releases_and_poisons_and_the_next_one_decides() {
    let (client, memory) = client();
    let (mutex, rwlock) = (Mutex::new(1), RwLock::new(2));
    let start = line!();
    let panic = || client.with_lock(&mutex, "m", "Mutex", |_| panic!("within"));
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    let value = client.with_lock(&mutex, "m", "Mutex", |value| *value.unwrap_or_else(PoisonError::into_inner));
    let panic = || client.with_rwlock_write(&rwlock, "r", |_| panic!("within"));
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    let read = client.with_rwlock_read(&rwlock, "r", |value| value.map(|_| ()).map_err(|poison| **poison.get_ref()));
    let write = client.with_rwlock_write(&rwlock, "r", |value| value.map(|_| ()).map_err(|poison| **poison.get_ref()));
    assert_eq!((value, read, write), (1, Err(2), Err(2)));
    let (read, write) = ("[null, \"RwLock-Read\"]", "[null, \"RwLock-Write\"]");
    let each = [(1, "m", MUTEX), (3, "m", MUTEX), (4, "r", write), (6, "r", read), (7, "r", write)];
    let rows = each.map(|(at, name, what)| {
        [(start + at, LockAcquire, name, "null", what), (start + at, LockRelease, name, "null", what)]
    });
    assert_rows(&client, &memory, file!(), rows.as_flattened());
}

/// A lock that is neither std's nor ours, and tells when it is unlocked.
struct Foreign<'a> {
    client: &'a Client,
    value: Cell<i32>,
}

struct ForeignGuard<'a>(&'a Foreign<'a>);

impl<'a> Foreign<'a> {
    fn lock(&'a self) -> ForeignGuard<'a> {
        ForeignGuard(self)
    }
}

impl ForeignGuard<'_> {
    fn add(&mut self, amount: i32) {
        self.0.value.set(self.0.value.get() + amount);
    }
}

impl Drop for ForeignGuard<'_> {
    fn drop(&mut self) {
        self.0.client.track_custom("unlocked", self.0.value.get());
    }
}

const UNLOCK: u32 = line!() - 4;

#[test]
fn any_guard_is_released_before_it_unlocks() {
    let (client, memory) = client();
    let lock = Foreign { client: &client, value: Cell::new(1) };
    let start = line!();
    let mut guard = client.track_guard(lock.lock(), "spin", "SpinLock");
    guard.add(2);
    drop(guard);
    let panic = || {
        let _guard = client.track_guard(lock.lock(), "spin", "SpinLock");
        panic!("within");
    };
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    let rows = [1, 5].map(|at| {
        [
            (start + at, LockAcquire, "spin", "null", "[null, \"SpinLock\"]"),
            (start + at, LockRelease, "spin", "null", "[null, \"SpinLock\"]"),
            (UNLOCK, Custom, "unlocked", "3", "null"),
        ]
    });
    assert_rows(&client, &memory, file!(), rows.as_flattened());
}

#[test]
fn a_guard_of_an_async_lock_may_go_to_another_thread() {
    fn spawnable<F: Future + Send>(future: F) -> F {
        future
    }
    let (client, memory) = client();
    let mutex = tokio::sync::Mutex::new(1);
    let work = spawnable(async {
        let mut guard = client.track_guard(mutex.lock().await, "async", "Mutex");
        tokio::task::yield_now().await;
        **guard += 1;
    });
    let line = line!() - 4;
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
    assert_eq!(mutex.into_inner(), 2);
    let rows = [(line, LockAcquire, "async", "null", MUTEX), (line, LockRelease, "async", "null", MUTEX)];
    assert_rows(&client, &memory, file!(), &rows);
}
