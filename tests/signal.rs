//! A signal handler that records events on the very thread that is recording one: turned away, counted, and nothing torn.

#![cfg(unix)]
#![expect(unsafe_code, reason = "a signal handler cannot be installed without")]
#![expect(clippy::disallowed_types, reason = "tests count with plain atomics; loom looks at src/ring")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use trackside::{Client, MemoryTransport, Stats, TrackedMutex};

const LONG: Duration = Duration::from_secs(60);
/// How many of the handler's events are to be turned away, and how many are to get in between others, before the storm
/// ends. How many signals that takes, and how many of the thread's own events, is up to the system.
const ENOUGH: u64 = if cfg!(debug_assertions) { 100 } else { 1000 };

/// How many of the thread's own events come between two flushes. A signal can come with each of them.
const EACH: u64 = 4096;

static CLIENT: OnceLock<Client> = OnceLock::new();
/// How many events the handler has recorded, or tried to.
static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn handler(_: libc::c_int) {
    static OWN: TrackedMutex<()> = TrackedMutex::named("handler's", ());
    // Nothing in here allocates or waits for a lock: the thread has had its first event.
    if let Some(client) = CLIENT.get() {
        let number = HANDLED.fetch_add(2, Ordering::Relaxed);
        client.track_write("handler", number, !number);
        client.track_write(trackside::Name::dynamic("handler, dynamic"), number + 1, !(number + 1));
        drop(OWN.try_lock());
    }
}

/// Installs [`handler`] for SIGUSR1.
fn install() {
    let handler: extern "C" fn(libc::c_int) = handler;
    // SAFETY: all zeroes is a valid sigaction: no flags, no signals blocked.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the action is initialised, its handler lives for ever and touches only what a handler may.
    let result = unsafe { libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// Sends the calling thread signal upon signal, from another thread, while `work` runs.
fn under_fire(work: impl FnOnce()) {
    // SAFETY: always succeeds.
    let target = unsafe { libc::pthread_self() };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // SAFETY: the thread waits for this one at the scope's end, so it is alive.
                unsafe { libc::pthread_kill(target, libc::SIGUSR1) };
                thread::yield_now();
            }
        });
        work();
        done.store(true, Ordering::Relaxed);
    });
}

/// How often a lock was taken and given back, as the record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Turns {
    taken: u64,
    given_back: u64,
}

impl Turns {
    /// The lock's next event: a turn's number is that of the turn before, plus one.
    fn next(&mut self, event: &trackside_wire::Event<'_>) {
        let count = match event.kind {
            trackside_wire::Kind::LockAcquire => &mut self.taken,
            kind => {
                assert_eq!(kind, trackside_wire::Kind::LockRelease);
                &mut self.given_back
            }
        };
        *count += 1;
        assert_eq!(event.b.to_string(), format!("[{count}, \"Mutex\"]"));
        assert!(self.taken == self.given_back || self.taken == self.given_back + 1, "{self:?}");
    }
}

// One test, because signals and their handlers belong to the process.
#[test]
fn a_handler_that_records() {
    let memory = MemoryTransport::new();
    let builder = Client::builder_to(memory.clone()).service("signal").ring_bytes(32 << 20);
    // Room for all of it: a thread that waits for room is interrupted there and hardly ever elsewhere.
    let client = CLIENT.get_or_init(|| builder.build().expect("a valid configuration"));
    let (lock, other) = (TrackedMutex::named("lock", 0_u64), TrackedMutex::named("other", 0_u64));
    install();
    client.track_custom("first", 0);

    let (mut own, start) = (0, Instant::now());
    under_fire(|| {
        let stormy = |stats: Stats| {
            let away = stats.lost.reentrant;
            away >= ENOUGH && 2 * HANDLED.load(Ordering::Relaxed) - away >= ENOUGH
        };
        while !stormy(client.stats()) {
            assert!(start.elapsed() < LONG, "hardly any signals: {}", client.stats());
            for number in own..own + EACH {
                // Sections with nothing in them, with an event in them, and with another section in them.
                let mut held = lock.lock().expect("not poisoned");
                *held += 1;
                if number % 4 == 0 {
                    drop(held);
                    client.track_write("own", number, !number);
                } else {
                    client.track_write("own", number, !number);
                }
                *other.lock().expect("not poisoned") += 1;
                if number % 16 == 0 {
                    let name = format!("own.{number}");
                    client.track_write(&name, number, !number);
                }
            }
            own += EACH;
            client.flush(LONG).expect("in time");
        }
    });

    client.flush(LONG).expect("in time");
    let stats = client.stats();
    let handled = HANDLED.load(Ordering::Relaxed);
    // The handler's are twice as many as it counts: there are two of its lock.
    let recorded = 1 + own + own / 16 + 4 * own + 2 * handled;
    assert_eq!(stats.recorded, recorded, "{stats}");
    assert_eq!(stats.lost.total(), stats.lost.reentrant, "{stats}");
    assert_eq!((stats.delivered, stats.pending), (recorded - stats.lost.reentrant, 0), "{stats}");

    // Every event is whole, and the thread's own are all there, in order.
    let (mut next, mut numbered, mut turns) = (0, 0, [Turns::default(); 2]);
    for batch in memory.batches() {
        let batch = trackside_wire::Batch::decode(&batch.bytes).expect("a well-formed batch");
        for event in batch.events() {
            let name = event.name.map_or("", |name| batch.string(name));
            match name {
                "lock" => turns[0].next(&event),
                "other" => turns[1].next(&event),
                _ => {}
            }
            if matches!(name, "lock" | "other" | "handler's" | "first") {
                continue;
            }
            let (a, b) = (event.a.as_u64().expect("a number"), event.b.as_u64().expect("a number"));
            assert_eq!(a, !b, "{name}");
            match name {
                "own" => {
                    assert_eq!(a, next);
                    next += 1;
                }
                "handler" => assert_eq!(a % 2, 0),
                "handler, dynamic" => assert_eq!(a % 2, 1),
                _ => {
                    assert_eq!(name, format!("own.{a}"));
                    numbered += 1;
                }
            }
        }
    }
    assert_eq!((next, numbered), (own, own / 16));
    assert_eq!(turns, [Turns { taken: own, given_back: own }; 2]);
    assert_eq!(client.shutdown(LONG).pending, 0);
}
