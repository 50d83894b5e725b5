//! Contexts, as a stock Raceway server sees them: traces, spans, thread ids, vector clocks, and parents over strands.

use super::{client, longest_path, numbers};
use crate::support::LONG;
use crate::support::stock::schema::{Event, Kind};
use crate::support::stock::{State, Stock};
use std::collections::{BTreeSet, HashMap};
use trackside::Client;

/// Records one number in the context, and forks as many levels deep, three at a time, each on a thread of its own.
fn family(client: &Client, levels: u64, name: u64) {
    client.track_read("n", name);
    if levels == 0 {
        return;
    }
    std::thread::scope(|scope| {
        for child in 0..3 {
            let context = client.fork(format!("{name}/{child}"));
            scope.spawn(move || context.run(|| family(client, levels - 1, name * 3 + child + 1)));
        }
    });
    client.track_read("n", name);
}

#[test]
fn forks_hang_on_what_they_were_forked_behind_in_their_trace() {
    let server = Stock::start(State::default());
    let client = client(&server);
    let headers = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        // {"trace_id":"0af76519-16cd-43dd-8448-eb211c80319c","span_id":"b7ad6b7169203331",
        //  "parent_span_id":"00f067aa0ba902b7","service":"web","instance":"web-1","clock":[["web#web-1",7]]}
        (
            "raceway-clock",
            "v1;eyJ0cmFjZV9pZCI6IjBhZjc2NTE5LTE2Y2QtNDNkZC04NDQ4LWViMjExYzgwMzE5YyIsInNwYW5faWQiOiJiN2FkNmI3MTY5MjAzMzMxIiwicGFyZW50X3NwYW5faWQiOiIwMGYwNjdhYTBiYTkwMmI3Iiwic2VydmljZSI6IndlYiIsImluc3RhbmNlIjoid2ViLTEiLCJjbG9jayI6W1sid2ViI3dlYi0xIiw3XV19",
        ),
    ];
    client.extract(&headers).run(|| family(&client, 3, 0));
    client.track_read("n", 1_000);
    let stats = client.shutdown(LONG);
    assert_eq!((stats.delivered, stats.lost.total()), (stats.recorded, 0), "{stats}");

    let (family, background): (Vec<Event>, Vec<Event>) =
        server.stored().into_iter().partition(|event| event.trace_id == "0af76519-16cd-43dd-8448-eb211c80319c");
    assert_eq!(numbers(&background), [1_000]);
    assert_eq!(background[0].metadata.distributed_span_id, None);
    // One tree: of 40 strands, each its own thread, in one span.
    longest_path(&family);
    assert_eq!(family.iter().filter(|event| event.parent_id.is_none()).count(), 1);
    let threads: BTreeSet<&str> = family.iter().map(|event| event.metadata.thread_id.as_str()).collect();
    assert_eq!(threads.len(), 1 + 3 + 9 + 27);
    for event in &family {
        let metadata = &event.metadata;
        assert_eq!(metadata.distributed_span_id.as_deref(), Some("b7ad6b7169203331"));
        assert_eq!(metadata.upstream_span_id.as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!(event.causality_vector[0], ("web#web-1".to_owned(), 7));
        assert_eq!((event.causality_vector.len(), event.causality_vector[1].0.as_str()), (2, "shop#shop-1"));
    }
    // A strand's events are one path, and the first hangs on the event that spawned it, which names it.
    let by_id: HashMap<&str, &Event> = family.iter().map(|event| (event.id.as_str(), event)).collect();
    let parents = family.iter().filter_map(|event| Some((event, by_id[event.parent_id.as_deref()?])));
    let (own, foreign): (Vec<_>, Vec<_>) =
        parents.partition(|(event, parent)| event.metadata.thread_id == parent.metadata.thread_id);
    assert_eq!((own.len(), foreign.len()), (family.len() - threads.len(), threads.len() - 1));
    for (event, parent) in own {
        assert!(event.causality_vector[1].1 == parent.causality_vector[1].1 + 1);
    }
    for (event, parent) in foreign {
        assert!(matches!(parent.kind, Kind::AsyncSpawn { .. }), "{event:?} hangs on {parent:?}");
    }
}

#[test]
fn the_headers_of_a_call_carry_the_clock_of_its_event() {
    let server = Stock::start(State::default());
    let client = client(&server);
    let context = client.context();
    let (trace, thread) = (context.trace_id(), context.thread_id());
    let mut told = 0;
    context.run(|| {
        client.track_read("n", 1);
        let headers: HashMap<_, _> = client.propagation_headers().unwrap().into_iter().collect();
        told = client.extract(&headers).run(|| {
            client.track_read("n", 2);
            headers.len()
        });
    });
    client.shutdown(LONG);
    let stored = server.stored();
    assert!(told > 0 && stored.iter().all(|event| event.trace_id == trace.to_string()));
    assert_eq!(stored[0].metadata.thread_id, thread.to_string());
    let sent =
        stored.iter().find(|event| matches!(&event.kind, Kind::Custom { name, .. } if name == "CallSent")).unwrap();
    let received = stored.iter().find(|event| numbers(std::slice::from_ref(event)) == [2]).unwrap();
    // The called context knows the send, and counts on from there.
    let own = |event: &Event| event.causality_vector.iter().find(|(it, _)| it == "shop#shop-1").unwrap().1;
    assert_eq!((own(sent), own(received)), (2, 3));
    let Kind::Custom { data, .. } = &sent.kind else { unreachable!() };
    assert_eq!(data["span_id"].as_str(), received.metadata.distributed_span_id.as_deref());
    assert_eq!(sent.metadata.distributed_span_id, received.metadata.upstream_span_id);
}
