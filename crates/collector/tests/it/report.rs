//! `trackside report`.

use crate::batch::{batch, file, nested, write};
use crate::command::{run, saved, unsaved};
use crate::formats::HOSTILE;
use crate::recording::{Recording, V};
use trackside_wire::Kind;

fn report(name: &str, bytes: &[u8]) -> String {
    let output = unsaved(&format!("{name}.html"));
    let (stdout, stderr) = run(&["report", &saved(name, bytes), "-o", &output], 0);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", ""));
    std::fs::read_to_string(output).unwrap()
}

/// Checks that tags are closed in the order in which they were opened, and that none is one that runs or loads anything.
#[track_caller]
fn assert_well_formed(html: &str) {
    const VOID: [&str; 3] = ["meta", "br", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect(tag);
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap();
        assert!(!["script", "link", "img", "iframe", "base", "form", "a"].contains(&name), "{tag}");
        assert!(!tag.contains(" on") && !tag.contains("href") && !tag.contains("src="), "{tag}");
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed)),
            None if VOID.contains(&name) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn a_finding_has_both_strands_and_what_is_missing_is_told() {
    let html = report("report-race", &file(&[batch(1, 3, &[write(0), write(1)])]));
    assert_well_formed(&html);
    for text in ["rust-7-0", "rust-7-1", "src/bank.rs:42:5", "accounts.alice", "Lost: ring_full", "3 events"] {
        assert!(html.contains(text), "{text}: {html}");
    }
    assert!(html.contains("Content-Security-Policy"));
    let clean = report("report-clean", &Recording::new(1).write(0, 1, "x").bytes());
    assert_well_formed(&clean);
    assert!(clean.contains("The record is complete.") && clean.contains("0 findings"), "{clean}");
}

#[test]
fn a_deadlock_has_both_locks_of_both_strands() {
    let html = report("report-deadlock", &file(&[nested(&["ledger", "journal"], &[[0, 1], [1, 0]])]));
    assert_well_formed(&html);
    assert_eq!((html.matches("<td>holds</td>").count(), html.matches("<td>asks for</td>").count()), (2, 2));
}

#[test]
fn locks_have_bars_of_how_long_they_were_waited_for() {
    let waited = |number: u64, ns: u64| V::List(vec![V::Int(number), V::Text("Mutex"), V::Int(ns)]);
    let recording = Recording::new(1)
        .acquire(0, "ledger", 3, 1)
        .release(0, "ledger", 3, 1)
        .event(1, Kind::LockAcquire, 7, "ledger", V::Int(3), waited(2, 1500))
        .release(1, "ledger", 3, 2);
    let html = report("report-locks", &recording.bytes());
    assert_well_formed(&html);
    assert!(html.contains("<meter min=\"0\" max=\"1500\" value=\"1500\">1.5 µs</meter>"), "{html}");
}

#[test]
fn hostile_names_stay_text() {
    let recording = Recording::new(1).file(HOSTILE).service(HOSTILE).acquire(0, HOSTILE, 3, 1);
    let recording = recording.write(0, 10, HOSTILE).write(1, 20, HOSTILE);
    let html = report("report-hostile", &recording.bytes());
    assert_well_formed(&html);
    assert!(html.contains("&lt;script&gt;") && !html.contains(['\u{202e}', '\u{1b}', '\r']));
    let (stdout, _) = run(&["report", &saved("title", &recording.bytes()), "-o", "-", "--title", HOSTILE], 0);
    assert_well_formed(&stdout);
}
