//! What is found in events that came as JSON.

use super::events::{Context, send};
use serde_json::{Value, json};
use trackside_analysis::{Confidence, FindingKind, Report};
use trackside_collector::Collector;

/// What is found in events that come in one request, or in as many as there are events.
#[track_caller]
fn report(events: &[Value]) -> Report {
    let [at_once, one_by_one] = [events.len(), 1].map(|size| {
        let collector = Collector::builder().start().unwrap();
        events.chunks(size).for_each(|events| send(&collector, events));
        let report = collector.report();
        assert_eq!(report.summary.duplicates, 0);
        report
    });
    assert_eq!(at_once.findings, one_by_one.findings);
    at_once
}

fn kinds(report: &Report) -> Vec<(FindingKind, &str)> {
    report.findings.iter().map(|finding| (finding.kind, finding.variable.as_str())).collect()
}

fn two() -> [Context; 2] {
    [Context::new("bank", 1, 1), Context::new("bank", 2, 1)]
}

#[test]
fn two_requests_that_nothing_orders_race_where_their_locations_say() {
    let [mut one, mut other] = two();
    let events = [
        one.read("alice", 100, 10),
        other.read("alice", 100, 10),
        one.write("alice", 100, 50, 12),
        other.write("alice", 100, 70, 12),
    ];
    let report = report(&events);
    let lost = report.findings.iter().find(|finding| finding.kind == FindingKind::LostUpdate).unwrap();
    assert_eq!((lost.first.file.as_deref(), lost.first.line, lost.first.column), (Some("bank.go"), Some(12), None));
    assert_eq!((lost.first.service.as_str(), lost.first.instance.as_str()), ("bank", "bank-1"));
    assert_eq!((lost.first.old.as_deref(), lost.first.new.as_deref()), (Some("100"), Some("50")));
    assert!(report.findings.iter().any(|finding| finding.kind == FindingKind::DataRace));
    // What the SDK cannot record may have ordered them.
    assert!(report.findings.iter().all(|finding| finding.incomplete.is_some()));
    assert!(report.summary.kinds_off.contains("MessageSent") && report.summary.holes == 0, "{report}");
    assert_eq!((report.summary.events, report.summary.strands, report.summary.runs), (4, 2, 1));
}

#[test]
fn clocks_of_two_contexts_that_compare_order_nothing() {
    let [mut one, mut other] = two();
    // The first one's clock is lower, as each context counts on its own; still, it is not before the other.
    let mut events = vec![one.write("alice", 0, 1, 10)];
    (0..5).for_each(|_| events.push(other.read("bob", 0, 20)));
    events.push(other.write("alice", 0, 2, 30));
    assert!(kinds(&report(&events)).contains(&(FindingKind::DataRace, "alice")));
}

#[test]
fn one_thread_does_not_race_with_itself_even_in_two_requests() {
    let [one, other] = two();
    let (mut one, mut other) = (one.on_thread("ThreadId(7)"), other.on_thread("ThreadId(7)"));
    let events = [one.write("alice", 0, 1, 10), other.write("alice", 1, 2, 10), one.write("alice", 2, 3, 10)];
    let report = report(&events);
    assert_eq!((kinds(&report), report.summary.holes), (vec![], 0), "{report}");
    assert_eq!(report.summary.strands, 2, "each request has its own trace");
}

#[test]
fn a_child_comes_after_its_parent_on_another_thread() {
    let [mut one, other] = two();
    let first = one.write("alice", 0, 1, 10);
    let mut other = other.after(&first);
    let (second, third) = (other.write("alice", 1, 2, 11), one.write("alice", 1, 3, 12));
    let report = report(&[first, second, third]);
    let races: Vec<_> = report.findings.iter().filter(|finding| finding.kind == FindingKind::DataRace).collect();
    let lines = |at: usize| (races[at].first.line, races[at].second.line);
    assert_eq!((races.len(), lines(0)), (1, (Some(11), Some(12))), "{report}");
}

#[test]
fn locks_exclude_by_their_events() {
    let section = |context: &mut Context, lock_type: &str, old: i64| {
        [
            context.lock("LockAcquire", "accounts", lock_type),
            context.read("alice", old, 10),
            context.write("alice", old, old + 1, 11),
            context.lock("LockRelease", "accounts", lock_type),
        ]
    };
    let both = |lock_type: &str| {
        let [mut one, mut other] = two();
        [section(&mut one, lock_type, 0), section(&mut other, lock_type, 1)].concat()
    };
    let (exclusive, shared) = (report(&both("Mutex")), report(&both("RWLock-Read")));
    assert_eq!(kinds(&exclusive), vec![], "{exclusive}");
    assert!(kinds(&shared).contains(&(FindingKind::DataRace, "alice")), "{shared}");
}

#[test]
fn locks_exclude_by_their_sets_alone_from_the_first_event_that_has_them_to_the_last() {
    let both = |sets: [&[&str]; 3]| {
        let [mut one, mut other] = two();
        let access = |context: &mut Context, old: i64| {
            let events =
                [context.read("alice", old, 10), context.write("alice", old, old + 1, 11), context.read("x", 0, 12)];
            let mut sets = sets.into_iter();
            events.map(|mut event| {
                event["lock_set"] = json!(sets.next().unwrap());
                event
            })
        };
        report(&[access(&mut one, 0), access(&mut other, 1)].concat())
    };
    let held = both([&["accounts"], &["accounts"], &[]]);
    assert_eq!((kinds(&held), held.summary.locks), (vec![], 1), "{held}");
    // Given back between the read and the write: now each access is alone, and what was read is old.
    assert!(kinds(&both([&["accounts"], &[], &[]])).contains(&(FindingKind::DataRace, "alice")));
    assert!(kinds(&both([&[], &["accounts"], &[]])).contains(&(FindingKind::DataRace, "alice")));
}

#[test]
fn a_callee_comes_after_what_its_caller_did_before_the_call_whoever_reports_first() {
    let mut web = Context::new("web", 1, 1);
    let before = web.write("shared:stock", 0, 1, 10);
    let mut bank = web.call("bank", 2);
    let callers = vec![before, web.write("shared:stock", 1, 2, 20)];
    let callees = vec![bank.write("shared:stock", 1, 3, 30)];
    for order in [[&callers, &callees], [&callees, &callers]] {
        let collector = Collector::builder().start().unwrap();
        order.into_iter().for_each(|events| send(&collector, events));
        let report = collector.report();
        let races = report.findings.iter().filter(|finding| finding.kind == FindingKind::DataRace);
        let lines: Vec<_> = races.map(|race| [&race.first, &race.second].map(|access| access.line)).collect();
        assert!(lines == [[Some(20), Some(30)]] || lines == [[Some(30), Some(20)]], "{report}");
        let traces = collector.traces();
        let [trace] = &traces[..] else { panic!("{traces:#?}") };
        assert_eq!((trace.calls.len(), &trace.orphans[..]), (1, &[][..]), "{trace:#?}");
        assert_eq!((&*trace.calls[0].from.process, &*trace.calls[0].to.process), ("web#web-1", "bank#bank-1"));
        // The call itself is an event.
        assert_eq!(trace.events, 4);
    }
}

#[test]
fn a_call_waits_until_its_caller_has_reported_all_that_came_before() {
    let mut web = Context::new("web", 1, 1);
    let first = web.write("x", 0, 1, 9);
    let before = web.write("shared:stock", 0, 1, 10);
    let mut bank = web.call("bank", 2);
    let callee = bank.write("shared:stock", 1, 2, 30);
    let collector = Collector::builder().start().unwrap();
    send(&collector, &[first]);
    send(&collector, &[callee]);
    assert_eq!(collector.traces()[0].calls, []);
    send(&collector, &[before]);
    assert_eq!((collector.traces()[0].calls.len(), collector.stats().events), (1, 4));
    assert_eq!(kinds(&collector.report()), vec![]);
}

#[test]
fn every_kind_is_taken_and_what_the_sdks_get_wrong_as_well() {
    let mut context = Context::new("bank", 1, 1);
    let kinds = [
        json!({"FunctionCall": {"function_name": "pay", "module": "app", "args": null, "file": "bank.go", "line": 4}}),
        json!({"FunctionReturn": {"function_name": "pay", "return_value": {"ok": true}, "file": "bank.go", "line": 9}}),
        json!({"AsyncSpawn": {"task_id": "0af76519-16cd-43dd-8448-eb211c80319c", "spawned_by": "bank.go:85"}}),
        json!({"AsyncSpawn": {"task_id": "task-7", "task_name": "backgroundProcessor", "location": "bank.go:85"}}),
        json!({"AsyncAwait": {"future_id": "0af76519-16cd-43dd-8448-eb211c80319c", "awaited_at": "bank.go:90"}}),
        json!({"StateChange": {"variable": "n", "location": "", "access_type": "AtomicRMW"}}),
        json!({"LockAcquire": {"lock_id": "l", "lock_type": "Mutex", "location": "bank.go:7"}}),
        json!({"LockRelease": {"lock_id": "l", "lock_type": "Mutex", "location": "bank.go:7"}}),
        json!({"MemoryFence": {"ordering": "SeqCst", "location": "bank.go:7"}}),
        json!({"HttpRequest": {"method": "POST", "url": "/pay", "headers": {"accept": "*/*"}, "body": null}}),
        json!({"HttpResponse": {"status": 200, "headers": {}, "duration_ms": 1.5}}),
        json!({"DatabaseQuery": {"query": "SELECT 1", "database": "ledger", "duration_ms": 3}}),
        json!({"DatabaseResult": {"rows_affected": 1}}),
        json!({"Error": {"error_type": "E", "message": "m", "stack_trace": null}}),
        json!({"Error": {"error_type": "E", "message": "m", "stack_trace": ["bank.go:42", "main.go:15"]}}),
        json!({"Custom": {"name": "TaskEnd", "data": [1, "two", null]}}),
    ];
    let count = kinds.len() as u64;
    let events: Vec<Value> = kinds.into_iter().map(|kind| context.event(kind)).collect();
    let report = report(&events);
    assert_eq!((report.summary.events, report.summary.holes, report.findings.len()), (count, 0, 0), "{report}");
}

#[test]
fn threads_are_called_what_they_call_themselves() {
    let [one, other] = two();
    let (mut one, mut other) = (one.on_thread("python-7-aa"), other.on_thread("python-7-bb"));
    let report = report(&[one.write("alice", 0, 1, 10), other.write("alice", 0, 2, 11)]);
    let race = report.findings.iter().find(|finding| finding.kind == FindingKind::DataRace).unwrap();
    let names = [&race.first, &race.second].map(|access| access.strand_name.as_deref());
    assert_eq!((names, race.confidence), ([Some("python-7-aa"), Some("python-7-bb")], Confidence::Likely));
}

#[test]
fn events_of_one_thread_that_are_out_of_order_in_a_request_are_put_right() {
    let mut context = Context::new("bank", 1, 1);
    let mut other = Context::new("bank", 2, 1);
    let mut events: Vec<Value> = (0..4).map(|at| context.write("n", at, at + 1, 10)).collect();
    events.insert(2, other.read("m", 0, 5));
    events.swap(0, 4);
    let collector = Collector::builder().start().unwrap();
    send(&collector, &events);
    let values: Vec<String> = collector
        .batches()
        .flat_map(|bytes| {
            let batch = trackside_wire::Batch::decode(&bytes).unwrap();
            let of_n = batch.events().filter(|event| event.name.is_some_and(|name| batch.string(name) == "n"));
            let mut values: Vec<_> = of_n.map(|event| (event.step, event.b.to_string())).collect();
            values.sort();
            values.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(values, ["1", "2", "3", "4"]);
}
