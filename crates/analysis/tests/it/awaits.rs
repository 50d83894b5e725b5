//! Locks held across an await, each beside twins in which that does no harm.

use crate::deadlocks::check;
use crate::program::Program;
use trackside_analysis::{AccessKind, Confidence};
use trackside_wire::{Kind, Kinds};

#[test]
fn a_lock_of_threads_that_is_held_across_an_await() {
    check(&["await m 1 3 Possible"], |p| {
        p.at(1).lock(1, "m").suspend(1).at(3).read(1, "x", 0).unlock(1, "m");
    });
    // Another strand takes it too: then it is no longer only possible that somebody asks.
    check(&["await m 1 3 Likely"], |p| {
        p.at(1).lock(1, "m").suspend(1).at(3).unlock(1, "m").lock(2, "m").unlock(2, "m");
    });
    // Tried for or not, it is held.
    check(&["await m 1 3 Possible"], |p| {
        p.at(1).counted(1, "m", "Mutex-Try").suspend(1).at(3).unlock(1, "m");
    });
    // By name alone.
    check(&["await m 1 3 Possible"], |p| {
        p.at(1).plain_lock(1, "m", "Mutex").suspend(1).at(3).plain_unlock(1, "m", "Mutex");
    });
    // Two of them, one taken within the other.
    check(&["await a 1 4 Possible", "await b 2 4 Possible"], |p| {
        p.at(1).lock(1, "a").at(2).lock(1, "b").suspend(1).at(4).unlock(1, "b").unlock(1, "a");
    });
}

#[test]
fn what_is_not_held_at_the_await_is_not_told() {
    check(&[], |p| {
        p.lock(1, "m").unlock(1, "m").suspend(1).lock(1, "m").unlock(1, "m");
    });
    // Another strand holds it, on the same thread even.
    check(&[], |p| {
        p.on(1, 1).on(2, 1).lock(1, "m").suspend(2).unlock(1, "m").suspend(1);
    });
    // Of a guard that goes from strand to strand, it is not known who has it.
    check(&[], |p| {
        p.lock(1, "m").suspend(1).hand_over(1, 2, "m").unlock(2, "m");
    });
}

#[test]
fn readers_are_in_the_way_of_writers_alone() {
    let (r, w) = ("RwLock-Read", "RwLock-Write");
    let read = |p: &mut Program, others: &str| {
        p.at(1).counted(1, "rw", r).suspend(1).at(3).uncount(1, "rw", r);
        p.counted(2, "rw", others).uncount(2, "rw", others);
    };
    check(&["await rw 1 3 Possible"], |p| read(p, r));
    check(&["await rw 1 3 Likely"], |p| read(p, w));
    check(&["await rw 1 3 Likely"], |p| {
        p.at(1).counted(1, "rw", w).suspend(1).at(3).uncount(1, "rw", w).counted(2, "rw", r).uncount(2, "rw", r);
    });
}

#[test]
fn an_acquisition_counts_once_and_the_first_thing_after_the_await_is_told() {
    let mut p = Program::new();
    p.at(1).lock(1, "m").suspend(1).suspend(1).at(4).read(1, "x", 0).suspend(1).unlock(1, "m");
    p.at(1).lock(1, "m").suspend(1).at(5).unlock(1, "m");
    assert_eq!(p.found(), ["await m 1 4 Possible"]);
    let report = p.report();
    let finding = &report.findings[0];
    assert_eq!(
        (finding.count, finding.second.kind, &finding.second.locks[..]),
        (2, AccessKind::Read, &["m".to_owned()][..])
    );
    // It never went on, as far as the record goes.
    let mut p = Program::new();
    p.at(1).lock(1, "m").suspend(1);
    assert_eq!(p.found(), ["await m 1 ? Possible"]);
    assert_eq!(p.report().findings[0].second.kind, AccessKind::Suspended);
    assert!(p.report().to_string().contains("  awaited     and did not go on in this record\n"), "{}", p.report());
}

#[test]
fn a_task_s_lock_held_across_an_await_is_a_cost() {
    let mut p = Program::new();
    for (kind, awaits) in [("tokio-Mutex", 2), ("tokio-Mutex", 0), ("tokio-Mutex", 1)] {
        p.at(1).counted(1, "m", kind);
        for _ in 0..awaits {
            p.suspend(1);
        }
        p.uncount(1, "m", kind);
    }
    // Another one waits, so the section has a line on it.
    p.at(2).counted(2, "m", "tokio-Mutex").waited(5).uncount(2, "m", "tokio-Mutex");
    p.retime(&[0, 10, 20, 100, 200, 350, 400, 500, 5_000, 6_000, 7_000]);
    let report = p.report();
    assert!(report.findings.is_empty(), "{report}");
    let lock = &report.locks[0];
    let across = &lock.across_awaits;
    assert_eq!((lock.hold.count, lock.hold.total_ns), (4, 100 + 150 + 4_600 + 1_000));
    assert_eq!((across.count, across.total_ns, across.max_ns), (2, 4_700, 4_600));
    assert_eq!(lock.sites.iter().map(|site| site.across_awaits.count).collect::<Vec<_>>(), [0, 2]);
    assert!(
        report.to_string().contains("     held across an await 2 times, 4.7 us in all, 4.6 us at most\n"),
        "{report}"
    );
}

#[test]
fn nothing_is_told_of_what_the_record_does_not_have() {
    // The release is lost, or the acquisition.
    for lost in [1, 0] {
        let mut p = Program::new();
        p.lock(1, "m").unlock(1, "m").suspend(1).read(1, "x", 0);
        p.lose(&[(lost, true)]);
        assert_eq!(p.found(), <[&str; 0]>::default(), "{}", p.report());
        p.lose(&[(lost, false)]);
        assert_eq!(p.found(), <[&str; 0]>::default(), "{}", p.report());
    }
    let mut p = Program::new();
    p.at(1).lock(1, "m").suspend(1).at(3).unlock(1, "m");
    p.switch_off(0, Kinds::only([Kind::LockAcquire, Kind::LockRelease]), 0..0);
    assert_eq!(p.found(), ["await m 1 3 Possible incomplete"]);
}

#[test]
fn it_reads_well() {
    let mut p = Program::new();
    p.at(1).lock(1, "cache").suspend(1).at(3).read(1, "x", 0).unlock(1, "cache");
    let report = p.report();
    assert_eq!(report.findings[0].confidence, Confidence::Possible);
    let expect = "\
1. lock held across an await: `cache` (seen once)
     worker-1 (rust-4242-1)  took     cache  src/app.rs:1:9
                             went on         src/app.rs:3:9
   worker-1 takes cache and holds it across an await. While it waits, its thread goes on with other
   tasks. One of them that asks for cache blocks the thread, and with it the task that has to give
   cache back: then neither goes on.
   not certain: no other strand was seen to take the lock in a way that would have to wait
   what to do: give the guard back before the await, by a block around it or by drop; or use an
               async lock, such as tokio::sync::Mutex, for which tasks wait without blocking their
               thread
   harmless if: no task that may run on the thread meanwhile asks for the lock, and whoever else
                does can wait for as long as the await takes

0 lost updates, 0 data races and 1 lock held across an await found in 4 events of 1 strand on 1 variable
";
    assert_eq!(report.to_string(), expect);
}
