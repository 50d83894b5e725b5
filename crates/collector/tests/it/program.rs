//! The program, as a child of the test.

use crate::command::trackside;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command};

pub(crate) struct Server {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_by(trackside(), args)
    }

    /// `command` runs the program with the arguments that are added to it.
    pub(crate) fn start_by(mut command: Command, args: &[&str]) -> Self {
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args).env("COLLECTOR_KEY", "canary-4711");
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Listening on ").expect(&line).to_owned();
        Self { child, stdout, url }
    }

    /// As `kill -9` does: it ends in the middle of whatever it is doing.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends the signal, and returns all that the program still had to say.
    pub(crate) fn stop(mut self, signal: &str) -> String {
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
