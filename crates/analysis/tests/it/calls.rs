//! Several processes: what they share, and how calls order them.

use crate::program::{Program, found, remote};
use trackside_analysis::FindingKind;

#[track_caller]
fn check(expect: &[&str], holes: &[&str], write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    assert_eq!(found(&report), expect, "{report}");
    let what: Vec<&str> = report.summary.first_holes.iter().map(|hole| hole.what.as_str()).collect();
    assert_eq!(what, holes, "{report}");
}

/// A strand that takes a call, and another one of its process.
const SHOP: u64 = 1 << 16 | 5;
const OTHER: u64 = 1 << 16 | 6;
const ROW: &str = "shared:row";

#[test]
fn only_what_is_shared_is_the_same_in_two_processes() {
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.at(1).write(1, ROW, None::<i64>, 1).at(2).write(SHOP, ROW, None::<i64>, 2);
    });
    check(&[], &[], |p| {
        p.write(1, "row", None::<i64>, 1).write(SHOP, "row", None::<i64>, 2);
    });
    let mut p = Program::new();
    p.write(1, ROW, None::<i64>, 1).write(SHOP, ROW, None::<i64>, 2).read(1, "x", 0).read(SHOP, "x", 0);
    assert_eq!(p.report().summary.variables, 3, "x twice, and the row once");
}

#[test]
fn what_comes_before_a_call_is_ordered_with_all_that_it_causes() {
    check(&[], &[], |p| {
        p.write(1, ROW, 0, 1).call(1, 9, &[SHOP]).write(SHOP, ROW, 1, 2);
    });
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.call(1, 9, &[SHOP]).at(1).write(1, ROW, None::<i64>, 1).at(2).write(SHOP, ROW, None::<i64>, 2);
    });
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.at(1).write(1, ROW, None::<i64>, 1).call(1, 9, &[SHOP]).read(SHOP, "y", 0);
        p.at(2).write(OTHER, ROW, None::<i64>, 2);
    });
}

#[test]
fn what_comes_before_the_answer_is_ordered_with_what_follows_the_return() {
    check(&[], &[], |p| {
        p.call(1, 9, &[SHOP]).write(SHOP, ROW, 0, 1).respond(SHOP).returned(1, 9, SHOP).write(1, ROW, 1, 2);
    });
    // After the answer, the callee goes on for itself.
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.call(1, 9, &[SHOP]).respond(SHOP).at(1).write(SHOP, ROW, None::<i64>, 1);
        p.returned(1, 9, SHOP).at(2).write(1, ROW, None::<i64>, 2);
    });
    // It is the last answer that the return comes after.
    check(&[], &[], |p| {
        p.call(1, 9, &[SHOP]).respond(SHOP).write(SHOP, ROW, 0, 1).respond(SHOP);
        p.returned(1, 9, SHOP).write(1, ROW, 1, 2);
    });
    // Without an answer, there is nothing to come after.
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.call(1, 9, &[SHOP]).at(1).write(SHOP, ROW, None::<i64>, 1);
        p.returned(1, 9, SHOP).at(2).write(1, ROW, None::<i64>, 2);
    });
}

#[test]
fn a_call_orders_whatever_its_times_say_and_in_either_direction() {
    let mut p = Program::new();
    p.write(1, ROW, 0, 1).call(1, 9, &[SHOP]).write(SHOP, ROW, 1, 2).respond(SHOP).returned(1, 9, SHOP);
    p.write(1, ROW, 2, 3);
    for times in [[6, 5, 4, 3, 2, 1], [500, 500, 1, 1, 500, 500]] {
        p.retime(&times);
        assert_eq!(p.found(), Vec::<String>::new());
    }
}

#[test]
fn one_service_can_order_another_ones_strands() {
    // Two strands of the first process, whose calls meet at a lock of the second.
    check(&[], &[], |p| {
        p.write(1, "x", 0, 1).call(1, 9, &[SHOP]).lock(SHOP, "m").unlock(SHOP, "m");
        p.call(2, 10, &[OTHER]).lock(OTHER, "m").unlock(OTHER, "m").respond(OTHER).returned(2, 10, OTHER);
        p.write(2, "x", 1, 2);
    });
    // Each process has locks and tasks of its own, whatever they are called.
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.lock(1, "m").at(1).write(1, ROW, None::<i64>, 1).unlock(1, "m");
        p.lock(SHOP, "m").at(2).write(SHOP, ROW, None::<i64>, 2).unlock(SHOP, "m");
    });
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.at(1).write(1, ROW, None::<i64>, 1).spawn(1, 5);
        p.spawn(OTHER, SHOP).at(2).write(SHOP, ROW, None::<i64>, 2);
    });
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.read(OTHER, "y", 0).at(1).write(6, ROW, None::<i64>, 1);
        p.follow(SHOP, OTHER).at(2).write(SHOP, ROW, None::<i64>, 2);
    });
}

#[test]
fn a_call_that_was_tried_twice_is_ordered_with_both_and_its_return_with_neither() {
    let twice = "2 strands took the call that returns here, and which of them answered is not known";
    check(&["race shared:row 3 5 Likely incomplete"], &[twice], |p| {
        p.at(1).write(1, ROW, 0, 1).call(1, 9, &[SHOP, OTHER]).read(SHOP, "y", 0).read(OTHER, "y", 0);
        p.at(3).write(SHOP, ROW, 1, None::<i64>).respond(SHOP).respond(OTHER);
        p.returned(1, 9, SHOP).at(5).write(1, ROW, None::<i64>, 2);
    });
    check(&[], &[], |p| {
        p.write(1, ROW, 0, 1).call(1, 9, &[SHOP, OTHER]).read(SHOP, ROW, 1).read(OTHER, ROW, 1);
    });
}

#[test]
fn a_fork_of_a_called_strand_is_not_called_itself() {
    // The fork shares trace and span; it comes after what its parent did, and the call's return is not its concern.
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.call(1, 9, &[SHOP]).read(SHOP, "y", 0);
        let entry = p.context(SHOP).clone();
        *p.context(OTHER) = crate::program::Context { entry: false, ..entry };
        p.follow(OTHER, SHOP).at(1).write(OTHER, ROW, None::<i64>, 1).respond(OTHER);
        p.respond(SHOP).returned(1, 9, SHOP).at(2).write(1, ROW, None::<i64>, 2);
    });
}

#[test]
fn a_lost_half_of_a_call_is_a_hole_where_the_other_half_is() {
    let call = "the call that is taken here is not in the record";
    check(&["race shared:row 1 2 Likely incomplete"], &[call], |p| {
        p.at(1).write(1, ROW, None::<i64>, 1).call(1, 9, &[SHOP]).gone();
        p.at(2).write(SHOP, ROW, None::<i64>, 2);
    });
    let answer = "the last answer to the call that returns here is not in the record";
    check(&["race shared:row 1 2 Likely incomplete"], &[answer], |p| {
        p.call(1, 9, &[SHOP]).at(1).write(SHOP, ROW, None::<i64>, 1).respond(SHOP).gone();
        p.returned(1, 9, SHOP).at(2).write(1, ROW, None::<i64>, 2);
    });
    // Nothing else is missing: the strands themselves show that it is.
    check(&["race shared:row 1 2 Likely incomplete"], &["1 event is in no batch that arrived", call], |p| {
        p.at(1).write(1, ROW, None::<i64>, 1).call(1, 9, &[SHOP]).gone().read(1, "x", 0);
        p.at(2).write(SHOP, ROW, None::<i64>, 2);
    });
    check(&["race shared:row 1 2 Likely incomplete"], &[answer, "1 event is in no batch that arrived"], |p| {
        p.call(1, 9, &[SHOP]).at(1).write(SHOP, ROW, None::<i64>, 1).respond(SHOP).gone().read(SHOP, "x", 0);
        p.returned(1, 9, SHOP).at(2).write(1, ROW, None::<i64>, 2);
    });
    // Nothing is left of the strand that called: the clock that was handed on says where it ran.
    check(&["race shared:row 1 2 Likely incomplete"], &[call], |p| {
        p.at(1).write(1, ROW, None::<i64>, 1).after(2, 1, 1).call(2, 9, &[SHOP]).gone();
        p.at(2).write(SHOP, ROW, None::<i64>, 2);
    });
}

#[test]
fn callers_and_callees_that_do_not_record_are_no_holes() {
    check(&[], &[], |p| {
        p.call(1, 9, &[]).returned(1, 9, 77).read(1, "x", 0);
        *p.context(SHOP) =
            crate::program::Context { span: 5, upstream: 6, entry: true, trace: 3, ..Default::default() };
        p.read(SHOP, "x", 0).respond(SHOP);
    });
    // Nor when the own process lost something: it is in each clock that begins there.
    check(&[], &[], |p| {
        p.call(1, 9, &[SHOP]).lost().read(OTHER, "x", 0).read(OTHER, "x", 0).lost();
        let context = p.context(SHOP);
        (context.upstream, context.past) = (6, vec![1]);
        p.read(SHOP, "x", 0);
    });
}

#[test]
fn atomics_and_locks_of_one_process_say_nothing_of_another() {
    use trackside_wire::Kind;
    check(&["race shared:row 1 2 Confirmed"], &[], |p| {
        p.at(1).write(1, ROW, None::<i64>, 1).access(1, Kind::AtomicWrite, "flag");
        p.access(SHOP, Kind::AtomicRead, "flag").at(2).write(SHOP, ROW, None::<i64>, 2);
    });
    // Which locks the first strand holds is not known after the gap, which comes before both.
    check(&["race shared:row 1 2 Confirmed"], &["1 event is in no batch that arrived"], |p| {
        p.read(1, "x", 0).read(1, "x", 0).gone().call(1, 9, &[SHOP]).at(1).write(1, ROW, None::<i64>, 1);
        p.at(2).write(SHOP, ROW, None::<i64>, 2);
    });
}

#[test]
fn what_one_process_loses_casts_no_doubt_on_another_that_it_never_met() {
    let mut p = Program::new();
    p.at(1).write(1, "x", None::<i64>, 1).at(2).write(2, "x", None::<i64>, 2);
    p.at(1).read(1, "z", 0).at(1).read(2, "z", 0).at(3).write(1, "z", 0, 5).at(3).write(2, "z", 0, 6);
    let alone = p.found();
    assert!(alone.contains(&"lost z 3 1..3 Confirmed".to_owned()), "{alone:?}");
    // More holes than are told apart in one set.
    for number in 1..200 {
        let strand = remote(1, number);
        p.read(strand, "y", 0).lost().lock(strand, "m").unlock(strand, "m");
    }
    assert_eq!(p.found(), alone);
    // Of a variable that both share, not every write may be known.
    p.at(1).read(1, ROW, 0).at(1).read(2, ROW, 0).at(3).write(1, ROW, 0, 5).at(3).write(2, ROW, 0, 6);
    assert!(p.found().contains(&format!("lost {ROW} 3 1..3 Likely")), "{:?}", p.found());
}

#[test]
fn holes_without_number_in_one_process_leave_another_its_own() {
    // More sets of holes than are told apart in one run; and a hole of the other that cannot order the two writes.
    let mut p = Program::new();
    for number in 1..17_000 {
        let strand = remote(1, number);
        p.read(strand, "y", 0).gone().read(strand, "y", 0);
    }
    p.read(1, "y", 0).gone().read(1, "y", 0).spawn(1, 2).spawn(1, 3);
    p.at(1).write(2, "x", None::<i64>, 1).at(2).write(3, "x", None::<i64>, 2);
    assert_eq!(p.found(), ["race x 1 2 Confirmed"]);
}

#[test]
fn a_finding_across_processes_tells_where_each_side_ran() {
    let mut p = Program::new();
    p.context(SHOP).name = Some("checkout".to_owned());
    p.at(1).read(1, ROW, 10).at(1).read(SHOP, ROW, 10).at(2).write(1, ROW, 10, 9).at(3).write(SHOP, ROW, 10, 8);
    let report = p.report();
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::LostUpdate);
    let sides = [&finding.first, &finding.second];
    assert_eq!(sides.map(|side| (side.service.as_str(), side.instance.as_str())), [("bank", "1"), ("shop-1", "1")]);
    assert_eq!(finding.second.strand_name.as_deref(), Some("checkout"));
    let expect = "\
1. lost update on `shared:row` (seen once; no locks held)
     shop-1/1 checkout (rust-4242-5)  read   10       src/app.rs:1:9
     bank/1 worker-1 (rust-4242-1)    wrote  10 -> 9  src/app.rs:2:9
     shop-1/1 checkout (rust-4242-5)  wrote  10 -> 8  src/app.rs:3:9
   shop-1/1 checkout (rust-4242-5) read the variable and then wrote it; bank/1 worker-1
   (rust-4242-1) wrote it too, and nothing keeps that from falling in between. Both were computed
   from 10: of 10 -> 9 and 10 -> 8, whichever came first was overwritten; the change of -1 or that
   of -2 is lost.
   what to do: read and write in one transaction, or write on condition that what was read is still
               there
   harmless if: what is written does not depend on what was read
";
    assert!(report.to_string().starts_with(expect), "{report}");
    let race = report.findings.iter().find(|finding| finding.kind == FindingKind::DataRace).unwrap();
    assert!(race.explanation.contains("no call and no reply"), "{}", race.explanation);
    assert!(race.advice.contains("transaction"), "{}", race.advice);
}
