//! A client: what it records, which is nothing without `tracked`; and what it does either way.

use crate::TRACKED;
use std::error::Error;
use std::fs;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;
use trackside::{
    Access, BuildError, Client, Context, FlushError, InContext, Kind, MemoryTransport, ReconfigureError, Settings,
    Stats, Task, Timestamps, TrackErr, TrackedMutex, Value, Variable,
};

static BALANCE: Variable = Variable::new("balance");

/// Far more than anything here takes: a bound on hanging, not an expectation.
const LONG: Duration = Duration::from_secs(60);

fn client() -> (Client, MemoryTransport) {
    let memory = MemoryTransport::new();
    let builder = Client::builder_to(memory.clone()).service("twins").record_locks(false);
    (builder.build().expect("valid"), memory)
}

/// One of everything.
fn use_all(client: &Client) {
    client.track_state_change("counter", Value::NIL, 1, Access::Write);
    client.track_read(&"x".repeat(1000), "text");
    client.track_write("map", Value::map(&[("a", 1.into())]), true);
    BALANCE.atomic_rmw(client, 1, 2);
    Variable::dynamic("made up").read(client, 1.5);
    client.track_http_request("GET", "/", Value::NIL, "body");
    client.track_http_response(200, Value::NIL, Value::NIL, LONG);
    let task: Task = client.track_async_spawn("task");
    drop(client.enter(task));
    client.track_async_await(task);
    client.track_enqueue("jobs", 1);
    client.track_dequeue("jobs", 1);
    client.track_memory_fence(std::sync::atomic::Ordering::SeqCst);
    client.track_database_query("db", "select", LONG);
    client.track_database_result(1);
    client.track_custom("custom", Value::of(&vec![1, 2]));
    client.track_function_call("f", "module", Value::NIL);
    client.track_function_return("f", Value::NIL);
    client.start_function("g", 1).returns(2);
    assert_eq!(client.track_function("h", 1, || 5), 5);
    client.track_lock_acquire("lock", "Mutex");
    client.track_lock_release("lock", "Mutex");
    let mutex = Mutex::new(1);
    client.with_lock(&mutex, "lock", "Mutex", |value| *value.unwrap() += 1);
    assert_eq!(**client.track_guard(mutex.lock(), "lock", "Mutex").as_ref().unwrap(), 2);
    client.track_error("Error", "message", &["frame"]);
    assert!("many".parse::<u8>().track_err(client).is_err());
    client.track_error_with_backtrace(&std::fmt::Error);
}

#[test]
fn what_is_recorded_is_delivered_and_nothing_is_without_the_feature() {
    let (client, memory) = client();
    use_all(&client);
    let scope = client.context().attach();
    use_all(&client);
    let mut fork = Context::current().unwrap().fork("fork");
    client.fork("other").run(|| use_all(&client));
    let future =
        async { client.track_future("future", 1, async { use_all(&client) }).await }.in_context(fork.fork("in"));
    assert_eq!(pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())), Poll::Ready(()));
    fork.finish().join();
    drop(scope);
    client.flush(LONG).expect("all is delivered");
    let stats = client.shutdown(LONG);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    assert_eq!((stats.delivered > 100, memory.batches().is_empty()), (TRACKED, !TRACKED), "{stats}");
    if !TRACKED {
        assert_eq!(stats, Stats::default());
    }
    // Counted as lost, where anything is counted.
    use_all(&client);
    assert_eq!(client.stats().lost.after_shutdown > 20, TRACKED);
    assert_eq!(client.flush(LONG), Err(FlushError::Stopped));
}

#[test]
fn a_lock_is_recorded_or_is_not() {
    let memory = MemoryTransport::new();
    let client = Client::builder_to(memory.clone()).build().unwrap();
    let lock = TrackedMutex::new(1);
    *lock.lock().unwrap() += 1;
    drop(lock.lock());
    let stats = client.shutdown(LONG);
    // More, if another test uses locks meanwhile.
    assert_eq!(stats.delivered >= 4, TRACKED, "{stats}");
    assert_eq!(stats.recorded > 0, TRACKED, "{stats}");
}

#[test]
fn nothing_is_sampled_out_where_nothing_is_recorded() {
    let (client, _memory) = client();
    client.reconfigure(|settings| settings.sample_rate = 0.0).unwrap();
    client.context().run(|| client.track_read("x", 1));
    assert_eq!(client.shutdown(LONG).unsampled, u64::from(TRACKED));
}

/// Threads of this library's, by name. One test at a time: the others' are threads too.
fn threads_named(start: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with(start)).count()
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "looks into /proc")]
fn threads_are_started_or_are_not() {
    let timestamps = Timestamps::Coarse { resolution: Duration::from_millis(100) };
    let client = Client::builder_to(MemoryTransport::new()).record_locks(false).timestamps(timestamps).build().unwrap();
    // The thread names itself, some time after it was started.
    while TRACKED && threads_named("trackside") < 2 {
        std::thread::yield_now();
    }
    assert_eq!(threads_named("trackside") > 0, TRACKED);
    drop(client);
}

#[test]
fn a_file_is_made_only_for_what_will_be_in_it() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("trackside-twins-{}", std::process::id()));
    let client = Client::builder_to_file(&path).record_locks(false).build()?;
    assert_eq!(client.destination(), path.display().to_string());
    assert_eq!(path.exists(), TRACKED);
    drop(client);
    if TRACKED {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[test]
fn a_configuration_without_sense_is_refused() {
    let refused = |builder: trackside::Builder| matches!(builder.build(), Err(BuildError::Invalid { .. }));
    assert!(refused(Client::builder_to(MemoryTransport::new()).ring_bytes(1)));
    assert!(refused(Client::builder("no url")));
    assert!(refused(Client::builder("http://localhost").api_key("\n")));
    assert!(refused(Client::builder("http://collector.internal").api_key("key")), "in the clear");
}

#[test]
fn settings_change() {
    let client = Client::builder("http://localhost:1/base").record_locks(false).drop_timeout(Duration::ZERO);
    let client = client.build().unwrap();
    assert_eq!(client.destination(), "http://localhost:1/base/events");
    client.reconfigure(|settings: &mut Settings| settings.kinds = settings.kinds.without(Kind::Read)).unwrap();
    assert!(!client.settings().kinds.contains(Kind::Read));
    let refused = client.reconfigure(|settings| settings.api_key = Some(trackside::ApiKey::new("\n")));
    assert!(matches!(refused, Err(ReconfigureError::Invalid { .. })));
    client.shutdown(Duration::ZERO);
    assert_eq!(client.reconfigure(|_| {}), Err(ReconfigureError::Stopped));
}

#[test]
fn a_flusher_driven_by_hand() {
    let memory = MemoryTransport::new();
    let (client, mut flusher) = Client::builder_to(memory.clone()).record_locks(false).build_manual().unwrap();
    client.track_read("x", 1);
    while !flusher.step() {}
    drop(flusher);
    assert_eq!(client.stats().recorded, u64::from(TRACKED));
    assert_eq!(client.flush(LONG), Err(FlushError::Stopped));
}

#[test]
fn a_trace_goes_on_to_the_next_service() {
    let (client, _memory) = client();
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let _request = client.extract(&[("traceparent", parent), ("tracestate", "vendor=1")]).attach();
    let one = client.propagation_headers().unwrap();
    let two = client.propagation_headers().unwrap();
    let header = |headers: &trackside::propagation::Headers, name: &str| {
        let found = headers.clone().into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_string()).unwrap_or_default()
    };
    let traceparent = header(&one, "traceparent");
    assert!(traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && traceparent.ends_with("-01"));
    assert_ne!(traceparent, parent);
    assert_ne!(traceparent, header(&two, "traceparent"));
    assert!(header(&one, "tracestate").contains("vendor=1"));
    assert_ne!(header(&one, "raceway-clock"), header(&two, "raceway-clock"), "each call is a step of its own");
}

#[expect(dead_code, reason = "that it compiles is what it is for")]
fn poison<T>(error: PoisonError<T>) -> T {
    error.into_inner()
}
