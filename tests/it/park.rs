//! `thread::park` and `Thread::unpark` are std's, and what they order is recorded.

use crate::mutex::{in_default_client, turn};
use crate::support::Seen;
use crate::support::order::{Order, number};
use std::sync::mpsc;
use std::time::Duration;
use trackside::thread;
use trackside_wire::Kind;

fn numbers(seen: &[Seen], kind: Kind) -> Vec<u64> {
    seen.iter().filter(|seen| seen.kind == kind).map(number).collect()
}

#[test]
fn a_handle_tells_what_stds_does() {
    let _turn = turn();
    let (ours, std) = (thread::current(), std::thread::current());
    assert_eq!((ours.id(), ours.name(), format!("{ours:?}")), (std.id(), std.name(), format!("{std:?}")));
    let handle = thread::Builder::new().name("worker".into()).spawn(thread::current).unwrap();
    let (name, id) = (handle.thread().name().map(str::to_owned), handle.thread().id());
    let own = handle.join().unwrap();
    assert_eq!((own.id(), own.name().map(str::to_owned), name.as_deref()), (id, name.clone(), Some("worker")));
    thread::scope(|scope| {
        let spawned = scope.spawn(|| std::thread::current().id());
        let id = spawned.thread().id();
        assert_eq!(spawned.join().unwrap(), id);
    });
}

/// Their names are old, but whoever has them in the source need not change it.
#[test]
#[expect(deprecated, reason = "they are std's functions still")]
fn milliseconds_as_plain_numbers_are_as_stds() {
    let seen = in_default_client(|_| {
        let start = std::time::Instant::now();
        thread::sleep_ms(5);
        assert!(start.elapsed() >= Duration::from_millis(5));
        // It may return sooner, as std's may.
        thread::park_timeout_ms(5);
        thread::current().unpark();
        thread::park_timeout_ms(u32::MAX);
    });
    assert_eq!([numbers(&seen, Kind::SyncRelease), numbers(&seen, Kind::SyncAcquire)], [[1], [1]]);
}

#[test]
fn a_token_is_kept_and_is_but_one() {
    let seen = in_default_client(|_| {
        let own = thread::current();
        own.unpark();
        own.clone().unpark();
        thread::park();
        // There is none left: this waits for its time.
        let start = std::time::Instant::now();
        thread::park_timeout(Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
        thread::current().unpark();
        thread::park_timeout(Duration::MAX);
    });
    assert_eq!(numbers(&seen, Kind::SyncRelease), [1, 2, 3]);
    // The first park comes after both unparks, the second after no other.
    assert_eq!(numbers(&seen, Kind::SyncAcquire), [2, 3]);
    let one = &seen[0].a;
    assert!(seen.iter().all(|seen| seen.a == *one && seen.b.ends_with(", \"Thread\"]") && seen.file == file!()));
}

#[test]
fn whoever_is_unparked_comes_after_that() {
    let order = Order::synchronised(in_default_client(|client| {
        let (ready, is_ready) = mpsc::channel();
        let recorder = client.clone();
        let parked = thread::spawn(move || {
            recorder.track_custom("before park", 0);
            ready.send(()).unwrap();
            thread::park();
            recorder.track_custom("after park", 0);
        });
        is_ready.recv().unwrap();
        client.track_custom("before unpark", 0);
        parked.thread().unpark();
        client.track_custom("after unpark", 0);
        parked.join().unwrap();
    }));
    order.assert_chain(&["before unpark", "after park"]);
    order.assert_apart("before park", "before unpark");
    order.assert_apart("after unpark", "after park");
    let park = order.events().iter().find(|seen| seen.kind == Kind::SyncAcquire).unwrap();
    assert!(park.name.as_deref().unwrap().starts_with(file!()), "a thread is called after its spawn");
}

#[test]
fn every_unpark_so_far_comes_before() {
    let order = Order::synchronised(in_default_client(|client| {
        let parked = thread::current();
        thread::scope(|scope| {
            for name in ["one", "two", "three"] {
                let parked = &parked;
                scope.spawn(move || {
                    client.track_custom(name, 0);
                    parked.unpark();
                });
            }
            // A scope's end is waited for by std's park, and would take the token.
        });
        parked.unpark();
        thread::park();
        client.track_custom("after", 0);
    }));
    ["one", "two", "three"].iter().for_each(|name| order.assert_chain(&[name, "after"]));
    let last = order.events().iter().rfind(|seen| seen.kind == Kind::SyncAcquire).unwrap();
    assert_eq!(number(last), 4);
}

#[test]
fn stds_own_unpark_orders_nothing_that_is_recorded() {
    let seen = in_default_client(|_| {
        std::thread::current().unpark();
        thread::park();
        thread::current().unpark();
        std::thread::park();
    });
    assert_eq!((numbers(&seen, Kind::SyncRelease), numbers(&seen, Kind::SyncAcquire)), (vec![1], vec![]));
}

#[test]
fn without_a_client_nothing_is_counted() {
    let thread = std::thread::spawn(|| {
        let own = thread::current();
        {
            let _turn = turn();
            own.unpark();
            thread::park();
        }
        in_default_client(|_| {
            own.unpark();
            thread::park();
        })
    });
    let seen = thread.join().unwrap();
    let (releases, acquires) = (numbers(&seen, Kind::SyncRelease), numbers(&seen, Kind::SyncAcquire));
    assert_eq!((&releases[..], &acquires[..]), (&[1][..], &[1][..]));
}
