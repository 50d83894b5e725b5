//! The report as text and as JSON, hostile input included.

use crate::program::{Program, V};
use trackside_analysis::{Analyzer, Finding, FindingKind, Report};
use trackside_wire::Kind;

#[test]
fn a_lost_update_reads_well() {
    let mut p = Program::new();
    p.plain_lock(1, "ledger", "Mutex").at(61).read(1, "accounts.alice", 1000).plain_unlock(1, "ledger", "Mutex");
    p.at(61).read(2, "accounts.alice", 1000).at(64).write(2, "accounts.alice", 1000, 950).spawn(2, 3).spawn(1, 4);
    p.join(1, 2).at(64).write(1, "accounts.alice", 1000, 930);
    let expect = "\
1. lost update on `accounts.alice` (seen once)
     worker-1 (rust-4242-1)  read   1000         src/app.rs:61:9
     worker-2 (rust-4242-2)  wrote  1000 -> 950  src/app.rs:64:9
     worker-1 (rust-4242-1)  wrote  1000 -> 930  src/app.rs:64:9
   worker-1 read the variable, then worker-2 wrote it, then worker-1 wrote a value computed from
   what it had read before. Both were computed from 1000: 1000 -> 950 was overwritten by 1000 ->
   930; the change of -50 is lost.
   locks held: ledger (worker-1 (rust-4242-1) read); none (worker-2 (rust-4242-2) wrote); none
               (worker-1 (rust-4242-1) wrote)
   what to do: hold one lock from the read to the write, or use one atomic read-modify-write
   harmless if: what is written does not depend on what was read

2. data race on `accounts.alice` (seen once; same lines as 1)
     worker-1 (rust-4242-1)  read   1000         src/app.rs:61:9
     worker-2 (rust-4242-2)  wrote  1000 -> 950  src/app.rs:64:9
   locks held: ledger (worker-1 (rust-4242-1) read); none (worker-2 (rust-4242-2) wrote)
   what it means: nothing that was recorded orders the two: no lock, no message, no signal, no start
                  and no end of a task. They may happen at the same moment, or in the other order
                  next time
   what to do: protect both accesses by one lock, or make the variable atomic, or let one wait for
               the other
   harmless if: the two are ordered by something that was not recorded, such as a channel or a lock
                that is not tracked

1 lost update and 1 data race found in 12 events of 4 strands on 1 variable
";
    assert_eq!(p.report().to_string(), expect);
}

#[test]
fn what_holds_for_all_findings_of_a_kind_is_said_once() {
    let mut p = Program::new();
    for variable in ["a", "b"] {
        p.at(1).read(1, variable, 0).at(1).read(2, variable, 0);
        p.at(2).write(1, variable, 0, 5).at(2).write(2, variable, 0, 7).at(3).access(2, Kind::AtomicWrite, variable);
    }
    let report = p.report();
    let text = report.to_string();
    let times = |what: &str| text.matches(what).count();
    assert_eq!((times("lost update on"), times("data race on")), (4, 6), "{text}");
    let lines = |number: u32| times(&format!("same lines as {number})"));
    assert_eq!([1, 2, 3, 4].map(lines), [2, 1, 2, 1], "{text}");
    assert_eq!((times("what it means"), times("hold one lock"), times("harmless if")), (1, 1, 3), "{text}");
    assert_eq!(
        (times("what to do: as in 5"), times("what to do: as in 7")),
        (1, 1),
        "what holds is never in doubt: {text}"
    );
    let whole = |finding: &Finding| !(finding.explanation.is_empty() || finding.advice.is_empty());
    assert!(report.findings.iter().all(whole), "each finding has all of it nevertheless");
}

#[test]
fn losses_that_are_confirmed_come_first_and_what_was_seen_most_often() {
    let mut p = Program::new();
    p.at(1).write(1, "racy", None::<i64>, 1).at(2).read(2, "racy", 1).at(2).read(3, "racy", 1);
    p.read(1, "likely", 1).write(1, "likely", 1, 2).read(2, "likely", 5).write(2, "likely", 5, 6);
    p.read(1, "sure", 0).read(2, "sure", 0).write(1, "sure", 0, 1).write(2, "sure", 0, 2);
    p.at(1).write(1, "calm", None::<i64>, 1).at(2).read(2, "calm", 1);
    let report = p.report();
    let order: Vec<_> = report.findings.iter().map(|f| (f.kind, f.variable.as_str(), f.count)).collect();
    assert_eq!(order[0], (FindingKind::LostUpdate, "sure", 1), "{report}");
    assert_eq!(order[1], (FindingKind::LostUpdate, "likely", 1), "{report}");
    assert_eq!(order[2], (FindingKind::DataRace, "racy", 2), "{report}");
    assert!(order[3..].iter().all(|(kind, _, count)| (*kind, *count) == (FindingKind::DataRace, 1)), "{report}");
}

#[test]
fn nothing_found_is_said_with_what_was_looked_at() {
    let text = Analyzer::new().finish().to_string();
    assert_eq!(text, "no data race, no lost update and no misuse of locks found in 0 events of 0 strands\n");
    let mut p = Program::new();
    p.read(1, "x", 0).read(1, "x", 0).lost().read(1, "x", 0).read(2, "x", 0);
    let expect = "\
no data race, no lost update and no misuse of locks found in 3 events of 2 strands
lost before they got here: 1 event (ring_full 1)
the record has 1 hole:
     worker-1 (rust-4242-1) before step 2: 1 event was lost
so findings may be missing
";
    assert_eq!(p.report().to_string(), expect);
}

#[test]
fn json_has_snake_case_names() {
    let mut p = Program::new();
    p.at(3).write(1, "x", 1, 2).at(4).write(2, "x", 1, 3);
    let json = serde_json::to_value(p.report()).unwrap();
    let kinds: Vec<_> = json["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].clone()).collect();
    assert_eq!(kinds, ["lost_update", "data_race"]);
    let loss = &json["findings"][0];
    assert_eq!((&loss["confidence"], &loss["lost_at_least"]), (&"likely".into(), &serde_json::Value::Null));
    let lost = "both were computed from 1: of 1 -> 2 and 1 -> 3, whichever came first may have been overwritten, and the \
                change of +1 or that of +2 lost";
    assert_eq!(loss["lost"], lost);
    let finding = &json["findings"][1];
    let explanation = "worker-1 wrote the variable and worker-2 wrote it, and nothing that was recorded makes one wait \
                       for the other: no lock, no message, no signal, no start and no end of a task. They may happen at \
                       the same moment, or in the other order next time. Neither held a lock.";
    assert_eq!((&finding["confidence"], &finding["explanation"]), (&"confirmed".into(), &explanation.into()));
    assert!(finding["advice"].is_string() && finding["benign_if"].is_string());
    assert_eq!(finding["first"]["kind"], "write");
    assert_eq!(finding["first"]["thread"], "worker-1 (rust-4242-1)");
    assert_eq!(finding["first"]["thread_id"], "rust-4242-1");
    assert_eq!(finding["first"]["event_id"], "00000000-0000-8007-8000-400000000000");
    assert_eq!(json["summary"]["events"], 2);
}

#[test]
fn a_place_of_which_only_the_line_is_known_is_told_without_a_column() {
    let mut p = Program::new();
    p.column = 0;
    p.at(3).write(1, "x", 1, 2).at(4).write(2, "x", 1, 3);
    let report = p.report();
    let text = report.to_string();
    assert!(text.contains("wrote  1 -> 2  src/app.rs:3\n") && text.contains("wrote  1 -> 3  src/app.rs:4\n"), "{text}");
    let first = &serde_json::to_value(report).unwrap()["findings"][0]["first"];
    assert_eq!((&first["file"], &first["line"]), (&"src/app.rs".into(), &3.into()));
    assert_eq!(first["column"], serde_json::Value::Null);
}

#[test]
fn hostile_names_and_values_do_not_reach_the_terminal() {
    let mut p = Program::new();
    let evil = "\u{1b}[2J\r\nroot#\u{202e}";
    p.plain_lock(1, evil, "Mutex").write(1, evil, None::<i64>, evil);
    p.event(2, Kind::Write, evil, V::Text(evil.repeat(50)), V::List(vec![evil.into()]));
    let report = p.report();
    let text = report.to_string();
    assert!(report.findings.len() == 1 && text.contains("\\u{1b}[2J\\r\\nroot#\\u{202e}"), "{text}");
    assert!(text.chars().all(|char| char == '\n' || !(char.is_control() || char == '\u{202e}')), "{text}");
    assert!(text.lines().all(|line| line.chars().count() < 600), "{text}");
}

/// Many strands on one variable: kept within bounds, and said so where that could hide something.
#[test]
fn a_hot_variable_is_bounded() {
    let busy = |strands: u64, rounds: u64, kind: Kind| -> Report {
        let mut p = Program::new();
        for round in 0..rounds {
            for strand in 1..=strands {
                p.at(1).event(strand, kind, "hot", V::Nil, V::Int(round as i64));
            }
        }
        p.report()
    };
    let report = busy(3000, 4, Kind::Write);
    assert_eq!(report.findings.len(), 1);
    assert!(report.findings[0].count > 12_000, "{}", report.findings[0].count);
    assert_eq!(report.summary.variables_bounded, 0, "the variable has its finding, so nothing is hidden");
    let report = busy(3000, 4, Kind::AtomicRmw);
    assert!(report.findings.is_empty() && report.summary.is_complete(), "{report}");
    let report = busy(3000, 4, Kind::AtomicWrite);
    assert!(report.findings.is_empty() && report.summary.is_complete(), "{report}");
}

#[test]
fn a_bound_that_bites_is_told() {
    // Uncounted locks excuse all of them from racing with each other, so none may be forgotten, yet some have to be.
    let mut p = Program::new();
    for strand in 1..=3000 {
        p.plain_lock(strand, "m", "Mutex").write(strand, "hot", None::<i64>, 1).plain_unlock(strand, "m", "Mutex");
    }
    let report = p.report();
    assert!(report.findings.is_empty());
    assert_eq!(report.summary.variables_bounded, 1);
    assert!(report.to_string().contains("too busy to keep every access of: 1 variable"), "{report}");
}

#[test]
fn many_findings_are_cut_off_and_counted() {
    let mut p = Program::new();
    for variable in 0..10_100 {
        let name = format!("v{variable}");
        p.at(1).write(1, &name, None::<i64>, 1).at(2).write(2, &name, None::<i64>, 1);
    }
    let report = p.report();
    assert_eq!(report.findings.len(), 10_000);
    assert_eq!(report.summary.findings_dropped, 100);
    assert!(report.to_string().ends_with("so findings may be missing\n"));
}
