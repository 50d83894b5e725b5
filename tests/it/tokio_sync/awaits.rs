//! Tasks that hold a lock while they wait: of their own locks, that is a cost; of those of threads, it is a finding.

use super::kit::{migrate, runtime};
use crate::awaits::report;
use std::pin::pin;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use trackside::InContext;
use trackside::tokio::sync::{Mutex, RwLock};
use trackside::tokio::task;
use trackside_analysis::FindingKind;

fn one_thread() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[test]
fn a_task_s_lock_held_across_awaits_is_no_finding_and_its_time_is_counted() {
    let report = report(|client| {
        let lock = Arc::new(Mutex::named("journal", 0));
        let work = async {
            let (mine, other) = (lock.clone(), lock.clone());
            let (begin, begun) = oneshot::channel();
            let holder = task::spawn(async move {
                let mut guard = mine.lock().await;
                begin.send(()).unwrap();
                migrate().await;
                *guard += 1;
                drop(guard);
                // Not across an await.
                *mine.lock().await += 1;
                migrate().await;
            });
            begun.await.unwrap();
            // Whoever waits for the lock holds nothing meanwhile.
            let waiter = task::spawn(async move { *other.lock().await += 1 });
            holder.await.unwrap();
            waiter.await.unwrap();
        };
        runtime().block_on(work.in_context(client.context()));
    });
    assert!(report.findings.is_empty(), "{report}");
    let [lock] = &report.locks[..] else { panic!("{report}") };
    assert_eq!((lock.acquisitions, lock.hold.count, lock.across_awaits.count), (3, 3, 1));
    assert!(lock.across_awaits.total_ns > 0 && lock.across_awaits.total_ns <= lock.hold.total_ns);
}

#[test]
fn two_local_tasks_with_a_lock_of_threads_are_found_though_they_got_through() {
    let cache = std::rc::Rc::new(trackside::sync::Mutex::named("cache", 0));
    let report = report(|client| {
        let work = async {
            let (mine, others) = (cache.clone(), cache.clone());
            let (done, is_done) = oneshot::channel();
            let holder = task::spawn_local(async move {
                let mut guard = mine.lock().unwrap();
                task::yield_now().await;
                *guard += 1;
                drop(guard);
                done.send(()).unwrap();
            });
            // Had it come a moment earlier, it would have stopped the thread for ever.
            let other = task::spawn_local(async move {
                is_done.await.unwrap();
                *others.lock().unwrap() += 1;
            });
            holder.await.unwrap();
            other.await.unwrap();
        };
        let local = LocalSet::new();
        one_thread().block_on(local.run_until(work.in_context(client.context())));
    });
    let [finding] = &report.findings[..] else { panic!("{report}") };
    assert_eq!((finding.kind, finding.variable.as_str()), (FindingKind::HeldAcrossAwait, "cache"));
    assert_eq!(finding.confidence, trackside_analysis::Confidence::Likely, "{report}");
}

#[test]
fn a_task_that_is_cancelled_while_it_holds_a_lock_or_waits_for_one_leaves_nothing_held() {
    let report = report(|client| {
        let lock = Arc::new(RwLock::named("cancelled", 0));
        let work = async {
            let (holder, waiter) = (lock.clone(), lock.clone());
            let (begin, begun) = oneshot::channel();
            let holder = task::spawn(async move {
                let _guard = holder.write().await;
                begin.send(()).unwrap();
                std::future::pending::<()>().await;
            });
            begun.await.unwrap();
            {
                let mut waits = pin!(waiter.read());
                assert!(super::kit::poll(waits.as_mut()).is_pending());
            }
            holder.abort();
            assert!(holder.await.unwrap_err().is_cancelled());
            drop(lock.write().await);
            task::yield_now().await;
        };
        runtime().block_on(work.in_context(client.context()));
    });
    assert!(report.findings.is_empty(), "{report}");
    let [lock] = &report.locks[..] else { panic!("{report}") };
    // Two were taken and given back; the one that held it when it was cancelled did so across an await, the other did not.
    assert_eq!((lock.acquisitions, lock.hold.count, lock.across_awaits.count), (2, 2, 1), "{report}");
}
