//! What the record has of each trace.

use crate::program::{Context, Program, remote, traces};
use trackside_analysis::{Missing, Trace};

const SHOP: u64 = 1 << 16 | 5;
const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

/// A call to the shop, and another one from there to a third service, which forks.
fn program() -> Program {
    let (third, fork) = (remote(2, 4), remote(2, 5));
    let mut p = Program::new();
    *p.context(3) = Context { trace: TRACE, name: Some("checkout".into()), ..Context::default() };
    p.call(3, 0xabc, &[SHOP]).read(SHOP, "x", 0).call(SHOP, 9, &[third]).read(third, "x", 0);
    let entry = p.context(third).clone();
    *p.context(fork) = Context { entry: false, ..entry };
    p.follow(fork, third).read(fork, "x", 0).respond(third).returned(SHOP, 9, third).respond(SHOP);
    p.returned(3, 0xabc, SHOP).read(1, "x", 0);
    p
}

fn of(traces: &[Trace], id: u128) -> &Trace {
    let id = format!("{id:032x}");
    traces.iter().find(|trace| trace.id.replace('-', "") == id).expect("the trace is there")
}

#[test]
fn a_trace_tells_who_took_part_and_who_called_whom() {
    let traces = traces(&program().batches(3));
    assert_eq!(traces.len(), 2, "the call's, and the background's");
    assert_eq!((of(&traces, 1).events, of(&traces, 1).strands), (1, 1));
    let trace = of(&traces, TRACE);
    assert_eq!(trace.id, "0af76519-16cd-43dd-8448-eb211c80319c");
    assert_eq!(trace.processes, ["bank#1", "shop-1#1", "shop-2#1"]);
    assert_eq!((trace.events, trace.strands), (9, 4));
    let calls: Vec<String> = trace
        .calls
        .iter()
        .map(|call| {
            let (from, to) = (&call.from, &call.to);
            format!("{} {} -> {} {} by {}", from.process, from.strand, to.process, to.strand, call.span)
        })
        .collect();
    let expect = ["bank#1 3 -> shop-1#1 5 by 0000000000000abc", "shop-1#1 5 -> shop-2#1 4 by 0000000000000009"];
    assert_eq!(calls, expect);
    assert_eq!(trace.calls[0].from.name.as_deref(), Some("checkout"));
    assert_eq!(trace.orphans, []);
}

#[test]
fn events_and_calls_that_came_twice_count_once_and_more_may_come_later() {
    let batches = program().batches(4);
    let expect = traces(&batches);
    assert_eq!(traces(&[batches.clone(), batches.clone()].concat()), expect);
    let mut analyzer = trackside_analysis::Analyzer::new();
    for bytes in batches.iter().chain(&batches) {
        analyzer.ingest(&trackside_wire::Batch::decode(bytes).unwrap());
        analyzer.traces();
    }
    assert_eq!(analyzer.traces(), expect);
    let mut report = analyzer.finish();
    assert_eq!(report.summary.duplicates, report.summary.events);
    report.summary.duplicates = 0;
    assert_eq!(report, program().report_of(4));
}

#[test]
fn batches_that_do_not_agree_on_a_strand_mean_the_same_in_any_order() {
    let said = |trace: u128, name: &str| {
        let mut p = Program::new();
        *p.context(SHOP) = Context { trace, name: Some(name.into()), ..Context::default() };
        p.read(1, name, 0).read(SHOP, "x", 0).read(SHOP, "x", 0).gone();
        p.batches(9)
    };
    for [one, other] in [[said(7, "a"), said(8, "a")], [said(7, "a"), said(7, "b")]] {
        let all = [[one.clone(), other.clone()].concat(), [other, one].concat()];
        assert_eq!(traces(&all[0]), traces(&all[1]));
        assert_eq!(crate::program::report(&all[0]), crate::program::report(&all[1]));
    }
}

#[test]
fn broken_links_are_orphans() {
    let lost = |at: usize| {
        let mut p = program();
        p.lose(&[(at, false)]);
        of(&traces(&p.batches(100)), TRACE).orphans.clone()
    };
    // The call to the shop: the span of its caller is known no other way than by the return.
    let orphans = lost(0);
    assert_eq!((orphans.len(), orphans[0].strand.process.as_str(), orphans[0].strand.strand), (1, "shop-1#1", 5));
    let missing = Missing::Call { span: "0000000000000abc".into(), upstream: "00000000000003eb".into() };
    assert_eq!(orphans[0].missing, missing);
    // What the fork comes after.
    let orphans = lost(3);
    assert_eq!((orphans.len(), orphans[0].strand.process.as_str(), orphans[0].strand.strand), (1, "shop-2#1", 5));
    assert_eq!(orphans[0].missing, Missing::Events { strand: 4, steps: 1 });
    // What nobody comes after.
    assert_eq!(lost(1), []);
    assert_eq!(lost(5), []);
}

#[test]
fn a_caller_that_does_not_record_leaves_no_orphan() {
    let mut p = Program::new();
    *p.context(SHOP) = Context { span: 5, upstream: 6, entry: true, trace: TRACE, ..Context::default() };
    p.read(SHOP, "x", 0);
    assert_eq!(of(&traces(&p.batches(9)), TRACE).orphans, []);
    // No upstream at all is not the span of strands that have none.
    let mut p = Program::new();
    *p.context(SHOP) = Context { span: 5, upstream: 0, entry: true, trace: 1, ..Context::default() };
    p.read(SHOP, "x", 0).read(1, "x", 0);
    assert_eq!(of(&traces(&p.batches(9)), 1).orphans, []);
}

/// Traces through three services, each with forks, joins and locks on the way: enough of them that anything that
/// takes more than its share of time would be noticed.
#[test]
fn thousands_of_traces_are_told_apart() {
    let requests = 4000;
    let mut p = Program::new();
    for request in 0..requests {
        let [front, shop, stock, fork] =
            [(0, 10), (1, 10), (2, 10), (2, 20_000)].map(|(process, first)| remote(process, first + request));
        for strand in [front, fork] {
            *p.context(strand) = Context { trace: 100 + u128::from(request), ..Context::default() };
        }
        p.follow(front, 1).call(front, 2 * request + 1, &[shop]).lock(shop, "m").write(shop, "total", 0, 1);
        p.unlock(shop, "m").call(shop, 2 * request + 2, &[stock]).at(5).write(stock, "x", 0, 1);
        p.follow(fork, stock).read(fork, "y", 0).follow(stock, fork).respond(stock);
        p.returned(shop, 2 * request + 2, stock).respond(shop).returned(front, 2 * request + 1, shop);
        p.write(front, "shared:row", 0, 1).follow(1, front).read(1, "z", 0);
    }
    let batches = p.batches(1000);
    let traces = traces(&batches);
    assert_eq!(traces.len() as u64, requests + 1);
    assert!(traces.iter().all(|trace| trace.orphans.is_empty()));
    assert!(traces[1..].iter().all(|trace| (trace.calls.len(), trace.strands, trace.events) == (2, 4, 12)));
    let report = crate::program::report(&batches);
    assert!(report.findings.is_empty() && report.summary.is_complete(), "each comes after the one before: {report}");
}
