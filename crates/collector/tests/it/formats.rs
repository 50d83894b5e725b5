//! `trackside check --format`.

use crate::batch::{file, nested};
use crate::command::{run, saved};
use crate::recording::Recording;
use serde_json::{Value, json};

/// Names that try to be something else wherever they are shown.
pub(crate) const HOSTILE: &str =
    "x\n::error file=a.rs::pwned,%0A:\r</td><script>alert(1)</script>\u{202e}\u{1b}[31m\"'";

fn race(name: &str) -> String {
    saved(name, &Recording::new(1).write(0, 10, "alice").write(1, 20, "alice").bytes())
}

fn sarif(args: &[&str]) -> Value {
    let (stdout, _) = run(&[&["check", "--format", "sarif"], args].concat(), 1);
    let sarif: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&sarif["version"], sarif["runs"].as_array().unwrap().len()), (&json!("2.1.0"), 1));
    sarif["runs"][0].clone()
}

#[test]
fn sarif_has_a_rule_for_each_kind_and_both_places_of_a_finding() {
    let path = race("sarif");
    let report = sarif(&[&path]);
    let rules = report["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 8);
    assert!(rules.iter().all(|rule| !rule["help"]["text"].as_str().unwrap().is_empty()));
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), 1, "{results:#?}");
    let result = &results[0];
    assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
    assert_eq!(result["ruleId"], "data_race");
    let place = |line: u64| {
        json!({
            "artifactLocation": { "uri": "src/bank.rs", "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": line, "startColumn": 5 },
        })
    };
    let lines = [&result["locations"][0]["physicalLocation"], &result["relatedLocations"][0]["physicalLocation"]];
    assert!(lines == [&place(10), &place(20)] || lines == [&place(20), &place(10)], "{lines:#?}");
    let flows = result["codeFlows"][0]["threadFlows"].as_array().unwrap();
    assert_eq!(flows.len(), 2, "one for each strand");
    assert!(flows.iter().all(|flow| flow["locations"].as_array().unwrap().len() == 1));
}

#[test]
fn a_fingerprint_stays_when_lines_threads_and_values_change() {
    let fingerprint = |name: &str, recording: Recording| {
        let results = sarif(&[&saved(name, &recording.bytes())])["results"].clone();
        results[0]["partialFingerprints"]["trackside/v1"].as_str().unwrap().to_owned()
    };
    let known = fingerprint("print-1", Recording::new(1).write(0, 10, "alice").write(1, 20, "alice"));
    assert_eq!(known, fingerprint("print-2", Recording::new(9).write(5, 31, "alice").write(3, 12, "alice")));
    assert_ne!(known, fingerprint("print-3", Recording::new(1).write(0, 10, "bob").write(1, 20, "bob")));
    let moved = Recording::new(1).file("src/shop.rs").write(0, 10, "alice").write(1, 20, "alice");
    assert_ne!(known, fingerprint("print-4", moved));
    // Findings that have all of that in common are told apart nevertheless.
    let two = Recording::new(1).write(0, 10, "alice").write(1, 20, "alice").write(2, 30, "alice");
    let results = sarif(&[&saved("print-5", &two.bytes())])["results"].clone();
    let prints =
        results.as_array().unwrap().iter().map(|result| result["partialFingerprints"]["trackside/v1"].to_string());
    let mut prints: Vec<String> = prints.collect();
    let all = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert!(all > 1 && prints.len() == all, "{prints:?}");
}

#[test]
fn sarif_shows_each_strand_of_a_deadlock_with_its_two_locks() {
    let path = saved("sarif-deadlock", &file(&[nested(&["ledger", "journal"], &[[0, 1], [1, 0]])]));
    let result = &sarif(&[&path])["results"][0];
    assert_eq!(result["ruleId"], "potential_deadlock");
    let flows = result["codeFlows"][0]["threadFlows"].as_array().unwrap();
    assert_eq!(flows.iter().map(|flow| flow["locations"].as_array().unwrap().len()).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn github_gets_one_command_a_finding() {
    let (stdout, _) = run(&["check", "--format", "github", &race("github")], 1);
    let (command, message) = stdout.trim_end().rsplit_once("::").unwrap();
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    assert!(command.starts_with("::") && command.contains(" file=src/bank.rs,line="), "{command}");
    assert!(command.ends_with(",col=5,title=data race on `alice`"), "{command}");
    assert!(message.contains("%0Arust-7-0 wrote 0 (holds no lock)%0Arust-7-1"), "{message}");
}

#[test]
fn hostile_names_stay_names() {
    let recording = Recording::new(1).file(HOSTILE).service(HOSTILE).write(0, 10, HOSTILE).write(1, 20, HOSTILE);
    let path = saved("hostile", &recording.bytes());
    let (text, _) = run(&["check", &path], 1);
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
    let (github, _) = run(&["check", "--format", "github", &path], 1);
    assert_eq!(github.lines().count(), 1, "{github}");
    assert!(!github.contains(['\u{1b}', '\u{202e}', '\r']), "{github}");
    // A comma or a colon of a name ends neither the property nor the command.
    let (properties, _) = github.trim_start_matches("::").split_once("::").unwrap();
    let names: Vec<&str> = properties.split(',').map(|property| property.split('=').next().unwrap()).collect();
    assert_eq!(names[1..], ["line", "col", "title"], "{properties}");
    let report = sarif(&[&path]);
    let result = &report["results"][0];
    assert_eq!(result["properties"]["variable"], HOSTILE);
    let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%/.-_~".contains(&byte)), "{uri}");
    let (json, _) = run(&["check", "--format", "json", &path], 1);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["findings"][0]["variable"], HOSTILE);
}

#[test]
fn paths_are_told_from_the_root() {
    let recording = Recording::new(1).file("/work/shop/src/bank.rs").write(0, 10, "alice").write(1, 20, "alice");
    let path = saved("root", &recording.bytes());
    for (root, expected) in
        [("/work/shop", "src/bank.rs"), ("/work", "shop/src/bank.rs"), ("/nowhere", "/work/shop/src/bank.rs")]
    {
        let (json, _) = run(&["check", "--format", "json", "--root", root, &path], 1);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["findings"][0]["first"]["file"], expected);
        let (text, _) = run(&["check", "--root", root, &path], 1);
        assert!(text.contains(&format!(" {expected}:")), "{text}");
    }
}

#[test]
fn there_are_no_colours_in_a_pipe_and_none_against_no_color() {
    let path = race("colours");
    let (text, _) = run(&["check", &path], 1);
    assert!(!text.contains('\u{1b}'), "{text}");
    let coloured = |no_color: &str| {
        let mut command = crate::command::trackside();
        let output = command.args(["check", &path]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", no_color).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    // That there are any is asked for by a variable, as there is no terminal here.
    assert!(coloured("").starts_with("\u{1b}[1m1. "), "{:?}", coloured(""));
    let forced =
        crate::command::trackside().args(["check", "no-such-file"]).env_remove("CLICOLOR_FORCE").output().unwrap();
    assert!(String::from_utf8(forced.stderr).unwrap().starts_with("error: "));
}

#[test]
fn how_sure_a_finding_has_to_be_is_asked() {
    let (race, nested) = (race("sure"), saved("unsure", &file(&[nested(&["a", "b"], &[[0, 1], [1, 0]])])));
    let codes = |path: &str, codes: [i32; 3]| {
        for (sure, code) in ["possible", "likely", "confirmed"].into_iter().zip(codes) {
            let (text, _) = run(&["check", "--fail-on", sure, path], code);
            assert!(text.starts_with("1. "), "it is told whatever the code is: {text}");
        }
    };
    codes(&race, [1, 1, 1]);
    codes(&nested, [1, 0, 0]);
}
