//! Tracked atomics: what they order and what not, and what is lost of their own updates.

use crate::program::{Program, V};
use trackside_analysis::FindingKind;
use trackside_wire::Kind;

const RACE: &str = "race x 1 2 Confirmed";

/// What is found in a program; without holes.
#[track_caller]
fn check(expect: &[&str], write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    assert_eq!(program.found(), expect, "{report}");
    assert!(report.summary.is_complete(), "{report}");
}

/// Strand 1 writes x, then does this; strand 2 does that, then reads x.
fn passing(
    p: &mut Program,
    write: impl FnOnce(&mut Program) -> &mut Program,
    read: impl FnOnce(&mut Program) -> &mut Program,
) {
    p.at(1).write(1, "x", None::<i64>, 1);
    write(p);
    read(p);
    p.at(2).read(2, "x", 1);
}

#[test]
fn a_message_is_passed_by_a_store_that_releases_and_a_load_that_acquires() {
    for store in ["Relaxed", "Release", "SeqCst"] {
        for load in ["Relaxed", "Acquire", "SeqCst"] {
            let ordered = store != "Relaxed" && load != "Relaxed";
            check(if ordered { &[] } else { &[RACE] }, |p| {
                passing(p, |p| p.store(1, "flag", store, 1), |p| p.load(2, "flag", load));
            });
        }
    }
}

#[test]
fn updates_pass_messages_by_either_half() {
    for one in ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"] {
        for other in ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"] {
            let ordered =
                ["Release", "AcqRel", "SeqCst"].contains(&one) && ["Acquire", "AcqRel", "SeqCst"].contains(&other);
            check(if ordered { &[] } else { &[RACE] }, |p| {
                passing(p, |p| p.update(1, "flag", one, 1), |p| p.update(2, "flag", other, 2));
            });
        }
    }
}

#[test]
fn who_reads_an_older_value_has_no_message() {
    check(&[RACE], |p| {
        passing(p, |p| p.store(1, "flag", "SeqCst", 1), |p| p.load_old(2, "flag", "SeqCst", 0));
    });
    check(&[RACE], |p| {
        p.store(1, "flag", "Release", 1);
        passing(p, |p| p.store(1, "flag", "Release", 2), |p| p.load_old(2, "flag", "Acquire", 1));
    });
    // Though strand 3, which the analysis meets before, has read the newer one.
    check(&[RACE], |p| {
        p.store(1, "flag", "Release", 1).at(1).write(1, "x", None::<i64>, 1).store(1, "flag", "Release", 2);
        p.load(3, "flag", "Acquire").read(3, "x", 1).load_old(2, "flag", "Acquire", 1).at(2).read(2, "x", 1);
        p.retime(&[0, 0, 0, 0, 0, 900, 900]);
    });
}

#[test]
fn the_load_comes_after_the_store_whatever_their_timestamps_say() {
    let mut p = Program::new();
    passing(&mut p, |p| p.store(1, "flag", "Release", 1), |p| p.load(2, "flag", "Acquire"));
    p.retime(&[900, 950, 1, 2]);
    assert_eq!(p.found(), Vec::<String>::new(), "{}", p.report());
}

#[test]
fn atomics_are_told_apart_by_their_ids_and_runs_and_from_variables_of_their_name() {
    check(&[RACE], |p| {
        passing(p, |p| p.store(1, "flag", "Release", 1), |p| p.load(2, "another", "Acquire"));
    });
    check(&["lost x 4 3..5 Confirmed"], |p| {
        // The plain accesses to another variable called x do not meet those of the atomic.
        p.write(1, "x", None::<i64>, 1).read(1, "x", 1);
        p.at(3).load(2, "x", "Relaxed").at(4).store(3, "x", "Relaxed", 7).at(5).store(2, "x", "Relaxed", 9);
    });
}

#[test]
fn a_release_sequence_goes_on_through_updates_of_any_strand_and_ordering() {
    check(&[], |p| {
        passing(
            p,
            |p| p.store(1, "flag", "Release", 1).update(3, "flag", "Relaxed", 2),
            |p| p.update(4, "flag", "Relaxed", 3).load(2, "flag", "Acquire"),
        );
    });
}

#[test]
fn a_release_sequence_ends_with_a_plain_store_even_of_its_own_strand() {
    for strand in [1, 3] {
        check(&[RACE], |p| {
            passing(
                p,
                |p| p.store(1, "flag", "Release", 1).store(strand, "flag", "Relaxed", 2),
                |p| p.load(2, "flag", "Acquire"),
            );
        });
    }
    // A store that releases begins one of its own, without the one before.
    check(&[RACE], |p| {
        passing(
            p,
            |p| p.store(1, "flag", "Release", 1).store(3, "flag", "Release", 2),
            |p| p.load(2, "flag", "Acquire"),
        );
    });
}

#[test]
fn an_update_that_releases_is_a_head_beside_the_one_that_it_goes_on_from() {
    // As in a count of references: each drop releases, the last one acquires.
    check(&[], |p| {
        for strand in [1, 3, 4] {
            p.write(strand, &format!("of {strand}"), None::<i64>, 1).update(strand, "count", "Release", 1);
        }
        p.load(2, "count", "Acquire").read(2, "of 1", 1).read(2, "of 3", 1).read(2, "of 4", 1);
    });
    check(&["race of 4 1 2 Confirmed"], |p| {
        for strand in [1, 3, 4] {
            let ordering = if strand == 4 { "Relaxed" } else { "Release" };
            p.at(1).write(strand, &format!("of {strand}"), None::<i64>, 1).update(strand, "count", ordering, 1);
        }
        p.load(2, "count", "Acquire").read(2, "of 1", 1).read(2, "of 3", 1).at(2).read(2, "of 4", 1);
    });
}

#[test]
fn fences_stand_for_the_orderings_of_relaxed_accesses() {
    for write in ["Acquire", "Release", "AcqRel", "SeqCst", "Relaxed"] {
        for read in ["Acquire", "Release", "AcqRel", "SeqCst", "Relaxed"] {
            let ordered = !["Acquire", "Relaxed"].contains(&write) && !["Release", "Relaxed"].contains(&read);
            check(if ordered { &[] } else { &[RACE] }, |p| {
                passing(
                    p,
                    |p| p.fence(1, write).store(1, "flag", "Relaxed", 1),
                    |p| p.load(2, "flag", "Relaxed").fence(2, read),
                );
            });
        }
    }
}

#[test]
fn a_fence_on_one_side_meets_an_ordering_on_the_other() {
    check(&[], |p| {
        passing(p, |p| p.fence(1, "Release").store(1, "flag", "Relaxed", 1), |p| p.load(2, "flag", "Acquire"));
    });
    check(&[], |p| {
        passing(p, |p| p.store(1, "flag", "Release", 1), |p| p.load(2, "flag", "Relaxed").fence(2, "Acquire"));
    });
}

#[test]
fn a_fence_on_the_wrong_side_of_its_access_orders_nothing() {
    check(&[RACE], |p| {
        passing(p, |p| p.store(1, "flag", "Relaxed", 1).fence(1, "Release"), |p| p.load(2, "flag", "Acquire"));
    });
    check(&[RACE], |p| {
        passing(p, |p| p.store(1, "flag", "Release", 1), |p| p.fence(2, "Acquire").load(2, "flag", "Relaxed"));
    });
    // What comes after the fence that releases is not released by the store after it.
    check(&[RACE], |p| {
        p.fence(1, "Release").at(1).write(1, "x", None::<i64>, 1).store(1, "flag", "Relaxed", 1);
        p.load(2, "flag", "Acquire").at(2).read(2, "x", 1);
    });
    // What comes before the fence that acquires is not after the store.
    check(&[RACE], |p| {
        p.at(1).write(1, "x", None::<i64>, 1).store(1, "flag", "Release", 1);
        p.load(2, "flag", "Relaxed").at(2).read(2, "x", 1).fence(2, "Acquire");
    });
}

#[test]
fn sequential_consistency_orders_nothing_beyond_what_it_acquires_and_releases() {
    // Store buffering: the total order tells who came first, and yet nothing is handed over.
    check(&["race x 1 2 Confirmed"], |p| {
        p.at(1).write(1, "x", None::<i64>, 1).store(1, "a", "SeqCst", 1).load(1, "b", "SeqCst");
        p.store(2, "b", "SeqCst", 1).load_old(2, "a", "SeqCst", 0).at(2).read(2, "x", 1);
    });
}

/// Double-checked locking, by a flag that is stored with this ordering and loaded with that one.
fn double_checked(p: &mut Program, store: &str, load: &str) {
    p.load(1, "ready", load).lock(1, "m").load(1, "ready", "Relaxed").at(1).write(1, "x", None::<i64>, 1);
    p.store(1, "ready", store, 1).unlock(1, "m");
    p.load(2, "ready", load).at(2).read(2, "x", 1);
}

#[test]
fn double_checked_locking_needs_both_orderings() {
    check(&[], |p| double_checked(p, "Release", "Acquire"));
    check(&[RACE], |p| double_checked(p, "Relaxed", "Acquire"));
    check(&[RACE], |p| double_checked(p, "Release", "Relaxed"));
    // The second one takes the lock itself, if it finds nothing the first time.
    check(&[], |p| {
        p.lock(1, "m").at(1).write(1, "x", None::<i64>, 1).store(1, "ready", "Relaxed", 1);
        p.load_old(2, "ready", "Relaxed", 0).unlock(1, "m").lock(2, "m").load(2, "ready", "Relaxed").unlock(2, "m");
        p.at(2).read(2, "x", 1);
    });
}

#[test]
fn the_order_through_tracked_atomics_is_known_so_a_race_beside_them_is_certain() {
    check(&[RACE], |p| {
        passing(
            p,
            |p| p.fence(1, "Acquire").store(1, "flag", "Relaxed", 1),
            |p| p.load(2, "flag", "Relaxed").fence(2, "Release"),
        );
    });
    // A fence beside an atomic that is not tracked, or beside none that was recorded, is still unknown.
    check(&["race x 1 2 Likely"], |p| {
        passing(p, |p| p.fence(1, "Release"), |p| p.fence(2, "Acquire"));
    });
    check(&["race x 1 2 Likely"], |p| {
        passing(
            p,
            |p| p.store(1, "flag", "Relaxed", 1).access(1, Kind::AtomicWrite, "y"),
            |p| p.access(2, Kind::AtomicRead, "y").load(2, "flag", "Relaxed"),
        );
    });
    // So is one of a strand that uses both.
    check(&["race x 1 2 Likely"], |p| {
        p.access(1, Kind::AtomicRead, "y");
        p.at(1).write(1, "x", None::<i64>, 1).store(1, "flag", "Relaxed", 1).fence(1, "Release");
        p.access(2, Kind::AtomicRead, "y").at(2).read(2, "x", 1);
    });
}

#[test]
fn a_write_that_is_not_in_the_record_is_a_hole_for_who_reads_on_from_it_and_no_one_else() {
    // The store itself; the middle of a sequence; both by a strand that leaves no other trace.
    holes(&["race x 1 2 Likely incomplete"], 1, |p| {
        passing(p, |p| p.store(3, "flag", "Release", 1).forget(3), |p| p.load(2, "flag", "Acquire"));
    });
    holes(&["race x 1 2 Likely incomplete"], 1, |p| {
        passing(
            p,
            |p| {
                p.store(1, "flag", "Release", 1)
                    .update(3, "flag", "Relaxed", 2)
                    .update(4, "flag", "Relaxed", 3)
                    .forget(3)
            },
            |p| p.load(2, "flag", "Acquire"),
        );
    });
    // A loop that waits reads the same again and again: that is one hole.
    holes(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.store(3, "flag", "Release", 1).forget(3);
        passing(p, |p| p, |p| (0..9).fold(p, |p, _| p.load(2, "flag", "Acquire")));
    });
    // A store begins anew, whatever was before it; and a load that does not acquire comes after nothing.
    holes(&[RACE], 0, |p| {
        passing(
            p,
            |p| {
                p.store(1, "flag", "Release", 1)
                    .update(3, "flag", "Relaxed", 2)
                    .store(4, "flag", "Release", 3)
                    .forget(3)
            },
            |p| p.load(2, "flag", "Acquire"),
        );
    });
    holes(&[RACE], 0, |p| {
        passing(p, |p| p.store(3, "flag", "Release", 1).forget(3), |p| p.load(2, "flag", "Relaxed"));
    });
    holes(&["race x 1 2 Likely incomplete"], 1, |p| {
        p.fence(2, "SeqCst");
        passing(
            p,
            |p| p.store(3, "flag", "Release", 1).forget(3),
            |p| p.load(2, "flag", "Relaxed").fence(2, "Acquire"),
        );
    });
}

#[test]
fn a_fence_that_may_be_missing_leaves_the_store_after_it_in_doubt() {
    holes(&["race x 1 2 Likely incomplete"], 2, |p| {
        passing(p, |p| p.fence(1, "Release").lost().store(1, "flag", "Relaxed", 1), |p| p.load(2, "flag", "Acquire"));
    });
    // A fence after the hole says all that a lost one could.
    holes(&[], 1, |p| {
        p.at(1).write(1, "x", None::<i64>, 1).fence(1, "Release").lost();
        p.fence(1, "Release").store(1, "flag", "Relaxed", 1).load(2, "flag", "Acquire").at(2).read(2, "x", 1);
    });
}

#[track_caller]
fn holes(expect: &[&str], holes: u64, write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    assert_eq!(program.found(), expect, "{report}");
    assert_eq!(report.summary.holes, holes, "{report}");
}

#[test]
fn writes_between_a_load_and_a_store_are_lost_and_the_numbers_prove_it() {
    check(&["lost hits 2 1..3 Confirmed"], |p| {
        p.at(1).load(1, "hits", "SeqCst").at(2).update(2, "hits", "SeqCst", 1).at(3).store(1, "hits", "SeqCst", 5);
    });
    // Two writes between are two pairs of places; a store that was itself too late is one of them.
    check(&["lost hits 2 1..4 Confirmed", "lost hits 3 1..4 Confirmed"], |p| {
        p.at(1).load(1, "hits", "Relaxed").at(2).store(2, "hits", "Relaxed", 1).at(3).store(3, "hits", "Relaxed", 2);
        p.at(4).store(1, "hits", "Relaxed", 5);
    });
}

#[test]
fn a_store_right_after_what_was_loaded_lost_nothing_whatever_the_order_of_strands() {
    check(&[], |p| {
        p.load(1, "hits", "Relaxed").load(2, "hits", "Relaxed").store(1, "hits", "Relaxed", 1);
        p.load(2, "hits", "Relaxed").store(2, "hits", "Relaxed", 2);
    });
    // Nor did a store that was computed from no load, or an update, which looks for itself.
    check(&[], |p| {
        p.load(1, "hits", "Relaxed").store(1, "hits", "Relaxed", 1).store(2, "hits", "Relaxed", 2);
        p.store(1, "hits", "Relaxed", 3).load(1, "hits", "Relaxed").store(2, "hits", "Relaxed", 4);
        p.update(1, "hits", "Relaxed", 5);
    });
    // Nor one that replaced the value that was loaded, though others came in between.
    check(&[], |p| {
        p.load(1, "hits", "Relaxed").store(2, "hits", "Relaxed", 7).store(2, "hits", "Relaxed", 0);
        p.store(1, "hits", "Relaxed", 1);
    });
}

#[test]
fn what_values_leave_open_is_only_likely() {
    check(&["lost hits 2 1..3 Likely"], |p| {
        p.at(1)
            .load(1, "hits", "Relaxed")
            .at(2)
            .store(2, "hits", "Relaxed", V::Nil)
            .at(3)
            .store(1, "hits", "Relaxed", 1);
    });
    // Both say that it is done: it is, but each may believe that it was the one.
    check(&["lost state 2 1..3 Likely"], |p| {
        p.at(1).load(1, "state", "Relaxed").at(2).store(2, "state", "Relaxed", "done");
        p.at(3).store(1, "state", "Relaxed", "done");
    });
    check(&["lost hits 2 1..3 Confirmed"], |p| {
        p.at(1).load(1, "hits", "Relaxed").at(2).store(2, "hits", "Relaxed", 1).at(3).store(1, "hits", "Relaxed", 1);
    });
}

#[test]
fn what_is_stored_under_a_lock_taken_after_the_load_may_come_from_what_the_lock_protects() {
    // A flag is looked at, and then, under the lock, set by what is there: nobody says that it came from the look.
    check(&["lost empty 2 1..3 Possible"], |p| {
        p.at(1).load(1, "empty", "SeqCst").lock(2, "m").at(2).store(2, "empty", "SeqCst", 1).unlock(2, "m");
        p.lock(1, "m").at(3).store(1, "empty", "SeqCst", 2).unlock(1, "m");
    });
    // So it is where the look was under the lock too, in a section that had come to its end.
    check(&["lost empty 2 1..3 Possible"], |p| {
        p.lock(1, "m").at(1).load(1, "empty", "SeqCst").unlock(1, "m");
        p.lock(2, "m").at(2).store(2, "empty", "SeqCst", 1).unlock(2, "m");
        p.lock(1, "m").at(3).store(1, "empty", "SeqCst", 2).unlock(1, "m");
    });
    // But a lock that only one of the two takes, or that is held all the time, says nothing of it.
    check(&["lost hits 2 1..3 Confirmed"], |p| {
        p.at(1).load(1, "hits", "SeqCst").at(2).store(2, "hits", "SeqCst", 1);
        p.lock(1, "m").at(3).store(1, "hits", "SeqCst", 2).unlock(1, "m");
    });
    check(&["lost hits 2 1..3 Confirmed"], |p| {
        p.lock(1, "m").at(1).load(1, "hits", "SeqCst").lock(2, "other").at(2).store(2, "hits", "SeqCst", 1);
        p.unlock(2, "other").at(3).store(1, "hits", "SeqCst", 2).unlock(1, "m");
    });
}

#[test]
fn a_load_before_a_hole_is_not_held_against_a_store_after_it() {
    holes(&[], 1, |p| {
        p.load(1, "hits", "Relaxed").store(2, "hits", "Relaxed", 1).load(1, "hits", "Relaxed").lost();
        p.store(1, "hits", "Relaxed", 5);
    });
}

#[test]
fn a_lost_update_of_a_tracked_atomic_says_what_happened_and_counts() {
    let mut p = Program::new();
    for round in 0..3 {
        p.at(1).load(1, "hits", "SeqCst").at(2).update(2, "hits", "SeqCst", round * 10 + 3);
        p.at(3).store(1, "hits", "SeqCst", round * 10 + 5);
    }
    let report = p.report();
    let finding = &report.findings[0];
    assert_eq!((finding.kind, finding.count, report.findings.len()), (FindingKind::LostUpdate, 3, 1), "{report}");
    let expect = "0 had been loaded, and 5 was stored over 3; the change of +3 in between is lost";
    assert_eq!(finding.lost.as_deref(), Some(expect));
    let expect = "worker-1 loaded the variable, then worker-2 updated it, then worker-1 stored it without having seen \
                  that: the numbers of the writes prove this order. 0 had been loaded, and 5 was stored over 3; the \
                  change of +3 in between is lost.";
    assert_eq!(finding.explanation, expect);
    let values = [&finding.first.old, &finding.first.new, &finding.second.new, &finding.read.as_ref().unwrap().new];
    assert_eq!(values.map(|value| value.as_deref()), [Some("0"), Some("3"), Some("5"), Some("0")]);
    assert!(finding.advice.contains("one atomic read-modify-write"), "{}", finding.advice);
    assert_eq!(report.summary.variables, 1);
}

#[test]
fn lost_updates_at_too_many_places_are_counted() {
    let mut p = Program::new();
    for _ in 0..12_000 {
        p.load(1, "hits", "Relaxed").store(2, "hits", "Relaxed", 1).store(1, "hits", "Relaxed", 2);
    }
    let report = p.report();
    assert_eq!((report.findings.len(), report.summary.findings_dropped), (10_000, 2_000));
}
