//! Strands that come after one another without an event on the other side, and go from ring to ring.

use crate::program::Program;
use trackside_wire::Kind;

#[track_caller]
fn check(expect: &[&str], holes: &[&str], write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    assert_eq!(crate::program::found(&report), expect, "{report}");
    let what: Vec<&str> = report.summary.first_holes.iter().map(|hole| hole.what.as_str()).collect();
    assert_eq!(what, holes, "{report}");
}

const EARLIER: &str = "an event of another strand that this comes after is not in the record";

#[test]
fn a_fork_comes_after_what_its_parent_did_and_not_after_what_it_does_next() {
    check(&[], &[], |p| {
        p.write(1, "x", 0, 1).follow(2, 1).write(2, "x", 1, 2);
    });
    check(&["race x 1 2 Confirmed"], &[], |p| {
        p.read(1, "y", 0).follow(2, 1).at(1).write(1, "x", None::<i64>, 1).at(2).write(2, "x", None::<i64>, 2);
    });
}

#[test]
fn the_number_of_steps_is_taken_at_its_word() {
    for (steps, expect) in [(2, &["race x 1 2 Confirmed"][..]), (3, &[])] {
        check(expect, &[], |p| {
            p.read(1, "y", 0).read(1, "y", 0).at(1).write(1, "x", None::<i64>, 1).read(1, "y", 0);
            p.after(2, 1, steps).at(2).write(2, "x", None::<i64>, 2);
        });
    }
}

#[test]
fn a_join_comes_after_all_that_was_joined() {
    check(&[], &[], |p| {
        p.follow(2, 1).write(2, "x", 0, 1).follow(1, 2).read(1, "x", 1);
    });
    // Written down, and timed, the other way round: it is the edge that counts.
    check(&[], &[], |p| {
        p.after(1, 2, 2).read(1, "x", 1).write(2, "x", 0, 1).write(2, "x", 1, 2);
    });
}

#[test]
fn order_goes_on_through_strands_that_do_nothing_else() {
    check(&[], &[], |p| {
        p.write(1, "x", 0, 1).follow(2, 1).read(2, "y", 0).follow(3, 2).write(3, "x", 1, 2);
    });
}

#[test]
fn a_lane_may_come_after_several_strands() {
    check(&[], &[], |p| {
        p.write(1, "x", 0, 1).write(2, "y", 0, 1).follow(3, 1).follow(3, 2).write(3, "x", 1, 2).write(3, "y", 1, 2);
    });
}

#[test]
fn what_comes_before_is_waited_for_even_if_its_times_are_later() {
    let mut p = Program::new();
    p.write(2, "x", 0, 1).follow(1, 2).write(1, "x", 1, 2);
    p.retime(&[900, 1]);
    assert_eq!(p.found(), Vec::<String>::new());
}

#[test]
fn awaiting_a_strand_needs_no_end_of_it_where_the_lane_says_what_comes_before() {
    check(&[], &[], |p| {
        p.event(1, Kind::AsyncSpawn, "job", 2.into(), None::<i64>.into()).follow(2, 1).write(2, "x", 0, 1);
        p.follow(1, 2).event(1, Kind::AsyncAwait, "job", 2.into(), 1.into()).read(1, "x", 1);
    });
    // The edge may come with the event behind the one that awaits.
    check(&[], &[], |p| {
        p.write(2, "x", 0, 1).event(1, Kind::AsyncAwait, "job", 2.into(), 1.into());
        p.follow(1, 2).read(1, "x", 1);
    });
    // An edge further on does not tell what the strand knew in between.
    let end = "the end of the task that is awaited here is not in the record";
    check(&["race x 1 2 Likely incomplete"], &[end], |p| {
        p.at(1).write(2, "x", None::<i64>, 1);
        p.event(1, Kind::AsyncAwait, "job", 2.into(), 1.into()).at(2).read(1, "x", 1);
        p.follow(1, 2).read(1, "y", 0);
    });
    // Of a strand without events, there is nothing to miss.
    check(&["race x 1 2 Confirmed"], &[], |p| {
        p.event(1, Kind::AsyncSpawn, "job", 3.into(), None::<i64>.into());
        p.at(1).write(2, "x", None::<i64>, 1);
        p.event(1, Kind::AsyncAwait, "job", 3.into(), 0.into()).at(2).read(1, "x", 1);
    });
    // Without the edge, the end is missing, as of any task.
    check(&["race x 1 2 Likely incomplete"], &[end], |p| {
        p.at(1).write(2, "x", None::<i64>, 1);
        p.event(1, Kind::AsyncAwait, "job", 2.into(), 1.into()).at(2).read(1, "x", 1);
    });
}

#[test]
fn what_comes_before_and_is_not_in_the_record_is_a_hole() {
    // The last of the events is lost, and with it perhaps what it came after.
    check(&["race x 1 3 Likely incomplete"], &[EARLIER], |p| {
        p.at(1).write(3, "x", None::<i64>, 1).read(1, "y", 0).read(1, "y", 0).gone();
        p.follow(2, 1).at(3).write(2, "x", None::<i64>, 2);
    });
    // Nothing is left of the strand.
    check(&["race x 1 3 Likely incomplete"], &[EARLIER], |p| {
        p.at(1).write(3, "x", None::<i64>, 1).read(1, "y", 0).gone();
        p.follow(2, 1).at(3).write(2, "x", None::<i64>, 2);
    });
    // What is there of it still counts.
    check(&[], &[EARLIER], |p| {
        p.write(1, "x", 0, 1).read(1, "y", 0).gone().follow(2, 1).write(2, "x", 1, 2);
    });
    // None of its events: nothing can be missing.
    check(&["race x 1 3 Confirmed"], &[], |p| {
        p.at(1).write(3, "x", None::<i64>, 1).after(2, 1, 0).at(3).write(2, "x", None::<i64>, 2);
    });
}

#[test]
fn a_hole_is_a_hole_for_all_that_comes_after_it() {
    let lost = "1 event was lost";
    check(&["race x 1 2 Likely incomplete"], &[lost], |p| {
        p.at(1).write(1, "x", None::<i64>, 1).read(2, "y", 0).lock(2, "m").lost().read(2, "y", 0);
        p.follow(3, 2).at(2).write(3, "x", None::<i64>, 2);
    });
    check(&["race x 1 2 Confirmed"], &[lost], |p| {
        p.at(1).write(1, "x", None::<i64>, 1).read(2, "y", 0).follow(3, 2);
        p.at(2).write(3, "x", None::<i64>, 2).lock(2, "m").lost().read(2, "y", 0);
    });
}

#[test]
fn strands_that_come_after_each_other_are_forced_on_and_say_so() {
    let mut p = Program::new();
    p.after(1, 2, 1).write(1, "x", 0, 1).after(2, 1, 1).write(2, "x", 0, 1);
    p.after(3, 3, 5).read(3, "y", 0).read(3, "y", 0);
    let report = p.report();
    assert_eq!(report.summary.holes, 3, "{report}");
    assert!(report.summary.first_holes.iter().any(|hole| hole.what.contains("contradicts itself")), "{report}");
}

#[test]
fn a_strand_that_moves_between_rings_is_one_strand() {
    check(&["race x 1 2 Confirmed"], &[], |p| {
        p.on(1, 7).write(1, "x", 0, 1).on(1, 8).write(1, "x", 1, 2).on(1, 7).at(1).write(1, "x", 2, None::<i64>);
        p.on(2, 7).at(2).write(2, "x", None::<i64>, 9).on(2, 8).write(2, "y", 0, 1);
    });
    // It holds its locks on the other thread, too.
    check(&[], &[], |p| {
        p.plain_lock(1, "m", "Mutex").on(1, 8).write(1, "x", None::<i64>, 1).plain_unlock(1, "m", "Mutex");
        p.plain_lock(2, "m", "Mutex").write(2, "x", None::<i64>, 2).plain_unlock(2, "m", "Mutex");
    });
}

#[test]
fn a_mutex_orders_across_turns_that_nobody_recorded() {
    let gap = "an earlier release of the lock that is acquired here is not in the record";
    let unsampled = |p: &mut Program| {
        p.lock(1, "m").write(1, "x", 0, 1).unlock(1, "m").lock(9, "m").unlock(9, "m");
        p.lock(2, "m").write(2, "x", 1, 2).unlock(2, "m");
        p.forget(9);
    };
    check(&[], &[gap], unsampled);
    // What strand 9 knew from elsewhere, it may have handed on: nothing is certain of the two, and that is said.
    check(&["race y 1 2 Likely incomplete"], &[gap], |p| {
        p.at(1).write(3, "y", None::<i64>, 1).spawn(3, 9);
        unsampled(p);
        p.at(2).write(2, "y", None::<i64>, 2);
    });
}

#[test]
fn values_prove_less_where_turns_of_a_lock_are_left_out() {
    let update = |p: &mut Program| {
        p.at(1).read(1, "x", 5).at(1).read(2, "x", 5).at(2).write(1, "x", 5, 6).at(2).write(2, "x", 5, 7);
    };
    let lost = |p: &Program| p.found().into_iter().filter(|found| found.starts_with("lost")).collect::<Vec<_>>();
    let mut p = Program::new();
    update(&mut p);
    assert_eq!(lost(&p), ["lost x 2 1..2 Confirmed"]);
    // Whoever took the lock without a trace may have written without one, too.
    p.lock(3, "m").unlock(3, "m").lock(9, "m").unlock(9, "m").lock(3, "m").unlock(3, "m").forget(9);
    assert_eq!(lost(&p), ["lost x 2 1..2 Likely"]);
}
