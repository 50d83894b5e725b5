//! Futures that are not ready while they hold a lock: the record tells of it, and the analysis names the lock; and of
//! nothing if there is nothing to be told.

use crate::mutex::{in_default_client, with_default_client};
use crate::support::Seen;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use trackside::sync::{Mutex, RwLock};
use trackside::{Client, InContext, MemoryTransport, Settings};
use trackside_analysis::{Analyzer, FindingKind, Report};
use trackside_wire::{Batch, Kind};

/// Pending once, and then ready.
#[derive(Default)]
struct Once(bool);

impl Future for Once {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn pause() -> Once {
    Once::default()
}

/// Polls a future to its end. Returns how often that took.
fn run(future: impl Future<Output = ()>) -> usize {
    let mut future = pin!(future);
    let mut polls = 1;
    while future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        polls += 1;
    }
    polls
}

fn kinds(seen: &[Seen]) -> Vec<Kind> {
    seen.iter().map(|seen| seen.kind).collect()
}

/// The report on what `work` does with the client that records locks.
pub(crate) fn report(work: impl FnOnce(&Client)) -> Report {
    let memory = MemoryTransport::new();
    let stats = with_default_client(&memory, work);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    let mut analyzer = Analyzer::new();
    memory.batches().iter().for_each(|batch| analyzer.ingest(&Batch::decode(&batch.bytes).expect("well-formed")));
    analyzer.finish()
}

#[test]
fn a_guard_held_across_an_await_is_found_with_its_lines() {
    let cache = Mutex::named("cache", 0);
    let (mut taken, mut later) = (0, 0);
    let report = report(|client| {
        let task = async {
            taken = line!() + 1;
            let mut guard = cache.lock().unwrap();
            pause().await;
            *guard += 1;
            later = line!() + 1;
            client.track_custom("after the await", 1);
        };
        assert_eq!(run(task.in_context(client.context())), 2);
    });
    let [finding] = &report.findings[..] else { panic!("{report}") };
    assert_eq!((finding.kind, &*finding.variable, finding.count), (FindingKind::HeldAcrossAwait, "cache", 1));
    let places = [&finding.first, &finding.second].map(|info| (info.file.as_deref(), info.line));
    assert_eq!(places, [(Some(file!()), Some(taken)), (Some(file!()), Some(later))]);
}

#[test]
fn a_guard_that_is_dropped_before_the_await_is_no_finding_and_costs_no_event() {
    let (cache, rwlock) = (Mutex::new(0), RwLock::new(0));
    let work = |client: &Client| {
        // Held by the thread, and not by its task.
        let outside = Mutex::named("outside", ());
        let _outside = outside.lock().unwrap();
        let task = async {
            *cache.lock().unwrap() += 1;
            drop(rwlock.read().unwrap());
            pause().await;
            let guard = cache.lock().unwrap();
            client.track_custom("held", *guard);
            drop(guard);
            pause().await;
        };
        assert_eq!(run(task.in_context(client.context())), 3);
    };
    assert!(kinds(&in_default_client(work)).iter().all(|kind| *kind != Kind::Suspended));
    assert!(report(work).findings.is_empty());
}

#[test]
fn every_lock_of_threads_counts_however_it_was_taken_and_whatever_was_recorded_meanwhile() {
    let (tried, read, waited) = (Mutex::named("tried", 0), RwLock::named("read", 0), Mutex::named("waited for", 0));
    let report = report(|client| {
        let task = async {
            let _tried = tried.try_lock().unwrap();
            client.track_custom("within", 0);
            let _read = read.read().unwrap();
            pause().await;
            pause().await;
            // Later on it holds this one too, which had to be waited for.
            let _waited = std::thread::scope(|scope| {
                let (tell, told) = std::sync::mpsc::channel();
                let waited = &waited;
                scope.spawn(move || {
                    let guard = waited.lock().unwrap();
                    tell.send(()).unwrap();
                    drop(guard);
                });
                told.recv().unwrap();
                waited.lock().unwrap()
            });
            pause().await;
        };
        assert_eq!(run(task.in_context(client.context())), 4);
    });
    let mut found: Vec<_> = report.findings.iter().map(|finding| (finding.kind, finding.variable.as_str())).collect();
    found.sort_unstable();
    let awaits = FindingKind::HeldAcrossAwait;
    assert_eq!(found, [(awaits, "read"), (awaits, "tried"), (awaits, "waited for")], "{report}");
}

#[test]
fn only_the_task_that_holds_the_lock_is_told_of() {
    let (mine, others) = (Mutex::named("mine", ()), Mutex::named("others", ()));
    let report = report(|client| {
        // Two tasks by turns on one thread; each is pending while the other one holds something.
        let holder = async {
            let _guard = mine.lock().unwrap();
            pause().await;
        };
        let bystander = async {
            client.track_custom("bystander", 0);
            pause().await;
            drop(others.lock().unwrap());
            pause().await;
        };
        let mut holder = pin!(holder.in_context(client.context()));
        let mut bystander = pin!(bystander.in_context(client.context()));
        let mut context = Context::from_waker(Waker::noop());
        let polls = [
            holder.as_mut().poll(&mut context),
            bystander.as_mut().poll(&mut context),
            bystander.as_mut().poll(&mut context),
            holder.as_mut().poll(&mut context),
            bystander.as_mut().poll(&mut context),
        ];
        assert_eq!(polls.map(|poll| poll.is_ready()), [false, false, false, true, true]);
    });
    let found: Vec<_> = report.findings.iter().map(|finding| finding.variable.as_str()).collect();
    assert_eq!(found, ["mine"], "{report}");
}

#[test]
fn a_future_that_is_dropped_while_it_holds_a_lock_leaves_nothing_held() {
    let lock = Mutex::named("cancelled", 0);
    let seen = in_default_client(|client| {
        let mut task = Box::pin(
            async {
                let _guard = lock.lock().unwrap();
                pause().await;
                unreachable!("it is cancelled");
            }
            .in_context(client.context()),
        );
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(task);
        assert!(lock.try_lock().is_ok());
        // On the same thread, as another strand, and pending.
        run(async { pause().await }.in_context(client.context()));
    });
    let expect = [
        Kind::LockAcquire,
        Kind::Suspended,
        Kind::LockRelease,
        // That of the thread itself.
        Kind::LockAcquire,
        Kind::LockRelease,
    ];
    assert_eq!(kinds(&seen), expect, "{seen:?}");
    assert!(seen[..3].iter().all(|event| event.strand == seen[0].strand) && seen[3].strand != seen[0].strand);
}

#[test]
fn nothing_is_told_where_the_kind_is_off_or_the_context_is_not_sampled() {
    let lock = Mutex::named("quiet", 0);
    let held = |client: &Client| {
        let task = async {
            let _guard = lock.lock().unwrap();
            pause().await;
        };
        run(task.in_context(client.context()));
    };
    let settled = |change: fn(&mut Settings)| {
        kinds(&in_default_client(|client| {
            client.reconfigure(change).unwrap();
            held(client);
        }))
    };
    assert_eq!(settled(|settings| settings.sample_rate = 0.0), []);
    let locks = [Kind::LockAcquire, Kind::LockRelease];
    assert_eq!(settled(|settings| settings.kinds = settings.kinds.without(Kind::Suspended)), locks);
    assert_eq!(settled(|_| {}), [locks[0], Kind::Suspended, locks[1]]);
}
