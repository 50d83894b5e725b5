//! `trackside::tokio`, with its types named as programs name them.

use std::sync::Arc;
use std::time::Duration;
use tokio::runtime;
use trackside::tokio::sync::{
    self, Barrier, BarrierWaitResult, MappedMutexGuard, Mutex, MutexGuard, Notify, OnceCell, OwnedMutexGuard,
    OwnedRwLockReadGuard, OwnedSemaphorePermit, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit,
    SetError, TryAcquireError, TryLockError, broadcast, futures, mpsc, oneshot, watch,
};
use trackside::tokio::task::{self, JoinHandle, JoinSet};

static TOTAL: Mutex<u64> = Mutex::const_named("total", 1);
static RATES: RwLock<Vec<u32>> = RwLock::const_named("rates", Vec::new());
static PERMITS: Semaphore = Semaphore::const_named("permits", 2);
static READY: Notify = Notify::const_named("ready");
static CELL: OnceCell<u32> = OnceCell::const_named("cell");

fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

async fn half<'a>(mutex: &'a Mutex<(u8, u8)>) -> MappedMutexGuard<'a, u8> {
    let guard: MutexGuard<'a, (u8, u8)> = mutex.lock().await;
    MutexGuard::map(guard, |pair| &mut pair.1)
}

#[test]
fn locks() {
    block_on(async {
        *TOTAL.lock().await += 1;
        assert_eq!(*TOTAL.lock().await, 2);
        let shared: Arc<Mutex<(u8, u8)>> = Arc::new(Mutex::named("pair", (1, 2)));
        *half(&shared).await += 1;
        let owned: OwnedMutexGuard<(u8, u8)> = shared.clone().lock_owned().await;
        let refused: Option<TryLockError> = shared.try_lock().err();
        assert!(refused.is_some() && shared.clone().try_lock_owned().is_err());
        assert_eq!(*owned, (1, 3));
        drop(owned);
        assert_eq!(Arc::into_inner(shared).map(Mutex::into_inner), Some((1, 3)));

        let mut writing: RwLockWriteGuard<'_, Vec<u32>> = RATES.write().await;
        writing.push(7);
        let reading: RwLockReadGuard<'_, Vec<u32>> = writing.downgrade();
        assert!(RATES.try_read().is_ok() && RATES.try_write().is_err());
        drop(reading);
        let slice: Arc<RwLock<[u8]>> = Arc::new(RwLock::new([1, 2]));
        let part: OwnedRwLockReadGuard<[u8], u8> =
            OwnedRwLockReadGuard::map(slice.clone().read_owned().await, |slice| &slice[1]);
        assert_eq!((*part, slice.try_write_owned().is_err()), (2, true));
        assert_eq!(format!("{:?}", RwLock::from(1)), "RwLock { data: 1 }");
    });
    assert_eq!(*TOTAL.blocking_lock(), 2);
    assert_eq!(RATES.blocking_read().len(), 1);
}

#[test]
fn signals() {
    block_on(async {
        let one: SemaphorePermit<'_> = PERMITS.acquire().await.unwrap();
        assert_eq!(PERMITS.try_acquire_many(2).unwrap_err(), TryAcquireError::NoPermits);
        drop(one);
        let shared = Arc::new(Semaphore::new(1));
        let permit: OwnedSemaphorePermit = shared.clone().acquire_owned().await.unwrap();
        assert_eq!((permit.num_permits(), shared.available_permits()), (1, 0));
        permit.forget();
        shared.close();
        assert!(shared.acquire().await.is_err() && shared.is_closed());

        READY.notify_one();
        let notified: futures::Notified<'_> = READY.notified();
        notified.await;
        let shared = Arc::new(Notify::named("shared"));
        let notified: futures::OwnedNotified = shared.clone().notified_owned();
        shared.notify_waiters();
        notified.await;

        let result: BarrierWaitResult = Barrier::named("barrier", 1).wait().await;
        assert!(result.is_leader());
        assert_eq!(CELL.get_or_init(async || 5).await, &5);
        assert!(matches!(CELL.set(6), Err(SetError::AlreadyInitializedError(6))));
        assert_eq!(OnceCell::from(7).clone().into_inner(), Some(7));
        assert_eq!(CELL.get_or_try_init(async || Err::<u32, ()>(())).await, Ok(&5));
    });
}

#[test]
fn channels() {
    block_on(async {
        let (sender, mut receiver): (mpsc::Sender<u32>, mpsc::Receiver<u32>) = mpsc::named_channel("jobs", 1);
        sender.reserve().await.unwrap().send(1);
        assert!(matches!(sender.try_send(2), Err(mpsc::error::TrySendError::Full(2))));
        drop(sender);
        assert_eq!((receiver.recv().await, receiver.recv().await), (Some(1), None));
        let (sender, mut receiver) = mpsc::named_unbounded_channel("jobs");
        sender.send(5).unwrap();
        assert_eq!(receiver.try_recv(), Ok(5));
        let (sender, receiver): (oneshot::Sender<u32>, oneshot::Receiver<u32>) = oneshot::named_channel("answer");
        sender.send(7).unwrap();
        assert_eq!(receiver.await, Ok(7));
        let (sender, mut receiver) = broadcast::named_channel("news", 4);
        assert_eq!((sender.send(8).unwrap(), receiver.recv().await), (1, Ok(8)));
        let (sender, mut receiver) = watch::named_channel("state", 0);
        sender.send(9).unwrap();
        assert_eq!(*receiver.wait_for(|value| *value > 0).await.unwrap(), 9);
        assert!(sync::watch::channel(0).1.borrow().eq(&0));
    });
}

#[test]
fn tasks() {
    block_on(async {
        let handle: JoinHandle<u32> = task::spawn(async { 5 });
        assert_eq!(handle.await.unwrap(), 5);
        assert_eq!(task::spawn_blocking(|| 6).await.unwrap(), 6);
        let mut set: JoinSet<u64> = (0..4).map(|number| async move { number }).collect();
        set.spawn(async { 4 });
        let mut sum = 0;
        while let Some(number) = set.join_next().await {
            sum += number.unwrap();
        }
        assert_eq!((sum, set.is_empty()), (10, true));
        let endless = task::spawn(std::future::pending::<()>());
        endless.abort();
        assert!(endless.await.unwrap_err().is_cancelled());
        task::yield_now().await;
        tokio::time::sleep(Duration::ZERO).await;
    });
}
