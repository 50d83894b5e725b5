use super::*;
use crate::ring::frame::{FixedName, HEAD_WORDS, Head, Name};
use crate::ring::pipe::{Identity, Overflow, PipeOptions};
use std::num::NonZeroUsize;
use std::panic::Location;

fn pipe() -> Arc<Pipe> {
    pipe_that_is(false)
}

/// With coarse timestamps, or precise ones.
fn pipe_that_is(coarse: bool) -> Arc<Pipe> {
    let ring_words = const { NonZeroUsize::new(64).unwrap() };
    let identity = Identity { run: 1, trace: 1, service: "s".into(), instance: "i".into(), pid: 1 };
    let announce = |_: &mut ThreadRing, _| Whose::Known;
    let (overflow, background) = (Overflow::DropNewest, true);
    Pipe::new(PipeOptions { ring_words, most_rings: 4, overflow, background, coarse, announce, clock: || 0, identity })
        .0
}

fn drained(pipe: &Pipe, consumers: &mut Vec<super::super::spsc::Consumer>) -> Vec<(u8, Vec<u64>)> {
    pipe.registry.adopt(consumers);
    let mut found = Vec::new();
    for consumer in consumers {
        consumer.drain(&mut Vec::new(), |head, payload| {
            found.push((head.kind, payload.to_vec()));
            true
        });
    }
    found
}

fn draft(pipe: &Pipe, payload: u64) -> Draft {
    let head = Head::fixed(KIND, FixedName::text("lock"), Location::caller(), HEAD_WORDS + 1);
    let draft = draft_at_once(pipe.key(), head, |_| [payload], LockPlace::UNKNOWN);
    assert!(draft.is_some());
    draft
}

const KIND: u8 = 20;

/// A signal handler that records between the look at the owner and its being taken publishes the draft, and the owner
/// is then marked as if there were one: the mark is only a reason to look.
#[test]
fn a_mark_for_a_draft_that_a_signal_handler_has_published_publishes_nothing() {
    crate::clock::calibrate();
    let (pipe, mut consumers) = (pipe(), Vec::new());
    let record = || {
        let mut entered = enter(&pipe, false).unwrap();
        let head = Head { kind: KIND + 5, tags: 0, site: None, name: Name::None };
        entered.ring().reserve(&head, 0).unwrap().commit();
    };
    // Makes room, which a draft does not.
    record();
    drained(&pipe, &mut consumers);
    if !tsc::is_used() {
        return;
    }
    for complete in [true, false] {
        let first = draft(&pipe, 1);
        // The handler's event.
        record();
        slot().owner.set(pipe.key() | DRAFT);
        if complete {
            assert!(!complete_at_once::<1>(pipe.key(), first, |_| 9));
        }
        drop(enter(&pipe, false).unwrap());
        assert_eq!(drained(&pipe, &mut consumers), [(KIND, vec![1]), (KIND + 5, vec![])]);
        assert!(enter_at_once(pipe.key()).is_some(), "it goes on as before");
        let second = draft(&pipe, 2);
        assert!(complete_at_once::<1>(pipe.key(), second, |_| 3));
        assert_eq!(drained(&pipe, &mut consumers), [(KIND + 1, vec![2, 3])]);
    }
    assert_eq!(enter(&pipe, false).unwrap().ring().events(), 9);
}

#[test]
fn the_hot_path_is_for_whoever_has_been_let_in_before() {
    crate::clock::calibrate();
    let pipe = pipe();
    assert!(enter_at_once(pipe.gate(0)).is_none());
    drop(enter(&pipe, false).unwrap());
    assert_eq!(enter_at_once(pipe.gate(0)).is_some(), tsc::is_used());

    let entered = enter(&pipe, false).unwrap();
    assert!(enter_at_once(pipe.gate(0)).is_none());
    drop(entered);
    pipe.close();
    assert!(enter_at_once(pipe.gate(0)).is_none());
}

/// As on a machine whose counter cannot be trusted: the ring serves on, by the way that asks another clock.
#[test]
fn without_the_counter_the_ring_is_not_for_the_hot_path() {
    let pipe = pipe();
    drop(enter(&pipe, false).unwrap());
    let without = pipe.key() | NO_COUNTER;
    slot().owner.set(without);
    for _ in 0..3 {
        assert!(enter_at_once(pipe.gate(0)).is_none());
        assert!(open(slot(), slot().owner.replace(0), &pipe, false).is_some());
        slot().owner.set(without);
    }
    assert_eq!(pipe.registry.rings(), 1);
    assert_eq!(pipe.turned_away.reentrant.load(Ordering::Relaxed), 0);
}

/// As on a machine whose counter cannot be trusted: coarse time is read without it, so nothing has to be asked.
#[test]
fn coarse_time_is_for_the_hot_path_wherever_it_comes_from() {
    let (coarse, precise) = (pipe_that_is(true), pipe());
    assert_eq!([true, false].map(|used| idle_where(used, coarse.key())), [coarse.key(); 2]);
    assert_eq!(idle_where(true, precise.key()), precise.key());
    assert_eq!(idle_where(false, precise.key()), precise.key() | NO_COUNTER);

    drop(enter(&coarse, false).unwrap());
    coarse.publish_tick(17);
    let mut entered = enter_at_once(coarse.gate(0)).expect("it has been let in before");
    assert_eq!([entered.ring().hot_ticks(coarse.key()), entered.ring().ticks()], [17; 2]);
}

#[test]
fn coarse_time_does_not_go_back_for_who_has_read_the_clock_long_ago() {
    let pipe = pipe_that_is(true);
    let ticks = [5, 3, 5, 8].map(|ticks| {
        pipe.publish_tick(ticks);
        pipe.tick()
    });
    assert_eq!(ticks, [5, 5, 5, 8]);
}
