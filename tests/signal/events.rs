//! A handler that records events.

use super::{ENOUGH, LONG, install, turn, under_fire};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use trackside::{Client, MemoryTransport, Stats, TrackedMutex};

static CLIENT: OnceLock<Client> = OnceLock::new();
/// How many events the handler has recorded, or tried to.
static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn handler(_: libc::c_int) {
    // Nothing in here allocates or locks: the thread has had its first event.
    if let Some(client) = CLIENT.get() {
        let number = HANDLED.fetch_add(2, Ordering::Relaxed);
        client.track_write("handler", number, !number);
        client.track_write(trackside::Name::dynamic("handler, dynamic"), number + 1, !(number + 1));
    }
}

#[test]
fn a_handler_that_records() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let builder = Client::builder_to(memory.clone()).service("signal").ring_bytes(32 << 20);
    // Room for all of it: a thread that waits for room is interrupted there and hardly ever elsewhere.
    let client = CLIENT.get_or_init(|| builder.build().expect("a valid configuration"));
    let lock = TrackedMutex::named("lock", 0_u64);
    install(libc::SIGUSR1, handler);
    client.track_custom("first", 0);

    let (mut own, start) = (0, Instant::now());
    under_fire(libc::SIGUSR1, 0, || {
        let stormy = |stats: Stats| {
            let away = stats.lost.reentrant;
            away >= ENOUGH && HANDLED.load(Ordering::Relaxed) - away >= ENOUGH
        };
        while !stormy(client.stats()) {
            assert!(start.elapsed() < LONG, "hardly any signals: {}", client.stats());
            for number in own..own + 16_384 {
                client.track_write("own", number, !number);
                if number % 16 == 0 {
                    let name = format!("own.{number}");
                    client.track_write(&name, number, !number);
                    // Two more events, and the list of locks held.
                    *lock.lock().expect("not poisoned") += 1;
                }
            }
            own += 16_384;
            if own % (16 * 16_384) == 0 {
                client.flush(LONG).expect("in time");
            }
        }
    });

    client.flush(LONG).expect("in time");
    let stats = client.stats();
    let handled = HANDLED.load(Ordering::Relaxed);
    let recorded = 1 + own + 3 * (own / 16) + handled;
    assert_eq!(stats.recorded, recorded, "{stats}");
    assert_eq!(stats.lost.total(), stats.lost.reentrant, "{stats}");
    assert_eq!((stats.delivered, stats.pending), (recorded - stats.lost.reentrant, 0), "{stats}");

    // Every event is whole, and the thread's own are all there, in order.
    let (mut next, mut numbered) = (0, 0);
    for batch in memory.batches() {
        let batch = trackside_wire::Batch::decode(&batch.bytes).expect("a well-formed batch");
        for event in batch.events() {
            let name = event.name.map_or("", |name| batch.string(name));
            if name == "lock" || name == "first" {
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
    assert_eq!(client.shutdown(LONG).pending, 0);
}
