//! `trackside::thread`: std's threads, and whoever reads the events knows what was spawned and joined where.

use crate::mutex::{in_default_client, turn};
use crate::support::order::{Order, findings};
use crate::support::{LONG, client, events, scaled};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use trackside::{Client, Context, MemoryTransport, thread};
use trackside_wire::Kind;

fn order(client: &Client, memory: &MemoryTransport) -> Order {
    client.flush(LONG).unwrap();
    Order::of(events(memory))
}

/// Runs `work` in a context of a client of its own.
fn in_context(work: impl FnOnce(&Client)) -> Order {
    let (client, memory) = client();
    client.context().run(|| work(&client));
    order(&client, &memory)
}

#[test]
fn a_thread_comes_after_its_spawn_and_before_its_join() {
    let order = in_context(|client| {
        client.track_custom("before", 0);
        let recorder = client.clone();
        let worker = thread::spawn(move || {
            recorder.track_custom("in", 0);
            thread::spawn({
                let recorder = recorder.clone();
                move || recorder.track_custom("nested", 0)
            })
            .join()
            .unwrap();
            recorder.track_custom("in, after", 0);
            7
        });
        client.track_custom("beside", 0);
        assert_eq!(worker.join().unwrap(), 7);
        client.track_custom("after", 0);
    });
    order.assert_chain(&["before", "in", "nested", "in, after", "after"]);
    order.assert_chain(&["before", "beside", "after"]);
    order.assert_apart("in", "beside");
    order.assert_apart("nested", "beside");
    let [outer, inner] = [order.event("before"), order.event("in")];
    assert_eq!((inner.trace, inner.span), (outer.trace, outer.span));
    assert_ne!(inner.strand, outer.strand);
    assert_eq!((inner.strand_name.as_str(), inner.entry), ("thread", false));
}

#[test]
fn spawns_and_joins_are_recorded_where_the_program_has_them() {
    let lines = std::cell::Cell::new((0, 0, 0));
    let order = in_context(|_| {
        let first = line!();
        thread::spawn(|| ()).join().unwrap();
        thread::Builder::new().spawn(|| ()).unwrap().join().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| ());
        });
        lines.set((first + 1, first + 2, first + 3));
    });
    let (one, two, three) = lines.get();
    let sites: Vec<_> = order.events().iter().map(|seen| (seen.kind, seen.line)).collect();
    let (spawn, joined) = (Kind::AsyncSpawn, Kind::AsyncAwait);
    let expected = [(spawn, one), (joined, one), (spawn, two), (joined, two), (spawn, three + 1), (joined, three)];
    assert_eq!(sites, expected);
    assert!(order.events().iter().all(|seen| seen.file.ends_with("threads.rs")));
}

#[test]
fn a_panic_is_joined_like_any_end() {
    let order = in_context(|client| {
        let recorder = client.clone();
        let worker = thread::Builder::new().name("doomed".to_owned()).stack_size(1 << 20).spawn(move || {
            assert_eq!(thread::current().name(), Some("doomed"));
            recorder.track_custom("in", 0);
            panic!("on purpose");
        });
        let result = worker.unwrap().join();
        assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"on purpose"));
        client.track_custom("after", 0);
    });
    order.assert_chain(&["in", "after"]);
    assert_eq!(order.event("in").strand_name, "doomed");
}

#[test]
fn a_scope_s_end_joins_what_was_not_joined_in_it() {
    let mut lent = 0;
    let order = in_context(|client| {
        client.track_custom("before", 0);
        let returned = thread::scope(|scope| {
            scope.spawn(|| {
                client.track_custom("one", 0);
                // As in std, a thread of a scope may spawn into it, and it need not move the scope for that.
                scope.spawn(|| client.track_custom("one's", 0));
                lent += 1;
            });
            let two = thread::Builder::new().name("two".to_owned()).spawn_scoped(scope, || {
                client.track_custom("two", 0);
                2
            });
            let two = two.unwrap().join().unwrap();
            client.track_custom("inside", 0);
            two
        });
        assert_eq!(returned, 2);
        client.track_custom("after", 0);
    });
    assert_eq!(lent, 1);
    order.assert_chain(&["before", "one", "one's", "after"]);
    order.assert_chain(&["before", "two", "inside", "after"]);
    order.assert_apart("one", "two");
    order.assert_apart("one", "inside");
    let awaits = order.events().iter().filter(|seen| seen.kind == Kind::AsyncAwait).count();
    assert_eq!(awaits, 3, "each thread is awaited once");
}

#[test]
fn a_scope_that_panics_has_waited_for_its_threads() {
    let order = in_context(|client| {
        let scope = AssertUnwindSafe(|| {
            thread::scope(|scope| {
                scope.spawn(|| {
                    client.track_custom("in", 0);
                    panic!("on purpose");
                });
            });
        });
        assert!(catch_unwind(scope).is_err());
        client.track_custom("after", 0);
        let scope = AssertUnwindSafe(|| {
            thread::scope(|scope| {
                scope.spawn(|| client.track_custom("in another", 0));
                panic!("on purpose");
            });
        });
        assert!(catch_unwind(scope).is_err());
        client.track_custom("after another", 0);
    });
    order.assert_chain(&["in", "after", "in another", "after another"]);
}

#[test]
fn a_thread_may_end_while_it_is_attached_and_still_be_joined() {
    let order = in_context(|client| {
        let recorder = client.clone();
        let worker = thread::spawn(move || {
            recorder.track_custom("in", 0);
            // Nobody detaches this one.
            std::mem::forget(recorder.context().attach());
            recorder.track_custom("inside", 0);
        });
        worker.join().unwrap();
        client.track_custom("after", 0);
    });
    order.assert_chain(&["in", "after"]);
}

#[test]
fn what_thread_locals_do_at_the_end_comes_after_the_work() {
    struct Last(Client);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.track_custom("dropped", 0);
        }
    }
    thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
    let order = in_context(|client| {
        let recorder = client.clone();
        let worker = thread::spawn(move || {
            recorder.track_custom("in", 0);
            LAST.set(Some(Last(recorder)));
        });
        worker.join().unwrap();
    });
    order.assert_chain(&["in", "dropped"]);
}

#[test]
fn outside_of_any_context_threads_are_those_of_the_client_that_records_locks() {
    let events = in_default_client(|client| {
        client.track_custom("before", 0);
        let recorder = client.clone();
        thread::spawn(move || recorder.track_custom("in", 0)).join().unwrap();
        client.track_custom("after", 0);
    });
    let order = Order::of(events);
    order.assert_chain(&["before", "in", "after"]);
    assert_eq!((order.event("in").span, order.event("in").trace), (0, order.event("before").trace));
}

#[test]
fn a_context_of_another_client_than_that_of_locks_is_what_is_forked() {
    let events = in_default_client(|_| {
        let order = in_context(|client| {
            client.track_custom("before", 0);
            let recorder = client.clone();
            thread::spawn(move || recorder.track_custom("in", 0)).join().unwrap();
        });
        order.assert_chain(&["before", "in"]);
    });
    assert_eq!(events, []);
}

#[test]
fn no_race_is_found_where_spawns_and_joins_order_all_and_one_where_they_do_not() {
    for round in 0..scaled(200, 20) {
        let (client, memory) = client();
        client.context().run(|| {
            client.track_write("total", 0, 1);
            let worker = thread::spawn({
                let client = client.clone();
                move || client.track_write("total", 1, 2)
            });
            worker.join().unwrap();
            client.track_write("total", 2, 3);
            thread::scope(|scope| {
                scope.spawn(|| client.track_write("total", 3, 4)).join().unwrap();
                scope.spawn(|| client.track_write("total", 4, 5));
            });
            client.track_write("total", 5, 6);
        });
        client.flush(LONG).unwrap();
        assert_eq!(findings(&memory), [].into(), "round {round}");

        let both = Arc::new(Barrier::new(2));
        client.context().run(|| {
            let write = |value: u64| {
                let (client, both) = (client.clone(), both.clone());
                thread::spawn(move || {
                    both.wait();
                    client.track_write("raced", 0, value);
                })
            };
            let (one, two) = (write(1), write(2));
            one.join().unwrap();
            two.join().unwrap();
        });
        client.flush(LONG).unwrap();
        assert_eq!(findings(&memory), ["raced".to_owned()].into(), "round {round}");
    }
}

#[test]
fn without_a_client_they_are_std_s_threads() {
    let _turn = turn();
    assert!(Context::current().is_none());
    assert!(thread::spawn(|| thread::current().id()).join().is_ok());
    let mut sum = 0;
    thread::scope(|scope| sum = scope.spawn(|| 1).join().unwrap() + scope.spawn(|| 2).join().unwrap());
    assert_eq!(sum, 3);
}

#[cfg(unix)]
#[test]
fn a_handle_gives_the_systems_own_as_stds_does() {
    use std::os::unix::thread::JoinHandleExt;
    let _turn = turn();
    // Both live while they are told apart: the system gives the number of a thread that has ended to the next.
    let both_live = Arc::new(Barrier::new(3));
    let [one, other] = [both_live.clone(), both_live.clone()].map(|live| thread::spawn(move || live.wait()));
    let (told, others) = (one.as_pthread_t(), other.as_pthread_t());
    assert_ne!(told, others);
    both_live.wait();
    assert_eq!(one.into_pthread_t(), told);
    other.join().unwrap();
}

/// `findings` demands a record that is complete.
#[test]
fn who_is_waited_for_and_has_recorded_nothing_leaves_no_hole() {
    let memory = MemoryTransport::new();
    crate::mutex::with_default_client(&memory, |client| {
        thread::spawn(|| ()).join().unwrap();
        assert!(thread::spawn(|| panic!("on purpose")).join().is_err());
        thread::scope(|scope| {
            scope.spawn(|| ());
        });
        client.track_write("n", 0, 1);
        let worker = thread::spawn({
            let client = client.clone();
            move || {
                // Nothing of its own, and what it has come after is known all the same.
                let inner = thread::spawn(move || client.track_write("n", 1, 2));
                inner.join().unwrap();
            }
        });
        worker.join().unwrap();
        client.track_write("n", 2, 3);
        client.context().run(|| ());
        let forked = client.context().fork("nothing");
        forked.finish().join();
        client.track_write("n", 3, 4);
    });
    assert!(findings(&memory).is_empty());
    let awaits = events(&memory).iter().filter(|event| event.kind == Kind::AsyncAwait).count();
    assert_eq!(awaits, 6);
}
