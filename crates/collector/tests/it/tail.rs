//! `trackside tail`.

use crate::batch::{batch, file, reads, write};
use crate::client::post;
use crate::command::{run, saved, trackside};
use crate::formats::HOSTILE;
use crate::program::Server;
use crate::recording::Recording;
use std::io::{BufRead as _, BufReader};

#[test]
fn an_event_is_a_line() {
    let path = saved("tail", &Recording::new(1).write(1, 10, "alice").acquire(0, "ledger", 3, 1).bytes());
    let (text, stderr) = run(&["tail", &path], 0);
    assert_eq!(
        text,
        "2023-11-14T22:13:20.000000000Z  bank/bank-1  rust-7-1  write  alice  1  src/bank.rs:10\n\
         2023-11-14T22:13:20.000001000Z  bank/bank-1  rust-7-0  lock_acquire  ledger  3 [1, \"Mutex\"]  src/bank.rs:7\n"
    );
    assert_eq!(stderr, "");
    let lines = |args: &[&str]| run(&[&["tail", &path], args].concat(), 0).0.lines().count();
    assert_eq!((lines(&["--kind", "write"]), lines(&["--kind", "write", "--kind", "lock-acquire"])), (1, 2));
    assert_eq!((lines(&["--name", "edge"]), lines(&["--name", "edge", "--kind", "write"])), (1, 0));
    let (_, stderr) = run(&["tail", &path, "--kind", "wrote"], 2);
    assert!(stderr.contains("atomic_rmw"), "{stderr}");
    let hostile = Recording::new(1).file(HOSTILE).service(HOSTILE).write(0, 10, HOSTILE);
    let (text, _) = run(&["tail", &saved("tail-hostile", &hostile.bytes())], 0);
    assert!(text.lines().count() == 1 && !text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn a_collector_is_followed_from_now_on() {
    let server = Server::start(&["--memory"]);
    post(&server.url, &batch(1, 0, &[write(0)])).ack();
    let mut tail = trackside().args(["tail", &server.url, "--kind", "read"]).spawn().unwrap();
    let mut told = BufReader::new(tail.stderr.take().unwrap()).lines();
    assert_eq!(told.next().unwrap().unwrap(), format!("following {}; stop with ctrl-c", server.url));
    post(&server.url, &batch(1, 1, &[reads(1, 0, 2), write(2)])).ack();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        assert!(lines.next().unwrap().unwrap().contains("  read  accounts.alice  "));
    }
    let (stored, _) = run(&["tail", "--stored", &server.url], 0);
    assert_eq!(stored.lines().count(), 4);
    // Nobody reads on: it ends with the next event.
    drop(lines);
    post(&server.url, &batch(1, 2, &[reads(1, 2, 1)])).ack();
    assert!(tail.wait().unwrap().success());

    // The collector is gone: it says so.
    let mut tail = trackside().args(["tail", &server.url]).spawn().unwrap();
    let mut told = BufReader::new(tail.stderr.take().unwrap()).lines();
    told.next().unwrap().unwrap();
    server.kill();
    assert!(told.next().unwrap().unwrap().starts_with("warning: the collector has ended the connection"));
    assert!(told.next().unwrap().unwrap().starts_with("error: cannot ask http://"));
    assert_eq!(tail.wait().unwrap().code(), Some(2));
}

#[test]
fn a_reader_that_has_enough_ends_it_without_a_word() {
    let path = saved("tail-pipe", &file(&[batch(1, 0, &[reads(0, 0, 100_000)])]));
    let mut tail = trackside().args(["tail", &path]).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(tail.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = tail.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
