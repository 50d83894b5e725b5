//! Flush, shutdown and the end of clients: what they promise, in bounded time, from wherever they are called.

use crate::support::{LONG, assert_balanced, builder, client, events, wait_until};
use std::net::TcpListener;
use std::sync::mpsc;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use trackside::{Cause, Client, FlushError, MemoryTransport, Outcome, SealedBatch, Transport};

fn retry() -> Outcome {
    Outcome::Retry { after: None, cause: Cause::new("scripted") }
}

#[test]
fn a_flush_waits_for_what_joined_threads_recorded() {
    let (client, memory) = client();
    for round in 1..=50 {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let client = client.clone();
                thread::spawn(move || client.track_read("n", number))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        client.flush(LONG).unwrap();
        assert_eq!((client.stats().delivered, events(&memory).len()), (round * 4, round as usize * 4));
    }
}

#[test]
fn a_flush_waits_for_what_living_threads_recorded_before_they_said_so() {
    let (client, memory) = client();
    let (said, heard) = mpsc::channel();
    thread::scope(|scope| {
        let (go, gone) = mpsc::channel::<()>();
        let recording = client.clone();
        scope.spawn(move || {
            while gone.recv().is_ok() {
                recording.track_read("n", 1);
                said.send(()).unwrap();
            }
        });
        for round in 1..=200 {
            go.send(()).unwrap();
            heard.recv().unwrap();
            client.flush(LONG).unwrap();
            assert_eq!(client.stats().delivered, round);
        }
        drop(go);
    });
    assert_eq!(events(&memory).len(), 200);
}

#[test]
fn a_flush_waits_until_a_failed_batch_is_delivered_after_all() {
    let (client, memory) = client();
    memory.then(retry());
    memory.then_store_and(retry());
    client.track_read("n", 1);
    client.flush(LONG).unwrap();
    let stats = client.stats();
    assert_eq!((stats.delivered, stats.failed_attempts, memory.attempts()), (1, 2, 3), "{stats}");
}

#[test]
fn a_flush_of_nothing_is_done_at_once() {
    let (client, memory) = client();
    client.flush(LONG).unwrap();
    assert_eq!((memory.attempts(), client.stats().recorded), (0, 0));
    // With no time at all, the answer is one or the other, but it is an answer.
    let hurried = client.flush(Duration::ZERO);
    assert!(matches!(hurried, Ok(()) | Err(FlushError::TimedOut { pending: 0 })), "{hurried:?}");
    assert_eq!(client.flush(Duration::MAX), Ok(()));
}

#[test]
fn a_silent_server_holds_up_nobody_for_longer_than_asked() {
    // Connections are accepted by the system and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let client = Client::builder(url).record_locks(false).response_timeout(Duration::from_secs(3600));
    let client = client.drop_timeout(Duration::from_millis(10)).build().unwrap();
    client.track_read("n", 1);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let end = client.flush(Duration::from_millis(300));
                assert!(matches!(end, Err(FlushError::TimedOut { .. })), "{end:?}");
                assert!(start.elapsed() >= Duration::from_millis(300));
            });
        }
    });
    client.track_read("n", 2);
    let stats = client.shutdown(Duration::from_millis(300));
    assert_balanced(&stats);
    // The flusher is still held up, with the one event in its hands; the other waits in its ring.
    assert!(stats.delivered == 0 && stats.recorded >= 1, "{stats}");
    drop(client);
    assert!(start.elapsed() < LONG, "took {:?}", start.elapsed());
}

#[test]
fn shutdown_delivers_and_may_be_called_again_by_anyone() {
    let (client, memory) = client();
    (0..100).for_each(|number| client.track_read("n", number));
    let first = client.shutdown(LONG);
    assert_eq!((first.recorded, first.delivered, first.pending), (100, 100, 0), "{first}");
    assert_eq!(client.clone().shutdown(LONG), first);
    assert_eq!(client.shutdown(Duration::ZERO), first);
    assert_eq!(events(&memory).len(), 100);
}

#[test]
fn a_shutdown_that_runs_out_of_time_has_closed_its_books() {
    // Nobody listens there: every attempt is refused at once, and the flusher waits to try again.
    let client = Client::builder("http://127.0.0.1:1").service("closing").record_locks(false).build().unwrap();
    client.track_write("n", 0, 1);
    let stats = client.shutdown(Duration::from_secs(2));
    assert_balanced(&stats);
    assert_eq!((stats.recorded, stats.pending, stats.lost.shutdown_timeout), (1, 0, 1), "{stats}");
}

#[test]
fn what_is_recorded_between_a_flush_and_a_shutdown_is_delivered() {
    // The flusher is then just leaving the round that completed the flush: many tries, as it is a matter of luck.
    for _ in 0..500 {
        let (client, memory) = client();
        client.track_read("n", 1);
        client.flush(LONG).unwrap();
        client.track_read("n", 2);
        let stats = client.shutdown(LONG);
        assert_eq!((stats.delivered, stats.lost.total(), events(&memory).len()), (2, 0, 2), "{stats}");
    }
}

#[test]
fn shutdown_by_many_at_once_while_others_record() {
    let (client, memory) = client();
    let barrier = Barrier::new(8);
    let shut = thread::scope(|scope| {
        let recording: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    (0..10_000).for_each(|number| client.track_read("n", number));
                })
            })
            .collect();
        let shut: Vec<_> = (0..4)
            .map(|_| {
                let client = client.clone();
                scope.spawn(|| {
                    barrier.wait();
                    let stats = { client }.shutdown(LONG);
                    assert_balanced(&stats);
                    stats
                })
            })
            .collect();
        recording.into_iter().for_each(|thread| thread.join().unwrap());
        shut.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.recorded, stats.pending), (40_000, 0), "{stats}");
    assert_eq!(events(&memory).len() as u64, stats.delivered);
    assert!(shut.iter().all(|then| then.delivered <= stats.delivered && then.pending == 0), "{shut:?}");
}

#[test]
fn what_comes_after_shutdown_is_counted() {
    let (client, memory) = client();
    client.track_read("n", 1);
    client.shutdown(LONG);
    (0..10).for_each(|number| client.track_read("late", number));
    thread::scope(|scope| {
        scope.spawn(|| client.track_read("late, on a new thread", 1));
    });
    let stats = client.stats();
    assert_eq!((stats.recorded, stats.delivered, stats.lost.after_shutdown), (12, 1, 11), "{stats}");
    assert_balanced(&stats);
    assert_eq!(client.flush(LONG), Err(FlushError::Stopped));
    assert_eq!(events(&memory).len(), 1);
}

#[test]
fn a_flush_that_waits_is_released_by_shutdown() {
    let (client, memory) = client();
    // Fails for longer than anybody waits.
    (0..1000).for_each(|_| memory.then(retry()));
    client.track_read("n", 1);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.flush(LONG));
        wait_until("an attempt", || memory.attempts() > 0);
        let stats = client.shutdown(Duration::from_millis(50));
        assert_balanced(&stats);
        // The flusher, given its time, has given up; or the flush got to its word after that.
        let end = waiting.join().unwrap();
        assert!(matches!(end, Err(FlushError::Stopped) | Ok(())), "{end:?}");
    });
    wait_until("the end of the flusher", || client.stats().pending == 0);
    let stats = client.stats();
    assert_eq!((stats.recorded, stats.delivered, stats.lost.shutdown_timeout), (1, 0, 1), "{stats}");
}

#[test]
fn dropping_the_last_handle_delivers() {
    for clones in [0, 1, 5] {
        let (client, memory) = client();
        let clones: Vec<_> = (0..clones).map(|_| client.clone()).collect();
        client.track_read("n", 1);
        let threads: Vec<_> =
            clones.into_iter().map(|client| thread::spawn(move || client.track_read("n", 2))).collect();
        let recorded = 1 + threads.len();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        drop(client);
        assert_eq!(events(&memory).len(), recorded);
    }
}

#[test]
fn the_last_handle_may_go_while_threads_that_recorded_live_on() {
    let (client, memory) = client();
    let (ready, go) = (Barrier::new(5), Barrier::new(5));
    thread::scope(|scope| {
        for number in 0..4 {
            let (client, ready, go) = (client.clone(), &ready, &go);
            scope.spawn(move || {
                client.track_read("n", number);
                drop(client);
                ready.wait();
                go.wait();
                // The thread ends with a ring of a client that is gone.
            });
        }
        ready.wait();
        drop(client);
        assert_eq!(events(&memory).len(), 4);
        go.wait();
    });
}

#[test]
fn several_clients_on_one_thread_each_get_their_own() {
    let clients: Vec<_> = (0..5).map(|_| client()).collect();
    let record = |offset: usize| {
        for number in 0..1000 {
            for (at, (client, _)) in clients.iter().enumerate() {
                client.track_read("own", (offset + number * 10 + at) as u64);
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| record(0));
        scope.spawn(|| record(1_000_000));
    });
    for (at, (client, memory)) in clients.iter().enumerate() {
        client.flush(LONG).unwrap();
        let mut seen: Vec<usize> = events(memory).iter().map(|seen| seen.b.parse().unwrap()).collect();
        seen.sort_unstable();
        let own = |offset: usize| (0..1000).map(move |number| offset + number * 10 + at);
        assert!(own(0).chain(own(1_000_000)).eq(seen), "client {at}");
        // Changing clients is not changing rings.
        assert!(client.stats().rings <= 2, "{:?}", client.stats());
    }
}

#[test]
fn clients_come_and_go_on_one_thread() {
    let (stays, memory) = client();
    for round in 0..200 {
        let (goes, own) = client();
        goes.track_read("goes", round);
        stays.track_read("stays", round);
        goes.track_read("goes", round);
        drop(goes);
        assert_eq!(events(&own).len(), 2);
    }
    stays.flush(LONG).unwrap();
    assert!(events(&memory).iter().map(|seen| &seen.b).eq((0..200).map(|n| n.to_string()).collect::<Vec<_>>().iter()));
}

#[test]
fn flush_and_shutdown_inside_of_async_runtimes() {
    let current = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let one_worker = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    for runtime in [current, one_worker] {
        let (client, memory) = client();
        runtime.block_on(async {
            let inner = client.clone();
            // On the worker, where there is one.
            let task = tokio::spawn(async move {
                inner.track_read("n", 1);
                inner.flush(LONG)
            });
            assert_eq!(task.await.unwrap(), Ok(()));
            client.track_read("n", 2);
            assert_eq!(client.flush(LONG), Ok(()));
            client.track_read("n", 3);
            assert_eq!(client.shutdown(LONG).delivered, 3);
        });
        assert_eq!(events(&memory).len(), 3);
    }
}

/// Runs `act` in the callback for warnings of a client whose first attempt fails; returns what it returned, and the
/// client.
fn in_callback<T: Send + 'static>(act: impl Fn(Client) -> T + Send + 'static) -> (T, Client, MemoryTransport) {
    let memory = MemoryTransport::new();
    memory.then(retry());
    let slot = Arc::new(Mutex::new(None::<Client>));
    let (told, tell) = mpsc::channel();
    let inside = slot.clone();
    let builder = builder(&memory).on_warning(move |warning| {
        if warning.cause.is_some() {
            let client = inside.lock().unwrap().take().unwrap();
            told.send(act(client)).unwrap();
        }
    });
    let client = builder.build().unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    client.track_read("n", 1);
    let flushed = client.flush(LONG);
    assert!(matches!(flushed, Ok(()) | Err(FlushError::Stopped)), "{flushed:?}");
    (tell.recv_timeout(LONG).unwrap(), client, memory)
}

#[test]
fn flush_in_a_callback_is_an_error() {
    let (end, client, memory) = in_callback(|client| client.flush(LONG));
    assert_eq!(end, Err(FlushError::OnFlusherThread));
    assert_eq!((client.stats().delivered, events(&memory).len()), (1, 1));
}

#[test]
fn recording_and_reading_the_books_in_a_callback() {
    let (stats, client, memory) = in_callback(|client| {
        client.track_read("from the callback", 1);
        client.stats()
    });
    assert_balanced(&stats);
    assert_eq!(stats.failed_attempts, 1);
    client.flush(LONG).unwrap();
    assert_eq!(events(&memory).len(), 2);
}

#[test]
fn shutdown_in_a_callback_does_not_wait_for_itself() {
    let (stats, client, memory) = in_callback(|client| client.shutdown(LONG));
    assert_balanced(&stats);
    assert_eq!(client.shutdown(LONG).delivered, 1);
    assert_eq!(events(&memory).len(), 1);
}

#[test]
fn the_last_handle_may_go_in_a_callback() {
    let memory = MemoryTransport::new();
    memory.then(retry());
    let slot = Arc::new(Mutex::new(None::<Client>));
    let inside = slot.clone();
    let builder = builder(&memory).flush_interval(Duration::from_millis(1)).drop_timeout(LONG);
    let (gone, wait) = mpsc::channel();
    let client = builder.on_warning(move |_| drop((inside.lock().unwrap().take(), gone.send(())))).build().unwrap();
    // Before there is anything that could fail, so that the callback finds the one and only handle.
    *slot.lock().unwrap() = Some(client);
    slot.lock().unwrap().as_ref().unwrap().track_read("n", 1);
    wait.recv_timeout(LONG).unwrap();
    wait_until("delivery by a client without handles", || events(&memory).len() == 1);
    // Its flusher is gone with the callback in it, and the channel's end with that.
    wait_until("the end of the flusher", || Arc::strong_count(&slot) == 1);
}

/// Panics in this many attempts, then delivers.
#[derive(Debug)]
struct Panics {
    left: usize,
    memory: MemoryTransport,
}

impl Transport for Panics {
    fn send(&mut self, batch: &SealedBatch, timeout: Duration) -> Outcome {
        if self.left > 0 {
            self.left -= 1;
            panic!("a transport that panics; this is part of a test");
        }
        self.memory.send(batch, timeout)
    }

    fn destination(&self) -> String {
        "panics".into()
    }
}

#[test]
fn a_transport_that_panics_once_loses_nothing() {
    let memory = MemoryTransport::new();
    let transport = Panics { left: 2, memory: memory.clone() };
    let client = Client::builder_to(transport).record_locks(false).build().unwrap();
    client.track_read("n", 1);
    client.flush(LONG).unwrap();
    assert_eq!((client.stats().delivered, events(&memory).len()), (1, 1));
}

#[test]
fn a_transport_that_always_panics_ends_the_client_and_nobody_else() {
    let transport = Panics { left: usize::MAX, memory: MemoryTransport::new() };
    let client = Client::builder_to(transport).record_locks(false).build().unwrap();
    client.track_read("n", 1);
    assert_eq!(client.flush(LONG), Err(FlushError::Stopped));
    client.track_read("n", 2);
    let stats = client.shutdown(LONG);
    assert_balanced(&stats);
    assert_eq!((stats.recorded, stats.delivered, stats.pending), (2, 0, 0), "{stats}");
}

#[test]
fn a_callback_that_panics_does_no_harm() {
    let memory = MemoryTransport::new();
    memory.then(retry());
    let client = builder(&memory).on_warning(|_| panic!("a callback that panics; this is part of a test"));
    let client = client.build().unwrap();
    client.track_read("n", 1);
    client.flush(LONG).unwrap();
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.pending, events(&memory).len()), (1, 0, 1), "{stats}");
}

#[test]
fn a_client_without_a_flusher_says_so() {
    let memory = MemoryTransport::new();
    let (client, mut flusher) = builder(&memory).build_manual().unwrap();
    client.track_read("n", 1);
    assert!(matches!(client.flush(Duration::from_millis(1)), Err(FlushError::TimedOut { .. })));
    // That flush is still asked for: the next step seals and sends for its sake.
    assert!(flusher.step());
    assert_eq!(client.stats().delivered, 1);
    client.track_read("n", 2);
    drop(flusher);
    assert_eq!(client.flush(LONG), Err(FlushError::Stopped));
    let stats = client.shutdown(LONG);
    assert_eq!((stats.recorded, stats.delivered, stats.lost.shutdown_timeout), (2, 1, 1), "{stats}");
}
