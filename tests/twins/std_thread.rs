//! `trackside::thread`.

use std::cell::Cell;
use std::time::Duration;
use trackside::thread::{self, Builder, JoinHandle, LocalKey, Result, Scope, ScopedJoinHandle, Thread, ThreadId};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

fn depth(key: &'static LocalKey<Cell<u32>>) -> u32 {
    key.replace(1)
}

#[test]
fn threads_are_spawned_and_joined() {
    let handle: JoinHandle<u32> = thread::spawn(|| depth(&DEPTH) + 5);
    let (thread, id): (Thread, ThreadId) = (handle.thread().clone(), handle.thread().id());
    assert!(id == thread.id() && id != thread::current().id());
    let joined: Result<u32> = handle.join();
    assert_eq!(joined.unwrap(), 5);

    let named = Builder::new().name("worker".into()).stack_size(1 << 20);
    let handle = named.spawn(|| thread::current().name().map(str::to_owned)).unwrap();
    assert_eq!(handle.join().unwrap().as_deref(), Some("worker"));
    let failed = thread::spawn(|| std::panic::resume_unwind(Box::new(7))).join();
    assert_eq!(failed.unwrap_err().downcast_ref(), Some(&7));
    assert!(!thread::panicking() && thread::available_parallelism().is_ok());
}

fn spawn_in<'scope>(scope: &'scope Scope<'scope, '_>, text: &'scope str) -> ScopedJoinHandle<'scope, usize> {
    Builder::new().spawn_scoped(scope, || text.len()).unwrap()
}

#[test]
fn threads_in_a_scope_borrow() {
    let (text, mut sum) = (String::from("four"), 0);
    let length = thread::scope(|scope| {
        scope.spawn(|| sum += 1);
        let handle = spawn_in(scope, &text);
        while !handle.is_finished() {
            thread::yield_now();
        }
        handle.join().unwrap()
    });
    assert_eq!((length, sum), (4, 1));
}

#[test]
fn a_parked_thread_goes_on() {
    let parked = thread::spawn(thread::park);
    parked.thread().unpark();
    parked.join().unwrap();
    thread::park_timeout(Duration::from_millis(1));
}
