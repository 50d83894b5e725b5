//! `trackside serve`.

use crate::batch::{batch, write};
use crate::client::{get, post, try_post};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

fn trackside() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trackside"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut command = trackside();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args).env("COLLECTOR_KEY", "canary-4711");
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Listening on ").expect(&line).to_owned();
        Self { child, stdout, url }
    }

    /// Sends the signal, and returns all that the program still had to say.
    fn stop(mut self, signal: &str) -> String {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that has failed shall not leave it running; one that has not has waited for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_serves_until_interrupted_and_then_prints_the_findings() {
    for signal in ["-INT", "-TERM"] {
        let server = Server::start(&[]);
        post(&server.url, &batch(1, 0, &[write(0), write(1)])).ack();
        let findings = get(&server.url, "/api/findings?format=text", &[]).text().trim_end().to_owned();
        let url = server.url.clone();
        let rest = server.stop(signal);
        assert!(rest.contains(&format!("trackside::Client::builder(\"{url}\")")), "{rest}");
        assert!(rest.trim_end().ends_with(&findings), "{rest}");
    }
}

#[test]
fn the_key_comes_from_the_environment_and_is_not_printed() {
    let server = Server::start(&["--api-key-env", "COLLECTOR_KEY"]);
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
    let server = Server::start(&[]);
    check(&["--listen", server.url.strip_prefix("http://").unwrap()], "cannot listen on 127.0.0.1:");
}
