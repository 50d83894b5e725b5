//! The program, run to its end.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

pub(crate) fn trackside() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trackside"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it prints, if it ends with this code.
#[track_caller]
pub(crate) fn run(args: &[&str], code: i32) -> (String, String) {
    let Output { status, stdout, stderr } = trackside().args(args).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(code), "{stdout}{stderr}");
    (stdout, stderr)
}

/// A file of one test's own, in the directory that cargo keeps for that.
pub(crate) fn saved(name: &str, bytes: &[u8]) -> String {
    let path = unsaved(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The path of such a file, at which there is nothing.
pub(crate) fn unsaved(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path.into_os_string().into_string().unwrap()
}
