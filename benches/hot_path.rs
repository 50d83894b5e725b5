//! What a recording thread pays for one event, by kind of event, name and value.
//!
//! One thread records and drains, and only the recording is timed. For ratios that mean something on a machine one is
//! not alone on, see `ratios`.

mod support;

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use support::{DYNAMIC_NAME, ROUND, client};
use trackside::{Access, Client, ManualFlusher, Name, Task, TrackedMutex, Value};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

criterion_main!(benches);
criterion_group!(benches, names, values, kinds, locks, turned_away);

/// Times `operation` alone; the ring is drained between rounds.
#[inline(always)]
fn bench(group: &mut Group<'_>, flusher: &mut ManualFlusher, name: &str, mut operation: impl FnMut(u64)) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let (mut time, mut left) = (Duration::ZERO, iterations);
            while left > 0 {
                let round = left.min(ROUND / 2);
                let start = Instant::now();
                for i in 0..round {
                    operation(i);
                }
                time += start.elapsed();
                flusher.step();
                left -= round;
            }
            time
        });
    });
}

fn names(criterion: &mut Criterion) {
    let (client, mut flusher) = client();
    let mut group = criterion.benchmark_group("state change by name");
    bench(&mut group, &mut flusher, "static", |i| {
        client.track_state_change("counter", black_box(i), black_box(i + 1), Access::Write);
    });
    let long = DYNAMIC_NAME.repeat(10);
    for len in [1, 8, 16, DYNAMIC_NAME.len(), 64, 200, long.len()] {
        let name = black_box(&long[..len]);
        bench(&mut group, &mut flusher, &format!("dynamic, {len} bytes"), |i| {
            client.track_state_change(Name::dynamic(name), black_box(i), black_box(i + 1), Access::Write);
        });
    }
}

fn values(criterion: &mut Criterion) {
    let (client, mut flusher) = client();
    let mut group = criterion.benchmark_group("write by value");
    bench(&mut group, &mut flusher, "nil", |_| client.track_write("counter", Value::NIL, Value::NIL));
    bench(&mut group, &mut flusher, "bool", |i| client.track_write("counter", Value::NIL, black_box(i > 0)));
    bench(&mut group, &mut flusher, "integer", |i| client.track_write("counter", Value::NIL, black_box(i)));
    bench(&mut group, &mut flusher, "float", |i| client.track_write("counter", Value::NIL, black_box(i as f64)));
    bench(&mut group, &mut flusher, "text", |_| client.track_write("counter", Value::NIL, black_box(DYNAMIC_NAME)));
    bench(&mut group, &mut flusher, "serialised", |i| {
        client.track_write("counter", Value::NIL, Value::of(&black_box([i; 3])));
    });
}

fn kinds(criterion: &mut Criterion) {
    let (client, mut flusher) = client();
    let group = &mut criterion.benchmark_group("kind");
    let flusher = &mut flusher;
    calls(group, &client, flusher);
    requests(group, &client, flusher);
    let task = spawn(&client);
    bench(group, flusher, "read", |i| client.track_read("counter", black_box(i)));
    bench(group, flusher, "async spawn", |_| _ = spawn(&client));
    bench(group, flusher, "enter and leave a task (2 events)", |_| drop(client.enter(black_box(task))));
    bench(group, flusher, "async await", |_| client.track_async_await(black_box(task)));
    bench(group, flusher, "lock acquire", |_| client.track_lock_acquire("ledger", "RwLock-Read"));
    bench(group, flusher, "lock release", |_| client.track_lock_release("ledger", "RwLock-Read"));
    bench(group, flusher, "memory fence", |_| client.track_memory_fence(black_box(Ordering::AcqRel)));
    bench(group, flusher, "error", |_| client.track_error("Timeout", "no answer", &["ask", "main"]));
    bench(group, flusher, "custom", |i| client.track_custom("tick", black_box(i)));
}

fn spawn(client: &Client) -> Task {
    client.track_async_spawn("teller")
}

fn calls(group: &mut Group<'_>, client: &Client, flusher: &mut ManualFlusher) {
    bench(group, flusher, "function call", |i| client.track_function_call("transfer", "bank", black_box(i)));
    bench(group, flusher, "function return", |i| client.track_function_return("transfer", black_box(i)));
    bench(group, flusher, "function guard (2 events)", |i| drop(client.start_function("transfer", black_box(i))));
}

fn requests(group: &mut Group<'_>, client: &Client, flusher: &mut ManualFlusher) {
    let took = Duration::from_millis(3);
    bench(group, flusher, "http request", |_| {
        client.track_http_request("GET", "/accounts/17", Value::NIL, black_box("a body"));
    });
    bench(group, flusher, "http response", |_| {
        client.track_http_response(black_box(200), Value::NIL, "a body", took);
    });
    bench(group, flusher, "database query", |_| client.track_database_query("bank", "select 1", black_box(took)));
    bench(group, flusher, "database result", |i| client.track_database_result(black_box(i)));
}

fn locks(criterion: &mut Criterion) {
    let (_client, mut flusher) = client();
    let mut group = criterion.benchmark_group("lock and unlock");
    let (plain, tracked) = (Mutex::new(0), TrackedMutex::named("tracked", 0));
    bench(&mut group, &mut flusher, "std Mutex", |i| *plain.lock().expect("nobody panics") = black_box(i));
    bench(&mut group, &mut flusher, "TrackedMutex (2 events)", |i| {
        *tracked.lock().expect("nobody panics") = black_box(i);
    });
}

/// What is left of the cost where nothing is recorded any more.
fn turned_away(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("after shutdown");
    let (client, flusher) = client();
    drop(flusher);
    let (_other, mut idle) =
        Client::builder_to(support::Nowhere).record_locks(false).build_manual().expect("the configuration is valid");
    bench(&mut group, &mut idle, "state change", |i| {
        client.track_state_change("counter", black_box(i), black_box(i + 1), Access::Write);
    });
    let tracked = TrackedMutex::named("tracked", 0);
    bench(&mut group, &mut idle, "TrackedMutex", |i| *tracked.lock().expect("nobody panics") = black_box(i));
}
