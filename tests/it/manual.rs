//! What the samples of `docs/go-manual.md` do, as a receiver sees it: kinds, names, values, order, and the caller's lines.

mod failures;
mod functions;
mod locks;

use crate::support::{LONG, Seen, client, events};
use std::collections::HashMap;
use trackside::{Access, Client, Context, MemoryTransport, Value, Variable};
use trackside_wire::{Batch, Kind};

/// What an event must be: line, kind, name, `a`, `b`.
type Row<'a> = (u32, Kind, &'a str, &'a str, &'a str);

/// Asserts that these events of the file were delivered, in this order, and no others.
#[track_caller]
fn assert_rows(client: &Client, memory: &MemoryTransport, file: &str, rows: &[Row<'_>]) {
    client.flush(LONG).unwrap();
    let seen = events(memory);
    let told: Vec<_> = seen.iter().map(row).collect();
    assert_eq!(told, rows);
    assert!(seen.iter().all(|seen| seen.file == file), "{seen:?}");
}

fn row(seen: &Seen) -> Row<'_> {
    (seen.line, seen.kind, seen.name.as_deref().unwrap_or(""), &seen.a, &seen.b)
}

static BALANCE: Variable = Variable::new("accounts.alice.balance");
const ROW: Variable = Variable::new("shared:db.accounts.alice");

#[test]
fn variables_that_are_named_once() {
    const { assert!(ROW.is_shared()) };
    assert!(!Variable::new("share").is_shared() && !Variable::new("shared.x").is_shared());
    let (client, memory) = client();
    let other = Variable::dynamic(format!("accounts.{}.balance", 17));
    let clone = other.clone();
    let start = line!();
    BALANCE.read(&client, 100);
    BALANCE.write(&client, 100, 50);
    BALANCE.access(&client, Value::NIL, "text", Access::AtomicWrite);
    ROW.atomic_read(&client, 1.5);
    ROW.atomic_write(&client, 1, 2);
    ROW.atomic_rmw(&client, 1, 2);
    other.read(&client, 5);
    clone.write(&client, 5, 6);
    client.track_read(&BALANCE, 7);
    client.track_write(&other, 7, 8);
    let (alice, row, other) = ("accounts.alice.balance", "shared:db.accounts.alice", "accounts.17.balance");
    let rows = [
        (start + 1, Kind::Read, alice, "null", "100"),
        (start + 2, Kind::Write, alice, "100", "50"),
        (start + 3, Kind::AtomicWrite, alice, "null", "\"text\""),
        (start + 4, Kind::AtomicRead, row, "null", "1.5"),
        (start + 5, Kind::AtomicWrite, row, "1", "2"),
        (start + 6, Kind::AtomicRmw, row, "1", "2"),
        (start + 7, Kind::Read, other, "null", "5"),
        (start + 8, Kind::Write, other, "5", "6"),
        (start + 9, Kind::Read, alice, "null", "7"),
        (start + 10, Kind::Write, other, "7", "8"),
    ];
    assert_rows(&client, &memory, file!(), &rows);
}

/// The manual's well-instrumented transfer. Events are at these lines after its first.
fn transfer(client: &Client, balances: &mut HashMap<String, i64>, from: &str, amount: i64) -> Result<(), String> {
    let variable = format!("accounts.{from}.balance");
    let balance = balances.get(from).copied().unwrap_or(0);
    client.track_read(&variable, balance); // 3
    if balance < amount {
        client.track_error("InsufficientFunds", "Not enough balance", &[]); // 5
        return Err("insufficient funds".into());
    }
    balances.insert(from.to_owned(), balance - amount);
    client.track_write(&variable, balance, balance - amount); // 9
    Ok(())
}

const TRANSFER: u32 = line!() - 13;

#[test]
fn the_well_instrumented_transfer() {
    let (client, memory) = client();
    let mut balances = HashMap::from([("alice".to_owned(), 100)]);
    assert_eq!(transfer(&client, &mut balances, "alice", 70), Ok(()));
    assert_eq!(transfer(&client, &mut balances, "alice", 70), Err("insufficient funds".into()));
    let alice = "accounts.alice.balance";
    let rows = [
        (TRANSFER + 3, Kind::Read, alice, "null", "100"),
        (TRANSFER + 9, Kind::Write, alice, "100", "30"),
        (TRANSFER + 3, Kind::Read, alice, "null", "30"),
        (TRANSFER + 5, Kind::Error, "InsufficientFunds", "\"Not enough balance\"", "null"),
    ];
    assert_rows(&client, &memory, file!(), &rows);
}

#[test]
fn values_with_names() {
    let (client, memory) = client();
    let user = String::from("alice");
    let start = line!();
    let args = [("userId", 123.into()), ("user", (&user).into()), ("amount", Value::of(&Some(1.5)))];
    client.track_function_call("processPayment", "app", Value::map(&args));
    client.track_custom("nothing", Value::map(&[]));
    client.track_http_request("POST", "/api/users", Value::map(&[("Content-Type", "text/plain".into())]), Value::NIL);
    let told = "{\"userId\": 123, \"user\": \"alice\", \"amount\": 1.5}";
    let rows = [
        (start + 2, Kind::FunctionCall, "processPayment", "\"app\"", told),
        (start + 3, Kind::Custom, "nothing", "{}", "null"),
        (start + 4, Kind::HttpRequest, "POST", "\"/api/users\"", "[{\"Content-Type\": \"text/plain\"}, null]"),
    ];
    assert_rows(&client, &memory, file!(), &rows);
}

#[test]
fn a_queue_is_used_by_many_at_once_and_never_races() {
    let (client, memory) = client();
    let start = line!();
    let use_queue = || {
        for id in 0..50 {
            client.track_enqueue("queue", id);
            client.track_dequeue("queue", id);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(use_queue);
        scope.spawn(use_queue);
    });
    client.flush(LONG).unwrap();
    let seen = events(&memory);
    // Of one thread: the other one's first event may be in the record before its second.
    let own: Vec<_> = seen.iter().filter(|other| other.strand == seen[0].strand).collect();
    assert_eq!(row(own[0]), (start + 3, Kind::AtomicRmw, "queue", "null", "0"));
    assert_eq!(row(own[1]), (start + 4, Kind::AtomicRmw, "queue", "0", "null"));
    assert_eq!(seen.len(), 200);
    let mut analyzer = trackside_analysis::Analyzer::new();
    memory.batches().iter().for_each(|batch| analyzer.ingest(&Batch::decode(&batch.bytes).unwrap()));
    assert!(analyzer.finish().findings.is_empty());
}

#[test]
fn a_job_that_outlives_its_request() {
    let (client, memory) = client();
    let (queue, jobs) = std::sync::mpsc::channel();
    let request = client.context();
    let trace = request.trace_id();
    request.run(|| {
        client.track_write("job.7.status", Value::NIL, "pending");
        queue.send(Context::current().expect("one is attached").detach()).ok();
    });
    let worker = || {
        for context in jobs {
            context.run(|| {
                client.track_dequeue("queue", 7);
                client.track_write("job.7.status", "pending", "processing");
                client.track_write("job.7.status", "processing", "completed");
            });
        }
    };
    drop(queue);
    std::thread::scope(|scope| _ = scope.spawn(worker));
    client.flush(LONG).unwrap();
    let seen = events(&memory);
    let kinds: Vec<_> = seen.iter().map(|seen| seen.kind).collect();
    assert_eq!(kinds, [Kind::Write, Kind::AsyncSpawn, Kind::AtomicRmw, Kind::Write, Kind::Write]);
    assert!(seen.iter().all(|seen| seen.trace == trace.as_u128()), "{seen:?}");
    assert!(seen[0].strand == seen[1].strand && seen[2..].iter().all(|later| later.strand != seen[0].strand));
    assert_eq!(seen[2].after, [(seen[0].strand, 2)]);
}
