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

#[test]
fn a_second_finding_like_an_accepted_one_is_new() {
    let baseline = unsaved("baseline-2.json");
    run(&["check", &saved("one", &race(1, "alice", [10, 20]).bytes()), "--write-baseline", &baseline], 0);
    // The same, and another one on the same variable in the same file.
    let two = race(1, "alice", [10, 20]).write(2, 30, "alice");
    let (text, _) = run(&["check", &saved("two", &two.bytes()), "--baseline", &baseline, "--format", "json"], 1);
    let report: Value = serde_json::from_str(&text).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        let mut lines = ["first", "second"].map(|side| finding[side]["line"].as_u64().unwrap());
        lines.sort_unstable();
        assert_ne!(lines, [10, 20], "the one that has not moved is the one that is accepted");
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
