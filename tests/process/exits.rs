//! Ways to end a process with a client alive in it. None crashes and none hangs; what a scenario asserts goes to a file
//! or a collector that outlives it, or is asserted before the end.

use crate::Ends;
use std::cell::RefCell;
use std::net::TcpListener;
use std::sync::OnceLock;
use std::time::Duration;
use trackside::{Client, MemoryTransport, TrackedMutex};

const LONG: Duration = Duration::from_secs(60);

pub(crate) const SCENARIOS: &[(&str, fn(), Ends)] = &[
    ("exits::main_returns_with_a_client_in_a_static", with_a_static, Ends::Well),
    ("exits::main_returns_with_threads_recording", with_threads_recording, Ends::Well),
    ("exits::process_exit_with_threads_recording", process_exit, Ends::Code(7)),
    ("exits::process_exit_in_a_callback", exit_in_a_callback, Ends::Code(7)),
    ("exits::main_panics", main_panics, Ends::Code(101)),
    ("exits::abort", abort, Ends::Signal(libc::SIGABRT)),
    ("exits::main_returns_while_the_server_is_silent", silent_server, Ends::Well),
    ("exits::the_last_handle_goes_as_main_returns", dropped_at_the_end, Ends::Well),
    ("exits::thread_locals_of_the_main_thread_older_than_the_ring", older_thread_local, Ends::Well),
    ("exits::thread_locals_of_the_main_thread_younger_than_the_ring", younger_thread_local, Ends::Well),
    ("exits::first_event_from_a_thread_local_of_the_main_thread", only_thread_local, Ends::Well),
];

static CLIENT: OnceLock<Client> = OnceLock::new();
static LOCK: TrackedMutex<u64> = TrackedMutex::new(0);

/// A client that lives until the process ends, reporting to memory.
fn client() -> &'static Client {
    CLIENT.get_or_init(|| Client::builder_to(MemoryTransport::new()).build().expect("a valid configuration"))
}

fn record() {
    client().track_custom("event", 1);
    *LOCK.lock().expect("not poisoned") += 1;
}

/// Threads that record until the process ends, and have begun to.
fn record_for_ever() {
    let (begun, begins) = std::sync::mpsc::channel();
    for _ in 0..4 {
        let begun = begun.clone();
        std::thread::spawn(move || {
            record();
            begun.send(()).expect("somebody waits");
            loop {
                record();
            }
        });
    }
    (0..4).for_each(|_| begins.recv().expect("a thread begins"));
}

fn with_a_static() {
    record();
}

fn with_threads_recording() {
    record_for_ever();
    record();
}

fn process_exit() {
    record_for_ever();
    record();
    std::process::exit(7);
}

/// Exits on the flusher's own thread.
fn exit_in_a_callback() {
    let memory = MemoryTransport::new();
    memory.then(trackside::Outcome::Retry { after: None, cause: trackside::Cause::new("scripted") });
    let builder = Client::builder_to(memory).on_warning(|_| std::process::exit(7));
    let client = builder.build().expect("a valid configuration");
    client.track_custom("event", 1);
    // Never returns in time: the process is gone.
    let flushed = client.flush(LONG);
    panic!("{flushed:?}");
}

fn main_panics() {
    record_for_ever();
    let own = Client::builder_to(MemoryTransport::new()).build().expect("a valid configuration");
    let _function = own.start_function("main", 1);
    let _guard = LOCK.lock();
    panic!("the end, as it must be");
}

fn abort() {
    record_for_ever();
    std::process::abort();
}

fn silent_server() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("it is bound"));
    let builder = Client::builder(url).response_timeout(Duration::from_secs(3600));
    let client = builder.drop_timeout(Duration::from_millis(100)).build().expect("a valid configuration");
    client.track_custom("event", 1);
    assert!(client.flush(Duration::from_millis(100)).is_err());
    let kept = CLIENT.get_or_init(|| client.clone());
    kept.track_custom("event", 2);
}

/// Asserts, once everything else has ended, that a client's transport was given this many events.
struct Expects(MemoryTransport, std::ops::RangeInclusive<u64>);

impl Drop for Expects {
    fn drop(&mut self) {
        let events: u64 = self.0.batches().iter().map(|batch| batch.events).sum();
        if !self.1.contains(&events) {
            eprintln!("{events} events delivered, not {:?}", self.1);
            std::process::abort();
        }
    }
}

fn dropped_at_the_end() {
    let memory = MemoryTransport::new();
    let _expects = Expects(memory.clone(), 1..=1);
    let client = Client::builder_to(memory).drop_timeout(LONG).build().expect("a valid configuration");
    client.track_custom("event", 1);
}

/// Records when it is dropped, and asserts that the books took note, one way or the other.
struct Records(u64);

impl Drop for Records {
    fn drop(&mut self) {
        (0..10).for_each(|_| record());
        // Ten events, each with a lock event before and behind it; a panic here would go unnoticed.
        let client = client();
        let flushed = client.flush(LONG);
        let stats = client.stats();
        let expected = self.0 + 30;
        let accounted = stats.recorded == expected
            && stats.recorded == stats.delivered + stats.lost.thread_exit
            && stats.lost.total() == stats.lost.thread_exit;
        if flushed.is_err() || !accounted {
            eprintln!("{flushed:?}, {stats}, but {expected} were recorded");
            std::process::abort();
        }
    }
}

thread_local!(static RECORDS: RefCell<Option<Records>> = const { RefCell::new(None) });

fn older_thread_local() {
    client();
    RECORDS.set(Some(Records(3)));
    record();
}

fn younger_thread_local() {
    record();
    RECORDS.set(Some(Records(3)));
}

fn only_thread_local() {
    client();
    RECORDS.set(Some(Records(0)));
}
