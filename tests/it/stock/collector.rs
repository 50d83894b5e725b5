//! Our own collector as a stock server: it takes the same JSON, and finds in it what it finds in batches.

use std::collections::BTreeSet;
use std::sync::{LockResult, Mutex};
use std::thread;
use trackside::{Client, Context, Task};
use trackside_analysis::{Finding, FindingKind, Report};
use trackside_collector::{Collector, Fault as CollectorFault};

use crate::support::LONG;

/// What runs as a task of its own: it adds to one number as it is, and to another one under a lock.
fn work(client: &Client, task: Task, lock: &Mutex<i64>, at: i64) {
    let _task = client.enter(task);
    client.track_read("config", 7);
    client.track_read("total", 0);
    client.track_write("total", 0, 1);
    client.with_lock(lock, "balances", "Mutex", |balance: LockResult<&mut i64>| {
        client.track_read("balance", at);
        client.track_write("balance", at, at + 1);
        *balance.unwrap() += 1;
    });
}

/// Two tasks, of which the second happens to run after the first, and nothing says so.
fn program(client: &Client) {
    let lock = Mutex::new(0);
    client.track_write("config", 0, 7);
    let tasks = [0, 1].map(|_| client.track_async_spawn("work"));
    for (at, task) in (0..).zip(&tasks) {
        thread::scope(|scope| scope.spawn(|| work(client, *task, &lock, at)).join()).unwrap();
    }
    tasks.into_iter().for_each(|task| client.track_async_await(task));
    client.track_read("total", 1);
    client.track_write("balance", lock.into_inner().unwrap(), 0);

    // A context, one that is forked from it and waited for, and one that is forked and is not.
    let attached = client.context().attach();
    client.track_write("in time", 0, 1);
    let (joined, other) = (client.fork("joined"), client.fork("other"));
    client.track_write("too late", 0, 1);
    let run = move |context: Context| {
        let attached = context.attach();
        client.track_read("in time", 1);
        client.track_write("result", 0, 1);
        attached.detach().unwrap().finish()
    };
    run(joined).join();
    client.track_read("result", 1);
    drop(attached);
    let elsewhere = || {
        client.track_read("in time", 1);
        client.track_read("too late", 1);
    };
    thread::scope(|scope| scope.spawn(|| other.run(elsewhere)).join()).unwrap();
}

/// The report on the program, and whether it came as JSON.
fn report(in_json: bool) -> (Report, Collector) {
    let refuse = move |request: u64| (in_json && request == 0).then_some(CollectorFault::Status(415));
    let collector = Collector::builder().fault(refuse).start().unwrap();
    let client =
        Client::builder(collector.url()).service("shop").instance("shop-1").record_locks(false).build().unwrap();
    program(&client);
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.lost.total()), (stats.recorded, 0), "{stats}");
    (collector.report(), collector)
}

/// What was found, and where.
fn found(findings: &[Finding]) -> BTreeSet<(FindingKind, String, [Option<u32>; 2])> {
    let entry = |finding: &Finding| {
        let mut lines = [&finding.first, &finding.second].map(|access| access.line);
        lines.sort_unstable();
        (finding.kind, finding.variable.clone(), lines)
    };
    findings.iter().map(entry).collect()
}

#[test]
fn a_program_that_comes_as_json_has_the_races_that_it_has_as_batches() {
    let ((native, _), (json, _)) = (report(false), report(true));
    let variables: BTreeSet<&str> = native.findings.iter().map(|finding| finding.variable.as_str()).collect();
    assert_eq!(variables, BTreeSet::from(["too late", "total"]), "{native}");
    assert_eq!(found(&json.findings), found(&native.findings), "{json}");
    // Nothing is in doubt: what its own SDK sends says where something is missing.
    assert!(json.findings.iter().all(|finding| finding.incomplete.is_none()), "{json}");
    assert_eq!((json.summary.events, json.summary.strands), (native.summary.events, native.summary.strands));
    assert!(json.summary.is_complete() && native.summary.is_complete(), "{json}");
}

#[test]
fn its_events_keep_their_ids_and_strands_their_numbers() {
    let (_, collector) = report(true);
    let batches: Vec<_> = collector.batches().collect();
    let [bytes] = &batches[..] else { panic!("{} batches", batches.len()) };
    let batch = trackside_wire::Batch::decode(bytes).unwrap();
    // The strands of three threads and of three contexts; what a strand did in a row is one lane, as natively.
    assert_eq!((batch.strands.len(), batch.header.service, batch.header.recorded), (6, "shop", batch.len() as u64));
    assert!(batch.lanes.len() < batch.len() / 2, "{:?}", batch.lanes);
    let ids: BTreeSet<_> = batch.events().map(|event| (event.id.ring, event.id.seq)).collect();
    assert_eq!(ids.len(), batch.len());
    assert!(ids.iter().all(|(_, seq)| *seq < 100), "numbers of a ring, from 0 on: {ids:?}");
}
