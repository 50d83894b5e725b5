//! `trackside stats`, `completions`, `man`, and what all commands read.

use crate::batch::{batch, file, reads, write};
use crate::client::post;
use crate::command::{run, saved, trackside, unsaved};
use crate::formats::HOSTILE;
use crate::recording::Recording;
use crate::temporary::Temporary;
use serde_json::{Value, json};
use trackside_collector::Collector;

#[test]
fn stats_are_the_books_of_each_run() {
    let path = saved("stats", &file(&[batch(1, 0, &[write(0)]), batch(1, 3, &[reads(1, 0, 2)])]));
    let (json, _) = run(&["stats", "--format", "json", &path], 0);
    let expected = json!({ "runs": { "000000000000001": {
        "service": "bank", "instance": "bank-1", "pid": 7, "batches": 2, "events": 3, "recorded": 1003,
        "lost": { "ring_full": 3 }, "not_here": 997, "unsampled": 0, "kinds": { "read": 2, "write": 1 }, "off": [],
    } } });
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), expected);
    let (text, _) = run(&["stats", &path], 0);
    assert_eq!(
        text,
        "bank/bank-1  pid 7  run 000000000000001\n  3 events in 2 batches, of 1003 recorded\n  lost, ring_full: 3\n  \
         not here: 997\n    read   2\n    write  1\n"
    );
    let hostile = saved("stats-hostile", &Recording::new(1).service(HOSTILE).write(0, 1, "x").bytes());
    let (text, _) = run(&["stats", &hostile], 0);
    assert!(text.lines().count() == 3 && !text.contains('\u{1b}'), "{text}");
    assert_eq!(run(&["stats", &saved("stats-none", &file(&[]))], 0).0, "nothing was recorded\n");
}

#[test]
fn a_running_collector_and_its_directory_are_read_as_its_files_are() {
    let race = batch(1, 0, &[write(0), write(1)]);
    let directory = Temporary::new("read");
    let collector = Collector::builder().store(&*directory).start().unwrap();
    let url = collector.url();
    run(&["check", &url], 0);
    post(&url, &race).ack();
    let (expected, _) = run(&["check", &saved("same", &file(&[race]))], 1);
    assert_eq!(run(&["check", &url], 1), (expected.clone(), String::new()));
    assert_eq!(run(&["check", &format!("{url}/")], 1).0, expected);
    // While it runs, and when it does not; together they are the same events twice.
    assert_eq!(run(&["check", directory.as_str()], 1), (expected.clone(), String::new()));
    let (twice, _) = run(&["check", directory.as_str(), &url], 1);
    assert!(twice.contains("came more than once"), "{twice}");
    collector.shutdown();
    let (_, stderr) = run(&["check", &url], 2);
    assert!(stderr.starts_with("error: cannot ask http://127.0.0.1:"), "{stderr}");
    // Somebody was writing when the machine stopped: nothing is repaired by looking.
    let segment = directory.join("00000000000000000000.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes.extend(b"half a rec");
    std::fs::write(&segment, &bytes).unwrap();
    let (text, stderr) = run(&["check", directory.as_str()], 1);
    assert!(text == expected && stderr.starts_with("warning: ") && stderr.contains("damaged"), "{stderr}");
    assert_eq!(std::fs::read(&segment).unwrap(), bytes);
}

#[test]
fn what_cannot_be_asked_is_2() {
    let collector = Collector::builder().api_key("canary-4711").start().unwrap();
    let url = collector.url();
    let (_, stderr) = run(&["check", &url], 2);
    assert!(stderr.contains("401") && stderr.contains("--api-key-env"), "{stderr}");
    let with = |key: &str| {
        let args = ["check", &url, "--api-key-env", "COLLECTOR_KEY"];
        trackside().args(args).env("COLLECTOR_KEY", key).output().unwrap()
    };
    assert_eq!(with("canary-4711").status.code(), Some(0));
    assert_eq!(with("canary-4712").status.code(), Some(2));
    // No header can carry this one.
    let spoilt = with("canary\n4711");
    let stderr = String::from_utf8(spoilt.stderr).unwrap();
    assert!(spoilt.status.code() == Some(2) && !stderr.contains("canary"), "{stderr}");
    let (_, stderr) = run(&["check", "https://localhost:1"], 2);
    assert!(stderr.contains("no TLS"), "{stderr}");
    let (_, stderr) = run(&["check", env!("CARGO_MANIFEST_DIR")], 2);
    assert!(stderr.contains("trackside serve --store"), "{stderr}");
    // Where colours are wanted, nothing takes out those of a name.
    let args = ["check", &unsaved("\u{1b}[31mred")];
    let coloured = trackside().args(args).env("CLICOLOR_FORCE", "1").output().unwrap();
    let stderr = String::from_utf8(coloured.stderr).unwrap();
    assert!(stderr.contains("\\u{1b}[31mred") && !stderr.contains("\u{1b}[31mred"), "{stderr}");
}

#[test]
fn shells_and_manuals_know_all_commands() {
    let commands = ["serve", "check", "report", "export", "tail", "stats"];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (script, _) = run(&["completions", shell], 0);
        assert!(commands.iter().all(|command| script.contains(command)) && script.contains("baseline"), "{shell}");
    }
    let (man, _) = run(&["man"], 0);
    assert!(man.contains(".TH trackside 1") && man.contains("Exit codes"), "{man}");
    assert!(commands.iter().all(|command| man.contains(&format!("trackside\\-{command}(1)"))), "{man}");
    let (man, _) = run(&["man", "check"], 0);
    assert!(man.contains(".TH trackside-check 1") && man.contains("\\-\\-write\\-baseline"), "{man}");
    assert!(run(&["man", "chekc"], 2).1.starts_with("error: there is no command chekc; "));
    let (help, _) = run(&["check", "--help"], 0);
    assert!(help.contains("Examples:") && help.contains("[default: possible]"), "{help}");
}
