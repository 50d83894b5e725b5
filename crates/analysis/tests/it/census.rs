//! What is counted, from hand-written batches.

use trackside_analysis::Census;
use trackside_wire::{
    BatchHead, Header, Kind, Kinds, Lane, Packer, Row, RunId, Strand, UnixNanos, write_head, write_row,
};

/// Events of one service, each of a strand, a trace and a kind, at a time; the accesses are to `name`.
fn batch(run: u64, service: &str, name: &str, events: &[(u64, u128, Kind, u64)]) -> Vec<u8> {
    let header = Header {
        run: RunId::new(run),
        batch: 0,
        service,
        instance: "1",
        environment: "test",
        pid: 1,
        tags: vec![],
        base_unix_ns: 1000,
        recorded: events.len() as u64,
        lost: vec![],
        unsampled: 0,
        off: Kinds::NONE,
    };
    let strand = |(number, trace, ..): &(u64, u128, Kind, u64)| Strand {
        number: *number,
        trace: *trace,
        span: 0,
        upstream: 0,
        entry: false,
        name: None,
        clock: vec![],
    };
    let lane = |(at, (number, ..)): (usize, &(u64, u128, Kind, u64))| Lane {
        ring: 0,
        first_seq: at as u64,
        strand: at as u32,
        first_step: *number * 1_000_000 + at as u64,
        lost_before: 0,
        thread: None,
        held: vec![],
        after: vec![],
    };
    let strands: Vec<Strand> = events.iter().map(strand).collect();
    let lanes: Vec<Lane> = events.iter().enumerate().map(lane).collect();
    let mut out = Vec::new();
    let head = BatchHead {
        header: &header,
        strings: &[name],
        sites: &[],
        strands: &strands,
        lanes: &lanes,
        events: events.len(),
    };
    write_head(&mut out, &head);
    let nil = Packer::default();
    for (at, (_, _, kind, time_ns)) in events.iter().enumerate() {
        let (a, b) = (nil.raw(), nil.raw());
        write_row(&mut out, &Row { lane: at as u32, kind: *kind, time_ns: *time_ns, site: None, name: Some(0), a, b });
    }
    out
}

fn census(batches: &[Vec<u8>]) -> Census {
    let mut census = Census::default();
    batches.iter().for_each(|bytes| census.ingest(&trackside_wire::Batch::decode(bytes).unwrap()));
    census
}

#[test]
fn everything_counts_once_and_where_it_belongs() {
    let web = batch(1, "web", "x", &[(1, 7, Kind::Read, 50), (2, 8, Kind::Custom, 5), (1, 7, Kind::AtomicUpdate, 10)]);
    let bank = batch(2, "bank", "x", &[(1, 7, Kind::Write, 90)]);
    let census = census(&[web.clone(), bank, web]);
    let traces: Vec<_> =
        census.traces().map(|trace| (trace.trace, trace.events, trace.first_unix_ns, trace.last_unix_ns)).collect();
    assert_eq!(traces, [(7, 3, 1010, 1090), (8, 1, 1005, 1005)]);
    assert_eq!(UnixNanos(1010).to_string(), "1970-01-01T00:00:00.000001010Z");
    let services: Vec<_> =
        census.services().into_iter().map(|service| (service.name, service.events, service.traces)).collect();
    assert_eq!(services, [("bank".to_owned(), 1, 1), ("web".to_owned(), 3, 2)]);
    let x = census.variable("x").unwrap();
    assert_eq!((x.accesses, x.traces.len(), x.strands.len(), x.bounded), (3, 1, 2, false));
    assert!(x.kinds.iter().eq(&["AtomicRMW", "Read", "Write"]) && x.services.iter().eq(["bank", "web"]));
    assert_eq!((census.trace_of(RunId::new(1), 2), census.trace_of(RunId::new(2), 2)), (Some(8), None));
}

#[test]
fn a_variable_of_everybody_is_told_to_be_cut() {
    let events: Vec<_> = (0..1500).map(|at| (at, u128::from(at), Kind::Read, 0)).collect();
    let census = census(&[batch(1, "web", "x", &events)]);
    let x = census.variable("x").unwrap();
    assert_eq!((x.accesses, x.traces.len(), x.strands.len(), x.bounded), (1500, 1000, 1000, true));
}
