//! Locks that one strand takes and another gives back.

use crate::program::Program;

const KIND: &str = "tokio-Mutex";

#[track_caller]
fn check(expect: &[&str], write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    assert_eq!(crate::program::found(&report), expect, "{report}");
    assert_eq!(report.summary.holes, 0, "{report}");
}

#[test]
fn who_gives_a_lock_back_comes_after_who_took_it_and_before_who_takes_it_next() {
    for backwards in [false, true] {
        check(&[], |p| {
            p.at(1).write(1, "x", 0, 1).counted(1, "m", KIND).hand_over(1, 2, "m");
            p.at(2).write(2, "y", 0, 1).uncount(2, "m", KIND).write(2, "x", 1, 2);
            p.at(3).counted(3, "m", KIND).write(3, "y", 1, 2).uncount(3, "m", KIND);
            if backwards {
                p.retime(&[90, 80, 70, 60, 50, 40, 30, 20]);
            }
        });
    }
}

#[test]
fn what_who_took_it_does_next_comes_neither_before_nor_after() {
    check(&["race x 1 2 Likely incomplete"], |p| {
        p.counted(1, "m", KIND).at(1).write(1, "x", None::<i64>, 1).hand_over(1, 2, "m").uncount(2, "m", KIND);
        p.counted(3, "m", KIND).at(2).write(3, "x", None::<i64>, 2).uncount(3, "m", KIND);
    });
    // Nor before what who gives it back does until then.
    check(&["race x 1 2 Likely incomplete"], |p| {
        p.counted(1, "m", KIND).at(1).write(1, "x", None::<i64>, 1).hand_over(1, 2, "m");
        p.at(2).write(2, "x", None::<i64>, 2).uncount(2, "m", KIND);
    });
}

#[test]
fn where_the_record_has_the_way_of_the_guard_all_is_in_order() {
    check(&[], |p| {
        p.at(1).counted(1, "m", KIND).write(1, "x", 0, 1).hand_over(1, 2, "m").follow(2, 1);
        p.at(2).write(2, "x", 1, 2).uncount(2, "m", KIND);
        p.at(3).counted(3, "m", KIND).write(3, "x", 2, 3).uncount(3, "m", KIND);
    });
}

#[test]
fn once_it_was_given_back_it_protects_nobody() {
    check(&["race x 1 2 Confirmed"], |p| {
        p.counted(1, "m", KIND).hand_over(1, 2, "m").uncount(2, "m", KIND).follow(1, 2);
        p.counted(3, "m", KIND).at(1).write(3, "x", None::<i64>, 1).uncount(3, "m", KIND);
        p.at(2).write(1, "x", None::<i64>, 2);
    });
}

#[test]
fn what_else_the_two_hold_is_theirs() {
    // The one that gives it back has read under the same lock itself, and goes on doing so.
    check(&["race x 1 2 Likely incomplete"], |p| {
        p.counted(1, "l", "tokio-RwLock-Read").counted(2, "l", "tokio-RwLock-Read").plain_lock(1, "n", "Mutex");
        p.at(1).write(1, "x", None::<i64>, 1).plain_unlock(1, "n", "Mutex").at(2).write(2, "x", None::<i64>, 2);
        p.uncount(2, "l", "tokio-RwLock-Read").hand_over(1, 2, "l").uncount(2, "l", "tokio-RwLock-Read");
    });
    check(&[], |p| {
        p.counted(1, "m", KIND).plain_lock(1, "n", "Mutex").at(1).write(1, "x", None::<i64>, 1);
        p.plain_unlock(1, "n", "Mutex").hand_over(1, 2, "m").uncount(2, "m", KIND);
        p.plain_lock(2, "n", "Mutex").at(2).write(2, "x", None::<i64>, 2).plain_unlock(2, "n", "Mutex");
    });
}

#[test]
fn which_locks_of_tasks_are_held_after_a_gap_is_not_known() {
    for (kind, expect) in [("Mutex", "race x 1 2 Confirmed"), (KIND, "race x 1 2 Likely incomplete")] {
        let mut p = Program::new();
        p.counted(1, "m", kind).uncount(1, "m", kind).read(1, "y", 0).lost();
        // Both come after the gap, so that it hides nothing that could order them.
        p.read(1, "y", 0).follow(2, 1).at(1).write(1, "x", None::<i64>, 1).at(2).write(2, "x", None::<i64>, 2);
        assert_eq!(p.found(), [expect]);
    }
}
