//! `Barrier` is std's in all that std promises, and the record tells which arrivals each one that left had to wait for.

use crate::mutex::{Is, SendOnly, in_default_client, same};
use crate::support::order::{Order, number};
use crate::support::{Seen, scaled};
use crate::sync_once::on_both;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::panic::{RefUnwindSafe, UnwindSafe};
use trackside::{sync, thread};
use trackside_wire::Kind;

#[test]
fn a_barrier_answers_like_stds() {
    on_both!({
        static LONELY: sync::Barrier = sync::Barrier::new(1);
        let nobody = sync::Barrier::new(0);
        let result = LONELY.wait();
        let mut said = vec![format!("{LONELY:?} {result:?} {} {}", result.is_leader(), nobody.wait().is_leader())];
        for threads in 2..5 {
            let barrier = sync::Barrier::new(threads);
            let leaders = || {
                std::thread::scope(|scope| {
                    let all: Vec<_> = (0..threads).map(|_| scope.spawn(|| barrier.wait().is_leader())).collect();
                    all.into_iter().filter_map(|thread| thread.join().ok()).filter(|leads| *leads).count()
                })
            };
            said.push(format!("{} {}", leaders(), leaders()));
        }
        said
    });
    same!(std::sync::Barrier, sync::Barrier);
    same!(std::sync::BarrierWaitResult, sync::BarrierWaitResult);
    fn assert_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    assert_unwind_safe::<sync::Barrier>();
}

#[test]
fn what_was_done_before_comes_before_what_is_done_after() {
    let barrier = sync::Barrier::named("barrier", 2);
    let order = Order::synchronised(in_default_client(|client| {
        thread::scope(|scope| {
            for [before, after, later] in [["a1", "a2", "a3"], ["b1", "b2", "b3"]] {
                let barrier = &barrier;
                scope.spawn(move || {
                    client.track_custom(before, 0);
                    barrier.wait();
                    client.track_custom(after, 0);
                    barrier.wait();
                    client.track_custom(later, 0);
                });
            }
        });
    }));
    for [one, other] in [["a", "b"], ["b", "a"]] {
        order.assert_chain(&[&format!("{one}1"), &format!("{other}2"), &format!("{one}3")]);
        order.assert_apart(&format!("{one}2"), &format!("{other}2"));
        order.assert_apart(&format!("{one}3"), &format!("{other}3"));
    }
    let signals: Vec<_> = order.events().iter().filter(|seen| seen.name.as_deref() == Some("barrier")).collect();
    assert_eq!(signals.len(), 8);
    assert!(
        signals.iter().all(|seen| seen.a == signals[0].a && seen.file == file!() && seen.b.contains("\"Barrier\""))
    );
}

/// Lets `threads` threads pass a barrier for `size` some times, each of which tells whether it led.
fn passing(threads: usize, size: usize, times: usize) -> Vec<Seen> {
    let barrier = sync::Barrier::new(size);
    in_default_client(|client| {
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..times {
                        let leads = barrier.wait().is_leader();
                        client.track_custom("leads", leads);
                    }
                });
            }
        });
    })
}

/// Asserts that in each generation as many arrived as the barrier is for, the same left, and one of them led.
fn check(seen: Vec<Seen>, size: usize, arrivals: usize) -> Result<(), TestCaseError> {
    let mut strands: BTreeMap<u64, Vec<Seen>> = BTreeMap::new();
    seen.into_iter().for_each(|seen| strands.entry(seen.strand).or_default().push(seen));
    let mut generations: BTreeMap<u64, Vec<bool>> = BTreeMap::new();
    for strand in strands.values_mut() {
        strand.sort_by_key(|seen| seen.step);
        strand.retain(|seen| matches!(seen.kind, Kind::SyncRelease | Kind::SyncAcquire | Kind::Custom));
        for passage in strand.chunks(3) {
            let [arrival, leaving, leads] = passage else { panic!("{passage:?}") };
            prop_assert_eq!((arrival.kind, leaving.kind), (Kind::SyncRelease, Kind::SyncAcquire));
            prop_assert_eq!((&arrival.a, &arrival.b), (&leaving.a, &leaving.b));
            generations.entry(number(arrival)).or_default().push(leads.a == "true");
        }
    }
    prop_assert!(generations.keys().copied().eq(1..=(arrivals / size) as u64));
    for (generation, leads) in generations {
        let leaders = leads.iter().filter(|leads| **leads).count();
        prop_assert_eq!((leads.len(), leaders), (size, 1), "generation {}", generation);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(scaled(100, 20) as u32))]

    #[test]
    fn as_many_arrive_and_leave_in_each_generation_as_the_barrier_is_for(size in 1..6_usize, times in 1..30_usize) {
        check(passing(size, size, times), size, size * times)?;
    }

    /// Then threads overtake each other between their arrival and the barrier's count of it.
    #[test]
    fn also_if_there_are_more_threads_than_it_is_for(size in 1..4_usize, groups in 1..5_usize) {
        check(passing(size * groups, size, 1), size, size * groups)?;
    }
}
