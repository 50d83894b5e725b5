//! Events recorded by the destructors of thread-locals: delivered, on Unix, where the thread's ring goes after all of them;
//! elsewhere delivered or counted, whichever, and nothing crashes. The main thread's are in tests/process.rs.

use crate::support::{LONG, assert_balanced, client, events};
use std::cell::RefCell;
use std::thread;
use trackside::{Client, TrackedMutex};

/// Records, when it is dropped, with each of its clients, in turn.
struct Records(Vec<Client>);

impl Drop for Records {
    fn drop(&mut self) {
        for round in 0..EACH {
            for client in &self.0 {
                client.track_custom("last words", round);
            }
        }
    }
}

const EACH: u64 = 10;

thread_local! {
    static FIRST: RefCell<Option<Records>> = const { RefCell::new(None) };
    static SECOND: RefCell<Option<Records>> = const { RefCell::new(None) };
}

/// Asserts that of `recorded` events, all are delivered but those that came too late.
#[track_caller]
fn assert_accounted(client: &Client, memory: &trackside::MemoryTransport, recorded: u64) {
    client.flush(LONG).unwrap();
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!(stats.recorded, recorded, "{stats}");
    assert_eq!(stats.lost.total(), stats.lost.thread_exit, "{stats}");
    assert!(cfg!(not(unix)) || stats.lost.total() == 0, "{stats}");
    assert_eq!(events(memory).len() as u64, stats.delivered);
}

#[test]
fn a_thread_local_older_than_the_ring() {
    let (client, memory) = client();
    for _ in 0..50 {
        let own = client.clone();
        let recording = move || {
            FIRST.set(Some(Records(vec![own.clone()])));
            own.track_custom("first", 1);
        };
        thread::spawn(recording).join().unwrap();
    }
    assert_accounted(&client, &memory, 50 * (1 + EACH));
    // Rings go back even so.
    assert!(client.stats().rings < 50, "{:?}", client.stats());
}

#[test]
fn a_thread_local_younger_than_the_ring() {
    let (client, memory) = client();
    for _ in 0..50 {
        let own = client.clone();
        let recording = move || {
            own.track_custom("first", 1);
            FIRST.set(Some(Records(vec![own])));
        };
        thread::spawn(recording).join().unwrap();
    }
    assert_accounted(&client, &memory, 50 * (1 + EACH));
}

#[test]
fn one_of_each() {
    // Thread-locals are destroyed in some order, so one of the two is after that by which the exit is noticed.
    let (client, memory) = client();
    let own = client.clone();
    let recording = move || {
        FIRST.set(Some(Records(vec![own.clone()])));
        own.track_custom("first", 1);
        SECOND.set(Some(Records(vec![own])));
    };
    thread::Builder::new().name("late".into()).spawn(recording).unwrap().join().unwrap();
    assert_accounted(&client, &memory, 1 + 2 * EACH);
    let seen = events(&memory);
    assert!(seen.iter().all(|event| event.thread == "late" && event.strand == seen[0].strand));
}

#[cfg(unix)]
#[test]
fn a_client_that_the_thread_meets_after_its_exit_is_noticed() {
    let (known, unknown) = (client(), client());
    let clients = [unknown.0.clone(), known.0.clone()];
    let recording = move || {
        FIRST.set(Some(Records(clients.to_vec())));
        clients[1].track_custom("first", 1);
    };
    thread::spawn(recording).join().unwrap();
    assert_accounted(&known.0, &known.1, 1 + EACH);
    assert_accounted(&unknown.0, &unknown.1, EACH);
    // Both rings go back.
    let (again, clients) = (unknown.0.clone(), [&unknown.0, &known.0]);
    thread::spawn(move || again.track_custom("next", 1)).join().unwrap();
    assert_eq!(clients.map(|client| client.stats().rings), [1, 1]);
}

#[test]
fn a_thread_whose_first_event_comes_from_a_destructor() {
    let (client, memory) = client();
    for _ in 0..50 {
        let own = client.clone();
        thread::spawn(move || FIRST.set(Some(Records(vec![own])))).join().unwrap();
    }
    assert_accounted(&client, &memory, 50 * EACH);
    assert!(client.stats().rings < 50, "{:?}", client.stats());
}

#[test]
fn several_clients_in_a_destructor() {
    let (one, other) = (client(), client());
    for known in [false, true] {
        let clients = [one.0.clone(), other.0.clone()];
        let recording = move || {
            if known {
                clients[0].track_custom("first", 1);
            }
            FIRST.set(Some(Records(clients.to_vec())));
            if known {
                clients[1].track_custom("first", 1);
            }
        };
        thread::spawn(recording).join().unwrap();
    }
    assert_accounted(&one.0, &one.1, 2 * EACH + 1);
    assert_accounted(&other.0, &other.1, 2 * EACH + 1);
}

#[test]
fn the_last_handle_of_a_client_in_a_destructor() {
    for older in [false, true] {
        let (client, memory) = client();
        let recording = move || {
            if older {
                FIRST.set(Some(Records(vec![client.clone()])));
            }
            client.track_custom("first", 1);
            FIRST.set(Some(Records(vec![client])));
        };
        thread::spawn(recording).join().unwrap();
        // Dropping the last handle waited for delivery. In the older's case, the first value was dropped at once.
        let seen = events(&memory).len() as u64;
        assert!((1..=1 + 2 * EACH).contains(&seen), "{seen}");
    }
}

#[test]
fn a_tracked_mutex_in_a_destructor() {
    static LOCK: TrackedMutex<u64> = TrackedMutex::new(0);
    struct Locks;
    impl Drop for Locks {
        fn drop(&mut self) {
            *LOCK.lock().unwrap() += 1;
        }
    }
    thread_local!(static LOCKS: RefCell<Option<Locks>> = const { RefCell::new(None) });
    let seen = crate::mutex::with_default_client(&trackside::MemoryTransport::new(), |client| {
        for older in [false, true] {
            let own = client.clone();
            let recording = move || {
                if !older {
                    own.track_custom("first", 1);
                }
                LOCKS.set(Some(Locks));
                if older {
                    own.track_custom("first", 1);
                }
            };
            thread::spawn(recording).join().unwrap();
        }
    });
    // One event and one pair of lock events a thread.
    assert_eq!((seen.recorded, seen.lost.total()), (6, seen.lost.thread_exit), "{seen}");
    assert!(cfg!(not(unix)) || seen.lost.total() == 0, "{seen}");
    crate::mutex::without_client(|| assert_eq!(*LOCK.lock().unwrap(), 2));
}
