//! What locks cost: numbers that are exact, and who waited for whom.

use crate::program::{Program, remote, report};
use trackside_analysis::{LockReport, Times};

/// The only lock of a program.
#[track_caller]
fn cost(write_down: impl FnOnce(&mut Program)) -> LockReport {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    assert_eq!(report.locks.len(), 1, "{report}");
    report.locks[0].clone()
}

fn buckets(times: &Times) -> Vec<(u64, u64)> {
    times.buckets.iter().map(|bucket| (bucket.from_ns, bucket.count)).collect()
}

#[test]
fn times_are_counted_by_powers_of_two() {
    let lock = cost(|p| {
        for waited in [0, 1, 2, 3, 1000, 1024, 1025] {
            p.at(5).lock(1, "m").waited(waited).unlock(1, "m");
        }
        p.at(6).lock(1, "m").unlock(1, "m");
        // Held from 1600 to 1700, 1800 to 1900, and a section of no time at all.
        p.retime(&(0..16).chain([1600, 1700, 1800, 1900, 2000, 2000]).collect::<Vec<u64>>());
        p.at(6).lock(1, "m").unlock(1, "m");
    });
    assert_eq!((lock.acquisitions, lock.wait.count, lock.hold.count), (9, 7, 9));
    assert_eq!(buckets(&lock.wait), [(0, 1), (1, 1), (2, 2), (512, 1), (1024, 2)]);
    assert_eq!((lock.wait.total_ns, lock.wait.max_ns), (3055, 1025));
    let sites: Vec<_> = lock.sites.iter().map(|site| (site.place.line, site.acquisitions, site.wait.count)).collect();
    assert_eq!(sites, [(Some(5), 7, 7), (Some(6), 2, 0)]);
}

#[test]
fn holding_times_are_differences_of_timestamps() {
    let mut p = Program::new();
    for _ in 0..4 {
        p.at(5).lock(1, "m").unlock(1, "m");
    }
    // A coarse clock may see no time pass, and one that was set back even less.
    p.retime(&[0, 700, 1000, 1000, 2000, 2001, 5000, 4000]);
    let report = p.report();
    let hold = &report.locks[0].hold;
    assert_eq!((hold.count, hold.total_ns, hold.max_ns), (4, 701, 700));
    assert_eq!(buckets(hold), [(0, 2), (1, 1), (512, 1)]);
}

#[test]
fn guards_of_one_lock_end_by_their_numbers() {
    let mut p = Program::new();
    let r = "RwLock-Read";
    p.at(1).counted(1, "rw", r).at(2).counted(1, "rw", r);
    // The first guard is given back first.
    let ends: Vec<_> = [0, 1].map(|at| p.events[at].b.clone()).into();
    for b in ends {
        let a = p.events[0].a.clone();
        p.event(1, trackside_wire::Kind::LockRelease, "rw", a, b);
    }
    p.retime(&[0, 10, 100, 1000]);
    let report = p.report();
    let held = |line: u32| {
        let site = report.locks[0].sites.iter().find(|site| site.place.line == Some(line)).expect("a place");
        site.hold.total_ns
    };
    assert_eq!((held(1), held(2)), (100, 990));
}

/// The line where each one waited, its strand, and the line where the holder had taken the lock.
fn waiters(lock: &LockReport) -> Vec<String> {
    let line = |line: Option<u32>| line.map_or("?".to_owned(), |line| line.to_string());
    let told = lock.waiters.iter().map(|waiter| {
        let held = line(waiter.held_at.as_ref().and_then(|place| place.line));
        let (count, total, max) = (waiter.count, waiter.total_ns, waiter.max_ns);
        format!("{} {} for {held}: {count} {total} {max}", waiter.thread, line(waiter.place.line))
    });
    told.collect()
}

#[test]
fn who_waited_for_whom_follows_from_the_numbers() {
    let lock = cost(|p| {
        p.at(1).lock(1, "m").unlock(1, "m").at(2).lock(2, "m").waited(50).unlock(2, "m");
        p.at(3).lock(3, "m").waited(300).unlock(3, "m").at(2).lock(2, "m").waited(7).unlock(2, "m");
        p.at(1).lock(1, "m").unlock(1, "m").at(2).lock(2, "m").waited(60).unlock(2, "m");
        // Timestamps have no say in it.
        p.retime(&[9, 1, 4, 7]);
    });
    let expect = [
        "worker-3 (rust-4242-3) 3 for 2: 1 300 300",
        "worker-2 (rust-4242-2) 2 for 1: 2 110 60",
        "worker-2 (rust-4242-2) 2 for 3: 1 7 7",
    ];
    assert_eq!(waiters(&lock), expect);
}

#[test]
fn who_waited_equally_long_is_told_in_the_same_order_whatever_comes_first() {
    let mut p = Program::new();
    for line in [3, 1, 2] {
        p.at(line).lock(1, "m").waited(9).unlock(1, "m");
    }
    let mut batches = p.batches(1);
    let order = |batches: &[Vec<u8>]| waiters(&report(batches).locks[0]);
    let told = order(&batches);
    assert!(told.is_sorted() && told.len() == 3, "{told:?}");
    batches.reverse();
    assert_eq!(order(&batches), told);
}

#[test]
fn readers_wait_for_the_last_writer_and_writers_for_the_last_reader() {
    let (r, w) = ("RwLock-Read", "RwLock-Write");
    let lock = cost(|p| {
        p.at(1).counted(1, "rw", w).uncount(1, "rw", w);
        p.at(2).counted(2, "rw", r).waited(30).at(3).counted(3, "rw", r).waited(20);
        p.uncount(2, "rw", r).uncount(3, "rw", r).at(4).counted(4, "rw", w).waited(10).uncount(4, "rw", w);
    });
    let expect = [
        "worker-2 (rust-4242-2) 2 for 1: 1 30 30",
        "worker-3 (rust-4242-3) 3 for 1: 1 20 20",
        "worker-4 (rust-4242-4) 4 for 3: 1 10 10",
    ];
    assert_eq!(waiters(&lock), expect);
    assert_eq!(lock.sites.iter().map(|site| site.shared).collect::<Vec<_>>(), [true, true, false, false]);
}

#[test]
fn nobody_is_named_who_is_not_in_the_record() {
    let lock = cost(|p| {
        p.at(1).lock(1, "m").unlock(1, "m").lock(5, "m").unlock(5, "m").at(2).lock(2, "m").waited(50).unlock(2, "m");
        p.unsample(&[5]);
    });
    assert_eq!(waiters(&lock), ["worker-2 (rust-4242-2) 2 for ?: 1 50 50"]);
    let lock = cost(|p| {
        p.plain_lock(1, "m", "Mutex").plain_unlock(1, "m", "Mutex");
        p.at(2).plain_lock(2, "m", "Mutex").waited(50).plain_unlock(2, "m", "Mutex");
    });
    assert_eq!(waiters(&lock), ["worker-2 (rust-4242-2) 2 for ?: 1 50 50"]);
}

#[test]
fn whoever_waited_longest_comes_first_and_it_is_no_finding() {
    let mut p = Program::new();
    for (strand, lock, waited) in [(1, "calm", 0), (2, "hot", 5_000), (3, "warm", 70), (remote(1, 1), "far", 600)] {
        p.at(1).lock(strand, lock).waited(waited).unlock(strand, lock);
    }
    let report = p.report();
    let order: Vec<_> = report.locks.iter().map(|lock| (lock.lock.as_str(), lock.process.as_str())).collect();
    assert_eq!(order, [("hot", "bank/1"), ("far", "shop-1/1"), ("warm", "bank/1"), ("calm", "bank/1")]);
    assert!(report.findings.is_empty() && report.summary.is_complete());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["locks"][0]["wait"]["buckets"][0], serde_json::json!({ "from_ns": 4096, "count": 1 }));
}

#[test]
fn only_so_many_locks_are_told() {
    let mut p = Program::new();
    for lock in 0..150 {
        p.lock(1, &format!("l{lock}")).waited(lock).unlock(1, &format!("l{lock}"));
    }
    let report = p.report();
    assert_eq!((report.locks.len(), report.summary.locks), (100, 150));
    assert_eq!(report.locks[0].lock, "l149");
    assert!(report.to_string().contains("and at least 92 more locks"), "{report}");
}

#[test]
fn the_section_reads_well() {
    let mut p = Program::new();
    for (waited, times) in [(1_000, 8), (3_000, 1), (40_000, 2)] {
        for _ in 0..times {
            p.at(1).lock(1, "ledger").unlock(1, "ledger").at(2).lock(2, "ledger").waited(waited).unlock(2, "ledger");
        }
    }
    p.lock(1, "calm").unlock(1, "calm");
    // Not so hot, read by some, and waited for so differently that a column stands for each power of two.
    let (r, w) = ("RwLock-Read", "RwLock-Write");
    p.at(3).counted(1, "cache", w).uncount(1, "cache", w);
    for waited in [0, 100, 100, 30_000] {
        p.at(4).counted(2, "cache", r).waited(waited).uncount(2, "cache", r);
    }
    let expect = "\
locks that were waited for, by time:
     lock    taken  waited   in all  at most  held in all  at most
     ledger     22      11  91.0 us  40.0 us       2.2 us   100 ns
     cache       5       4  30.2 us  30.0 us       500 ns   100 ns
   ledger:
        from    below  waited                        held
       64 ns   128 ns                                  22  ████████████████████
      128 ns   256 ns
      256 ns   512 ns
      512 ns   1.0 us       8  ████████████████████
      1.0 us   2.0 us
      2.0 us   4.0 us       1  ██▌
      4.0 us   8.1 us
      8.1 us  16.3 us
     16.3 us  32.7 us
     32.7 us  65.5 us       2  █████
     taken at        times  waited   in all  held in all  at most
     src/app.rs:2:9     11      11  91.0 us       1.1 us   100 ns
     src/app.rs:1:9     11       0     0 ns       1.1 us   100 ns
     who waited              at              for what was taken at  times   in all  at most
     worker-2 (rust-4242-2)  src/app.rs:2:9  src/app.rs:1:9            11  91.0 us  40.0 us
   cache:
     waited  0 ns |▄      █       ▄| 32.7 us
     held    0 ns |       █        | 32.7 us
no data race, no lost update and no misuse of locks found in 56 events of 2 strands
";
    assert_eq!(p.report().to_string(), expect);
}

#[test]
fn only_so_many_rows_places_and_waiters_are_told() {
    let mut p = Program::new();
    for line in 1..=7 {
        p.at(line).lock(1, "m").waited(1 << (9 * (line - 1))).unlock(1, "m");
        p.at(line + 10).lock(2, "m").waited(i64::MAX / 8).unlock(2, "m");
    }
    let text = p.report().to_string();
    assert!(text.contains("     and 10 more places\n") && text.contains("     and 11 more waiters\n"), "{text}");
    let from = text.find("     from").expect("a histogram");
    let rows = text[from..].lines().take_while(|line| !line.contains("taken at")).skip(1).collect::<Vec<_>>();
    assert_eq!(rows.len(), 12, "{text}");
    assert!(rows[11].contains("7  ████████████████████"), "{text}");
    assert!(rows.iter().filter(|row| row.contains(" 1  ██▉")).count() == 7, "{text}");
}
