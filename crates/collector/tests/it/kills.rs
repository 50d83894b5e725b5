//! The program is killed while it takes in batches: whatever it has acknowledged is there afterwards, once.
//!
//! `TRACKSIDE_KILLS=200` makes it 200 times instead of a few; `ci/kills.sh` does.

use crate::batch::{batch, reads};
use crate::client::{post, try_post};
use crate::command::trackside;
use crate::program::Server;
use crate::temporary::Temporary;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use trackside_collector::Collector;
use trackside_wire::Batch;

const SENDERS: u64 = 3;
/// Directories are begun anew after so many, or reading them would take longer and longer.
const KILLS_EACH: u64 = 20;

/// A client that sends batch after batch, each again until it is acknowledged.
#[derive(Default)]
struct Client {
    run: u64,
    next: u64,
    acknowledged: u64,
}

impl Client {
    /// Sends until the collector is gone. Tells of each acknowledgement.
    fn send(&mut self, url: &str, told: &Sender<()>) {
        while let Ok(answer) = try_post(url, &[], &self.batch()) {
            // The first one after a kill may have been stored before it.
            let ack = answer.ack();
            assert!(ack.duplicates == 0 || ack.stored == 0);
            self.acknowledged = self.next + 1;
            self.next += 1;
            if told.send(()).is_err() {
                return;
            }
        }
    }

    /// Mostly small; every ninth is of some ten pages.
    fn batch(&self) -> Vec<u8> {
        let count = if self.next % 9 == 8 { 4000 } else { 1 + self.next % 40 };
        batch(self.run, self.next, &[reads(0, self.next * 4000, count)])
    }
}

fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

#[test]
fn killed_at_random_moments_it_has_all_that_it_acknowledged() {
    let kills: u64 = std::env::var("TRACKSIDE_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let mut acknowledged = 0;
    for round in 0..kills.div_ceil(KILLS_EACH) {
        let directory = Temporary::new(&format!("kills-{round}"));
        let mut clients: Vec<_> = (0..SENDERS).map(|run| Client { run, ..Client::default() }).collect();
        for kill in round * KILLS_EACH..kills.min((round + 1) * KILLS_EACH) {
            let fsync = ["never", "segment", "batch"][kill as usize % 3];
            let server = Server::start(&["--store", directory.as_str(), "--segment-bytes", "64KiB", "--fsync", fsync]);
            kill_while_sending(server, &mut clients);
            check(&directory, &clients);
        }
        acknowledged += clients.iter().map(|client| client.acknowledged).sum::<u64>();
    }
    assert!(acknowledged > 0, "nothing was tried");
    println!("{kills} kills, {acknowledged} batches acknowledged, each is there once");
}

/// Lets the clients send until some random number of batches is acknowledged. They go on until it is dead.
fn kill_while_sending(server: Server, clients: &mut [Client]) {
    let url = server.url.clone();
    let (told, tell): (Sender<()>, Receiver<()>) = channel();
    thread::scope(|scope| {
        for client in clients {
            let (url, told) = (&url, told.clone());
            scope.spawn(move || client.send(url, &told));
        }
        drop(told);
        tell.iter().take(random(60) as usize).for_each(drop);
        server.kill();
        // Whatever was acknowledged meanwhile.
        tell.iter().for_each(drop);
    });
}

fn check(directory: &Temporary, clients: &[Client]) {
    let collector = Collector::builder().store(&**directory).start().unwrap();
    let mut counts: HashMap<(u64, u64), u64> = HashMap::new();
    for bytes in collector.batches() {
        let header = Batch::decode(&bytes).unwrap().header;
        *counts.entry((header.run.get(), header.batch)).or_default() += 1;
    }
    for client in clients {
        for number in 0..client.acknowledged {
            assert_eq!(counts.remove(&(client.run, number)), Some(1), "batch {number} of {}", client.run);
        }
        // The one that was on its way may have been stored.
        let count = counts.remove(&(client.run, client.next));
        assert!(count.is_none_or(|count| count == 1), "{count:?}");
    }
    assert_eq!(counts, HashMap::new(), "there is what was never sent");
    let disk = collector.stats().disk.unwrap();
    assert_eq!((disk.damaged, disk.unreadable_segments, disk.renamed_segments), (0, 0, 0), "{disk:?}");
}

/// A limit on the size of files is as good as a full disk: writes are short, and then fail.
#[test]
fn where_files_may_not_grow_batches_are_refused_and_nothing_is_lost() {
    let directory = Temporary::new("file-limit");
    let mut limited = Command::new("sh");
    // Blocks are of 512 bytes or of 1024, whichever shell it is.
    limited.args(["-c", "ulimit -f 8 && trap '' XFSZ && exec \"$@\"", "sh"]).arg(trackside().get_program());
    limited.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    let server = Server::start_by(limited, &["--store", directory.as_str()]);
    let mut refused = 0;
    for number in 0..100 {
        let bytes = batch(1, number, &[reads(0, number * 50, 50)]);
        loop {
            let answer = post(&server.url, &bytes);
            if answer.status == 200 {
                assert_eq!(answer.ack().stored, 50);
                break;
            }
            refused += 1;
            assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{}", answer.text());
        }
    }
    assert!(refused > 0, "the limit was never reached");
    server.kill();
    let collector = Collector::builder().store(&*directory).start().unwrap();
    let stats = collector.stats();
    let disk = stats.disk.unwrap();
    assert_eq!((stats.batches, stats.events, disk.torn_tails, disk.damaged), (100, 5000, 0, 0));
    assert_eq!(collector.batches().count(), 100);
}
