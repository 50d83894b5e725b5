//! `trackside::tokio::task`: tokio's tasks, each in its context on whatever worker it is polled, and whoever reads the events
//! knows what was spawned and awaited where.

use crate::support::order::{Order, findings};
use crate::support::{LONG, client, events, scaled};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Barrier, mpsc};
use std::thread::ThreadId;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot};
use trackside::tokio::task::{self, JoinSet};
use trackside::{Client, Context, InContext};
use trackside_wire::Kind;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap()
}

/// Runs `work` in a context of a client of its own, on three workers.
fn in_context<F: Future<Output = ()>>(work: impl FnOnce(Client) -> F) -> Order {
    let (client, memory) = client();
    runtime().block_on(work(client.clone()).in_context(client.context()));
    client.flush(LONG).unwrap();
    Order::of(events(&memory))
}

fn strand() -> u64 {
    Context::current().expect("it runs in a context").thread_id().strand
}

/// Has the task woken by a thread of which the runtime knows nothing, so that it goes to whichever worker is first. Returns
/// where it was before and where it is then: whoever needs them to differ tries again.
async fn migrate() -> (ThreadId, ThreadId) {
    let here = std::thread::current().id();
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || tell.send(()));
    told.await.unwrap();
    (here, std::thread::current().id())
}

#[test]
fn a_task_is_the_same_strand_on_whatever_worker_it_resumes() {
    const MIGRATIONS: usize = 20;
    let order = in_context(|client| async move {
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let client = client.clone();
                task::spawn(async move {
                    let strand = strand();
                    let (mut migrations, mut events) = (0, 0);
                    while migrations < MIGRATIONS {
                        client.track_custom("migrating", number);
                        events += 1;
                        let (before, after) = migrate().await;
                        migrations += usize::from(before != after);
                        assert_eq!(self::strand(), strand);
                    }
                    (strand, events)
                })
            })
            .collect();
        for task in tasks {
            let (strand, count) = task.await.unwrap();
            client.track_custom("done", strand);
            client.track_custom("count", count);
        }
    });
    // That steps are dense and causes come first, `Order` has made sure of.
    let mut counted: BTreeMap<u64, u64> = BTreeMap::new();
    let mut numbers: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for seen in order.events().iter().filter(|seen| seen.name.as_deref() == Some("migrating")) {
        *counted.entry(seen.strand).or_default() += 1;
        numbers.entry(seen.strand).or_default().insert(&seen.a);
    }
    assert_eq!(counted.len(), 4);
    assert!(numbers.values().all(|numbers| numbers.len() == 1), "{numbers:?}");
    let told = |name| order.events().iter().filter(move |seen| seen.name.as_deref() == Some(name));
    let expected: BTreeMap<u64, u64> = told("done")
        .zip(told("count"))
        .map(|(strand, count)| (strand.a.parse().unwrap(), count.a.parse().unwrap()))
        .collect();
    assert_eq!(counted, expected);
}

#[test]
fn whoever_awaits_a_task_comes_after_it_wherever_both_run() {
    let order = in_context(|client| async move {
        let outer = client.clone();
        let task = task::spawn(async move {
            let client = outer;
            client.track_custom("before", 0);
            let go = Arc::new(Notify::new());
            let (recorder, went) = (client.clone(), go.clone());
            let nested = task::spawn(async move {
                went.notified().await;
                recorder.track_custom("nested", 0);
                migrate().await;
                recorder.track_custom("nested, later", 0);
            });
            client.track_custom("beside", 0);
            go.notify_one();
            assert!(format!("{nested:?}").starts_with("JoinHandle"));
            nested.await.unwrap();
            client.track_custom("after", 0);
            migrate().await;
            client.track_custom("later", 0);
        });
        task.await.unwrap();
        client.track_custom("last", 0);
    });
    order.assert_chain(&["before", "nested", "nested, later", "after", "later", "last"]);
    order.assert_chain(&["before", "beside", "after"]);
    order.assert_apart("nested", "beside");
    assert_eq!(order.event("nested").span, order.event("last").span);
    assert_eq!(order.event("nested").strand_name, "task");
}

#[test]
fn spawns_and_joins_are_recorded_where_the_program_has_them() {
    let first = line!() + 2;
    let order = in_context(|_| async {
        task::spawn(async {}).await.unwrap();
        task::spawn_blocking(|| ()).await.unwrap();
        let mut set = JoinSet::new();
        set.spawn(async {});
        set.join_next().await.unwrap().unwrap();
    });
    let sites: Vec<_> = order.events().iter().map(|seen| (seen.kind, seen.line - first)).collect();
    let (spawn, joined) = (Kind::AsyncSpawn, Kind::AsyncAwait);
    assert_eq!(sites, [(spawn, 0), (joined, 0), (spawn, 1), (joined, 1), (spawn, 3), (joined, 4)]);
    assert!(order.events().iter().all(|seen| seen.file.ends_with("tasks.rs")));
}

#[test]
fn panics_and_aborts_are_ends_like_any() {
    let order = in_context(|client| async move {
        let recorder = client.clone();
        let doomed = task::spawn(async move {
            recorder.track_custom("doomed", 0);
            panic!("on purpose");
        });
        assert!(doomed.await.unwrap_err().is_panic());
        client.track_custom("after the panic", 0);

        struct Tells(Client, oneshot::Receiver<()>);
        impl Drop for Tells {
            fn drop(&mut self) {
                self.0.track_custom("dropped", 0);
            }
        }
        let (_never, wait) = oneshot::channel();
        let (begun, has_begun) = oneshot::channel();
        let mut tells = Tells(client.clone(), wait);
        let aborted = task::spawn(async move {
            tells.0.track_custom("begun", strand());
            begun.send(()).unwrap();
            (&mut tells.1).await
        });
        has_begun.await.unwrap();
        client.track_custom("beside", 0);
        assert!(!aborted.is_finished());
        assert_eq!(aborted.id(), aborted.abort_handle().id());
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        client.track_custom("after the abort", 0);
    });
    order.assert_chain(&["doomed", "after the panic", "begun", "dropped", "after the abort"]);
    order.assert_apart("begun", "beside");
    assert_eq!(order.event("begun").strand, order.event("dropped").strand);
}

#[test]
fn blocking_tasks_have_contexts_and_the_order_of_a_pool_s_thread_is_no_order() {
    let (client, memory) = client();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).build().unwrap();
    let recorder = client.clone();
    let work = async move {
        let jobs = ["one", "two"].map(|name| {
            let client = recorder.clone();
            task::spawn_blocking(move || client.track_custom(name, strand()))
        });
        // Never begun, because the pool's one thread is busy until it is aborted.
        let (go, gone) = mpsc::channel::<()>();
        let busy = task::spawn_blocking(move || gone.recv().is_ok());
        let never = task::spawn_blocking(|| unreachable!("it was aborted"));
        never.abort();
        go.send(()).unwrap();
        assert!(busy.await.unwrap());
        assert!(never.await.unwrap_err().is_cancelled());
        for job in jobs {
            job.await.unwrap();
        }
        recorder.track_custom("after", 0);
    };
    runtime.block_on(work.in_context(client.context()));
    client.flush(LONG).unwrap();
    let order = Order::of(events(&memory));
    order.assert_chain(&["one", "after"]);
    order.assert_chain(&["two", "after"]);
    order.assert_apart("one", "two");
    let awaits = order.events().iter().filter(|seen| seen.kind == Kind::AsyncAwait).count();
    assert_eq!(awaits, 4);
}

#[test]
fn tasks_of_a_local_set() {
    let order = in_context(|client| async move {
        let recorder = client.clone();
        let not_send = std::rc::Rc::new(1);
        let local = task::LocalSet::new();
        local
            .run_until(async move {
                let client = recorder.clone();
                task::spawn_local(async move { client.track_custom("in", *not_send) }).await.unwrap();
                let mut set = JoinSet::new();
                set.spawn_local(async move { recorder.track_custom("in a set", 0) });
                set.join_next().await.unwrap().unwrap();
            })
            .await;
        client.track_custom("after", 0);
    });
    order.assert_chain(&["in", "in a set", "after"]);
}

#[test]
fn a_set_s_tasks_come_before_whoever_joined_them() {
    let order = in_context(|client| async move {
        let mut set = JoinSet::new();
        let names = ["zero", "one", "two"];
        for (number, name) in names.into_iter().enumerate() {
            let client = client.clone();
            set.spawn(async move {
                migrate().await;
                client.track_custom(name, 0);
                number
            });
        }
        assert_eq!(set.len(), 3);
        let after = ["after zero", "after one", "after two"];
        while let Some(joined) = set.join_next().await {
            client.track_custom(after[joined.unwrap()], 0);
        }
        assert!(set.is_empty() && set.try_join_next().is_none());

        let recorder = client.clone();
        let handle = set.spawn_blocking(move || {
            recorder.track_custom("blocking", 0);
            3
        });
        let (id, _) = set.join_next_with_id().await.unwrap().unwrap();
        assert_eq!(id, handle.id());
        client.track_custom("after blocking", 0);

        set.spawn(std::future::pending());
        let recorder = client.clone();
        set.spawn(async move {
            recorder.track_custom("panics", 0);
            panic!("on purpose")
        });
        assert!(set.join_next().await.unwrap().unwrap_err().is_panic());
        client.track_custom("after the panic", 0);
        set.shutdown().await;
        assert_eq!(set.len(), 0);

        let all: JoinSet<_> = (0..3).map(|n| async move { n }).collect();
        let mut all = all.join_all().await;
        all.sort();
        assert_eq!(all, [0, 1, 2]);
    });
    for name in ["zero", "one", "two", "blocking"] {
        order.assert_chain(&[name, &format!("after {name}")]);
    }
    order.assert_chain(&["panics", "after the panic"]);
    let count = |kind| order.events().iter().filter(|seen| seen.kind == kind).count();
    assert_eq!((count(Kind::AsyncSpawn), count(Kind::AsyncAwait)), (9, 9));
}

#[test]
fn dropping_a_set_aborts_its_tasks_in_their_contexts() {
    struct Tells(mpsc::Sender<u64>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.send(strand()).unwrap();
        }
    }
    in_context(|_| async {
        let (tell, told) = mpsc::channel();
        let (begun, has_begun) = oneshot::channel();
        let mut set = JoinSet::new();
        set.spawn(async move {
            let _tells = Tells(tell);
            begun.send(strand()).unwrap();
            std::future::pending::<()>().await;
        });
        let strand = has_begun.await.unwrap();
        drop(set);
        assert_eq!(task::spawn_blocking(move || told.recv()).await.unwrap().unwrap(), strand);
    });
}

#[test]
fn no_race_is_found_where_spawns_and_joins_order_all_and_one_where_they_do_not() {
    let runtime = runtime();
    for round in 0..scaled(200, 20) {
        let (client, memory) = client();
        let recorder = client.clone();
        let ordered = async move {
            let write = |old: u64| {
                let client = recorder.clone();
                async move {
                    migrate().await;
                    client.track_write("total", old, old + 1);
                }
            };
            write(0).await;
            task::spawn(write(1)).await.unwrap();
            write(2).await;
            let mut set = JoinSet::new();
            set.spawn(write(3));
            set.join_next().await.unwrap().unwrap();
            write(4).await;
            let recorder = recorder.clone();
            task::spawn_blocking(move || recorder.track_write("total", 5, 6)).await.unwrap();
            write(6).await;
        };
        runtime.block_on(ordered.in_context(client.context()));
        client.flush(LONG).unwrap();
        assert_eq!(findings(&memory), [].into(), "round {round}");

        let recorder = client.clone();
        let raced = async move {
            let both = Arc::new(Barrier::new(2));
            let [one, two] = [1, 2].map(|value| {
                let (client, both) = (recorder.clone(), both.clone());
                task::spawn(async move {
                    both.wait();
                    client.track_write("raced", 0, value);
                })
            });
            one.await.unwrap();
            two.await.unwrap();
        };
        runtime.block_on(raced.in_context(client.context()));
        client.flush(LONG).unwrap();
        assert_eq!(findings(&memory), ["raced".to_owned()].into(), "round {round}");
    }
}
