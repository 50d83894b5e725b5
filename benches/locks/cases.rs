//! What there is in std.

use crate::run::{Case, Run, alone, case, together};
use crate::support::ROUND;
use std::hint::black_box;
use std::time::Instant;

/// All cases of `sync` and `thread`.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = locks_of_several();
    cases.splice(..0, locks());
    cases.extend(objects());
    cases.extend(atomics());
    cases
}

/// Of those that make threads wait for each other.
const FEW: u64 = 50;

fn locks() -> [Case; 5] {
    [
        case!(ROUND, "Mutex", std::sync, trackside::sync, |sync| {
            let lock = sync::Mutex::new(0);
            alone(move |i| *lock.lock().unwrap() = black_box(i))
        }),
        case!(ROUND, "two Mutexes, nested", std::sync, trackside::sync, |sync| {
            let (outer, inner) = (sync::Mutex::new(0), sync::Mutex::new(0));
            alone(move |i| {
                let mut sum = outer.lock().unwrap();
                *inner.lock().unwrap() = black_box(i);
                *sum = black_box(i);
            })
        }),
        case!(ROUND, "RwLock, read", std::sync, trackside::sync, |sync| {
            let lock = sync::RwLock::new(0);
            alone(move |_| _ = black_box(*lock.read().unwrap()))
        }),
        case!(ROUND, "RwLock, write", std::sync, trackside::sync, |sync| {
            let lock = sync::RwLock::new(0);
            alone(move |i| *lock.write().unwrap() = black_box(i))
        }),
        case!(ROUND, "Condvar, notify_one with nobody there", std::sync, trackside::sync, |sync| {
            let condvar = sync::Condvar::new();
            alone(move |_| condvar.notify_one())
        }),
    ]
}

fn locks_of_several() -> Vec<Case> {
    let mut cases = Vec::new();
    for threads in [2, 4] {
        cases.extend([
            case!(ROUND, format!("Mutex, {threads} threads"), std::sync, trackside::sync, |sync| {
                let lock = sync::Mutex::new(0);
                together(threads, move |_, i| *lock.lock().unwrap() = black_box(i))
            }),
            case!(ROUND, format!("RwLock, read, {threads} threads"), std::sync, trackside::sync, |sync| {
                let lock = sync::RwLock::new(0);
                together(threads, move |_, _| _ = black_box(*lock.read().unwrap()))
            }),
            case!(ROUND, format!("RwLock, write, {threads} threads"), std::sync, trackside::sync, |sync| {
                let lock = sync::RwLock::new(0);
                together(threads, move |_, i| *lock.write().unwrap() = black_box(i))
            }),
            case!(FEW, format!("Barrier, {threads} threads"), std::sync, trackside::sync, |sync| {
                let barrier = sync::Barrier::new(threads);
                together(threads, move |_, _| _ = barrier.wait())
            }),
            case!(FEW, format!("Condvar, turn by turn, {threads} threads"), std::sync, trackside::sync, |sync| {
                let (turn, changed) = (sync::Mutex::new(0), sync::Condvar::new());
                together(threads, move |which, _| {
                    let mut turn = changed.wait_while(turn.lock().unwrap(), |turn| *turn != which).unwrap();
                    *turn = (which + 1) % threads;
                    changed.notify_all();
                })
            }),
        ]);
    }
    cases
}

fn objects() -> [Case; 6] {
    [
        case!(ROUND, "Once, done", std::sync, trackside::sync, |sync| {
            let once = sync::Once::new();
            alone(move |_| once.call_once(|| ()))
        }),
        case!(ROUND, "OnceLock, get", std::sync, trackside::sync, |sync| {
            let cell = sync::OnceLock::from(7);
            alone(move |_| _ = black_box(cell.get()))
        }),
        case!(ROUND, "LazyLock, done", std::sync, trackside::sync, |sync| {
            let lazy: sync::LazyLock<u64> = sync::LazyLock::new(|| 7);
            alone(move |_| _ = black_box(*lazy))
        }),
        case!(ROUND, "mpsc, send and receive", std::sync, trackside::sync, |sync| {
            let (sender, receiver) = sync::mpsc::channel();
            alone(move |i| {
                sender.send(i).unwrap();
                black_box(receiver.recv().unwrap());
            })
        }),
        case!(ROUND, "mpsc, from one thread to another", std::sync, trackside::sync, |sync| {
            let run: Run = Box::new(|messages| {
                let (sender, receiver) = sync::mpsc::channel();
                std::thread::scope(|scope| {
                    scope.spawn(move || (0..messages).for_each(|i| sender.send(i).unwrap()));
                    // Not before there is a thread: that is not what is measured.
                    let first = receiver.recv();
                    let start = Instant::now();
                    black_box(first.into_iter().chain(receiver).sum::<u64>());
                    start.elapsed()
                })
            });
            run
        }),
        case!(ROUND, "unpark and park", std::thread, trackside::thread, |thread| {
            alone(move |_| {
                thread::current().unpark();
                thread::park();
            })
        }),
    ]
}

#[expect(clippy::disallowed_types, reason = "std's atomics are what ours are compared with")]
fn atomics() -> [Case; 5] {
    use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
    [
        case!(ROUND, "AtomicU64, load", std::sync::atomic, trackside::sync::atomic, |atomic| {
            let value = atomic::AtomicU64::new(0);
            alone(move |_| _ = black_box(value.load(Acquire)))
        }),
        case!(ROUND, "AtomicU64, store", std::sync::atomic, trackside::sync::atomic, |atomic| {
            let value = atomic::AtomicU64::new(0);
            alone(move |i| value.store(black_box(i), Release))
        }),
        case!(ROUND, "AtomicU64, fetch_add", std::sync::atomic, trackside::sync::atomic, |atomic| {
            let value = atomic::AtomicU64::new(0);
            alone(move |i| _ = black_box(value.fetch_add(i, AcqRel)))
        }),
        case!(ROUND, "AtomicU64, fetch_add, 2 threads", std::sync::atomic, trackside::sync::atomic, |atomic| {
            let value = atomic::AtomicU64::new(0);
            together(2, move |_, i| _ = black_box(value.fetch_add(i, AcqRel)))
        }),
        case!(ROUND, "AtomicU64, fetch_add, 4 threads", std::sync::atomic, trackside::sync::atomic, |atomic| {
            let value = atomic::AtomicU64::new(0);
            together(4, move |_, i| _ = black_box(value.fetch_add(i, AcqRel)))
        }),
    ]
}
