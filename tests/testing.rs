//! `trackside::testing`, as tests use it, all of them at once: the harness runs these in parallel.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::mpsc;
use trackside::sync::{Barrier, Mutex};
use trackside::testing::{self, Report};
use trackside::{Tracked, thread};

/// What an assertion says.
fn panic_of(assertion: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(assertion).expect_err("it should fail");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref().map(|text: &&str| (*text).to_owned()))
        .unwrap()
}

/// Two writes of a variable, in order or not.
fn two_writes(variable: &'static str, ordered: bool) -> Report {
    let ((), report) = testing::record_with(|client| {
        let write = || client.track_write(variable, 0, 1);
        thread::scope(|scope| {
            let first = scope.spawn(write);
            if ordered {
                first.join().unwrap();
            }
            scope.spawn(write);
        });
    });
    report
}

fn variables(report: &Report) -> BTreeSet<&str> {
    report.analysis().findings.iter().map(|finding| finding.variable.as_str()).collect()
}

#[test]
fn a_race_fails_the_test_and_is_its_message() {
    let report = two_writes("balance", false);
    let text = panic_of(move || report.assert_no_races());
    for part in ["data race on `balance`", "tests/testing.rs:24"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn what_is_in_order_passes() {
    let report = two_writes("balance", true);
    report.assert_no_races();
    report.assert_no_findings();
    assert_eq!(report.analysis().summary.variables, 1);
}

#[test]
fn recordings_in_parallel_know_nothing_of_each_other() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    std::thread::scope(|scope| {
        for name in names {
            scope.spawn(move || assert_eq!(variables(&two_writes(name, false)), [name].into()));
        }
    });
}

/// Locks and values of a test that records nothing, while another one does.
#[test]
fn what_other_tests_do_meanwhile_is_not_there() {
    static NOISE: Mutex<Tracked<u64>> = Mutex::named("noise", Tracked::named("noise", 0));
    let (stop, stopped) = mpsc::channel::<()>();
    let (begin, began) = mpsc::channel();
    let noise = std::thread::spawn(move || {
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            let old = NOISE.lock().unwrap().get();
            NOISE.lock().unwrap().set(old + 1);
            let _ = begin.send(());
        }
    });
    began.recv().unwrap();
    let report = testing::record(|| {
        static OWN: Mutex<Tracked<u64>> = Mutex::named("own", Tracked::named("own", 0));
        // So that there is noise for sure while this is recorded.
        began.recv().unwrap();
        OWN.lock().unwrap().set(1);
        began.recv().unwrap();
    });
    drop(stop);
    noise.join().unwrap();
    report.assert_no_findings();
    let locks: Vec<&str> = report.analysis().locks.iter().map(|lock| lock.lock.as_str()).collect();
    assert_eq!((report.analysis().summary.variables, &locks[..]), (1, &["own"][..]), "{report}");
}

#[test]
fn an_update_that_was_lost_is_a_race() {
    let report = testing::record(|| {
        let total = Mutex::named("total's lock", Tracked::named("total", 0_u64));
        let both_have_read = Barrier::new(2);
        let add = || {
            let old = total.lock().unwrap().get();
            both_have_read.wait();
            total.lock().unwrap().set(old + 1);
        };
        thread::scope(|scope| {
            scope.spawn(add);
            scope.spawn(add);
        });
    });
    assert_eq!(variables(&report), ["total"].into(), "{report}");
    assert!(panic_of(move || report.assert_no_races()).contains("lost update"));
}

#[test]
fn findings_about_locks_are_no_races() {
    let report = testing::record(|| {
        let (a, b) = (Mutex::named("a", ()), Mutex::named("b", ()));
        // One after the other, by what is not recorded: it could have been otherwise.
        let (done, first_is_done) = mpsc::channel();
        let (a, b) = (&a, &b);
        thread::scope(|scope| {
            scope.spawn(move || {
                drop((a.lock().unwrap(), b.lock().unwrap()));
                done.send(()).unwrap();
            });
            scope.spawn(move || {
                first_is_done.recv().unwrap();
                drop((b.lock().unwrap(), a.lock().unwrap()));
            });
        });
    });
    report.assert_no_races();
    assert!(panic_of(move || report.assert_no_findings()).contains("deadlock"));
}

#[test]
fn a_panic_goes_through_and_the_next_one_records() {
    assert_eq!(panic_of(|| drop(testing::record(|| panic!("on purpose")))), "on purpose");
    assert_eq!(variables(&two_writes("after", false)), ["after"].into());
}

#[test]
fn one_recording_is_not_part_of_another() {
    let text = panic_of(|| drop(testing::record(|| drop(testing::record(|| ())))));
    assert!(text.contains("records already"), "{text}");
    // And it is over.
    testing::record(|| ()).assert_no_findings();
}

#[test]
fn results_are_handed_out() {
    let (sum, report) = testing::record_with(|client| {
        let shared = Arc::new(Mutex::new(1));
        let worker = thread::spawn({
            let (client, shared) = (client.clone(), shared.clone());
            move || {
                *shared.lock().unwrap() += 1;
                client.track_read("sum", 2);
            }
        });
        worker.join().unwrap();
        *shared.lock().unwrap()
    });
    assert_eq!(sum, 2);
    report.assert_no_findings();
}
