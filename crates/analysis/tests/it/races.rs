//! Data races, each beside a twin that differs in what orders the two accesses.

use crate::program::Program;
use trackside_wire::Kind;

/// What is found in a program.
#[track_caller]
fn check(expect: &[&str], write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    assert_eq!(program.found(), expect, "{}", program.report());
}

#[test]
fn two_strands_that_never_met_race() {
    check(&["race x 1 2 Confirmed"], |p| {
        p.at(1).write(1, "x", None::<i64>, 1).at(2).read(2, "x", 1);
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.at(1).read(1, "x", 0).at(2).write(2, "x", None::<i64>, 1);
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.at(1).write(1, "x", None::<i64>, 5).at(2).write(2, "x", None::<i64>, 7);
    });
}

#[test]
fn reads_do_not_race_with_reads_nor_a_strand_with_itself_nor_with_other_variables() {
    check(&[], |p| {
        p.read(1, "x", 0).read(2, "x", 0).read(3, "x", 0);
    });
    check(&[], |p| {
        p.read(1, "x", 0).write(1, "x", 0, 1).write(1, "x", 1, 2).write(2, "y", 0, 1);
    });
}

#[test]
fn what_a_parent_does_before_the_spawn_is_ordered_and_afterwards_it_races() {
    check(&[], |p| {
        p.write(1, "x", 0, 1).spawn(1, 2).write(2, "x", 1, 2);
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.spawn(1, 2).at(1).write(1, "x", None::<i64>, 1).at(2).write(2, "x", None::<i64>, 2);
    });
}

#[test]
fn what_a_parent_does_after_the_join_is_ordered_and_before_it_races() {
    check(&[], |p| {
        p.spawn(1, 2).write(2, "x", 0, 1).join(1, 2).read(1, "x", 1);
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.spawn(1, 2).at(1).write(2, "x", None::<i64>, 1).at(2).read(1, "x", 1).join(1, 2);
    });
}

#[test]
fn order_goes_on_through_a_third_strand() {
    check(&[], |p| {
        p.spawn(1, 2).write(2, "x", 0, 1).join(1, 2).spawn(1, 3).write(3, "x", 1, 2);
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.spawn(1, 2).spawn(1, 3).at(1).write(2, "x", None::<i64>, 1).join(1, 2).at(2).write(3, "x", None::<i64>, 2);
    });
}

#[test]
fn one_lock_orders_and_two_locks_do_not() {
    check(&[], |p| {
        p.lock(1, "m").write(1, "x", 0, 1).unlock(1, "m").lock(2, "m").write(2, "x", 1, 2).unlock(2, "m");
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.lock(1, "m").at(1).write(1, "x", None::<i64>, 1).unlock(1, "m");
        p.lock(2, "n").at(2).write(2, "x", None::<i64>, 2).unlock(2, "n");
    });
}

#[test]
fn a_lock_also_orders_what_comes_before_and_after_its_sections() {
    check(&[], |p| {
        p.write(1, "x", 0, 1).lock(1, "m").unlock(1, "m").lock(2, "m").unlock(2, "m").write(2, "x", 1, 2);
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.lock(1, "m").unlock(1, "m").at(1).write(1, "x", None::<i64>, 1);
        p.lock(2, "m").unlock(2, "m").at(2).write(2, "x", None::<i64>, 2);
    });
}

#[test]
fn the_order_of_a_lock_is_its_count_not_the_order_of_events_or_times() {
    // Written down so that the second holder's strand, and its times, come first.
    check(&[], |p| {
        p.lock(9, "m").write(9, "x", 0, 1).unlock(9, "m").lock(1, "m").write(1, "x", 1, 2).unlock(1, "m");
    });
}

#[test]
fn readers_of_a_lock_are_ordered_with_its_writers_but_not_with_each_other() {
    check(&[], |p| {
        p.counted(1, "rw", "RwLock-Write").write(1, "x", 0, 1).uncount(1, "rw", "RwLock-Write");
        p.counted(2, "rw", "RwLock-Read").counted(3, "rw", "RwLock-Read").read(2, "x", 1).read(3, "x", 1);
        p.uncount(3, "rw", "RwLock-Read").uncount(2, "rw", "RwLock-Read");
        p.counted(1, "rw", "RwLock-Write").write(1, "x", 1, 2).uncount(1, "rw", "RwLock-Write");
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.counted(1, "rw", "RwLock-Read").at(1).write(1, "x", None::<i64>, 1).uncount(1, "rw", "RwLock-Read");
        p.counted(2, "rw", "RwLock-Read").at(2).write(2, "x", None::<i64>, 2).uncount(2, "rw", "RwLock-Read");
    });
}

#[test]
fn a_reader_may_wait_for_another_while_both_hold_the_lock() {
    check(&[], |p| {
        p.counted(1, "rw", "RwLock-Read").spawn(1, 2).counted(2, "rw", "RwLock-Read").write(2, "y", 0, 1);
        p.uncount(2, "rw", "RwLock-Read").join(1, 2).read(1, "y", 1).uncount(1, "rw", "RwLock-Read");
    });
}

#[test]
fn a_lock_without_a_count_keeps_sections_apart_but_orders_nothing_around_them() {
    check(&[], |p| {
        p.plain_lock(1, "m", "Mutex").write(1, "x", None::<i64>, 1).plain_unlock(1, "m", "Mutex");
        p.plain_lock(2, "m", "Mutex").write(2, "x", None::<i64>, 2).plain_unlock(2, "m", "Mutex");
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.at(1).write(1, "x", None::<i64>, 1).plain_lock(1, "m", "Mutex").plain_unlock(1, "m", "Mutex");
        p.plain_lock(2, "m", "Mutex").at(2).write(2, "x", None::<i64>, 2).plain_unlock(2, "m", "Mutex");
    });
    check(&[], |p| {
        p.plain_lock(1, "m", "RwLock-Read").read(1, "x", 1).plain_unlock(1, "m", "RwLock-Read");
        p.plain_lock(2, "m", "RwLock-Write").write(2, "x", None::<i64>, 2).plain_unlock(2, "m", "RwLock-Write");
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.plain_lock(1, "m", "RwLock-Read").at(1).read(1, "x", 1).plain_unlock(1, "m", "RwLock-Read");
        p.plain_lock(2, "m", "RwLock-Read").at(2).write(2, "x", None::<i64>, 2).plain_unlock(2, "m", "RwLock-Read");
    });
}

#[test]
fn a_write_that_a_lock_excuses_does_not_hide_one_that_it_does_not() {
    // The second write comes after the first, and a lock keeps it apart from the third; the first has no such excuse.
    check(&["race x 1 3 Confirmed"], |p| {
        p.at(1).write(1, "x", None::<i64>, 1);
        p.plain_lock(1, "m", "Mutex").at(2).write(1, "x", None::<i64>, 2).plain_unlock(1, "m", "Mutex");
        p.plain_lock(2, "m", "Mutex").at(3).write(2, "x", None::<i64>, 3).plain_unlock(2, "m", "Mutex");
    });
}

#[test]
fn atomics_race_with_plain_accesses_only() {
    check(&[], |p| {
        p.access(1, Kind::AtomicWrite, "x").access(2, Kind::AtomicWrite, "x").access(3, Kind::AtomicRmw, "x");
        p.access(4, Kind::AtomicRead, "x");
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.at(1).access(1, Kind::AtomicWrite, "x").at(2).access(2, Kind::Read, "x");
    });
    check(&["race x 1 2 Confirmed"], |p| {
        p.at(1).access(1, Kind::Write, "x").at(2).access(2, Kind::AtomicRead, "x");
    });
    check(&[], |p| {
        p.access(1, Kind::AtomicRead, "x").access(2, Kind::Read, "x");
    });
}

#[test]
fn an_atomic_write_does_not_hide_an_earlier_plain_one() {
    check(&["race x 1 3 Confirmed"], |p| {
        p.at(1).access(1, Kind::Write, "x").at(2).access(1, Kind::AtomicWrite, "x");
        p.at(3).access(2, Kind::AtomicWrite, "x");
    });
}

#[test]
fn a_race_is_only_likely_where_atomics_may_order_it() {
    check(&["race x 1 2 Likely"], |p| {
        p.at(1).write(1, "x", None::<i64>, 1).access(1, Kind::AtomicWrite, "flag");
        p.access(2, Kind::AtomicRead, "flag").at(2).read(2, "x", 1);
    });
}

#[test]
fn a_pair_of_places_is_told_once_with_its_count() {
    let mut program = Program::new();
    for strand in 1..=5 {
        program.at(7).write(strand, "x", None::<i64>, strand as i64);
    }
    let report = program.report();
    assert_eq!(program.found(), ["race x 7 7 Confirmed"]);
    assert_eq!(report.findings[0].count, 10, "five writes make ten pairs");
}

#[test]
fn runs_share_nothing() {
    let (mut one, mut two) = (Program::new(), Program::new());
    (one.run, two.run) = (1, 2);
    one.write(1, "x", 0, 1);
    two.write(1, "x", 0, 1);
    let batches = [one.batches(10), two.batches(10)].concat();
    let report = crate::program::report(&batches);
    assert_eq!(report.findings, []);
    assert_eq!((report.summary.runs, report.summary.strands, report.summary.variables), (2, 2, 2));
}

#[test]
fn a_variable_that_too_many_use_at_once_is_said_to_be_looked_at_in_part() {
    // A lock that does not count orders nothing, so each of these is kept, and compared with each other one.
    let crowd = |strands: u64| {
        let mut program = Program::new();
        for strand in 1..=strands {
            program.plain_lock(strand, "m", "Mutex").write(strand, "x", None::<i64>, 1);
            program.plain_unlock(strand, "m", "Mutex");
        }
        program.report()
    };
    let few = crowd(300);
    assert!(few.summary.is_complete() && few.findings.is_empty(), "{few}");
    let many = crowd(1_000);
    assert_eq!((many.findings.len(), many.summary.variables_bounded), (0, 1), "{many}");
    assert!(!many.summary.is_complete());
    assert!(many.to_string().contains("too busy to keep every access of: 1 variable"), "{many}");
}
