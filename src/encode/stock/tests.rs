use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use trackside_wire::{BatchHead, Header, Kinds, Lane, Site, Strand, write_head};

/// The strict reader of the stock server's format, which knows nothing of this code.
#[path = "../../../tests/it/support/stock/schema.rs"]
mod schema;

const STRINGS: [&str; 7] = ["src/bank.rs", "name", "api#api-1", "web#web-1", "other", "checkout", ""];

fn header() -> Header<'static> {
    Header {
        run: RunId::new(0x0123_4567_89ab_cdef),
        batch: 0,
        service: "api",
        instance: "api-1",
        environment: "test",
        pid: 42,
        tags: vec![("team", "core"), ("sdk_language", "cobol")],
        base_unix_ns: 1_000_000_000_000_000_000,
        recorded: 0,
        lost: vec![],
        unsampled: 0,
        off: Kinds::NONE,
    }
}

fn strand(number: u64) -> Strand {
    Strand { number, trace: 9, span: 0, upstream: 0, entry: false, name: None, clock: vec![] }
}

fn lane(strand: u32, first_step: u64) -> Lane {
    let (ring, first_seq) = (strand as u16, first_step);
    Lane { ring, first_seq, strand, first_step, lost_before: 0, thread: None, held: vec![], after: vec![] }
}

fn packed(value: &impl serde::Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(value).unwrap()
}

const NIL: &[u8] = &[0xc0];

/// A row with the name and the site of the tables.
fn row(lane: u8, kind: Kind, a: &[u8], b: &[u8]) -> Vec<u8> {
    [&[0x97, lane, kind.code(), 5, 0, 1], a, b].concat()
}

fn batch(strands: &[Strand], lanes: &[Lane], rows: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    let sites = [Site { file: 0, line: 12, column: 3 }];
    let head = BatchHead { header: &header(), strings: &STRINGS, sites: &sites, strands, lanes, events: rows.len() };
    write_head(&mut out, &head);
    out.extend(rows.concat());
    out
}

impl Converter {
    /// Converts all of it, in as many parts as it takes, all of which arrive.
    fn all(&mut self, batch: &[u8], events: usize) -> Vec<schema::Event> {
        let (mut seen, mut at) = (Vec::new(), 0);
        while at < events as u64 {
            let part = self.convert(batch, at..events as u64).unwrap();
            let read = schema::read(&part.bytes).unwrap();
            assert_eq!(read.len() as u64, part.events);
            seen.extend(read);
            at += part.events;
            self.settle(Fate::Stored);
        }
        seen
    }
}

/// What a single event becomes.
fn one(kind: Kind, a: &[u8], b: &[u8]) -> serde_json::Value {
    let bytes = batch(&[strand(7)], &[lane(0, 3)], &[row(0, kind, a, b)]);
    let converted = Converter::new().convert(&bytes, 0..1).unwrap();
    schema::read(&converted.bytes).unwrap();
    let mut body: serde_json::Value = serde_json::from_slice(&converted.bytes).unwrap();
    body["events"][0].take()
}

#[test]
fn an_event_as_a_whole() {
    let entry = Strand {
        trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
        span: 0xb7ad_6b71_6920_3331,
        upstream: 5,
        entry: true,
        clock: vec![(3, 7), (2, 40)],
        ..strand(7)
    };
    let bytes = batch(&[entry], &[lane(0, 3)], &[row(0, Kind::FunctionReturn, NIL, &packed(&1500))]);
    let converted = Converter::new().convert(&bytes, 0..1).unwrap();
    let text = String::from_utf8(converted.bytes).unwrap();
    let expect = concat!(
        r#"{"events":[{"id":"12345678-9abc-8def-8000-000000000003","#,
        r#""trace_id":"0af76519-16cd-43dd-8448-eb211c80319c","parent_id":null,"#,
        r#""timestamp":"2001-09-09T01:46:40.000000005Z","#,
        r#""kind":{"Custom":{"name":"FunctionReturn","data":{"function_name":"name","return_value":null,"#,
        r#""duration_ns":1500,"location":"src/bank.rs:12"}}},"#,
        r#""metadata":{"thread_id":"rust-42-7-123456789abcdef","process_id":42,"service_name":"api","#,
        r#""environment":"test","tags":{"team":"core","sdk_language":"rust"},"duration_ns":1500,"#,
        r#""instance_id":"api-1","distributed_span_id":"b7ad6b7169203331","upstream_span_id":"0000000000000005"},"#,
        r#""causality_vector":[["web#web-1",7],["api#api-1",44]],"lock_set":[]}]}"#,
    );
    assert_eq!(text, expect);
}

#[test]
fn each_kind() {
    let check = |kind, a: &[u8], b: &[u8], expect: serde_json::Value| assert_eq!(one(kind, a, b)["kind"], expect);
    let at = "src/bank.rs:12";
    let change = |access: &str, old: Option<i32>| {
        let mut fields = json!({"variable": "name", "new_value": 2, "location": at, "access_type": access});
        if let Some(old) = old {
            fields["old_value"] = old.into();
        }
        json!({"StateChange": fields})
    };
    let (one_, two) = (packed(&1), packed(&2));
    check(Kind::Read, NIL, &two, change("Read", None));
    check(Kind::Write, &one_, &two, change("Write", Some(1)));
    check(Kind::AtomicRead, NIL, &two, change("AtomicRead", None));
    check(Kind::AtomicWrite, NIL, &two, change("AtomicWrite", None));
    check(Kind::AtomicRmw, &one_, &two, change("AtomicRMW", Some(1)));
    // Nothing is a value as well, and has to be there.
    assert_eq!(one(Kind::Write, &one_, NIL)["kind"]["StateChange"].as_object().unwrap()["new_value"], json!(null));
    check(
        Kind::FunctionCall,
        &packed(&"bank"),
        &packed(&[5]),
        json!({"FunctionCall": {"function_name": "name", "module": "bank", "args": [5], "file": "src/bank.rs", "line": 12}}),
    );
    check(
        Kind::HttpRequest,
        &packed(&"/pay"),
        &packed(&((("accept", "x\r\ny"),), None::<i32>)),
        json!({"HttpRequest": {"method": "name", "url": "/pay", "headers": {"accept": "x  y"}}}),
    );
    check(
        Kind::HttpResponse,
        &packed(&503),
        &packed(&((), "sorry", 2_900_000)),
        json!({"HttpResponse": {"status": 503, "headers": {}, "body": "sorry", "duration_ms": 2}}),
    );
    check(
        Kind::DatabaseQuery,
        &packed(&"SELECT 1"),
        &packed(&("ledger", 7_000_000)),
        json!({"DatabaseQuery": {"query": "SELECT 1", "database": "ledger", "duration_ms": 7}}),
    );
    check(Kind::DatabaseResult, &packed(&3), NIL, json!({"DatabaseResult": {"rows_affected": 3}}));
    let lock = json!({"lock_id": "name", "lock_type": "RwLock-Read", "location": at});
    check(Kind::LockAcquire, &packed(&4), &packed(&(1, "RwLock-Read")), json!({"LockAcquire": lock}));
    check(Kind::LockRelease, NIL, &packed(&((), "RwLock-Read")), json!({"LockRelease": lock}));
    check(Kind::MemoryFence, &packed(&"AcqRel"), NIL, json!({"MemoryFence": {"ordering": "AcqRel", "location": at}}));
    check(Kind::MemoryFence, &packed(&"no"), NIL, json!({"Custom": {"name": "MemoryFence", "data": "no"}}));
    check(
        Kind::Error,
        &packed(&"broke"),
        NIL,
        json!({"Error": {"error_type": "name", "message": "broke", "stack_trace": [at]}}),
    );
    check(
        Kind::Error,
        &packed(&"broke"),
        &packed(&["caused by: that"]),
        json!({"Error": {"error_type": "name", "message": "broke", "stack_trace": ["caused by: that", at]}}),
    );
    check(
        Kind::Error,
        &packed(&"broke"),
        &packed(&["a", "b"]),
        json!({"Error": {"error_type": "name", "message": "broke", "stack_trace": ["a", "b"]}}),
    );
    check(Kind::Custom, &packed(&[1]), NIL, json!({"Custom": {"name": "name", "data": [1]}}));
    let task = "edcba987-6543-8210-8000-000000000009";
    check(
        Kind::AsyncSpawn,
        &packed(&9),
        NIL,
        json!({"AsyncSpawn": {"task_id": task, "spawned_by": "src/bank.rs:12 (name)"}}),
    );
    check(Kind::AsyncAwait, &packed(&9), NIL, json!({"AsyncAwait": {"future_id": task, "awaited_at": at}}));
    for (kind, name) in [(Kind::TaskBegin, "TaskBegin"), (Kind::TaskEnd, "TaskEnd")] {
        check(kind, &packed(&9), NIL, json!({"Custom": {"name": name, "data": {"task_id": task, "location": at}}}));
    }
    for (kind, name) in [(Kind::CallSent, "CallSent"), (Kind::CallReturned, "CallReturned")] {
        let data = json!({"span_id": "00000000000000ff", "location": at});
        check(kind, &packed(&255), NIL, json!({"Custom": {"name": name, "data": data}}));
    }
    let sync = [
        (Kind::MessageSent, "MessageSent"),
        (Kind::MessageReceived, "MessageReceived"),
        (Kind::SyncRelease, "SyncRelease"),
        (Kind::SyncAcquire, "SyncAcquire"),
    ];
    for (kind, name) in sync {
        let data = json!({"object": "name", "id": 3, "number": 300, "object_type": "mpsc", "location": at});
        check(kind, &packed(&3), &packed(&(300, "mpsc")), json!({"Custom": {"name": name, "data": data}}));
    }
    let wait = json!({"Custom": {"name": "LockWait", "data": {"lock_type": "Mutex", "location": at}}});
    check(Kind::LockWait, &packed(&4), &packed(&((), "Mutex", [[7, 4]])), wait);
    check(Kind::Suspended, NIL, NIL, json!({"Custom": {"name": "Suspended", "data": null}}));
    let atomic = |old: Option<u64>, access: &str| {
        let mut change = json!({"variable": "name", "new_value": 8, "location": at, "access_type": access});
        old.into_iter().for_each(|old| change["old_value"] = old.into());
        json!({"StateChange": change})
    };
    check(Kind::AtomicLoad, &packed(&3), &packed(&(1, "Acquire", 8)), atomic(None, "AtomicRead"));
    check(Kind::AtomicStore, &packed(&3), &packed(&(2, "Release", 8)), atomic(None, "AtomicWrite"));
    check(Kind::AtomicUpdate, &packed(&3), &packed(&(3, "AcqRel", 7, 8)), atomic(Some(7), "AtomicRMW"));
}

#[test]
fn an_error_without_stack_and_place_has_an_empty_stack() {
    let row = [&[0x97, 0, Kind::Error.code(), 5, 0xc0, 1][..], NIL, NIL].concat();
    let seen = Converter::new().convert(&batch(&[strand(7)], &[lane(0, 3)], &[row]), 0..1).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&seen.bytes).unwrap();
    assert_eq!(body["events"][0]["kind"]["Error"]["stack_trace"], json!([]));
}

#[test]
fn no_kind_is_without_a_counterpart() {
    for kind in Kind::ALL {
        let name = one(*kind, NIL, NIL)["kind"].as_object().unwrap().keys().next().unwrap().clone();
        assert!(!name.is_empty(), "{kind:?}");
    }
}

#[test]
fn a_background_strand_counts_its_own_steps() {
    let event = one(Kind::Custom, NIL, NIL);
    assert_eq!(event["causality_vector"], json!([["api#api-1", 4]]));
    assert!(event["metadata"].get("distributed_span_id").is_none());
}

fn write(lane: u8) -> Vec<u8> {
    row(lane, Kind::Write, NIL, NIL)
}

#[test]
fn a_fork_hangs_on_what_its_parent_had_done_and_a_strand_on_itself() {
    let strands = [strand(1), strand(2), Strand { trace: 8, ..strand(3) }];
    let forked = |at, steps| Lane { after: vec![(99, 1), (1, steps)], ..lane(at, 0) };
    let lanes = [lane(0, 0), forked(1, 2), forked(2, 2)];
    let rows = [write(0), write(0), write(0), write(1), write(1), write(2), write(0)];
    let seen = Converter::new().all(&batch(&strands, &lanes, &rows), rows.len());
    let parents: Vec<_> = seen
        .iter()
        .map(|event| event.parent_id.as_ref().map(|parent| seen.iter().position(|it| it.id == *parent).unwrap()))
        .collect();
    // The third strand is in another trace, where no parent would be found.
    assert_eq!(parents, [None, Some(0), Some(1), Some(1), Some(3), None, Some(2)]);
}

#[test]
fn nothing_hangs_on_what_may_not_have_arrived() {
    let strands = [strand(1), strand(2)];
    let lanes = [lane(0, 0), Lane { after: vec![(1, 3)], ..lane(1, 0) }];
    let rows = [write(0), write(0), write(0), write(0), write(1), write(1)];
    let bytes = batch(&strands, &lanes, &rows);
    let mut converter = Converter::new();
    let mut parent_of = |at: u64, fate| {
        let converted = converter.convert(&bytes, at..at + 1).unwrap();
        converter.settle(fate);
        let event = schema::read(&converted.bytes).unwrap().remove(0);
        // The place of the parent, read out of its id.
        event.parent_id.map(|id| (u8::from_str_radix(&id[21..23], 16).unwrap() >> 2, id[35..].parse::<u64>().unwrap()))
    };
    assert_eq!(parent_of(0, Fate::Stored), None);
    assert_eq!(parent_of(1, Fate::Passed), Some((0, 0)));
    assert_eq!(parent_of(2, Fate::Void), Some((0, 0)));
    assert_eq!(parent_of(2, Fate::Passed), Some((0, 0)));
    assert_eq!(parent_of(3, Fate::Stored), Some((0, 0)));
    // Forked behind the first three, of which only the first is known to have arrived.
    assert_eq!(parent_of(4, Fate::Passed), Some((0, 0)));
    assert_eq!(parent_of(5, Fate::Stored), Some((0, 0)));
}

#[test]
fn locks_are_held_from_acquisition_to_release_over_parts_and_holes() {
    let acquire = |id: u64| row(0, Kind::LockAcquire, &packed(&id), &packed(&(1, "Mutex")));
    let release = |id: u64| row(0, Kind::LockRelease, &packed(&id), &packed(&(1, "Mutex")));
    let hole = Lane { lost_before: 5, held: vec![2, 77], ..lane(0, 11) };
    let rows = [acquire(1), write(0), acquire(2), release(1), write(0), write(1), write(2)];
    let rows: Vec<_> = rows
        .into_iter()
        .enumerate()
        .map(|(at, mut row)| {
            row[1] = at.saturating_sub(4) as u8;
            row
        })
        .collect();
    // Five events in a row, six lost with what was held known, and a hole of which nothing is known.
    let lanes = [lane(0, 0), hole, lane(0, 20)];
    let bytes = batch(&[strand(1)], &lanes, &rows);
    let mut converter = Converter::new();
    let mut sets = Vec::new();
    for at in 0..rows.len() as u64 {
        // Asked for twice, as after a refusal.
        converter.convert(&bytes, at..rows.len() as u64).unwrap();
        let converted = converter.convert(&bytes, at..at + 1).unwrap();
        sets.push(schema::read(&converted.bytes).unwrap().remove(0).lock_set.join(" "));
        converter.settle(if at % 2 == 0 { Fate::Passed } else { Fate::Stored });
    }
    assert_eq!(sets, ["name", "name", "name name#2", "name name#2", "name#2", "name#2 #77", ""]);
}

#[test]
fn parts_are_of_a_size_and_their_chains_of_a_length() {
    let events = 30_000;
    let rows = vec![row(0, Kind::Write, &packed(&"x".repeat(100)), &packed(&"\u{1}".repeat(100))); events];
    let bytes = batch(&[strand(1)], &[lane(0, 0)], &rows);
    let mut converter = Converter::new();
    let part = converter.convert(&bytes, 0..events as u64).unwrap();
    assert!((BODY_ENOUGH..BODY_ENOUGH + 10_000).contains(&part.bytes.len()));
    let seen = converter.all(&bytes, events);
    let mut depths = HashMap::new();
    for event in &seen {
        let depth = event.parent_id.as_ref().map_or(1, |parent| depths[parent] + 1);
        assert!(depth <= chain::PATH_MAX);
        depths.insert(event.id.clone(), depth);
    }
    assert_eq!((seen.len(), depths.len()), (events, events));
    assert_eq!(seen.iter().filter(|event| event.parent_id.is_none()).count(), 1);
}

#[test]
fn what_is_no_batch_is_not_converted() {
    let mut converter = Converter::new();
    let bytes = batch(&[strand(1)], &[lane(0, 0)], &[write(0)]);
    for range in [0..0, 1..1, 0..2, 1..2] {
        assert!(converter.convert(&bytes, range).is_none());
    }
    assert!(converter.convert(b"no batch", 0..1).is_none());
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        Just(vec![0xc0]),
        any::<i64>().prop_map(|value| packed(&value)),
        any::<u64>().prop_map(|value| packed(&value)),
        any::<f64>().prop_map(|value| packed(&value)),
        ".{0,12}".prop_map(|value| packed(&value)),
        prop::collection::vec(any::<u8>(), 3).prop_map(|bytes| [&[0xc4, 3], &bytes[..]].concat()),
        Just(vec![0xc7, 1, 1, b'c']),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        let list = |mark: u8, per: usize| {
            move |items: Vec<Vec<u8>>| {
                let items = &items[..items.len() / per * per];
                [vec![mark | (items.len() / per) as u8], items.concat()].concat()
            }
        };
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(list(0x90, 1)),
            prop::collection::vec(inner, 0..7).prop_map(list(0x80, 2)),
        ]
    })
}

prop_compose! {
    fn any_lane()(
        strand in 0..3_u32,
        (ring, first_seq, first_step) in (0..4_u16, 0..1_000_000_u64, 0..50_u64),
        lost_before in 0..3_u64,
        held in prop::collection::vec(0..5_u64, 0..3),
        after in prop::collection::vec((0..4_u64, 0..60_u64), 0..3),
    ) -> Lane {
        Lane { ring, first_seq, strand, first_step, lost_before, thread: None, held, after }
    }
}

prop_compose! {
    fn any_row()(
        lane in 0..4_u8,
        kind in prop::sample::select(Kind::ALL),
        (site, name) in (any::<bool>(), prop::option::of(0..STRINGS.len() as u8)),
        (a, b) in (value(), value()),
    ) -> Vec<u8> {
        let index = |index: Option<u8>| index.unwrap_or(0xc0);
        [&[0x97, lane, kind.code(), 5, index(site.then_some(0)), index(name)], &a[..], &b].concat()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever was recorded, the server takes it, and what came before an event was sent before it.
    #[test]
    fn any_batch_is_taken_by_the_server(
        lanes in prop::collection::vec(any_lane(), 4),
        clock in prop::collection::vec((0..STRINGS.len() as u32, any::<u64>()), 0..4),
        (span, upstream) in any::<(u64, u64)>(),
        rows in prop::collection::vec(any_row(), 1..40),
        fates in prop::collection::vec(prop::sample::select(&[Fate::Stored, Fate::Passed, Fate::Void][..]), 4),
    ) {
        let strands = [Strand { clock, span, upstream, entry: true, ..strand(1) }, strand(2), strand(3)];
        let bytes = batch(&strands, &lanes, &rows);
        let mut converter = Converter::new();
        let mut stored = HashSet::new();
        let mut at = 0;
        for fate in fates.into_iter().chain([Fate::Stored]) {
            let end = rows.len().min(at + rows.len() / 3 + 1);
            if at == end {
                break;
            }
            let converted = converter.convert(&bytes, at as u64..end as u64).unwrap();
            let seen = schema::read(&converted.bytes).map_err(|(status, text)| TestCaseError::fail(format!("{status} {text}")))?;
            prop_assert_eq!(seen.len(), end - at);
            let mut known = stored.clone();
            for event in seen {
                prop_assert!(event.parent_id.is_none_or(|parent| known.contains(&parent)));
                known.insert(event.id);
            }
            converter.settle(fate);
            if fate == Fate::Stored {
                stored = known;
            }
            if fate != Fate::Void {
                at = end;
            }
        }
    }
}
