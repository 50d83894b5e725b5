//! Events that come again, and collectors that begin again.

use super::events::{Context, send};
use crate::temporary::Temporary;
use serde_json::Value;
use trackside_collector::Collector;

#[test]
fn an_event_counts_once_however_often_and_in_whatever_company_it_comes() {
    let collector = Collector::builder().start().unwrap();
    let mut context = Context::new("bank", 1, 1);
    let events: Vec<Value> = (0..10).map(|at| context.write("n", at, at + 1, 10)).collect();
    send(&collector, &events[..6]);
    send(&collector, &events[..6]);
    send(&collector, &events[3..]);
    send(&collector, &[&events[9..], &events[9..]].concat());
    let stats = collector.stats();
    assert_eq!((stats.events, stats.duplicates, stats.batches), (10, 6 + 3 + 2, 2));
    let report = collector.report();
    assert_eq!((report.summary.events, report.summary.not_arrived, report.summary.holes), (10, 0, 0), "{report}");
    assert_eq!((report.summary.batches, report.summary.batches_missing, report.findings.len()), (2, 0, 0));
}

#[test]
fn what_is_stored_is_known_to_the_next_collector() {
    let directory = Temporary::new("stock-restart");
    let mut web = Context::new("web", 1, 1);
    let mut events: Vec<Value> = (0..5).map(|at| web.write("n", at, at + 1, 10)).collect();
    let mut other = Context::new("web", 2, 1).after(&events[4]);
    events.push(other.write("n", 5, 6, 20));
    events.extend((6..9).map(|at| other.write("n", at, at + 1, 20)));
    for at in 0..events.len() {
        let collector = Collector::builder().store(&*directory).start().unwrap();
        // The one before comes again, as if its answer had been lost.
        send(&collector, &events[at.saturating_sub(1)..=at]);
        assert_eq!(collector.stats().events, at as u64 + 1);
        let report = collector.report();
        assert_eq!((report.findings.len(), report.summary.holes), (0, 0), "{report}");
        assert_eq!((report.summary.runs, report.summary.batches_missing), (1, 0));
        assert_eq!(report.summary.events, at as u64 + 1);
    }
}

#[test]
fn a_lock_that_is_held_is_held_in_the_next_collector() {
    let directory = Temporary::new("stock-locks");
    let mut contexts = [Context::new("web", 1, 1), Context::new("web", 2, 1)];
    for context in &mut contexts {
        let mut acquire = context.lock("LockAcquire", "l", "Mutex");
        acquire["lock_set"] = serde_json::json!(["l"]);
        let mut write = context.write("n", 0, 1, 10);
        write["lock_set"] = serde_json::json!(["l", "m"]);
        let mut again = context.write("n", 1, 2, 11);
        again["lock_set"] = serde_json::json!(["l", "m"]);
        for event in [acquire, write, again, context.lock("LockRelease", "l", "Mutex"), context.read("o", 0, 12)] {
            let collector = Collector::builder().store(&*directory).start().unwrap();
            send(&collector, &[event]);
        }
    }
    let collector = Collector::builder().store(&*directory).start().unwrap();
    // Ten that were sent, and each thread's taking and giving back of the lock that only its sets tell of.
    let report = collector.report();
    assert_eq!((report.summary.events, report.summary.locks), (14, 2), "{report}");
    assert_eq!(report.findings, []);
}
