//! Locks in a process that has no client yet.

use crate::Ends;
use crate::blocked::{this_thread, wait_until_blocked};
use std::time::Duration;
use trackside::{Client, MemoryTransport, TrackedMutex};
use trackside_wire::Batch;

pub(crate) const SCENARIOS: &[(&str, fn(), Ends)] = &[
    ("locks::waited_for_since_before_there_was_a_client", waited_for_since_before, Ends::Well),
    ("locks::the_main_thread_waits_for_itself_and_the_report_is_there", waits_for_itself, Ends::Code(7)),
];

/// Nobody but the watchdog can tell: the main thread hangs, and there is no other but one that looks at what is sent.
fn waits_for_itself() {
    static LOCK: TrackedMutex<()> = TrackedMutex::named("lock", ());
    let memory = MemoryTransport::new();
    let hour = Duration::from_secs(3600);
    let builder = Client::builder_to(memory.clone()).flush_interval(hour).deadlock_watchdog(true);
    let _client = builder.build().expect("a valid configuration");
    let main = this_thread();
    std::thread::spawn(move || {
        let mut analyzer = trackside_analysis::Analyzer::new();
        while memory.batches().is_empty() {
            std::thread::yield_now();
        }
        wait_until_blocked(&main, &LOCK);
        memory.batches().iter().for_each(|batch| analyzer.ingest(&Batch::decode(&batch.bytes).expect("well-formed")));
        let report = analyzer.finish();
        let told = report.findings.iter().any(|finding| finding.kind == trackside_analysis::FindingKind::Deadlock);
        std::process::exit(if told { 7 } else { 1 });
    });
    let _held = LOCK.lock();
    let _again = LOCK.lock();
}

/// For how long, nobody knows, least of all a clock that began to run later.
fn waited_for_since_before() {
    static LOCK: TrackedMutex<()> = TrackedMutex::named("lock", ());
    let memory = MemoryTransport::new();
    let held = LOCK.lock();
    let (arrived, is_there) = std::sync::mpsc::channel();
    let waiter = std::thread::spawn(move || {
        arrived.send(this_thread()).expect("somebody listens");
        drop(LOCK.lock());
    });
    wait_until_blocked(&is_there.recv().expect("it arrives"), &LOCK);
    let client = Client::builder_to(memory.clone()).build().expect("a valid configuration");
    drop(held);
    waiter.join().expect("it does not panic");
    assert_eq!(client.shutdown(Duration::from_secs(60)).delivered, 2);
    for batch in memory.batches() {
        for event in Batch::decode(&batch.bytes).expect("a well-formed batch").events() {
            assert_eq!(event.b.to_string(), "[1, \"Mutex\"]");
        }
    }
}
