//! The same events in other batches and other orders give the same report.

use crate::program::{Program, report};
use trackside_wire::Batch;

/// A bit of everything.
fn program() -> Program {
    let mut p = Program::new();
    p.write(1, "x", 0, 1000).spawn(1, 2).spawn(1, 3).write(1, "free", None::<i64>, 1);
    for strand in [2, 3, 2] {
        p.lock(strand, "m").at(1).read(strand, "x", 1000).unlock(strand, "m");
        p.at(3).write(strand, "free", None::<i64>, strand as i64);
    }
    p.read(3, "y", 1).lost().lock(3, "m").at(2).write(3, "x", 1000, 950).unlock(3, "m");
    p.lock(2, "m").at(2).write(2, "x", 1000, 930).unlock(2, "m").read(2, "z", 0).gone();
    p.at(4).write(2, "free", None::<i64>, 9).join(1, 2).join(1, 3).read(1, "x", 930).read(1, "free", 9);
    p
}

#[test]
fn batches_may_come_in_any_order_and_of_any_size() {
    let expect = report(&program().batches(usize::MAX));
    assert!(expect.findings.len() > 3, "{expect}");
    for size in [1, 2, 3, 7, 20] {
        let mut batches = program().batches(size);
        let mut seed = size as u64;
        for _ in 0..20 {
            for at in (1..batches.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                batches.swap(at, (seed >> 33) as usize % (at + 1));
            }
            let mut actual = report(&batches);
            assert_eq!(actual.summary.batches, batches.len() as u64);
            actual.summary.batches = expect.summary.batches;
            assert_eq!(actual, expect, "in batches of {size}");
        }
    }
}

#[test]
fn what_comes_twice_counts_once() {
    let batches = program().batches(5);
    let expect = report(&batches);
    let mut twice = batches.clone();
    twice.extend(batches.iter().rev().cloned());
    // The same events once more, cut out of their batch under another number, as after a batch that was too large.
    twice.push(Batch::decode(&batches[1]).unwrap().slice(1..3, 4));
    let mut actual = report(&twice);
    assert_eq!(actual.summary.duplicates, expect.summary.events + 2);
    actual.summary.duplicates = 0;
    assert_eq!(actual, expect);
}

#[test]
fn a_batch_cut_in_two_says_the_same() {
    let whole = program().batches(usize::MAX).remove(0);
    let expect = report(std::slice::from_ref(&whole));
    let batch = Batch::decode(&whole).unwrap();
    for at in 0..=batch.len() {
        let mut actual = report(&[batch.slice(at..batch.len(), 2), batch.slice(0..at, 1)]);
        actual.summary.batches = 1;
        assert_eq!(actual, expect, "cut at {at}");
    }
}
