//! `trackside serve`.

use crate::batch::{batch, write};
use crate::client::{get, post, try_post};
use crate::command::trackside;
use crate::program::Server;
use crate::temporary::Temporary;
use std::io::Read as _;

#[test]
fn it_serves_until_interrupted_and_then_prints_the_findings() {
    for signal in ["-INT", "-TERM"] {
        let server = Server::start(&["--memory"]);
        post(&server.url, &batch(1, 0, &[write(0), write(1)])).ack();
        let findings = get(&server.url, "/api/findings?format=text", &[]).text().trim_end().to_owned();
        let url = server.url.clone();
        let rest = server.stop(signal);
        assert!(rest.contains(&format!("trackside::Client::builder(\"{url}\")")), "{rest}");
        assert!(rest.trim_end().ends_with(&findings), "{rest}");
    }
}

#[test]
fn it_tells_where_it_stores_and_what_was_wrong_there() {
    let directory = Temporary::new("serve");
    let arguments = ["--store", directory.as_str()];
    let server = Server::start(&arguments);
    post(&server.url, &batch(1, 0, &[write(0), write(1)])).ack();
    assert!(server.stop("-INT").contains("data race"));
    let segment = directory.join("00000000000000000000.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes.extend(b"half a rec");
    std::fs::write(segment, bytes).unwrap();

    let mut server = Server::start(&arguments);
    let mut stderr = server.child.stderr.take().unwrap();
    let rest = server.stop("-TERM");
    assert!(rest.contains("with 2 from before") && rest.contains("data race"), "{rest}");
    let mut warnings = String::new();
    stderr.read_to_string(&mut warnings).unwrap();
    assert_eq!(warnings.lines().count(), 1, "{warnings}");
    assert!(
        warnings.starts_with("warning: files that ended inside a batch") && warnings.ends_with(": 1\n"),
        "{warnings}"
    );
}

#[test]
fn the_key_comes_from_the_environment_and_is_not_printed() {
    let server = Server::start(&["--memory", "--api-key-env", "COLLECTOR_KEY"]);
    let bytes = batch(1, 0, &[write(0)]);
    assert_eq!(post(&server.url, &bytes).status, 401);
    try_post(&server.url, &[("authorization", "Bearer canary-4711")], &bytes).unwrap().ack();
    assert!(!server.stop("-INT").contains("canary"));
}

#[test]
fn it_says_why_it_does_not_start() {
    let check = |args: &[&str], text: &str| {
        let output = trackside().arg("serve").args(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(text), "{stderr}");
    };
    check(&["--listen", "0.0.0.0:0"], "--allow-remote");
    check(&["--api-key-env", "TRACKSIDE_NO_SUCH_VARIABLE"], "TRACKSIDE_NO_SUCH_VARIABLE");
    check(&["--listen", "nonsense"], "--listen");
    check(&["--memory", "--store", "somewhere"], "--memory");
    check(&["--max-age", "1 fortnight"], "7d");
    check(&["--listen", "127.0.0.1:0", "--store", "/dev/null"], "cannot store batches in /dev/null");
    let server = Server::start(&["--memory"]);
    check(&["--listen", server.url.strip_prefix("http://").unwrap()], "cannot listen on 127.0.0.1:");
}
