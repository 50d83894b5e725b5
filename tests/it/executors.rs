//! Contexts of futures on an executor that knows nothing of them.

use crate::support::order::Order;
use crate::support::{LONG, client, events};
use async_executor::Executor;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};
use trackside::{Context, InContext};

/// Only blocks on a future: there is no executor in it.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_future_is_the_same_strand_on_whatever_thread_it_is_polled() {
    const MIGRATIONS: usize = 20;
    let (client, memory) = client();
    let executor = Arc::new(Executor::new());
    let stop = Arc::new(Semaphore::new(0));
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (executor, stop) = (executor.clone(), stop.clone());
            std::thread::spawn(move || block_on(executor.run(async { stop.acquire().await.unwrap().forget() })))
        })
        .collect();
    let tasks: Vec<_> = (0..4_u64)
        .map(|number| {
            let context = client.context();
            let (strand, recorder) = (context.thread_id().strand, client.clone());
            let work = async move {
                let (mut migrations, mut count) = (0, 0_u64);
                while migrations < MIGRATIONS {
                    recorder.track_custom("migrating", number);
                    count += 1;
                    let before = std::thread::current().id();
                    let (tell, told) = oneshot::channel();
                    std::thread::spawn(move || tell.send(()));
                    told.await.unwrap();
                    migrations += usize::from(before != std::thread::current().id());
                    assert_eq!(Context::current().map(|current| current.thread_id().strand), Some(strand));
                }
                count
            };
            (strand, executor.spawn(work.in_context(context)))
        })
        .collect();
    let expected: BTreeMap<u64, u64> = tasks.into_iter().map(|(strand, task)| (strand, block_on(task))).collect();
    stop.add_permits(workers.len());
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    client.flush(LONG).unwrap();

    // That steps are dense, `Order` makes sure of.
    let mut counted: BTreeMap<u64, u64> = BTreeMap::new();
    for seen in Order::of(events(&memory)).events() {
        *counted.entry(seen.strand).or_default() += 1;
    }
    assert_eq!(counted, expected);
}
