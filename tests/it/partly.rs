//! What a client does not record, its batches say: contexts that are not sampled, and kinds that were off for a moment.

use crate::mutex::with_default_client;
use crate::support::{LONG, builder};
use std::thread;
use trackside::{Client, Kind, Kinds, MemoryTransport, TrackedMutex};
use trackside_analysis::{Analyzer, Confidence, Report};
use trackside_wire::Batch;

/// What the headers of all batches say, in their order: contexts that record nothing, and kinds that were off.
fn told(memory: &MemoryTransport) -> Vec<(u64, Kinds)> {
    let header = |bytes: &[u8]| Batch::decode(bytes).map(|batch| (batch.header.unsampled, batch.header.off));
    memory.batches().iter().map(|batch| header(&batch.bytes).expect("well-formed")).collect()
}

/// Sends a batch of one event, of a kind that no test here turns off.
fn batch(client: &Client) {
    client.track_custom("event", 1);
    client.flush(LONG).unwrap();
}

#[test]
fn each_batch_says_how_many_contexts_were_not_sampled_by_then() {
    let memory = MemoryTransport::new();
    let client = builder(&memory).sample_rate(0.5).build().unwrap();
    batch(&client);
    let mut expected = vec![0];
    for _ in 0..2 {
        // That all of them are sampled does not happen: 2⁻¹⁰⁰.
        (0..100).for_each(|_| client.context().run(|| client.track_write("n", 0, 1)));
        batch(&client);
        expected.push(client.stats().unsampled);
    }
    assert!(0 < expected[1] && expected[1] < expected[2], "{expected:?}");
    assert_eq!(told(&memory), expected.iter().map(|unsampled| (*unsampled, Kinds::NONE)).collect::<Vec<_>>());
}

#[test]
fn what_is_outside_of_contexts_counts_as_one_if_it_is_not_recorded() {
    let memory = MemoryTransport::new();
    let client = builder(&memory).background(false).build().unwrap();
    client.context().run(|| batch(&client));
    assert_eq!((told(&memory), client.stats().unsampled), (vec![(1, Kinds::NONE)], 0));
}

#[test]
fn a_kind_that_was_off_for_a_moment_stays_named() {
    let memory = MemoryTransport::new();
    let client = builder(&memory).build().unwrap();
    batch(&client);
    let locks = Kinds::only([Kind::LockAcquire, Kind::LockRelease]);
    client.reconfigure(|settings| locks.iter().for_each(|kind| settings.kinds = settings.kinds.without(kind))).unwrap();
    batch(&client);
    client.reconfigure(|settings| settings.kinds = Kinds::ALL).unwrap();
    batch(&client);
    client.reconfigure(|settings| settings.kinds = Kinds::ALL.without(Kind::Read)).unwrap();
    client.reconfigure(|settings| settings.kinds = Kinds::ALL).unwrap();
    batch(&client);
    client.reconfigure(|settings| settings.enabled = false).unwrap();
    client.reconfigure(|settings| settings.enabled = true).unwrap();
    batch(&client);
    // Settings that have nothing to do with it change nothing.
    client.reconfigure(|settings| settings.batch_events = 17).unwrap();
    batch(&client);
    let all = [Kinds::NONE, locks, locks, locks.with(Kind::Read), Kinds::ALL, Kinds::ALL];
    assert_eq!(told(&memory), all.map(|off| (0, off)));
}

#[test]
fn a_kind_that_was_never_asked_for_is_off_and_one_that_is_not_used_is_not() {
    let memory = MemoryTransport::new();
    let kinds = Kinds::only([Kind::Custom, Kind::Error]);
    batch(&builder(&memory).kinds(kinds).build().unwrap());
    let rest: Kinds = Kinds::ALL.iter().filter(|kind| !kinds.contains(*kind)).collect();
    batch(&builder(&memory).build().unwrap());
    let late = builder(&memory).enabled(false).build().unwrap();
    late.reconfigure(|settings| settings.enabled = true).unwrap();
    batch(&late);
    assert_eq!(told(&memory), [(0, rest), (0, Kinds::NONE), (0, Kinds::ALL)]);
}

/// A part of a batch says what the batch says.
#[test]
fn a_batch_that_is_cut_in_two_says_it_twice() {
    let memory = MemoryTransport::new();
    let client = builder(&memory).kinds(Kinds::ALL.without(Kind::Read)).sample_rate(0.0).build().unwrap();
    client.context().run(|| client.track_error("Error", "message", &[]));
    client.track_custom("event", 1);
    client.flush(LONG).unwrap();
    let bytes = memory.batches()[0].bytes.clone();
    let whole = Batch::decode(&bytes).unwrap();
    for part in [whole.slice(0..1, 7), whole.slice(1..2, 8)] {
        let header = Batch::decode(&part).unwrap().header;
        assert_eq!((header.unsampled, header.off), (1, Kinds::only([Kind::Read])));
    }
}

/// The report on two threads that write a variable, of which the second one is handed a lock by the first; `hand_over` is
/// told the client before and after that.
fn report(hand_over: impl Fn(&Client, bool) + Sync) -> Report {
    let memory = MemoryTransport::new();
    let lock = TrackedMutex::new(());
    let pass = || drop(lock.lock().unwrap());
    with_default_client(&memory, |client| {
        // Std's threads, so that the lock is all that orders the two in the record.
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                client.track_write("handed over", 0, 1);
                hand_over(client, true);
                pass();
            });
            first.join().unwrap();
            scope.spawn(|| {
                pass();
                hand_over(client, false);
                client.track_write("handed over", 1, 2);
            });
        });
    });
    let mut analyzer = Analyzer::new();
    memory.batches().iter().for_each(|batch| analyzer.ingest(&Batch::decode(&batch.bytes).expect("well-formed")));
    analyzer.finish()
}

#[test]
fn a_lock_that_was_switched_off_for_a_moment_makes_no_race_of_what_it_ordered() {
    let whole = report(|_, _| ());
    assert!(whole.findings.is_empty() && whole.summary.is_complete(), "{whole}");

    let off = Kinds::ALL.without(Kind::LockAcquire).without(Kind::LockRelease);
    let partly = report(|client, before| {
        client.reconfigure(|settings| settings.kinds = if before { off } else { Kinds::ALL }).unwrap();
    });
    let finding = &partly.findings[0];
    let doubt = finding.incomplete.as_deref().unwrap_or_default();
    assert_eq!(finding.confidence, Confidence::Likely, "{partly}");
    assert!(doubt.starts_with("lock events were switched off for some or all of the run"), "{partly}");
    assert_eq!(partly.summary.kinds_off.iter().collect::<Vec<_>>(), ["LockAcquire", "LockRelease"]);
    assert!(!partly.summary.is_complete());
}
