//! `trackside check --baseline`.

use crate::command::{run, saved, unsaved};
use crate::recording::Recording;
use serde_json::Value;

/// A race of two lines on a variable.
fn race(run: u64, variable: &'static str, lines: [u32; 2]) -> Recording {
    Recording::new(run).write(0, lines[0], variable).write(1, lines[1], variable)
}

#[test]
fn what_is_in_a_baseline_is_not_told_and_what_is_new_is() {
    let known = saved("known", &race(1, "alice", [10, 20]).bytes());
    let baseline = unsaved("baseline.json");
    let (text, stderr) = run(&["check", &known, "--write-baseline", &baseline], 0);
    assert!(text.contains("alice") && stderr.contains("baseline.json: 1"), "{text}{stderr}");
    let (text, stderr) = run(&["check", &known, "--baseline", &baseline], 0);
    assert!(!text.contains("alice"), "{text}");
    assert_eq!(stderr, "accepted by the baseline: 1; in the baseline and not met: 0\n");

    // It has moved, and the threads have changed places.
    let moved = saved("moved", &race(2, "alice", [21, 14]).bytes());
    run(&["check", &moved, "--baseline", &baseline], 0);
    let other = saved("other", &race(3, "bob", [10, 20]).bytes());
    let (text, stderr) = run(&["check", &other, &known, "--baseline", &baseline, "--format", "json"], 1);
    let report: Value = serde_json::from_str(&text).unwrap();
    let variables: Vec<&Value> =
        report["findings"].as_array().unwrap().iter().map(|found| &found["variable"]).collect();
    assert_eq!(variables, ["bob"], "{stderr}");
    let (_, stderr) = run(&["check", &other, "--baseline", &baseline], 1);
    assert_eq!(stderr, "accepted by the baseline: 0; in the baseline and not met: 1\n");

    // Accepted beside what was.
    run(&["check", &other, "--baseline", &baseline, "--write-baseline", &baseline], 0);
    let (_, stderr) = run(&["check", &other, &known, "--baseline", &baseline], 0);
    assert_eq!(stderr, "accepted by the baseline: 2; in the baseline and not met: 0\n");
}

/// The lines of all findings in the file, each pair in order.
fn pairs(args: &[&str]) -> Vec<[u32; 2]> {
    let (text, _) = run(&[&["check", "--format", "json"], args].concat(), 1);
    let report: Value = serde_json::from_str(&text).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let lines = |finding: &Value| ["first", "second"].map(|side| finding[side]["line"].as_u64().unwrap() as u32);
    let mut pairs: Vec<[u32; 2]> = findings.map(lines).collect();
    pairs.iter_mut().for_each(|pair| pair.sort_unstable());
    pairs
}

#[test]
fn of_findings_alike_the_one_that_has_not_moved_is_the_one_that_is_known() {
    let three = race(1, "alice", [10, 20]).write(2, 30, "alice");
    let three = saved("three", &three.bytes());
    let all = pairs(&[&three]);
    assert!(all.len() > 1, "{all:?}");
    for known in &all {
        let baseline = unsaved("baseline-2.json");
        run(&["check", &saved("one", &race(1, "alice", *known).bytes()), "--write-baseline", &baseline], 0);
        let told = pairs(&[&three, "--baseline", &baseline]);
        assert_eq!(told, all.iter().copied().filter(|pair| pair != known).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_no_baseline_is_2() {
    let path = saved("some", &race(1, "alice", [10, 20]).bytes());
    for (text, expected) in [("{}", "missing field"), ("{\"version\":2,\"accepted\":[]}", "version 2"), ("", "EOF")] {
        let (_, stderr) = run(&["check", &path, "--baseline", &saved("no-baseline", text.as_bytes())], 2);
        assert!(stderr.contains("error: cannot use") && stderr.contains(expected), "{stderr}");
    }
    let (_, stderr) = run(&["check", &path, "--baseline", "no-such-file"], 2);
    assert!(stderr.contains("--write-baseline"), "{stderr}");
}
