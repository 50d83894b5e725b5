//! Deadlocks that happened, as a client that watches for them tells of them.

use crate::deadlocks::check;
use crate::program::{Program, remote};
use trackside_analysis::{AccessKind, Confidence, FindingKind};

/// Three strands that each hold a lock and wait for the next one's; the last one sees it.
fn three(p: &mut Program) {
    p.at(1).lock(1, "a").at(2).lock(2, "b").at(3).lock(3, "c");
    p.at(11).wait(1).at(12).wait(2).at(13).close(3, &[(3, "a"), (1, "b"), (2, "c")]);
}

#[test]
fn who_waits_for_whom_is_told_with_both_places_of_each() {
    check(&["stuck a 1 b 11, b 2 c 12, c 3 a 13"], three);
    check(&["stuck m 1 m 2"], |p| {
        p.at(1).lock(1, "m").at(2).close(1, &[(1, "m")]);
    });
    // In a process that is not the first.
    check(&["stuck m 1 m 2"], |p| {
        p.read(1, "x", 0).at(1).lock(remote(1, 1), "m").at(2).close(remote(1, 1), &[(remote(1, 1), "m")]);
    });
    let mut p = Program::new();
    three(&mut p);
    let finding = &p.report().findings[0];
    assert_eq!((finding.kind, finding.confidence), (FindingKind::Deadlock, Confidence::Confirmed));
    assert_eq!(
        (finding.first.line, finding.second.line, finding.first.kind),
        (Some(13), Some(11), AccessKind::Waiting)
    );
}

#[test]
fn the_last_time_that_the_lock_was_taken_and_waited_for_counts() {
    check(&["stuck a 4 b 11, b 5 a 12"], |p| {
        p.at(1).lock(1, "a").unlock(1, "a").at(2).lock(2, "b").at(3).wait(2).lock(2, "a");
        p.unlock(2, "a").unlock(2, "b").at(4).lock(1, "a").at(5).lock(2, "b");
        p.at(11).wait(1).at(12).close(2, &[(2, "a"), (1, "b")]);
    });
    // It was broken up, and both went on to wait for something else.
    check(&["stuck a 1 b 11, b 2 a 12"], |p| {
        p.at(1).lock(1, "a").at(2).lock(2, "b").at(11).wait(1).at(12).close(2, &[(2, "a"), (1, "b")]);
        p.unlock(2, "b").lock(1, "b").unlock(1, "b").unlock(1, "a").at(20).wait(2);
    });
}

#[test]
fn a_wait_is_no_finding_and_neither_is_a_circle_of_which_a_part_is_missing() {
    check(&[], |p| {
        p.lock(1, "m").wait(2).unlock(1, "m").lock(2, "m").unlock(2, "m");
    });
    for lost in 3..5 {
        check(&[], |p| {
            three(p);
            p.events[lost].lost = Some(crate::program::Lost::Silently);
        });
    }
    // Where the lock was taken is not in the record.
    check(&["stuck a ? b 11, b 2 c 12, c 3 a 13"], |p| {
        p.read(1, "x", 0);
        three(p);
        p.events[1].lost = Some(crate::program::Lost::Silently);
        p.at(9).lock(7, "a");
    });
    // Nonsense from outside.
    for circle in [&[(2, "m")][..], &[(9, "m")], &[(1, "m"), (9, "m")], &[(1, "m"), (1, "m")], &[(1, "x")], &[]] {
        let mut p = Program::new();
        p.lock(1, "m").close(1, circle);
        assert!(p.report().findings.iter().all(|finding| finding.orders.len() == circle.len()), "{circle:?}");
    }
}

#[test]
fn it_reads_well() {
    let mut p = Program::new();
    p.at(1).lock(1, "a").at(2).lock(2, "b").at(11).wait(1).at(12).close(2, &[(2, "a"), (1, "b")]);
    let expect = "\
1. deadlock on `b` and `a` (it happened)
     worker-2 (rust-4242-2)  holds      b  src/app.rs:2:9
                             waits for  a  src/app.rs:12:9
     worker-1 (rust-4242-1)  holds      a  src/app.rs:1:9
                             waits for  b  src/app.rs:11:9
   worker-2 holds b and waits for a; worker-1 holds a and waits for b. Each waits for the next, and
   none of them ever goes on.
   what to do: take these locks in one order everywhere, or hold one more lock, the same each time,
               around both, or ask for the second by try_lock and give the first back if that fails
   harmless if: somebody ends it, by a panic in what is called on a deadlock, or by the end of the
                process

0 lost updates, 0 data races and 1 deadlock found in 4 events of 2 strands on 0 variables
";
    assert_eq!(p.report().to_string(), expect);
    let mut p = Program::new();
    p.at(1).lock(1, "m").at(2).close(1, &[(1, "m")]);
    assert!(p.report().to_string().starts_with("1. deadlock on `m` (it happened)\n"), "{}", p.report());
}
