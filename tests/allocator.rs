//! A global allocator that records an event at each of its calls: also at those that recording's own set-up makes. The
//! inner events are turned away and counted, nothing recurses, and nothing waits for itself.

#![expect(unsafe_code, reason = "a global allocator cannot be written without")]
#![expect(clippy::disallowed_types, reason = "tests count with plain atomics; loom looks at src/ring")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use trackside::{Client, MemoryTransport, TrackedMutex, Value};

const LONG: Duration = Duration::from_secs(60);

struct Tracking;

static CLIENT: OnceLock<Client> = OnceLock::new();
/// How many events the allocator has recorded, or tried to.
static TRACKED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether the allocator records on this thread. Not on those of the flusher, whose own events would never end.
    static ON: Cell<bool> = const { Cell::new(false) };
}

fn track() {
    if !ON.get() {
        return;
    }
    if let Some(client) = CLIENT.get() {
        TRACKED.fetch_add(1, Ordering::Relaxed);
        client.track_custom("allocator", 1);
    }
}

// SAFETY: every call is passed on to the system's allocator unchanged. What is recorded beside it may allocate, which
// comes back here and is turned away by the library: that is what this tests.
unsafe impl GlobalAlloc for Tracking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        track();
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        track();
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Tracking = Tracking;

/// Runs `work` on a thread of its own, on which the allocator records, from the first event on or from before it.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let tracked = || {
        ON.set(true);
        let result = work();
        ON.set(false);
        result
    };
    thread::scope(|scope| scope.spawn(tracked).join().expect("no panic"))
}

// One test, because there is one allocator, with one client.
#[test]
fn an_allocator_that_records() {
    static LOCK: TrackedMutex<u64> = TrackedMutex::named("lock", 0);
    let memory = MemoryTransport::new();
    let client = Client::builder_to(memory.clone()).service("allocator").ring_bytes(8 << 20).build();
    let client = CLIENT.get_or_init(|| client.expect("a valid configuration"));
    let allocated = |work: fn(u64)| {
        let before = TRACKED.load(Ordering::Relaxed);
        on_a_thread(|| (0..1000).for_each(work));
        TRACKED.load(Ordering::Relaxed) - before
    };

    // The first event of a thread allocates, with the ring half open.
    assert!(allocated(|number| CLIENT.wait().track_custom("own", number)) > 0);
    // The first event of a thread is an allocator's.
    assert!(allocated(|number| drop(vec![number; 10])) >= 2000);
    // The first event of a thread is a lock's, which finds the client by another way.
    allocated(|_| *LOCK.lock().expect("not poisoned") += 1);
    // A value that allocates while it is serialised.
    allocated(|number| CLIENT.wait().track_custom("own", Value::of(&vec![format!("{number}")])));

    client.flush(LONG).expect("in time");
    let stats = client.stats();
    let own = 1000 + 2000 + 1000;
    let tracked = TRACKED.load(Ordering::Relaxed);
    assert_eq!(stats.recorded, own + tracked, "{stats}");
    assert!(stats.lost.reentrant > 0, "{stats}");
    assert_eq!(stats.lost.total(), stats.lost.reentrant, "{stats}");
    assert_eq!((stats.delivered, stats.pending), (stats.recorded - stats.lost.reentrant, 0), "{stats}");

    let batches = memory.batches();
    let events: Vec<_> = batches
        .iter()
        .flat_map(|batch| {
            let batch = trackside_wire::Batch::decode(&batch.bytes).expect("a well-formed batch");
            let names: Vec<_> = batch.events().map(|event| event.name.map(|name| batch.string(name))).collect();
            names.into_iter().map(|name| name.unwrap_or("").to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(events.len() as u64, stats.delivered);
    assert_eq!(events.iter().filter(|name| *name == "own").count(), 2000);
    assert_eq!(client.shutdown(LONG).pending, 0);
}
