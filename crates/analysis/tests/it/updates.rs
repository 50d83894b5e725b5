//! Lost updates, each beside a twin in which nothing is lost.

use crate::program::Program;
use trackside_analysis::{Confidence, FindingKind};
use trackside_wire::Kind;

#[track_caller]
fn check(expect: &[&str], write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    let lost: Vec<String> = program.found().into_iter().filter(|found| found.starts_with("lost")).collect();
    assert_eq!(lost, expect, "{}", program.report());
}

/// Read and write of `x` in two sections of a lock, another strand's whole update between them.
fn split(p: &mut Program) {
    p.lock(1, "m").at(1).read(1, "x", 1000).unlock(1, "m");
    p.lock(2, "m").at(3).read(2, "x", 1000).at(4).write(2, "x", 1000, 950).unlock(2, "m");
    p.lock(1, "m").at(2).write(1, "x", 1000, 930).unlock(1, "m");
}

#[test]
fn an_update_between_read_and_write_is_lost_though_a_lock_orders_all_three() {
    check(&["lost x 4 1..2 Confirmed"], split);
    let mut program = Program::new();
    split(&mut program);
    let report = program.report();
    assert_eq!(report.findings.len(), 1, "no data race: {report}");
    let lost = "both were computed from 1000: 1000 -> 950 was overwritten by 1000 -> 930; the change of -50 is lost";
    assert_eq!(report.findings[0].lost.as_deref(), Some(lost));
}

#[test]
fn nothing_is_lost_when_the_lock_is_held_from_the_read_to_the_write() {
    check(&[], |p| {
        p.lock(1, "m").read(1, "x", 1000).write(1, "x", 1000, 930).unlock(1, "m");
        p.lock(2, "m").read(2, "x", 930).write(2, "x", 930, 880).unlock(2, "m");
    });
    check(&[], |p| {
        p.plain_lock(1, "m", "Mutex").read(1, "x", 1000).write(1, "x", 1000, 930).plain_unlock(1, "m", "Mutex");
        p.plain_lock(2, "m", "Mutex").read(2, "x", 930).write(2, "x", 930, 880).plain_unlock(2, "m", "Mutex");
    });
}

#[test]
fn a_lock_without_a_count_does_not_help_when_it_is_let_go_in_between() {
    check(&["lost x 4 1..2 Confirmed"], |p| {
        p.plain_lock(1, "m", "Mutex").at(1).read(1, "x", 10).plain_unlock(1, "m", "Mutex");
        p.plain_lock(1, "m", "Mutex").at(2).write(1, "x", 10, 11).plain_unlock(1, "m", "Mutex");
        p.plain_lock(2, "m", "Mutex").at(3).read(2, "x", 10).at(4).write(2, "x", 10, 12).plain_unlock(2, "m", "Mutex");
    });
}

#[test]
fn two_unordered_updates_from_one_value_lose_one() {
    let racy = |p: &mut Program| {
        p.at(1).read(1, "x", 0).at(1).read(2, "x", 0);
        p.at(2).write(1, "x", 0, 1).at(2).write(2, "x", 0, 1);
    };
    check(&["lost x 2 1..2 Confirmed"], racy);
    let mut program = Program::new();
    racy(&mut program);
    let report = program.report();
    let lost = report.findings.iter().find_map(|finding| finding.lost.clone()).unwrap();
    assert!(lost.ends_with("one of the two changes of +1 is lost"), "{lost}");
}

#[test]
fn values_that_show_that_the_update_was_seen_acquit() {
    // Nothing orders the two strands, but the second update started from what the first one wrote.
    check(&[], |p| {
        p.read(1, "x", 0).write(1, "x", 0, 1).read(2, "x", 1).write(2, "x", 1, 2);
    });
    check(&[], |p| {
        p.read(1, "x", 0).write(1, "x", 0, 1).write(2, "x", 1, 2);
    });
    // The write says that it replaced the other's value, so it was not computed from the read.
    check(&[], |p| {
        p.lock(1, "m").read(1, "x", 0).unlock(1, "m").lock(2, "m").write(2, "x", 0, 1).unlock(2, "m");
        p.lock(1, "m").write(1, "x", 1, 2).unlock(1, "m");
    });
}

#[test]
fn an_atomic_read_modify_write_is_never_the_one_that_overwrites() {
    check(&[], |p| {
        for (strand, value) in [(1, 0), (2, 1), (1, 2)] {
            p.event(strand, Kind::AtomicRmw, "x", value.into(), (value + 1).into());
        }
    });
    check(&["lost x 2 1..3 Confirmed"], |p| {
        p.at(1).event(1, Kind::AtomicRead, "x", None::<i64>.into(), 0.into());
        p.at(2).event(2, Kind::AtomicRmw, "x", 0.into(), 1.into());
        p.at(3).event(1, Kind::AtomicWrite, "x", 0.into(), 5.into());
    });
}

#[test]
fn a_value_that_came_back_is_not_called_confirmed() {
    // 1000 -> 950 -> 1000: what the first strand started from was there again when it wrote.
    check(&[], |p| {
        p.lock(1, "m").at(1).read(1, "x", 1000).unlock(1, "m");
        p.lock(2, "m").at(2).write(2, "x", 1000, 950).at(3).write(2, "x", 950, 1000).unlock(2, "m");
        p.lock(1, "m").at(4).write(1, "x", 1000, 930).unlock(1, "m");
    });
    // The same, but nothing tells when the third strand put the value back.
    check(&["lost x 2 1..4 Likely"], |p| {
        p.lock(1, "m").at(1).read(1, "x", 1000).unlock(1, "m");
        p.lock(2, "m").at(2).write(2, "x", 1000, 950).unlock(2, "m");
        p.lock(1, "m").at(4).write(1, "x", 1000, 930).unlock(1, "m");
        p.at(3).write(3, "x", None::<i64>, 1000);
    });
}

#[test]
fn a_value_that_two_strands_wrote_in_no_order_may_have_come_back() {
    check(&["lost x 4 3..5 Likely"], |p| {
        p.write(1, "x", None::<i64>, 0).write(2, "x", None::<i64>, 0).spawn(2, 3).spawn(2, 4);
        p.at(3).read(3, "x", 0).at(4).write(4, "x", 0, 1).at(5).write(3, "x", 0, 2);
    });
    check(&["lost x 4 3..5 Confirmed"], |p| {
        p.write(2, "x", None::<i64>, 0).spawn(2, 3).spawn(2, 4);
        p.at(3).read(3, "x", 0).at(4).write(4, "x", 0, 1).at(5).write(3, "x", 0, 2);
    });
}

#[test]
fn an_update_that_a_lock_excuses_does_not_hide_one_that_it_does_not() {
    check(&["lost x 5 1..2 Likely"], |p| {
        p.at(1).access(1, Kind::Read, "x").at(2).access(1, Kind::Write, "x");
        p.plain_lock(1, "m", "Mutex").at(3).access(1, Kind::Read, "x").at(4).access(1, Kind::Write, "x");
        p.plain_unlock(1, "m", "Mutex").plain_lock(2, "m", "Mutex").at(5).access(2, Kind::Write, "x");
    });
}

#[test]
fn a_value_that_comes_back_later_changes_nothing() {
    check(&["lost x 4 1..2 Confirmed"], |p| {
        split(p);
        p.lock(1, "m").at(9).write(1, "x", 930, 1000).unlock(1, "m");
    });
}

#[test]
fn without_values_the_order_alone_makes_it_possible() {
    check(&["lost x 2 1..3 Possible"], |p| {
        p.lock(1, "m").at(1).access(1, Kind::Read, "x").unlock(1, "m");
        p.lock(2, "m").at(2).access(2, Kind::Write, "x").unlock(2, "m");
        p.lock(1, "m").at(3).access(1, Kind::Write, "x").unlock(1, "m");
    });
}

#[test]
fn a_write_is_only_dependent_on_the_last_read_before_it() {
    check(&[], |p| {
        p.lock(1, "m").read(1, "x", 0).unlock(1, "m").lock(2, "m").write(2, "x", 0, 1).unlock(2, "m");
        p.lock(1, "m").read(1, "x", 1).write(1, "x", 1, 2).unlock(1, "m");
    });
    check(&[], |p| {
        p.lock(1, "m").read(1, "x", 0).write(1, "x", 0, 1).unlock(1, "m");
        p.lock(2, "m").read(2, "x", 1).write(2, "x", 1, 2).unlock(2, "m");
        p.lock(1, "m").write(1, "x", 2, 0).unlock(1, "m");
    });
}

#[test]
fn two_writes_that_replaced_the_same_value_tell_of_a_loss_even_without_a_read() {
    check(&["lost x 1 2 Likely"], |p| {
        p.at(1).write(1, "x", 1000, 950).at(2).write(2, "x", 1000, 930);
    });
    check(&[], |p| {
        p.at(1).write(1, "x", 1000, 950).at(2).write(2, "x", 950, 930);
    });
}

#[test]
fn values_of_any_type_are_compared() {
    check(&["lost x 4 1..2 Confirmed"], |p| {
        p.at(1).read(1, "x", "draft").at(3).read(2, "x", "draft");
        p.at(4).write(2, "x", "draft", "sent").at(2).write(1, "x", "draft", "deleted");
    });
}

/// The `lost` of the only lost update.
#[track_caller]
fn lost(write_down: impl FnOnce(&mut Program)) -> Option<String> {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    let mut lost: Vec<_> = report.findings.iter().filter(|finding| finding.kind == FindingKind::LostUpdate).collect();
    assert_eq!(lost.len(), 1, "{report}");
    lost.remove(0).lost.clone()
}

#[test]
fn what_was_lost_is_said_as_far_as_it_is_known() {
    let unordered = |p: &mut Program| {
        p.read(1, "x", 1000).read(2, "x", 1000).write(1, "x", 1000, 950).write(2, "x", 1000, 930);
    };
    let expect = "both were computed from 1000: of 1000 -> 950 and 1000 -> 930, whichever came first was overwritten; \
                  the change of -50 or that of -70 is lost";
    assert_eq!(lost(unordered).as_deref(), Some(expect));
    let returned = |p: &mut Program| {
        unordered(p);
        p.write(3, "x", None::<i64>, 1000);
    };
    let expect = "both were computed from 1000: of 1000 -> 950 and 1000 -> 930, whichever came first may have been \
                  overwritten, and the change of -50 or that of -70 lost";
    assert_eq!(lost(returned).as_deref(), Some(expect));
    let stale = |p: &mut Program| {
        p.lock(1, "m").read(1, "x", 5).unlock(1, "m");
        p.lock(2, "m").write(2, "x", 7, 8).unlock(2, "m").lock(1, "m").write(1, "x", 5, 6).unlock(1, "m");
    };
    let expect = "5 -> 6 was computed from 5, and overwrote 8; the change of +3 in between is lost";
    assert_eq!(lost(stale).as_deref(), Some(expect));
    let texts = |p: &mut Program| {
        p.read(1, "x", "a").read(2, "x", "a").write(1, "x", "a", "b").write(2, "x", "a", "c");
    };
    let expect = "both were computed from \"a\": of \"a\" -> \"b\" and \"a\" -> \"c\", whichever came first was \
                  overwritten; what it wrote is lost";
    assert_eq!(lost(texts).as_deref(), Some(expect));
    let rmw = |p: &mut Program| {
        p.event(1, Kind::AtomicRead, "x", None::<i64>.into(), 0.into());
        p.event(2, Kind::AtomicRmw, "x", 0.into(), 1.into()).event(1, Kind::AtomicWrite, "x", 0.into(), 5.into());
    };
    let expect = "both were computed from 0: 0 -> 1 was overwritten by 0 -> 5; the change of +1 is lost";
    assert_eq!(lost(rmw).as_deref(), Some(expect), "an atomic update replaces what is there, so it came first");
}

#[test]
fn values_without_a_common_start_are_not_made_into_a_story() {
    let mut program = Program::new();
    program.read(1, "x", 659).read(2, "x", 700).write(1, "x", 659, 658).write(2, "x", 700, 710);
    let report = program.report();
    let finding = &report.findings[0];
    assert_eq!((finding.kind, finding.lost.as_deref()), (FindingKind::LostUpdate, None));
    let expect = "worker-2 read the variable and then wrote it; worker-1 wrote it too, and nothing keeps that from \
                  falling in between.";
    assert_eq!(finding.explanation, expect);
}

/// Tellers that take turns, each with its own account of what it read; two of them read the same balance.
fn bank(p: &mut Program, rounds: i64, collide_at: i64) {
    let mut balance = 1000;
    for round in 0..rounds {
        let (one, other) = (1 + round as u64 % 3, 1 + (round as u64 + 1) % 3);
        p.at(33).read(one, "accounts.alice", balance);
        if round == collide_at {
            p.at(33).read(other, "accounts.alice", balance);
            p.at(36).write(one, "accounts.alice", balance, balance - 50);
            p.at(36).write(other, "accounts.alice", balance, balance - 70);
            balance -= 70;
        } else {
            p.at(36).write(one, "accounts.alice", balance, balance - 1);
            balance -= 1;
        }
    }
}

#[test]
fn a_bank_whose_tellers_collide_once_has_a_confirmed_loss_with_the_amount() {
    check(&["lost accounts.alice 36 33..36 Confirmed"], |p| bank(p, 300, 200));
    let expect = "both were computed from 800: of 800 -> 750 and 800 -> 730, whichever came first was overwritten; the \
                  change of -50 or that of -70 is lost";
    assert_eq!(lost(|p| bank(p, 300, 200)).as_deref(), Some(expect), "among 300 updates, the pair that met is shown");
}

#[test]
fn a_surplus_of_updates_from_one_value_confirms_without_telling_which() {
    // The balance goes up and down, so each value comes back: only counting proves that some update was lost.
    let mut p = Program::new();
    p.write(9, "x", 0, 7).spawn(9, 1).spawn(9, 2);
    for (strand, from, to) in [(1, 7, 6), (2, 6, 5), (1, 5, 6), (2, 6, 5)] {
        p.at(1).read(strand, "x", from).at(2).write(strand, "x", from, to);
    }
    p.at(1).read(1, "x", 5).at(1).read(2, "x", 5).at(2).write(1, "x", 5, 8).at(2).write(2, "x", 5, 9);
    let report = p.report();
    let finding = &report.findings[0];
    assert_eq!((finding.confidence, finding.lost_at_least), (Confidence::Confirmed, Some(1)), "{report}");
    let expect = "3 writes were computed from 5, which was there 2 times at most: at least one of these changes is lost; \
                  5 -> 8 and 5 -> 9 are two of them, changes of +3 and of +4";
    assert_eq!(finding.lost.as_deref(), Some(expect));
    p.at(2).write(9, "x", 9, 5);
    assert_eq!(p.report().findings[0].confidence, Confidence::Likely, "it may have come back once more");
}
