//! Records with holes: what can be said nevertheless, and what is said of the holes.

use crate::program::{Program, V, found, report};
use trackside_wire::{Batch, Kind};

#[track_caller]
fn check(expect: &[&str], holes: u64, write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    assert_eq!(found(&report), expect, "{report}");
    assert_eq!(report.summary.holes, holes, "{report}");
    assert_eq!(report.summary.is_complete(), holes == 0);
}

#[test]
fn a_hole_that_cannot_order_the_two_leaves_no_doubt() {
    // The hole comes before both, through the spawns.
    check(&["race x 1 2 Confirmed"], 1, |p| {
        p.write(1, "y", 0, 1).write(1, "y", 1, 2).lost().write(1, "y", 2, 3).spawn(1, 2).spawn(1, 3);
        p.at(1).write(2, "x", None::<i64>, 1).at(2).write(3, "x", None::<i64>, 2);
    });
    // The hole comes after both.
    check(&["race x 1 2 Confirmed"], 1, |p| {
        p.at(1).write(2, "x", None::<i64>, 1).at(2).write(3, "x", None::<i64>, 2);
        p.write(3, "y", 0, 1).lost().write(3, "y", 1, 2);
    });
}

#[test]
fn a_hole_before_one_of_the_two_may_have_ordered_them() {
    check(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.at(1).write(1, "x", None::<i64>, 1).read(2, "y", 0).lock(2, "m").lost().at(2).write(2, "x", None::<i64>, 2);
    });
}

#[test]
fn a_silent_gap_is_a_hole_and_leaves_the_locks_in_doubt() {
    let mut program = Program::new();
    program.at(1).write(1, "x", None::<i64>, 1).lock(2, "m").unlock(2, "m").gone();
    program.at(2).write(2, "x", None::<i64>, 2);
    let report = program.report();
    assert_eq!(found(&report), ["race x 1 2 Likely incomplete"]);
    assert_eq!(report.findings[0].second.locks, Vec::<String>::new(), "locks from before the gap are not believed");
    assert_eq!(report.summary.first_holes[0].what, "1 event is in no batch that arrived");
}

#[test]
fn after_a_declared_loss_the_lane_says_which_locks_are_held() {
    check(&[], 2, |p| {
        p.lock(1, "m").write(1, "x", 0, 1).unlock(1, "m");
        // The acquisition is lost, but the lane that follows says that the lock is held.
        p.read(2, "y", 0).lock(2, "m").lost().write(2, "x", 1, 2).unlock(2, "m");
        p.read(3, "y", 0).lock(3, "m").lost().write(3, "x", 2, 3).unlock(3, "m");
    });
}

#[test]
fn a_lost_release_makes_the_next_acquisition_a_hole_and_no_more() {
    check(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.lock(1, "m").at(1).write(1, "x", 0, 1).unlock(1, "m").lost();
        p.lock(2, "m").unlock(2, "m").at(2).write(2, "x", 1, 2);
        p.lock(3, "m").unlock(3, "m").lock(2, "m").unlock(2, "m");
    });
}

#[test]
fn a_lost_spawn_or_end_of_a_task_is_a_hole_where_the_other_half_is() {
    check(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.at(1).write(1, "x", None::<i64>, 1);
        p.event(1, Kind::AsyncSpawn, "task", V::Int(2), V::Nil).lost();
        p.event(2, Kind::TaskBegin, "task", V::Int(2), V::Nil);
        p.at(2).write(2, "x", None::<i64>, 2);
    });
    check(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.at(1).write(2, "x", None::<i64>, 1);
        p.event(2, Kind::TaskEnd, "task", V::Int(2), V::Nil).lost();
        p.event(1, Kind::AsyncAwait, "task", V::Int(2), V::Nil);
        p.at(2).write(1, "x", None::<i64>, 2);
    });
}

#[test]
fn a_lost_end_of_a_task_is_a_hole_though_the_lane_also_says_that_it_comes_after_the_task() {
    check(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.spawn(1, 2).read(2, "y", 0).follow(1, 2).read(1, "y", 0).at(1).write(2, "x", None::<i64>, 1);
        p.event(2, Kind::TaskEnd, "task", V::Int(2), V::Nil).gone();
        p.event(1, Kind::AsyncAwait, "task", V::Int(2), V::Nil);
        p.at(2).write(1, "x", None::<i64>, 2);
    });
}

#[test]
fn a_lost_section_does_not_undo_the_order_of_those_around_it() {
    // Strand 2 held the lock in between, and its acquisition is lost: 1 still comes before 3.
    check(&[], 1, |p| {
        p.write(1, "x", 0, 1).lock(1, "m").unlock(1, "m");
        p.read(2, "y", 0).lock(2, "m").lost().unlock(2, "m");
        p.lock(3, "m").unlock(3, "m").write(3, "x", 1, 2);
    });
}

#[test]
fn a_section_that_is_lost_whole_is_a_hole_where_the_next_one_begins() {
    check(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.at(1).write(1, "x", None::<i64>, 1).lock(1, "m").lost().unlock(1, "m").lost();
        p.lock(2, "m").unlock(2, "m").at(2).write(2, "x", None::<i64>, 2);
    });
}

#[test]
fn locks_taken_in_a_silent_gap_may_keep_two_accesses_apart() {
    // The gap comes before both, so it cannot hide their order; but it may hide that strand 1 holds the lock.
    check(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.read(1, "y", 0).plain_lock(1, "m", "Mutex").gone().spawn(1, 2).at(1).write(1, "x", None::<i64>, 1);
        p.plain_lock(2, "m", "Mutex").at(2).write(2, "x", None::<i64>, 2).plain_unlock(2, "m", "Mutex");
    });
}

#[test]
fn a_read_before_a_hole_is_not_held_against_a_write_after_it() {
    check(&["race x 1 2 Likely incomplete", "race x 1 3 Confirmed"], 1, |p| {
        p.at(1).write(1, "x", None::<i64>, 5);
        p.at(3).read(2, "x", 0).read(2, "x", 5).lost().at(2).write(2, "x", None::<i64>, 1);
    });
}

#[test]
fn a_strand_whose_beginning_is_missing_begins_with_a_hole() {
    check(&[], 1, |p| {
        p.read(1, "x", 0).gone().read(1, "x", 0).gone().read(1, "x", 0);
    });
}

#[test]
fn strands_that_wait_for_each_other_are_forced_on_and_say_so() {
    let mut p = Program::new();
    p.event(1, Kind::AsyncAwait, "task", V::Int(2), V::Nil).write(1, "x", None::<i64>, 1);
    p.event(1, Kind::TaskEnd, "task", V::Int(1), V::Nil);
    p.event(2, Kind::AsyncAwait, "task", V::Int(1), V::Nil).write(2, "x", None::<i64>, 2);
    p.event(2, Kind::TaskEnd, "task", V::Int(2), V::Nil);
    let report = p.report();
    assert_eq!(found(&report), Vec::<String>::new(), "the second strand did come after the first one's end: {report}");
    assert_eq!(report.summary.holes, 1, "{report}");
    assert!(report.summary.first_holes[0].what.contains("contradicts itself"), "{report}");
}

#[test]
fn the_newest_batch_tells_what_was_lost() {
    let mut program = Program::new();
    program.read(1, "x", 0).read(1, "x", 0).lost().read(1, "x", 0);
    let mut batches = program.batches(1);
    batches.reverse();
    let summary = report(&batches).summary;
    assert_eq!((summary.recorded, summary.lost_total(), summary.events, summary.batches), (3, 1, 2, 2));
    assert_eq!(summary.lost.get("ring_full"), Some(&1));
    let mut earlier = Program::new();
    earlier.read(1, "x", 0);
    let summary = report(&[program.batches(1).remove(1), earlier.batches(1).remove(0)]).summary;
    assert_eq!((summary.recorded, summary.lost_total()), (3, 1), "though the older batch came last");
    let summary = report(&[program.batches(1).remove(0), three_apart(&program)]).summary;
    assert_eq!(summary.batches_missing, 1);
}

/// The second batch of a program, numbered 3.
fn three_apart(program: &Program) -> Vec<u8> {
    let bytes = program.batches(1).remove(1);
    Batch::decode(&bytes).unwrap().slice(0..1, 3)
}
