//! Potential deadlocks, each beside twins that differ in what makes them harmless.

use crate::program::{Program, V, remote};
use trackside_analysis::FindingKind;
use trackside_wire::Kind;

/// What is found in a program.
#[track_caller]
pub(crate) fn check(expect: &[&str], write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    assert_eq!(program.found(), expect, "{}", program.report());
}

/// A strand takes the first lock at the first line, the second one at the second line, and gives both back.
fn nest(p: &mut Program, strand: u64, (one, line): (&str, u32), (other, other_line): (&str, u32)) {
    p.at(line).lock(strand, one).at(other_line).lock(strand, other).unlock(strand, other).unlock(strand, one);
}

#[test]
fn two_locks_in_either_order() {
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 2, ("b", 3), ("a", 4));
    });
    check(&[], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 2, ("a", 3), ("b", 4));
    });
}

#[test]
fn locks_known_by_name_alone_are_locks_too() {
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        for (strand, [(one, line), (other, other_line)]) in [(1, [("a", 1), ("b", 2)]), (2, [("b", 3), ("a", 4)])] {
            p.at(line).plain_lock(strand, one, "Mutex").at(other_line).plain_lock(strand, other, "Mutex");
            p.plain_unlock(strand, other, "Mutex").plain_unlock(strand, one, "Mutex");
        }
    });
}

#[test]
fn five_philosophers() {
    let forks = ["f1", "f2", "f3", "f4", "f5"];
    let dine = |p: &mut Program, left_handed: u64| {
        for seat in 0..5_u64 {
            let (left, right) = (forks[seat as usize], forks[(seat as usize + 1) % 5]);
            let line = 10 * (seat as u32 + 1);
            let (one, other) = if seat == left_handed { (right, left) } else { (left, right) };
            nest(p, seat + 1, (one, line), (other, line + 1));
        }
    };
    check(&["deadlock f1 10 f2 11, f2 20 f3 21, f3 30 f4 31, f4 40 f5 41, f5 50 f1 51"], |p| dine(p, 9));
    check(&[], |p| dine(p, 4));
    // Four of them cannot do it, whoever is away.
    check(&[], |p| {
        for seat in 0..4 {
            nest(p, seat + 1, (forks[seat as usize], 1), (forks[seat as usize + 1], 2));
        }
    });
}

#[test]
fn three_locks_with_a_short_cut_are_two_cycles() {
    check(&["deadlock a 1 b 2, b 3 a 4", "deadlock a 5 c 6, c 7 b 8, b 3 a 4"], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 2, ("b", 3), ("a", 4));
        nest(p, 3, ("a", 5), ("c", 6));
        nest(p, 4, ("c", 7), ("b", 8));
    });
}

#[test]
fn a_gate_keeps_the_strands_apart_if_both_hold_it_and_one_of_them_exclusively() {
    let gated = |p: &mut Program, kinds: [&str; 2]| {
        p.counted(1, "gate", kinds[0]);
        nest(p, 1, ("a", 1), ("b", 2));
        p.uncount(1, "gate", kinds[0]).counted(2, "gate", kinds[1]);
        nest(p, 2, ("b", 3), ("a", 4));
        p.uncount(2, "gate", kinds[1]);
    };
    check(&[], |p| gated(p, ["Mutex", "Mutex"]));
    check(&[], |p| gated(p, ["RwLock-Read", "RwLock-Write"]));
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| gated(p, ["RwLock-Read", "RwLock-Read"]));
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        p.lock(1, "gate");
        nest(p, 1, ("a", 1), ("b", 2));
        p.unlock(1, "gate");
        nest(p, 2, ("b", 3), ("a", 4));
    });
    // Once with the gate and once without it.
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        gated(p, ["Mutex", "Mutex"]);
        nest(p, 1, ("a", 1), ("b", 2));
    });
}

#[test]
fn a_gate_of_two_of_three_is_enough() {
    let three = |p: &mut Program, gate: bool| {
        for (strand, one, other) in [(1, "a", "b"), (2, "b", "c"), (3, "c", "a")] {
            let gated = gate && strand != 2;
            if gated {
                p.lock(strand, "gate");
            }
            nest(p, strand, (one, strand as u32), (other, 10 + strand as u32));
            if gated {
                p.unlock(strand, "gate");
            }
        }
    };
    check(&["deadlock a 1 b 11, b 2 c 12, c 3 a 13"], |p| three(p, false));
    check(&[], |p| three(p, true));
}

#[test]
fn one_strand_alone_does_not_wait_for_itself() {
    check(&[], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 1, ("b", 3), ("a", 4));
    });
    // Two steps of three are one strand's.
    check(&[], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 1, ("b", 3), ("c", 4));
        nest(p, 2, ("c", 5), ("a", 6));
    });
}

#[test]
fn what_starts_and_ends_order_cannot_meet() {
    check(&[], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        p.spawn(1, 2);
        nest(p, 2, ("b", 3), ("a", 4));
    });
    check(&[], |p| {
        p.spawn(1, 2);
        nest(p, 2, ("b", 3), ("a", 4));
        p.join(1, 2);
        nest(p, 1, ("a", 1), ("b", 2));
    });
    check(&[], |p| {
        p.spawn(1, 2);
        nest(p, 2, ("b", 3), ("a", 4));
        p.join(1, 2).spawn(1, 3);
        nest(p, 3, ("a", 1), ("b", 2));
    });
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        p.spawn(1, 2);
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 2, ("b", 3), ("a", 4));
        p.join(1, 2);
    });
}

#[test]
fn what_a_lane_says_that_it_comes_after_orders_too() {
    check(&[], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        p.follow(2, 1);
        nest(p, 2, ("b", 3), ("a", 4));
    });
}

#[test]
fn what_messages_signals_and_atomics_order_cannot_meet() {
    let ways: [fn(&mut Program); 3] = [
        |p| _ = p.send(1, "c", 1).receive(2, "c", 1),
        |p| _ = p.release(1, "token", 1).acquire(2, "token", 1),
        |p| _ = p.store(1, "flag", "Release", 1).load(2, "flag", "Acquire"),
    ];
    for way in ways {
        check(&[], |p| {
            nest(p, 1, ("a", 1), ("b", 2));
            way(p);
            nest(p, 2, ("b", 3), ("a", 4));
        });
        // Too early to order what comes after it.
        check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
            way(p);
            nest(p, 1, ("a", 1), ("b", 2));
            nest(p, 2, ("b", 3), ("a", 4));
        });
    }
}

#[test]
fn that_a_lock_was_given_back_first_this_time_orders_nothing() {
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        p.lock(1, "other").unlock(1, "other").lock(2, "other").unlock(2, "other");
        nest(p, 2, ("b", 3), ("a", 4));
    });
}

#[test]
fn each_two_steps_have_to_be_able_to_meet() {
    // The second and the third are ordered; each of them can meet the first.
    let three = |p: &mut Program, ordered: bool| {
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 2, ("b", 3), ("c", 4));
        if ordered {
            p.follow(3, 2);
        }
        nest(p, 3, ("c", 5), ("a", 6));
    };
    check(&[], |p| three(p, true));
    check(&["deadlock a 1 b 2, b 3 c 4, c 5 a 6"], |p| three(p, false));
}

#[test]
fn the_examples_of_all_steps_have_to_be_able_to_meet_at_once() {
    // Strands 2 and 4 each take b and then c; 3 comes after 2, and 1 after 4. So each two steps have examples that can
    // meet, and no three do.
    check(&[], |p| {
        nest(p, 2, ("b", 3), ("c", 4));
        nest(p, 4, ("b", 3), ("c", 4));
        p.follow(3, 2);
        nest(p, 3, ("c", 5), ("a", 6));
        p.follow(1, 4);
        nest(p, 1, ("a", 1), ("b", 2));
    });
}

#[test]
fn a_cycle_that_goes_through_a_lock_twice_is_two() {
    check(&["deadlock a 1 rw 2, rw 7 a 8", "deadlock b 5 rw 6, rw 3 b 4"], |p| {
        let (r, w, mutex) = ("RwLock-Read", "RwLock-Write", "Mutex");
        rw(p, 1, [("a", mutex, 1), ("rw", w, 2)]);
        rw(p, 2, [("rw", r, 3), ("b", mutex, 4)]);
        rw(p, 3, [("b", mutex, 5), ("rw", w, 6)]);
        rw(p, 4, [("rw", r, 7), ("a", mutex, 8)]);
    });
}

/// A strand takes two locks, each in some way and at some line, and gives them back.
pub(crate) fn rw(p: &mut Program, strand: u64, locks: [(&str, &str, u32); 2]) {
    for (lock, kind, line) in locks {
        p.at(line).counted(strand, lock, kind);
    }
    for (lock, kind, _) in locks.iter().rev() {
        p.uncount(strand, lock, kind);
    }
}

#[test]
fn readers_do_not_wait_for_readers() {
    let (r, w) = ("RwLock-Read", "RwLock-Write");
    let both = |p: &mut Program, kinds: [&str; 4]| {
        rw(p, 1, [("a", kinds[0], 1), ("b", kinds[1], 2)]);
        rw(p, 2, [("b", kinds[2], 3), ("a", kinds[3], 4)]);
    };
    check(&[], |p| both(p, [r, r, r, r]));
    // On one of the two locks, both read.
    check(&[], |p| both(p, [w, r, r, w]));
    check(&[], |p| both(p, [r, w, w, r]));
    for kinds in [[r, w, r, w], [w, r, w, r], [w, w, r, r], [r, r, w, w], [w, w, w, w]] {
        let waits = (kinds[1] == w || kinds[2] == w) && (kinds[3] == w || kinds[0] == w);
        check(if waits { &["deadlock a 1 b 2, b 3 a 4"] } else { &[] }, |p| both(p, kinds));
    }
}

#[test]
fn who_only_tries_does_not_wait() {
    check(&[], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        p.at(3).lock(2, "b").at(4).counted(2, "a", "Mutex-Try").uncount(2, "a", "Mutex").unlock(2, "b");
    });
    // What was got by trying is held all the same.
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        p.at(3).counted(2, "b", "Mutex-Try").at(4).lock(2, "a").unlock(2, "a").uncount(2, "b", "Mutex-Try");
    });
}

#[test]
fn processes_do_not_share_locks() {
    check(&[], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, remote(1, 2), ("b", 3), ("a", 4));
    });
}

#[test]
fn what_was_given_back_is_not_held() {
    check(&[], |p| {
        p.lock(1, "a").unlock(1, "a").lock(1, "b").unlock(1, "b");
        nest(p, 2, ("b", 3), ("a", 4));
    });
    // Hand over hand: a is given back before c is asked for.
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        p.at(1).lock(1, "a").at(2).lock(1, "b").unlock(1, "a").lock(1, "c").unlock(1, "c").unlock(1, "b");
        nest(p, 2, ("b", 3), ("a", 4));
        nest(p, 3, ("c", 5), ("a", 6));
    });
}

#[test]
fn a_lock_that_is_held_already_is_not_waited_for() {
    // A re-entrant lock: a is taken again while b is held.
    check(&[], |p| {
        p.lock(1, "a").lock(1, "b").counted(1, "a", "Reentrant").uncount(1, "a", "Reentrant").unlock(1, "b");
        nest(p, 2, ("a", 3), ("b", 4));
    });
}

#[test]
fn locks_of_one_name_are_told_apart_by_their_ids() {
    let mut p = Program::new();
    let take = |p: &mut Program, strand: u64, ids: [i64; 2], line: u32| {
        let detail = || V::List(vec![V::Nil, "Mutex".into()]);
        for (at, id) in (line..).zip(ids) {
            p.at(at).event(strand, Kind::LockAcquire, "account", V::Int(id), detail());
        }
        for id in ids {
            p.event(strand, Kind::LockRelease, "account", V::Int(id), detail());
        }
    };
    take(&mut p, 1, [7, 8], 1);
    take(&mut p, 2, [8, 7], 1);
    take(&mut p, 3, [8, 9], 1);
    take(&mut p, 4, [9, 7], 1);
    let report = p.report();
    let [finding] = &report.findings[..] else { panic!("{report}") };
    assert_eq!(finding.variable, "account (7), account (8)");
    assert_eq!(finding.count, 2, "one pair of places, two cycles");
    assert!(report.to_string().contains("potential deadlock on `account (7)` and `account (8)` (seen 2 times)"));
}

#[test]
fn a_step_is_counted_and_the_rarest_says_how_often_the_cycle_was_seen() {
    let mut p = Program::new();
    for _ in 0..1000 {
        nest(&mut p, 1, ("a", 1), ("b", 2));
    }
    for _ in 0..3 {
        nest(&mut p, 2, ("b", 3), ("a", 4));
    }
    let report = p.report();
    let [finding] = &report.findings[..] else { panic!("{report}") };
    assert_eq!((finding.kind, finding.count), (FindingKind::PotentialDeadlock, 3));
    assert_eq!(finding.orders.iter().map(|order| order.count).collect::<Vec<_>>(), [1000, 3]);
    assert!(report.summary.is_complete());
}

#[test]
fn the_same_cycle_in_two_runs_of_a_service_is_one_finding() {
    let batches = [1, 2].map(|run| {
        let mut p = Program::new();
        p.run = run;
        nest(&mut p, 1, ("a", 1), ("b", 2));
        nest(&mut p, 2, ("b", 3), ("a", 4));
        p.batches(100)
    });
    let report = crate::program::report(&batches.concat());
    assert_eq!(report.findings.iter().map(|finding| finding.count).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_potential_deadlock_reads_well() {
    let mut p = Program::new();
    p.lock(1, "gate");
    nest(&mut p, 1, ("ledger", 61), ("journal", 64));
    p.unlock(1, "gate");
    nest(&mut p, 2, ("journal", 80), ("ledger", 82));
    let expect = "\
1. potential deadlock on `ledger` and `journal` (seen once)
     worker-1 (rust-4242-1)  holds     ledger   src/app.rs:61:9
                             asks for  journal  src/app.rs:64:9
     worker-2 (rust-4242-2)  holds     journal  src/app.rs:80:9
                             asks for  ledger   src/app.rs:82:9
   worker-1 holds ledger and asks for journal; worker-2 holds journal and asks for ledger. Nothing
   that was recorded keeps them from being there at the same moment; then each waits for the next
   for ever. This time they were not.
   locks held meanwhile: gate, ledger (worker-1 (rust-4242-1))
   what to do: take these locks in one order everywhere, or hold one more lock, the same each time,
               around both, or ask for the second by try_lock and give the first back if that fails
   harmless if: the strands cannot be there at the same moment, because of something that was not
                recorded, such as a channel or a barrier

0 lost updates, 0 data races and 1 potential deadlock found in 10 events of 2 strands on 0 variables
";
    assert_eq!(p.report().to_string(), expect);
}

#[test]
fn json_names_the_kinds_and_all_steps() {
    let mut p = Program::new();
    nest(&mut p, 1, ("a", 1), ("b", 2));
    nest(&mut p, 2, ("b", 3), ("a", 4));
    rw(&mut p, 1, [("rw", "RwLock-Read", 5), ("rw", "RwLock-Read", 6)]);
    let json = serde_json::to_value(p.report()).unwrap();
    let kinds: Vec<_> = json["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].clone()).collect();
    assert_eq!(kinds, ["potential_deadlock", "recursive_read"]);
    let deadlock = &json["findings"][0];
    assert_eq!((&deadlock["confidence"], &deadlock["variable"]), (&"possible".into(), &"a, b".into()));
    assert_eq!(deadlock["orders"][1]["holds"], "b");
    assert_eq!(deadlock["orders"][1]["held"]["line"], 3);
    assert_eq!(deadlock["orders"][1]["asked"]["line"], 4);
    assert_eq!(deadlock["orders"][1]["asked"]["kind"], "acquire");
    assert_eq!(deadlock["first"]["line"], 2);
    assert_eq!(json["findings"][1]["first"]["kind"], "acquire_shared");
    assert_eq!(json["summary"]["locks"], 3);
}

#[test]
fn a_hole_that_may_hide_an_order_or_a_gate_makes_it_incomplete() {
    check(&["deadlock a 1 b 2, b 3 a 4 incomplete"], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        p.read(2, "x", 0).read(2, "x", 0).gone();
        nest(p, 2, ("b", 3), ("a", 4));
    });
    // The client says that no locks were held; but what was lost may have come after strand 1.
    check(&["deadlock a 1 b 2, b 3 a 4 incomplete"], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        p.read(2, "x", 0).lost();
        nest(p, 2, ("b", 3), ("a", 4));
    });
    // Both come after what is missing; but a gate may have been taken there.
    check(&["deadlock a 1 b 2, b 3 a 4 incomplete"], |p| {
        p.read(2, "x", 0).gone().spawn(2, 1);
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 2, ("b", 3), ("a", 4));
    });
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        p.read(2, "x", 0).lost().spawn(2, 1);
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 2, ("b", 3), ("a", 4));
    });
    // The client says which locks were held, not where they were taken.
    check(&["deadlock a 1 b 2, b ? a 4 incomplete"], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        p.read(2, "x", 0).at(3).lock(2, "b").lost().at(4).lock(2, "a").unlock(2, "a").unlock(2, "b");
    });
    // What comes after the steps makes no difference to them.
    check(&["deadlock a 1 b 2, b 3 a 4"], |p| {
        nest(p, 1, ("a", 1), ("b", 2));
        nest(p, 2, ("b", 3), ("a", 4));
        p.read(2, "x", 0).gone().read(2, "x", 0);
    });
}

#[test]
fn bounds_that_bite_where_a_cycle_could_be_are_told() {
    // More turns of strands than are kept, all of them ordered: the search has not seen all pairs.
    let phases = |p: &mut Program, round: i64| {
        let strand = 2 + 2 * round as u64;
        p.spawn(1, strand);
        nest(p, strand, ("a", 1), ("b", 2));
        p.join(1, strand).spawn(1, strand + 1);
        nest(p, strand + 1, ("b", 3), ("a", 4));
        p.join(1, strand + 1);
    };
    for (rounds, bounded) in [(8, 0), (20, 2)] {
        let mut p = Program::new();
        (0..rounds).for_each(|round| phases(&mut p, round));
        let report = p.report();
        assert_eq!((report.findings.len(), report.summary.lock_orders_bounded), (0, bounded), "{report}");
        assert_eq!(report.summary.is_complete(), bounded == 0);
        assert_eq!(
            report.to_string().contains("too often met to keep every way it was: 2 orders of locks"),
            bounded > 0
        );
    }
    // As many in one order only: nothing could be missing.
    let mut p = Program::new();
    for strand in 1..100 {
        nest(&mut p, strand, ("a", 1), ("b", 2));
    }
    assert!(p.report().summary.is_complete());
}

#[test]
fn a_tangle_that_is_too_large_is_told() {
    let mut p = Program::new();
    let names: Vec<String> = (0..14).map(|at| format!("l{at}")).collect();
    for (one, a) in names.iter().enumerate() {
        for (two, b) in names.iter().enumerate().filter(|(two, _)| *two != one) {
            nest(&mut p, (14 * one + two) as u64 + 1, (a, 100 * one as u32), (b, 100 * one as u32 + two as u32));
        }
    }
    let report = p.report();
    assert_eq!(report.summary.lock_cycles_bounded, 1);
    let pairs = report.findings.iter().filter(|finding| finding.orders.len() == 2).count();
    assert_eq!(pairs, 14 * 13 / 2, "short ones are found first");
    assert!(report.to_string().contains("too entangled to look at every cycle of: 1 group of locks"));
}
