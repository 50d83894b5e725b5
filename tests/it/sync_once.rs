//! `Once`, `OnceLock` and `LazyLock` are std's in all that std promises; and whoever finds the initialisation done is
//! recorded as coming after it, once.

use crate::mutex::{Is, Otherwise, SendOnly, in_default_client, same, turn};
use crate::support::Seen;
use crate::support::order::{Order, number};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use trackside::{Context, sync, thread};
use trackside_wire::Kind;

/// Runs the same steps with std's types and ours, as `sync`, and compares what they come to.
macro_rules! on_both {
    ($steps:block) => {{
        let _turn = crate::mutex::turn();
        let std = {
            use std::sync;
            $steps
        };
        let ours = {
            use trackside::sync;
            $steps
        };
        assert_eq!(std, ours);
        ours
    }};
}
pub(crate) use on_both;

/// What a panic of `work` says.
fn panic_of<T>(work: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(work)) else { return "no panic".into() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

fn of_kind(seen: &[Seen], kind: Kind) -> Vec<&Seen> {
    seen.iter().filter(|seen| seen.kind == kind).collect()
}

#[test]
fn once_answers_like_stds() {
    on_both!({
        static ONCE: sync::Once = sync::Once::new();
        let (mut calls, mut said) = (0, vec![format!("{ONCE:?} {}", ONCE.is_completed())]);
        ONCE.call_once(|| calls += 1);
        ONCE.call_once(|| calls += 1);
        ONCE.call_once_force(|_| calls += 1);
        ONCE.wait();
        ONCE.wait_force();
        said.push(format!("{calls} {}", ONCE.is_completed()));
        said
    });
}

/// A constant of old, which is to be of the type beside it.
#[test]
#[expect(deprecated, reason = "std has it still")]
fn the_constant_once_is_one_of_the_type() {
    on_both!({
        static ONCE: sync::Once = sync::ONCE_INIT;
        let mut calls = 0;
        ONCE.call_once(|| calls += 1);
        format!("{calls} {ONCE:?}")
    });
}

#[test]
fn a_poisoned_once_answers_like_stds() {
    let said = on_both!({
        let once = sync::Once::new();
        let mut said = vec![panic_of(|| once.call_once(|| panic!("poison; this is part of a test")))];
        said.push(format!("{}", once.is_completed()));
        said.push(panic_of(|| once.call_once(|| unreachable!())));
        said.push(panic_of(|| once.wait()));
        said.push(panic_of(|| once.call_once_force(|state| panic!("still {}", state.is_poisoned()))));
        once.call_once_force(|state| said.push(format!("{}", state.is_poisoned())));
        once.call_once(|| unreachable!());
        said.push(format!("{}", once.is_completed()));
        said
    });
    assert_eq!(said[4], "still true");
}

#[test]
fn a_once_lock_answers_like_stds() {
    on_both!({
        static CELL: sync::OnceLock<String> = sync::OnceLock::new();
        let mut said = vec![format!("{CELL:?} {:?}", CELL.get())];
        said.push(CELL.get_or_init(|| "first".into()).clone());
        said.push(CELL.get_or_init(|| unreachable!()).clone());
        said.push(format!("{:?} {:?} {CELL:?} {}", CELL.set("second".into()), CELL.get(), CELL.wait()));
        let mut cell = CELL.clone();
        said.push(format!("{} {}", cell == CELL, cell == sync::OnceLock::new()));
        cell.get_mut().unwrap().push('!');
        said.push(format!("{:?} {:?}", cell.take(), cell.get_mut()));
        said.push(format!("{:?}", cell.take()));
        said.push(format!("{:?} {:?}", cell.set("third".into()), cell.into_inner()));
        said.push(format!("{:?}", sync::OnceLock::from(5)));
        said.push(format!("{:?}", sync::OnceLock::<u8>::default().into_inner()));
        said
    });
}

#[test]
fn an_initialisation_that_panics_leaves_the_cell_empty_as_in_std() {
    on_both!({
        let cell = sync::OnceLock::new();
        let panic = panic_of(|| cell.get_or_init(|| panic!("this is part of a test")));
        (panic, cell.get().copied(), *cell.get_or_init(|| 7), cell.get().copied())
    });
}

#[test]
fn a_lazy_lock_answers_like_stds() {
    on_both!({
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        static LAZY: sync::LazyLock<Vec<u8>> = sync::LazyLock::new(|| {
            CALLS.fetch_add(1, Ordering::Relaxed);
            vec![1, 2]
        });
        let mut said = vec![format!("{LAZY:?}")];
        said.push(format!("{} {:?} {LAZY:?}", LAZY.len(), sync::LazyLock::force(&LAZY)));
        said.push(format!("{:?}", *sync::LazyLock::<String>::default()));
        let captured = String::from("captured");
        said.push(format!("{}", sync::LazyLock::new(move || captured).len()));
        (said, CALLS.swap(0, Ordering::Relaxed))
    });
    let _turn = turn();
    let mut lazy = sync::LazyLock::new(|| vec![1]);
    assert_eq!(sync::LazyLock::get(&lazy), None);
    assert_eq!(sync::LazyLock::get_mut(&mut lazy), None);
    lazy.push(2);
    sync::LazyLock::force_mut(&mut lazy).push(3);
    assert_eq!(sync::LazyLock::get(&lazy), Some(&vec![1, 2, 3]));
    assert_eq!(sync::LazyLock::get_mut(&mut lazy), Some(&mut vec![1, 2, 3]));
}

#[test]
fn a_poisoned_lazy_lock_answers_like_stds() {
    on_both!({
        let lazy: sync::LazyLock<u8, _> = sync::LazyLock::new(|| panic!("this is part of a test"));
        [panic_of(|| *lazy), panic_of(|| *lazy), format!("{lazy:?}")]
    });
}

#[test]
fn they_are_as_send_and_sync_as_stds() {
    type Cell = std::cell::Cell<u8>;
    type Rc = std::rc::Rc<u8>;
    same!(std::sync::Once, sync::Once);
    same!(std::sync::OnceLock<u8>, sync::OnceLock<u8>);
    same!(std::sync::OnceLock<Cell>, sync::OnceLock<Cell>);
    same!(std::sync::OnceLock<Rc>, sync::OnceLock<Rc>);
    same!(std::sync::LazyLock<u8>, sync::LazyLock<u8>);
    same!(std::sync::LazyLock<Cell>, sync::LazyLock<Cell>);
    same!(std::sync::LazyLock<u8, Cell>, sync::LazyLock<u8, Cell>);
    same!(std::sync::LazyLock<u8, Rc>, sync::LazyLock<u8, Rc>);
    fn assert_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    assert_unwind_safe::<sync::Once>();
    assert_unwind_safe::<sync::OnceLock<u8>>();
    assert_unwind_safe::<sync::LazyLock<u8>>();
}

#[test]
fn many_threads_initialise_once_and_each_comes_after_that() {
    let (once, cell, calls) = (sync::Once::new(), sync::OnceLock::named("cell"), AtomicUsize::new(0));
    let lazy = sync::LazyLock::named("lazy", || calls.fetch_add(1, Ordering::Relaxed));
    let seen = in_default_client(|client| {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    once.call_once(|| client.track_custom("once", 0));
                    cell.get_or_init(|| client.track_custom("cell", 0));
                    assert_eq!(*lazy, 0);
                    client.track_custom("after", 0);
                });
            }
        });
    });
    let releases = of_kind(&seen, Kind::SyncRelease);
    let mut types: Vec<_> = releases.iter().map(|seen| (seen.name.as_deref().unwrap(), seen.b.as_str())).collect();
    types.sort_unstable();
    assert_eq!(types[..2], [("cell", "[1, \"OnceLock\"]"), ("lazy", "[1, \"LazyLock\"]")]);
    assert!(types[2].0.starts_with(file!()) && types[2].1 == "[1, \"Once\"]", "{types:?}");
    // All but the one who did it have noticed each of the three, and no more than once.
    for release in releases {
        let acquires = seen.iter().filter(|seen| seen.kind == Kind::SyncAcquire && seen.a == release.a);
        let mut strands: Vec<_> = acquires.map(|seen| seen.strand).chain([release.strand]).collect();
        strands.sort_unstable();
        strands.dedup();
        assert_eq!(strands.len(), 8);
        assert_eq!(of_kind(&seen, Kind::SyncAcquire).len(), 3 * 7);
    }
}

#[test]
fn finding_it_done_comes_after_doing_it() {
    let (cell, wanted, lazy) = (sync::OnceLock::new(), sync::OnceLock::new(), sync::LazyLock::new(|| 1));
    let order = Order::synchronised(in_default_client(|client| {
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                client.track_custom("before cell", 0);
                cell.set(1).unwrap();
                client.track_custom("after cell", 0);
                sync::LazyLock::force(&lazy);
                wanted.set(()).unwrap();
            });
            scope.spawn(|| {
                cell.wait();
                client.track_custom("got cell", 0);
                wanted.wait();
                assert!(sync::LazyLock::get(&lazy).is_some());
                client.track_custom("got lazy", 0);
            });
            drop(first);
        });
    }));
    order.assert_chain(&["before cell", "got cell", "got lazy"]);
    order.assert_chain(&["before cell", "after cell", "got lazy"]);
    order.assert_apart("after cell", "got cell");
}

#[test]
fn each_strand_notices_once_however_often_it_looks_and_wherever_it_runs() {
    let (cell, others) = (sync::OnceLock::named("cell"), sync::OnceLock::named("other"));
    let mut ids = Vec::new();
    let seen = in_default_client(|client| {
        cell.set(1).unwrap();
        others.set(1).unwrap();
        let look = |times| (0..times).for_each(|_| assert!(cell.get().is_some() && others.get().is_some()));
        look(1000);
        let context = client.context();
        ids.push(context.thread_id().strand);
        let attached = context.attach();
        look(1000);
        let context = attached.detach().unwrap();
        look(1000);
        // It has not forgotten, and another one on the same thread does not know.
        let attached = context.attach();
        look(1000);
        let fork = Context::current().unwrap().fork("fork");
        ids.push(fork.thread_id().strand);
        drop(attached);
        fork.run(|| look(1000));
    });
    let acquires = of_kind(&seen, Kind::SyncAcquire);
    let mut strands: Vec<_> = acquires.iter().map(|seen| seen.strand).collect();
    strands.dedup();
    assert_eq!((acquires.len(), strands.len()), (6, 3), "{acquires:#?}");
    assert_eq!(strands[1..], ids);
    assert_eq!(acquires.iter().map(|seen| number(seen)).collect::<Vec<_>>(), [1; 6]);
}

#[test]
fn another_attempt_comes_after_the_one_that_panicked() {
    let (once, cell) = (sync::Once::new(), sync::OnceLock::named("cell"));
    let seen = in_default_client(|client| {
        let in_thread = |work: &(dyn Fn() + Sync)| {
            std::thread::scope(|scope| scope.spawn(|| catch_unwind(AssertUnwindSafe(work)).is_ok()).join().unwrap())
        };
        let fail = || {
            client.track_custom("failed", 0);
            panic!("this is part of a test");
        };
        assert!(!in_thread(&|| once.call_once(fail)));
        assert!(!in_thread(&|| {
            cell.get_or_init(|| panic!("this is part of a test"));
        }));
        // It finds the attempt that failed, and panics because of it.
        let told = || {
            assert!(catch_unwind(AssertUnwindSafe(|| once.call_once(|| ()))).is_err());
            client.track_custom("told of the failure", 0);
        };
        assert!(in_thread(&told));
        assert!(in_thread(&|| once.call_once_force(|_| client.track_custom("again", 0))));
        assert!(in_thread(&|| cell.set(()).unwrap()));
        assert!(in_thread(&|| {
            assert!(once.is_completed() && cell.get().is_some());
            client.track_custom("found", 0);
        }));
    });
    let numbers = |kind| {
        let of_once = |seen: &&&Seen| seen.b.contains("\"Once\"");
        let mut numbers: Vec<_> = of_kind(&seen, kind).iter().filter(of_once).map(|seen| number(seen)).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!((numbers(Kind::SyncRelease), numbers(Kind::SyncAcquire)), (vec![1, 2], vec![1, 1, 2]));
    let order = Order::synchronised(seen);
    order.assert_chain(&["failed", "told of the failure"]);
    order.assert_chain(&["failed", "again", "found"]);
    order.assert_apart("told of the failure", "again");
}

#[test]
fn what_was_put_in_when_there_was_no_client_or_another_is_not_waited_for() {
    let (early, other, mut again) = (sync::OnceLock::new(), sync::OnceLock::new(), sync::OnceLock::from(1));
    {
        let _turn = turn();
        early.get_or_init(|| 1);
    }
    in_default_client(|_| other.set(1).unwrap());
    let seen = in_default_client(|_| {
        assert_eq!((early.get(), other.get(), again.get()), (Some(&1), Some(&1), Some(&1)));
        assert_eq!(early.clone(), other.clone());
        again.take();
        again.set(2).unwrap();
        assert_eq!(again.get(), Some(&2));
    });
    let kinds: Vec<_> = seen.iter().map(|seen| seen.kind).collect();
    assert_eq!(kinds, [Kind::SyncRelease, Kind::SyncAcquire]);
}
