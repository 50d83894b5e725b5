//! Locks that a strand reads while it reads them already.

use crate::deadlocks::{check, rw};
use crate::program::Program;
use trackside_analysis::Confidence;

#[test]
fn a_second_read_of_a_lock_is_told_whether_or_not_a_writer_was_seen() {
    let (r, w) = ("RwLock-Read", "RwLock-Write");
    check(&["again rw 1 2 Possible"], |p| rw(p, 1, [("rw", r, 1), ("rw", r, 2)]));
    let write = |p: &mut Program, strand: u64| {
        p.counted(strand, "rw", w).uncount(strand, "rw", w);
    };
    check(&["again rw 1 2 Likely"], |p| {
        rw(p, 1, [("rw", r, 1), ("rw", r, 2)]);
        write(p, 2);
    });
    // The writer comes before the reader, by whatever happens; and so does one that is the same strand.
    check(&["again rw 1 2 Possible"], |p| {
        write(p, 2);
        p.spawn(2, 1);
        rw(p, 1, [("rw", r, 1), ("rw", r, 2)]);
        write(p, 1);
    });
}

#[test]
fn reads_of_two_locks_or_of_two_strands_or_one_by_one_are_not_recursive() {
    let r = "RwLock-Read";
    check(&[], |p| rw(p, 1, [("one", r, 1), ("two", r, 2)]));
    check(&[], |p| {
        p.counted(1, "rw", r).counted(2, "rw", r).uncount(1, "rw", r).uncount(2, "rw", r);
    });
    check(&[], |p| {
        p.counted(1, "rw", r).uncount(1, "rw", r).counted(1, "rw", r).uncount(1, "rw", r);
    });
    // Whoever tries does not wait.
    check(&[], |p| rw(p, 1, [("rw", r, 1), ("rw", "RwLock-Read-Try", 2)]));
}

#[test]
fn a_recursive_read_reads_well() {
    let mut p = Program::new();
    rw(&mut p, 1, [("cache", "RwLock-Read", 1), ("cache", "RwLock-Read", 2)]);
    let report = p.report();
    assert_eq!(report.findings[0].confidence, Confidence::Possible);
    let expect = "\
1. recursive read lock on `cache` (seen once)
     worker-1 (rust-4242-1)  holds     cache  src/app.rs:1:9
                             asks for  cache  src/app.rs:2:9
   worker-1 holds cache for reading and asks to read it once more. A writer that asks in between
   waits for the first guard, and std's RwLock may let the second wait for that writer, or panic:
   then neither goes on.
   not certain: no writer was found that could ask in between
   what to do: hand the first guard on, or give it back before the lock is read again
   harmless if: nobody asks to write while a guard is held, or the lock lets readers pass writers
                that wait

0 lost updates, 0 data races and 1 recursive read lock found in 4 events of 1 strand on 0 variables
";
    assert_eq!(report.to_string(), expect);
}
