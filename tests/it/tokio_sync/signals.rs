//! The semaphore, the notification, the barrier and the cell are tokio's, and the record has what they order.

use super::kit::{migrate, on_both, poll, recorded, runtime, shown};
use crate::mutex::in_default_client;
use crate::support::Seen;
use crate::support::order::{Order, number};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use trackside::tokio::sync::{Barrier, Notify, OnceCell, Semaphore};
use trackside::tokio::task;
use trackside_wire::Kind;

#[test]
fn a_semaphore_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let (mut said, threads, semaphore) = (Vec::new(), runtime(), Arc::new(Semaphore::new(5)));
            let free = |semaphore: &Semaphore| format!("{} {semaphore:?}", semaphore.available_permits());
            threads.block_on(async {
                let mut one = semaphore.acquire().await.unwrap();
                let three = semaphore.acquire_many(3).await.unwrap();
                said.push(format!("{} {} {}", one.num_permits(), three.num_permits(), free(&semaphore)));
                said.push(format!("{:?}", semaphore.try_acquire_many(2).map(|_| ())));
                one.merge(three);
                let two = one.split(2).unwrap();
                said.push(format!("{} {} {:?}", one.num_permits(), two.num_permits(), one.split(3).map(|_| ())));
                let none = one.split(0).unwrap();
                said.push(format!("{} {}", none.num_permits(), free(one.semaphore())));
                drop((none, two));
                one.forget();
                said.push(free(&semaphore));
                semaphore.add_permits(1);
                said.push(format!("{} {}", semaphore.forget_permits(9), free(&semaphore)));
                semaphore.add_permits(3);
                let mut owned = semaphore.clone().acquire_many_owned(2).await.unwrap();
                owned.merge(semaphore.clone().try_acquire_owned().unwrap());
                said.push(format!("{} {}", owned.split(1).map_or(9, |one| one.num_permits()), free(owned.semaphore())));
                let other = Arc::new(Semaphore::const_new(1));
                let foreign = other.clone().try_acquire_many_owned(1).unwrap();
                let merged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| owned.merge(foreign)));
                said.push(format!("{:?} {}", merged.unwrap_err().downcast_ref::<&str>(), free(&other)));
                let mut waits = pin!(semaphore.acquire_many(2));
                assert!(poll(waits.as_mut()).is_pending());
                said.push(format!("{:?}", semaphore.try_acquire().map(|_| ())));
                drop(owned);
                drop(waits.await.unwrap());
                let mut refused = pin!(semaphore.acquire_many(4));
                assert!(poll(refused.as_mut()).is_pending());
                semaphore.close();
                said.push(format!("{:?} {}", refused.await.map(|_| ()), semaphore.is_closed()));
                said.push(format!(
                    "{:?} {:?}",
                    semaphore.try_acquire().map(|_| ()),
                    semaphore.acquire().await.map(|_| ())
                ));
                said.push(format!("{:?}", semaphore.clone().acquire_owned().await.map(|_| ())));
            });
            let blocking = Arc::new(Semaphore::new(3));
            let mut permits = vec![blocking.blocking_acquire().unwrap().num_permits()];
            permits.push(blocking.blocking_acquire_many(2).unwrap().num_permits());
            permits.push(blocking.clone().blocking_acquire_owned().unwrap().num_permits());
            permits.push(blocking.clone().blocking_acquire_many_owned(3).unwrap().num_permits());
            said.push(format!("{permits:?} {} {}", Semaphore::MAX_PERMITS, free(&blocking)));
            said
        });
    });
}

#[test]
fn a_notification_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let (mut said, threads, notify) = (Vec::new(), runtime(), Arc::new(Notify::new()));
            threads.block_on(async {
                notify.notify_one();
                notify.notify_one();
                notify.notified().await;
                let (mut one, mut two, mut three) =
                    (pin!(notify.notified()), pin!(notify.notified()), Box::pin(notify.clone().notified_owned()));
                said.push(format!("{:?} {}", poll(one.as_mut()), two.as_mut().enable()));
                said.push(format!("{}", three.as_mut().enable()));
                notify.notify_one();
                said.push(format!("{:?} {:?} {:?}", poll(one.as_mut()), poll(two.as_mut()), poll(three.as_mut())));
                notify.notify_last();
                said.push(format!("{:?} {:?}", poll(two.as_mut()), poll(three.as_mut())));
                let late = pin!(notify.notified());
                notify.notify_waiters();
                said.push(format!("{:?} {:?}", poll(two.as_mut()), poll(late)));
                said.push(format!("{:?}", poll(pin!(notify.notified()))));
                let mut passed_on = pin!(notify.notified());
                {
                    // Who goes away with a notification that he has not seen passes it on.
                    let mut gone = pin!(notify.notified());
                    said.push(format!("{:?} {:?}", poll(gone.as_mut()), poll(passed_on.as_mut())));
                    notify.notify_one();
                }
                passed_on.await;
                let other = Arc::new(Notify::default());
                let owned = other.clone().notified_owned();
                other.notify_one();
                drop(other);
                owned.await;
                said.push(format!("{}", futures::Notified::enable(pin!(Notify::const_new().notified()))));
            });
            said
        });
    });
}

#[test]
fn a_barrier_and_a_cell_answer_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let (mut said, threads) = (Vec::new(), runtime());
            threads.block_on(async {
                said.push(format!("{}", Barrier::new(0).wait().await.is_leader()));
                let barrier = Barrier::new(2);
                for _ in 0..2 {
                    let (mut one, mut two) = (pin!(barrier.wait()), pin!(barrier.wait()));
                    let leads = |polled: Poll<BarrierWaitResult>| polled.map(|result| result.is_leader());
                    said.push(format!(
                        "{:?} {:?} {:?}",
                        leads(poll(one.as_mut())),
                        leads(poll(two.as_mut())),
                        leads(poll(one.as_mut()))
                    ));
                }
                {
                    // Who goes away has arrived.
                    let mut gone = pin!(barrier.wait());
                    assert!(poll(gone.as_mut()).is_pending());
                }
                said.push(format!("{}", barrier.wait().await.is_leader()));

                let cell = OnceCell::new();
                said.push(format!("{cell:?} {:?} {}", cell.get(), cell.initialized()));
                said.push(format!("{:?}", cell.get_or_try_init(|| async { Err::<u8, _>("no") }).await));
                {
                    let mut never = pin!(cell.get_or_init(std::future::pending));
                    assert!(poll(never.as_mut()).is_pending());
                    let busy = cell.set(1).unwrap_err();
                    said.push(format!("{busy:?} {busy} {}", busy.is_initializing_err()));
                }
                said.push(format!("{:?} {:?}", cell.set(2), cell.get_or_init(|| async { 3 }).await));
                let late = cell.set(4).unwrap_err();
                said.push(format!("{late:?} {late} {}", late.is_already_init_err()));
                let mut copy = cell.clone();
                said.push(format!(
                    "{} {:?} {:?}",
                    copy == cell,
                    copy.get_mut().map(|value| std::mem::replace(value, 5)),
                    copy
                ));
                said.push(format!("{} {:?} {:?}", copy == cell, copy.take(), copy.get()));
                said.push(format!("{:?} {:?}", copy.set(6), copy.into_inner()));
                let (some, none) = (OnceCell::new_with(Some(7)), OnceCell::<u8>::new_with(None));
                said.push(format!("{some:?} {none:?} {:?} {:?}", OnceCell::from(8), OnceCell::<u8>::default()));
                said.push(format!("{:?}", OnceCell::const_new_with(9).get_or_try_init(|| async { Err("no") }).await));
                said.push(shown(cell.get_or_try_init(|| async { Ok::<_, std::fmt::Error>(10) }).await));
            });
            said
        });
    });
}

/// A cell is set whatever the task has done before: as far as tokio's is.
#[test]
fn a_cell_can_be_set_by_a_task_that_should_give_way() {
    let _ = recorded(|_| async {
        let cell = OnceCell::new();
        // It uses up what tokio lets a task do in one go.
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::consume_budget().now_or_pending();
        }
        assert_eq!(cell.set(1), Ok(()));
    });
}

trait NowOrPending: Future + Sized {
    fn now_or_pending(self) -> Option<Self::Output> {
        match poll(pin!(self)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }
}

impl<F: Future> NowOrPending for F {}

/// The numbers of the events of one kind, which the object called so has, sorted: rings are read one after the other.
fn numbers(seen: &[Seen], kind: Kind, name: &str) -> Vec<u64> {
    let of = seen.iter().filter(|seen| seen.kind == kind && seen.name.as_deref() == Some(name));
    let mut numbers: Vec<u64> = of.map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn who_acquires_comes_after_who_put_back() {
    let order = Order::synchronised(recorded(|client| async move {
        let semaphore = Arc::new(Semaphore::named("permits", 1));
        let (other, recorder) = (semaphore.clone(), client.clone());
        let permit = semaphore.clone().acquire_owned().await.unwrap();
        let (done, is_done) = tokio::sync::oneshot::channel();
        client.track_custom("before", 0);
        let task = task::spawn(async move {
            recorder.track_custom("beside", 0);
            let permit = other.acquire().await.unwrap();
            recorder.track_custom("after", 0);
            migrate().await;
            drop(permit);
            // Of which the record knows nothing.
            done.send(()).unwrap();
        });
        client.track_custom("still held", 0);
        drop(permit);
        client.track_custom("let go", 0);
        is_done.await.unwrap();
        let joined = semaphore.acquire().await.unwrap();
        client.track_custom("last", 0);
        drop(joined);
        task.await.unwrap();
        semaphore.close();
        assert!(semaphore.try_acquire().is_err());
    }));
    order.assert_chain(&["before", "still held", "after", "last"]);
    order.assert_apart("still held", "beside");
    order.assert_apart("let go", "beside");
    let seen = order.events();
    // Put back by three permits, and closed.
    assert_eq!(numbers(seen, Kind::SyncRelease, "permits"), [1, 2, 3, 4]);
    // Nothing was put back before the first one was acquired.
    assert_eq!(numbers(seen, Kind::SyncAcquire, "permits"), [1, 2, 4]);
    assert!(seen.iter().any(|seen| seen.b.ends_with(", \"Semaphore\"]")));
}

#[test]
fn an_acquisition_that_is_given_up_has_acquired_nothing() {
    let seen = recorded(|_| async {
        let semaphore = Arc::new(Semaphore::named("given up", 1));
        let permit = semaphore.try_acquire().unwrap();
        {
            let mut waits = pin!(semaphore.acquire());
            assert!(poll(waits.as_mut()).is_pending());
            let mut has = pin!(semaphore.clone().acquire_many_owned(1));
            assert!(poll(has.as_mut()).is_pending());
            drop(permit);
            assert_eq!(semaphore.available_permits(), 0);
        }
        assert_eq!(semaphore.available_permits(), 1);
    });
    assert_eq!(numbers(&seen, Kind::SyncRelease, "given up"), [1]);
    assert_eq!(numbers(&seen, Kind::SyncAcquire, "given up"), [0; 0]);
}

#[test]
fn who_was_notified_comes_after_who_notified() {
    let order = Order::synchronised(recorded(|client| async move {
        let (ready, all) = (Arc::new(Notify::named("ready")), Arc::new(Notify::new()));
        let (recorder, told, everyone) = (client.clone(), ready.clone(), all.clone());
        let task = task::spawn(async move {
            told.notified().await;
            recorder.track_custom("told", 0);
            everyone.notify_waiters();
            told.notified_owned().await;
            recorder.track_custom("told again", 0);
        });
        let mut waits = pin!(all.notified());
        waits.as_mut().enable();
        client.track_custom("tells", 0);
        ready.notify_one();
        waits.await;
        client.track_custom("answered", 0);
        ready.notify_last();
        task.await.unwrap();
    }));
    order.assert_chain(&["tells", "told", "answered", "told again"]);
    assert_eq!(numbers(order.events(), Kind::SyncRelease, "ready"), [1, 2]);
}

#[test]
fn a_barrier_orders_what_is_before_it_and_what_is_after_it() {
    const TASKS: usize = 4;
    let order = Order::synchronised(recorded(|client| async move {
        // Twice as many as it is for: which generation one is in is not to be told from the outside.
        let barrier = Arc::new(Barrier::named("meet", TASKS));
        let tasks: Vec<_> = (0..2 * TASKS)
            .map(|_| {
                let (client, barrier) = (client.clone(), barrier.clone());
                task::spawn(async move {
                    client.track_custom("arrives", 0);
                    let leads = barrier.wait().await.is_leader();
                    client.track_custom("goes on", 0);
                    leads
                })
            })
            .collect();
        let mut leaders = 0;
        for task in tasks {
            leaders += usize::from(task.await.unwrap());
        }
        assert_eq!(leaders, 2);
    }));
    let releases = numbers(order.events(), Kind::SyncRelease, "meet");
    assert_eq!(releases, [[1; TASKS], [2; TASKS]].concat());
}

#[test]
fn who_finds_a_cell_s_value_comes_after_who_put_it_there() {
    let order = Order::synchronised(recorded(|client| async move {
        let cell = Arc::new(OnceCell::named("cell"));
        let (recorder, other) = (client.clone(), cell.clone());
        let failed = task::spawn(async move {
            let failed = other.get_or_try_init(|| async {
                recorder.track_custom("fails", 0);
                Err::<u8, _>("on purpose")
            });
            assert!(failed.await.is_err());
            recorder.track_custom("beside", 0);
        });
        failed.await.unwrap();
        let (recorder, other) = (client.clone(), cell.clone());
        let (found, has_found) = tokio::sync::oneshot::channel();
        task::spawn(async move {
            other
                .get_or_init(|| async {
                    migrate().await;
                    recorder.track_custom("initialises", 0);
                    7
                })
                .await;
            found.send(()).unwrap();
        });
        has_found.await.unwrap();
        assert_eq!(cell.get(), Some(&7));
        client.track_custom("finds", 0);
        assert!(cell.initialized());
    }));
    order.assert_chain(&["fails", "initialises", "finds"]);
    // Found once: the second look tells nothing new.
    assert_eq!(numbers(order.events(), Kind::SyncRelease, "cell"), [1, 2]);
    assert_eq!(numbers(order.events(), Kind::SyncAcquire, "cell"), [1, 2]);
}
