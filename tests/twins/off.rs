//! Without the feature: the types are std's, with nothing beside them, and their guards are std's own.

#[cfg(feature = "tokio")]
mod of_tokio;

use std::mem::{align_of, size_of};
use std::sync;
use trackside::sync as ours;

#[track_caller]
fn same<Ours, Theirs>() {
    assert_eq!((size_of::<Ours>(), align_of::<Ours>()), (size_of::<Theirs>(), align_of::<Theirs>()));
}

#[test]
fn nothing_is_kept_beside_a_value() {
    same::<ours::Mutex<u8>, sync::Mutex<u8>>();
    same::<ours::RwLock<[u64; 3]>, sync::RwLock<[u64; 3]>>();
    same::<ours::Barrier, sync::Barrier>();
    same::<ours::Once, sync::Once>();
    same::<ours::OnceLock<u8>, sync::OnceLock<u8>>();
    same::<ours::LazyLock<u8>, sync::LazyLock<u8>>();
    same::<ours::Tracked<u8>, u8>();
    same::<ours::WriteGuard<'_, u8>, &mut u8>();
    same::<ours::atomic::AtomicBool, bool>();
    same::<ours::atomic::AtomicU8, u8>();
    same::<ours::atomic::AtomicI16, i16>();
    same::<ours::atomic::AtomicU64, u64>();
    same::<ours::atomic::AtomicPtr<u8>, *mut u8>();
}

#[test]
fn what_is_handed_out_is_stds_own() {
    let mutex = ours::Mutex::named("mutex", 1);
    let guard: sync::MutexGuard<'_, u8> = mutex.lock().unwrap();
    drop(guard);
    let lock = ours::RwLock::named("lock", 1);
    let guard: sync::RwLockWriteGuard<'_, u8> = lock.write().unwrap();
    let guard: sync::RwLockReadGuard<'_, u8> = sync::RwLockWriteGuard::downgrade(guard);
    drop(guard);
    let condvar: sync::Condvar = ours::Condvar::new();
    let guard: sync::MutexGuard<'_, u8> = condvar.wait_while(mutex.lock().unwrap(), |_| false).unwrap();
    drop(guard);
    let _: sync::BarrierWaitResult = ours::Barrier::named("barrier", 1).wait();
    let (sender, receiver): (sync::mpsc::Sender<u8>, sync::mpsc::Receiver<u8>) = ours::mpsc::named_channel("jobs");
    let _: (sync::mpsc::SyncSender<u8>, _) = ours::mpsc::named_sync_channel::<u8>("jobs", 1);
    drop((sender, receiver));
    let thread: std::thread::JoinHandle<()> = trackside::thread::spawn(|| ());
    thread.join().unwrap();
}
