//! A handler that uses the very atomic that its thread is just using.

use super::{ENOUGH, LONG, install, turn, under_fire};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64 as Plain;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;
use trackside::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use trackside::sync::atomic::{AtomicBool, AtomicU64};
use trackside::{Client, Kind, MemoryTransport, Stats};
use trackside_wire::Batch;

/// The thread that is interrupted adds to the lower half, the handler to the upper one, so no value comes twice.
static SHARED: AtomicU64 = AtomicU64::named("shared", 0);
const HANDLERS: u64 = 1 << 32;
/// Another one, that another thread uses at the same time.
static OTHER: AtomicBool = AtomicBool::named("other", false);
/// How often the handler has run.
static HANDLED: Plain = Plain::new(0);

extern "C" fn handler(_: libc::c_int) {
    SHARED.fetch_add(HANDLERS, AcqRel);
    SHARED.load(Acquire);
    OTHER.fetch_not(Relaxed);
    HANDLED.fetch_add(1, Relaxed);
}

#[test]
fn a_handler_that_uses_the_same_atomic() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let builder = Client::builder_to(memory.clone()).service("signal").ring_bytes(32 << 20);
    let client = builder.build().expect("a valid configuration");
    install(libc::SIGUSR2, handler);
    client.track_custom("first", 0);

    let (mut own, mut theirs, start) = (0, 0, Instant::now());
    let (round, rounds) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let other = scope.spawn(move || {
            let mut operations = 0;
            for () in rounds {
                (0..4096).for_each(|_| _ = OTHER.fetch_not(AcqRel));
                operations += 4096;
            }
            operations
        });
        under_fire(libc::SIGUSR2, 1000, || {
            let stormy = |stats: Stats| {
                let away = stats.lost.reentrant;
                away >= 20 * ENOUGH && 3 * HANDLED.load(Relaxed) - away >= ENOUGH
            };
            while !stormy(client.stats()) {
                assert!(start.elapsed() < LONG, "hardly any signals: {}", client.stats());
                round.send(()).expect("it has not panicked");
                for _ in 0..4096 {
                    SHARED.fetch_add(1, AcqRel);
                    SHARED.load(Acquire);
                }
                own += 4096;
                client.flush(LONG).expect("in time");
            }
        });
        drop(round);
        theirs = other.join().expect("it has not panicked");
    });
    let stats = client.shutdown(LONG);
    let handled = HANDLED.load(Relaxed);

    // All of them happened, and all are in the books.
    assert_eq!(SHARED.load(Relaxed), own + handled * HANDLERS);
    assert_eq!(stats.recorded, 1 + 2 * own + 3 * handled + theirs, "{stats}");
    assert_eq!(stats.lost.total(), stats.lost.reentrant + stats.lost.ring_full, "{stats}");

    // By name: each write's number and the value before and after; each load's number and value.
    let (mut writes, mut loads) = (BTreeMap::new(), Vec::new());
    for batch in memory.batches() {
        let batch = Batch::decode(&batch.bytes).expect("a well-formed batch");
        for event in batch.events().filter(|event| event.name.map(|name| batch.string(name)) == Some("shared")) {
            let text = event.b.to_string();
            let parts = text.trim_matches(['[', ']']).split(", ").filter_map(|part| part.parse().ok());
            let parts: Vec<u64> = parts.collect();
            match (event.kind, &parts[..]) {
                (Kind::AtomicUpdate, &[number, old, new]) => {
                    assert_eq!(writes.insert(number, (old, new)), None, "two writes of one number");
                }
                (Kind::AtomicLoad, &[number, value]) => loads.push((number, value)),
                other => panic!("{other:?}"),
            }
        }
    }
    let missing = own + handled - writes.len() as u64;
    assert!(missing > 0 && *writes.last_key_value().expect("some").0 <= own + handled);
    // What there is, is right: where the number before has a write, that one's value was read.
    let mut read = 0;
    for (number, (old, _)) in &writes {
        if let Some((_, new)) = writes.get(&(number - 1)) {
            assert_eq!(new, old, "update {number} has read another write");
            read += 1;
        }
    }
    let by_value: BTreeMap<u64, u64> = writes.iter().map(|(number, (_, new))| (*new, *number)).collect();
    for (number, value) in loads {
        // No write that is told is taken for another one, and none for one that is not.
        assert_eq!(by_value.get(&value).copied(), writes.contains_key(&number).then_some(number), "{value}");
    }
    assert!(read > own / 2, "{read} of {own}");
}
