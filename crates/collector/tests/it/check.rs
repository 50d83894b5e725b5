//! `trackside check`.

use crate::batch::{batch, batch_on, file, nested, reads, write};
use crate::command::{run, saved, trackside};

#[track_caller]
fn check(args: &[&str], code: i32) -> (String, String) {
    run(&[&["check"], args].concat(), code)
}

#[test]
fn nothing_found_is_0() {
    let path = saved("clean", &file(&[batch(1, 0, &[reads(0, 0, 3), reads(1, 0, 3)])]));
    let (stdout, stderr) = check(&[&path], 0);
    assert!(stdout.ends_with('\n'));
    assert_eq!(stderr, "");
    check(&[&saved("empty", &file(&[]))], 0);
}

#[test]
fn findings_are_1_in_both_formats() {
    let path = saved("race", &file(&[batch(1, 0, &[write(0), write(1)])]));
    let (text, _) = check(&[&path], 1);
    assert!(!text.trim().is_empty());
    let (json, _) = check(&["--format", "json", &path], 1);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(!report["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_deadlock_that_did_not_happen_is_1_too() {
    let locks = ["ledger", "journal"];
    check(&[&saved("in-order", &file(&[nested(&locks, &[[0, 1], [0, 1]])]))], 0);
    let path = saved("in-either-order", &file(&[nested(&locks, &[[0, 1], [1, 0]])]));
    let (text, _) = check(&[&path], 1);
    assert!(text.contains("potential deadlock on `ledger` and `journal`"), "{text}");
    let (json, _) = check(&["--format", "json", &path], 1);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["findings"][0]["kind"], "potential_deadlock");
    assert_eq!(report["locks"].as_array().unwrap().len(), 2);
}

#[test]
fn files_of_one_run_are_looked_at_together() {
    let left = saved("left", &file(&[batch(1, 0, &[write(0)])]));
    let right = saved("right", &file(&[batch(1, 1, &[write(1)])]));
    check(&[&left, &right], 1);
}

#[test]
fn files_of_several_processes_are_looked_at_together() {
    let file_of = |run: u64, variable: &str| {
        saved(&format!("process-{run}-{}", variable.len()), &file(&[batch_on(variable, run, 0, &[write(0)])]))
    };
    check(&[&file_of(1, "row"), &file_of(2, "row")], 0);
    let (stdout, _) = check(&[&file_of(1, "shared:row"), &file_of(2, "shared:row")], 1);
    assert!(stdout.contains("data race on `shared:row`"), "{stdout}");
}

#[test]
fn a_torn_tail_is_a_warning_wherever_it_is_torn() {
    let race = batch(1, 0, &[write(0), write(1)]);
    let whole = file(&[race.clone(), batch(1, 1, &[reads(0, 1, 2)])]);
    let second = file(&[race]).len();
    for cut in [second + 1, second + 4, second + 5, whole.len() - 1] {
        let (_, stderr) = check(&[&saved("torn", &whole[..cut])], 1);
        assert!(stderr.starts_with("warning: ") && stderr.contains("torn") && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn errors_are_2_and_say_what_where_and_what_to_do() {
    let (_, stderr) = check(&["no-such-file"], 2);
    assert!(stderr.starts_with("error: cannot read no-such-file: "), "{stderr}");
    let (_, stderr) = check(&[&saved("text", b"hello, world")], 2);
    assert!(stderr.contains("not a file of trackside batches") && stderr.contains("give a file"), "{stderr}");
    let (_, stderr) = check(&[&saved("blank", b"")], 2);
    assert!(stderr.contains("not a file of trackside batches"), "{stderr}");
    let (_, stderr) = check(&[&saved("damaged", &file(&[vec![0xc1; 9]]))], 2);
    assert!(stderr.contains("damaged: the batch at byte 12 is damaged: "), "{stderr}");
    let (_, stderr) = check(&[], 2);
    assert!(stderr.contains("Usage"), "{stderr}");
}

#[test]
fn nobody_listening_is_no_reason_to_panic() {
    let path = saved("pipe", &file(&[batch(1, 0, &[write(0), write(1)])]));
    let mut child = trackside().args(["check", &path]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(1), ""));
}
