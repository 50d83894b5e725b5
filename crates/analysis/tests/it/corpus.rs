//! The programs in `tests/corpus`, each with all that is to be found in it, and nothing else.
//!
//! `CORPUS=bank_account.bad cargo test -p trackside-analysis --test it -- corpus::each_case --nocapture` runs one, or a file
//! from anywhere, and prints the report.

use crate::notation::{Case, parse};
use crate::program::{in_short, report};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use trackside_analysis::Report;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus");

/// The cases, or the one that was asked for.
fn cases() -> Vec<PathBuf> {
    if let Some(one) = std::env::var_os("CORPUS") {
        let inside = Path::new(CORPUS).join(&one);
        let named = PathBuf::from(format!("{}.log", inside.display()));
        let from_root = Path::new(CORPUS).join("../..").join(&one);
        let places = [named, inside, from_root];
        let place = places.into_iter().find(|path| path.is_file());
        return vec![place.unwrap_or_else(|| panic!("there is no case {}", one.display()))];
    }
    let files = fs::read_dir(CORPUS).expect("the corpus").map(|entry| entry.expect("a file").path());
    let mut cases: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    cases.sort();
    cases
}

fn name(path: &Path) -> &str {
    path.file_stem().and_then(|name| name.to_str()).expect("a name")
}

/// What is wrong with the report on a case: one line for each finding that is missing, or that is none.
fn differences(case: &Case, report: &Report) -> Vec<String> {
    let mut missed = case.expected.clone();
    let mut wrong = Vec::new();
    for finding in &report.findings {
        let (told, count) = (in_short(finding), finding.count);
        match missed.iter().position(|(expect, times)| *expect == told && times.is_none_or(|times| times == count)) {
            Some(at) => drop(missed.swap_remove(at)),
            None => wrong.push(format!("false: {told} ({count} times)")),
        }
    }
    let times = |times: Option<u64>| times.map_or(String::new(), |times| format!(" ({times} times)"));
    wrong.extend(missed.into_iter().map(|(expect, count)| format!("missed: {expect}{}", times(count))));
    if report.summary.is_complete() != case.complete {
        wrong.push(format!("the record is{} complete", if case.complete { " not" } else { "" }));
    }
    wrong
}

/// The ways in which a record may arrive: at once; an event at a time, the last one first; in small batches, out of order,
/// each of them twice.
fn deliveries(case: &Case) -> [Vec<Vec<u8>>; 3] {
    let mut backwards = case.program.batches(1);
    backwards.reverse();
    let few = case.program.batches(3);
    let (even, odd): (Vec<_>, Vec<_>) = (0..few.len()).partition(|at| at % 2 == 0);
    let shuffled = odd.iter().chain(&even).chain(&odd).chain(&even).map(|at| few[*at].clone()).collect();
    [case.program.batches(usize::MAX), backwards, shuffled]
}

#[test]
fn each_case_has_the_findings_that_it_says_and_no_others() {
    let asked = std::env::var_os("CORPUS").is_some();
    let mut failed = Vec::new();
    for path in cases() {
        let text = fs::read_to_string(&path).expect("a text");
        let case = parse(&text).unwrap_or_else(|what| panic!("{}: {what}", path.display()));
        let [at_once, others @ ..] = deliveries(&case);
        let report = report(&at_once);
        if asked {
            println!("{report}");
        }
        let mut wrong = differences(&case, &report);
        for batches in others {
            let again = crate::program::report(&batches);
            if again.findings != report.findings {
                wrong.push(format!("it depends on how the events arrive: {again}"));
            }
        }
        if !wrong.is_empty() {
            failed.push(format!("{}\n  {}\n{report}", name(&path), wrong.join("\n  ")));
        }
    }
    assert!(failed.is_empty(), "{} cases failed:\n\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn each_case_that_goes_wrong_has_a_twin_that_does_not() {
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let all = fs::read_dir(CORPUS).expect("the corpus").map(|entry| entry.expect("a file").path());
    let mut count = 0;
    for path in all.filter(|path| path.extension().is_some_and(|end| end == "log")) {
        count += 1;
        let mut parts = name(&path).split('.');
        let (subject, kind) = (parts.next().expect("a subject"), parts.next().unwrap_or(""));
        let case = parse(&fs::read_to_string(&path).expect("a text")).expect("a case");
        let expect = if case.expected.is_empty() { "good" } else { "bad" };
        assert_eq!(kind, expect, "{}: named for what is found in it", path.display());
        kinds.entry(subject.to_owned()).or_default().insert(kind.to_owned());
    }
    for (subject, kinds) in kinds {
        assert_eq!(kinds.len(), 2, "{subject} is {kinds:?} alone");
    }
    assert!(count >= 60, "{count} cases");
}

#[test]
fn what_is_missed_and_what_is_false_is_told() {
    let race = "1: write x @1\n2: write x @2\n";
    let wrong = |text: &str| {
        let case = parse(text).expect("a case");
        differences(&case, &case.program.report())
    };
    assert_eq!(wrong(&format!("{race}expect: race x 1 2 Confirmed")), Vec::<String>::new());
    assert_eq!(wrong(&format!("{race}expect: race x 1 2 Confirmed (1 times)")), Vec::<String>::new());
    assert_eq!(wrong(&format!("{race}expect: nothing")), ["false: race x 1 2 Confirmed (1 times)"]);
    let more = format!("{race}expect: race x 1 2 Confirmed\nexpect: race y 1 2 Confirmed\nexpect: holes");
    assert_eq!(wrong(&more), ["missed: race y 1 2 Confirmed", "the record is complete"]);
    let often = wrong(&format!("{race}expect: race x 1 2 Confirmed (2 times)"));
    assert_eq!(often, ["false: race x 1 2 Confirmed (1 times)", "missed: race x 1 2 Confirmed (2 times)"]);
    let doubtful = wrong(&format!("{race}expect: race x 1 2 Likely"));
    assert_eq!(doubtful, ["false: race x 1 2 Confirmed (1 times)", "missed: race x 1 2 Likely"]);
}
