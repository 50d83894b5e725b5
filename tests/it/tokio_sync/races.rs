//! What channels and signals order, as the analysis has it: no race is found where they order all, and one where they do not.

use super::kit::{found, migrate};
use crate::support::scaled;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use trackside::Client;
use trackside::tokio::sync::{
    Barrier, Mutex, Notify, OnceCell, OwnedMutexGuard, Semaphore, broadcast, mpsc, oneshot, watch,
};
use trackside::tokio::task;

#[test]
fn messages() {
    for round in 0..scaled(50, 8) {
        let found = found(|client| async move {
            // A value that goes through every channel in turn, and is written to on the way.
            let (first, mut second) = mpsc::channel(1);
            let (third, mut fourth) = mpsc::unbounded_channel();
            let (fifth, sixth) = oneshot::channel();
            let (seventh, mut eighth) = broadcast::channel(4);
            let (ninth, mut last) = watch::channel(0);
            let lock = Arc::new(Mutex::new(()));
            let (guards, mut guarded) = mpsc::unbounded_channel::<OwnedMutexGuard<()>>();
            let write = |old: u64| {
                let client = client.clone();
                async move {
                    client.track_write("sent along", old, old + 1);
                    migrate().await;
                    old + 1
                }
            };
            let tasks = [
                task::spawn({
                    let (now, guard, client) = (write(0), lock.clone().lock_owned().await, client.clone());
                    async move {
                        client.track_write("guarded", 0, 1);
                        guards.send(guard).unwrap();
                        first.send(now.await).await.unwrap();
                        client.track_write("raced", 0, 1);
                    }
                }),
                task::spawn({
                    let write = write(1);
                    let client = client.clone();
                    async move {
                        // It comes after all that the guard has been through.
                        let guard = guarded.recv().await.unwrap();
                        client.track_write("guarded", 1, 2);
                        drop(guard);
                        assert_eq!(second.recv().await, Some(1));
                        third.send(write.await).unwrap();
                        client.track_write("raced", 0, 2);
                    }
                }),
                task::spawn({
                    let write = write(2);
                    async move {
                        assert_eq!(fourth.recv().await, Some(2));
                        fifth.send(write.await).unwrap();
                    }
                }),
                task::spawn({
                    let write = write(3);
                    async move {
                        assert_eq!(sixth.await, Ok(3));
                        seventh.send(write.await).unwrap();
                    }
                }),
                task::spawn({
                    let write = write(4);
                    async move {
                        assert_eq!(eighth.recv().await, Ok(4));
                        ninth.send(write.await).unwrap();
                    }
                }),
            ];
            last.changed().await.unwrap();
            client.track_write("sent along", 5, 6);
            let guard = lock.lock().await;
            client.track_write("guarded", 2, 3);
            drop(guard);
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(found, ["raced"], "round {round}");
    }
}

/// Two tasks that only this orders.
async fn in_turns<F: Future<Output = ()> + Send + 'static>(
    client: Client,
    first: impl FnOnce(Client) -> F,
    second: impl FnOnce(Client) -> F,
) {
    let tasks = [task::spawn(first(client.clone())), task::spawn(second(client))];
    for task in tasks {
        task.await.unwrap();
    }
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

#[test]
fn signals() {
    for round in 0..scaled(50, 8) {
        let found = found(|client| async move {
            let semaphore = Arc::new(Semaphore::new(0));
            let (puts, takes) = (semaphore.clone(), semaphore);
            in_turns(
                client.clone(),
                |client| -> Work {
                    Box::pin(async move {
                        client.track_write("joined", 0, 1);
                        puts.add_permits(1);
                        client.track_write("raced", 0, 1);
                    })
                },
                |client| -> Work {
                    Box::pin(async move {
                        takes.acquire().await.unwrap().forget();
                        client.track_write("joined", 1, 2);
                        client.track_write("raced", 1, 2);
                    })
                },
            )
            .await;
            let notify = Arc::new(Notify::new());
            let (tells, told) = (notify.clone(), notify);
            in_turns(
                client.clone(),
                |client| -> Work {
                    Box::pin(async move {
                        client.track_write("told", 0, 1);
                        tells.notify_one();
                    })
                },
                |client| -> Work {
                    Box::pin(async move {
                        told.notified().await;
                        client.track_write("told", 1, 2);
                    })
                },
            )
            .await;
            let (barrier, turns) = (Arc::new(Barrier::new(3)), Arc::new(AtomicUsize::new(0)));
            let tasks: Vec<_> = (0..3)
                .map(|_| {
                    let (client, barrier, turns) = (client.clone(), barrier.clone(), turns.clone());
                    task::spawn(async move {
                        for value in 0..4_u64 {
                            // Who is the one to write in this generation.
                            if barrier.wait().await.is_leader() {
                                turns.fetch_add(1, Ordering::Relaxed);
                                client.track_write("met", value, value + 1);
                            }
                            barrier.wait().await;
                            client.track_read("met", value + 1);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(turns.load(Ordering::Relaxed), 4);
            let (sender, receiver) = oneshot::channel();
            let cell = Arc::new(OnceCell::new());
            let other = cell.clone();
            in_turns(
                client,
                |client| -> Work {
                    Box::pin(async move {
                        client.track_write("set", 0, 1);
                        cell.set(1).unwrap();
                        drop(sender);
                    })
                },
                |client| -> Work {
                    Box::pin(async move {
                        let _: Result<(), _> = receiver.await;
                        assert_eq!(other.get(), Some(&1));
                        client.track_write("set", 1, 2);
                    })
                },
            )
            .await;
        });
        assert_eq!(found, ["raced"], "round {round}");
    }
}
