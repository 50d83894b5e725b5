//! Tokio's.

use super::same;
use std::sync::Arc;
use tokio::sync as theirs;
use trackside::tokio::{sync as ours, task};

#[test]
fn nothing_is_kept_beside_a_value() {
    same::<ours::Mutex<u8>, theirs::Mutex<u8>>();
    same::<ours::RwLock<u8>, theirs::RwLock<u8>>();
    same::<ours::Semaphore, theirs::Semaphore>();
    same::<ours::Notify, theirs::Notify>();
    same::<ours::Barrier, theirs::Barrier>();
    same::<ours::OnceCell<u8>, theirs::OnceCell<u8>>();
}

#[test]
fn what_is_owned_is_dropped_once() {
    let dropped = Arc::new(());
    let one = Arc::new(ours::Mutex::new(dropped.clone()));
    let guard: theirs::OwnedMutexGuard<Arc<()>> = one.clone().try_lock_owned().unwrap();
    assert_eq!((Arc::strong_count(&one), Arc::strong_count(&dropped)), (2, 2));
    drop(one);
    assert_eq!(Arc::strong_count(&guard), 2);
    drop(guard);
    assert_eq!(Arc::strong_count(&dropped), 1);
    let permits = Arc::new(ours::Semaphore::new(1));
    drop(permits.clone().try_acquire_owned());
    let notify = Arc::new(ours::Notify::new());
    drop(notify.clone().notified_owned());
    assert_eq!((Arc::strong_count(&permits), Arc::strong_count(&notify)), (1, 1));
}

#[test]
fn what_is_handed_out_is_tokios_own() {
    let mutex = ours::Mutex::named("mutex", 1);
    let guard: theirs::MutexGuard<'_, u8> = mutex.try_lock().unwrap();
    drop(guard);
    let (sender, receiver): (theirs::mpsc::Sender<u8>, theirs::mpsc::Receiver<u8>) = ours::mpsc::channel(1);
    drop((sender, receiver));
    let set: tokio::task::JoinSet<()> = task::JoinSet::new();
    assert!(set.is_empty());
}
