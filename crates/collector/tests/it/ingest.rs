//! `POST /events`: what is stored, what is refused, and what each is answered with.

use crate::batch::{batch, reads};
use crate::client::{get, post, try_post};
use std::thread;
use trackside_collector::Collector;
use trackside_wire::{Ack, MEDIA_TYPE, RunId};

#[track_caller]
fn refused(collector: &Collector, headers: &[(&str, &str)], body: &[u8], status: u16, text: &str) {
    let answer = try_post(&collector.url(), headers, body).unwrap();
    assert_eq!(answer.status, status);
    assert!(answer.text().contains(text), "{:?} does not say {text:?}", answer.text());
    assert_eq!((collector.stats().events, collector.batches().count()), (0, 0));
}

#[test]
fn a_batch_is_stored_as_it_came_and_acknowledged() {
    let collector = Collector::builder().start().unwrap();
    let bytes = batch(1, 0, &[reads(0, 5, 10), reads(1, 0, 7)]);
    let ack = post(&collector.url(), &bytes).ack();
    assert_eq!(ack, Ack { run: RunId::new(1), batch: 0, stored: 17, duplicates: 0 });
    assert_eq!(collector.batches().collect::<Vec<_>>(), [bytes]);
}

#[test]
fn parameters_of_the_media_type_do_not_matter() {
    let collector = Collector::builder().start().unwrap();
    for media_type in [format!("{MEDIA_TYPE}; charset=binary"), MEDIA_TYPE.to_uppercase(), format!("{MEDIA_TYPE} ;x")] {
        try_post(&collector.url(), &[("content-type", &media_type)], &batch(1, 0, &[reads(0, 0, 1)])).unwrap().ack();
    }
    assert_eq!(collector.distinct_events(), 1);
}

#[test]
fn events_count_once_however_they_are_cut_into_batches() {
    let collector = Collector::builder().start().unwrap();
    let url = collector.url();
    let first = batch(1, 0, &[reads(0, 0, 10)]);
    assert_eq!((post(&url, &first).ack().stored, post(&url, &first).ack().duplicates), (10, 10));
    let ack = post(&url, &batch(1, 1, &[reads(0, 5, 10), reads(1, 5, 1)])).ack();
    assert_eq!((ack.stored, ack.duplicates), (6, 5));
    let stats = collector.stats();
    assert_eq!((stats.batches, stats.events, stats.duplicates), (2, 16, 15));
}

#[test]
fn many_clients_that_all_send_everything_count_once() {
    let collector = Collector::builder().start().unwrap();
    let url = collector.url();
    let acks: Vec<Ack> = thread::scope(|scope| {
        let client = |shift: u64| {
            let url = &url;
            move || (0..25).map(|at| (at + shift) % 25).map(|at| post(url, &nth(at)).ack()).collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..4).map(|at| scope.spawn(client(at * 6))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let stored: u64 = acks.iter().map(|ack| ack.stored).sum();
    let duplicates: u64 = acks.iter().map(|ack| ack.duplicates).sum();
    assert_eq!((stored, duplicates), (25 * 8 + 2, 4 * 25 * 10 - 25 * 8 - 2));
    assert_eq!((collector.stats().events, collector.stats().duplicates), (stored, duplicates));

    /// Ten events, two of which the next one has, too.
    fn nth(at: u64) -> Vec<u8> {
        batch(1, at, &[reads(0, at * 8, 10)])
    }
}

#[test]
fn another_media_type_is_told_what_is_accepted() {
    let collector = Collector::builder().start().unwrap();
    let bytes = batch(1, 0, &[reads(0, 0, 1)]);
    for media_type in ["text/json", "application/msgpack", "", "application/vnd.trackside.v2+msgpack"] {
        refused(&collector, &[("content-type", media_type)], &bytes, 415, MEDIA_TYPE);
    }
    refused(&collector, &[("content-encoding", "br")], &bytes, 415, "gzip");
}

#[test]
fn what_is_no_batch_is_told_why() {
    let collector = Collector::builder().start().unwrap();
    let bytes = batch(1, 0, &[reads(0, 0, 3)]);
    refused(&collector, &[], &[], 400, "at byte 0");
    refused(&collector, &[], b"{\"events\":[]}", 400, "not a trackside v1 batch: at byte 0: expected an array");
    refused(&collector, &[], &bytes[..bytes.len() - 1], 400, "longer than the input");
    refused(&collector, &[], &[&bytes[..], &[0]].concat(), 400, "something follows the batch");
    refused(&collector, &[], &batch(1, 0, &[reads(0, u64::MAX - 1, 3)]), 400, "sequence numbers");
    assert_eq!(collector.stats().rejected, 5);
}

#[test]
fn a_body_over_the_limit_is_refused_with_or_without_a_length() {
    let bytes = batch(1, 0, &[reads(0, 0, 50)]);
    let collector = Collector::builder().max_body_bytes(bytes.len() - 1).start().unwrap();
    refused(&collector, &[], &bytes, 413, "larger than");
    refused(&collector, &[], &vec![0; 500_000], 413, "larger than");
    refused(&collector, &[("transfer-encoding", "chunked")], &bytes, 413, "larger than");
    let collector = Collector::builder().max_body_bytes(bytes.len()).start().unwrap();
    assert_eq!(post(&collector.url(), &bytes).ack().stored, 50);
}

#[test]
fn a_full_store_asks_to_retry_and_says_so_in_its_books() {
    let collector = Collector::builder().max_bytes(100_000).start().unwrap();
    let url = collector.url();
    let mut acknowledged = 0;
    let refused = (0..).find_map(|at| {
        let answer = post(&url, &batch(1, at, &[reads(0, at * 500, 500)]));
        if answer.status == 200 {
            acknowledged += answer.ack().stored;
        }
        (answer.status != 200).then_some((at, answer))
    });
    let (at, answer) = refused.unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    assert!(at > 0 && acknowledged == at * 500);
    let stats = collector.stats();
    assert_eq!((stats.events, stats.refused_full, stats.batches), (acknowledged, 1, at));
    assert!(stats.used_bytes <= stats.max_bytes);

    collector.clear();
    assert_eq!(collector.stats().events, 0);
    assert_eq!(post(&url, &batch(1, at, &[reads(0, at * 500, 500)])).ack().stored, 500);
}

#[test]
fn a_batch_that_can_never_fit_is_not_asked_to_retry() {
    let collector = Collector::builder().max_bytes(10_000).start().unwrap();
    refused(&collector, &[], &batch(1, 0, &[reads(0, 0, 5000)]), 413, "larger than");
}

#[test]
fn the_oldest_make_room_if_wanted() {
    let collector = Collector::builder().max_bytes(20_000).evict_oldest(true).start().unwrap();
    for at in 0..50 {
        assert_eq!(post(&collector.url(), &batch(1, at, &[reads(0, at * 100, 100)])).ack().stored, 100);
    }
    let stats = collector.stats();
    assert!(stats.evicted_batches > 0 && stats.used_bytes <= stats.max_bytes);
    assert_eq!((stats.events, stats.batches + stats.evicted_batches), (5000, 50));
    assert_eq!(collector.batches().last().unwrap(), batch(1, 49, &[reads(0, 4900, 100)]));
}

#[test]
fn with_a_key_only_its_holder_is_let_in() {
    let collector = Collector::builder().api_key("open-sesame").start().unwrap();
    let url = collector.url();
    let bytes = batch(1, 0, &[reads(0, 0, 1)]);
    let wrong: [&[(&str, &str)]; 5] = [
        &[],
        &[("authorization", "Bearer open-sesam")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Basic open-sesame")],
        &[("x-raceway-key", "open-sesame!")],
    ];
    for headers in wrong {
        refused(&collector, headers, &bytes, 401, "API key");
        for path in ["/api/findings", "/api/stats", "/api/overview", "/api/live", "/events", "/nothing"] {
            assert_eq!(get(&url, path, headers).status, 401, "{path}");
        }
    }
    assert_eq!(get(&url, "/api/stats", &[]).header("www-authenticate"), "Bearer");
    assert_eq!(get(&url, "/health", &[]).status, 200);
    for headers in [("authorization", "Bearer open-sesame"), ("x-raceway-key", "open-sesame")] {
        try_post(&url, &[headers], &bytes).unwrap().ack();
        assert_eq!(get(&url, "/api/stats", &[headers]).status, 200);
    }
}
