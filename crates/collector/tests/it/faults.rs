//! Failures on purpose: what a sender's tests need to be able to rely on.

use crate::batch::{batch, reads};
use crate::client::{post, try_post};
use trackside_collector::{Collector, Fault};

fn failing_first(fault: Fault) -> Collector {
    Collector::builder().fault(move |request| (request == 0).then_some(fault)).start().unwrap()
}

#[test]
fn a_status_comes_before_anything_is_stored() {
    for status in [200, 429, 503] {
        let collector = failing_first(Fault::Status(status));
        let bytes = batch(1, 0, &[reads(0, 0, 10)]);
        let answer = post(&collector.url(), &bytes);
        assert_eq!((answer.status, collector.stats().events), (status, 0));
        assert!(trackside_wire::Ack::decode(&answer.body).is_err());
        assert_eq!(post(&collector.url(), &bytes).ack().stored, 10);
    }
}

#[test]
fn a_lost_answer_hides_that_the_batch_is_stored() {
    let collector = failing_first(Fault::StoreThenStatus(502));
    let bytes = batch(1, 0, &[reads(0, 0, 10)]);
    assert_eq!(post(&collector.url(), &bytes).status, 502);
    assert_eq!(collector.stats().events, 10);
    assert_eq!(post(&collector.url(), &bytes).ack().duplicates, 10);
    assert_eq!((collector.stats().events, collector.batches().count()), (10, 1));
}

#[test]
fn a_connection_is_closed_without_an_answer() {
    for (fault, stored) in [(Fault::Close, 0), (Fault::StoreThenClose, 10)] {
        let collector = failing_first(fault);
        let bytes = batch(1, 0, &[reads(0, 0, 10)]);
        assert!(try_post(&collector.url(), &[], &bytes).is_err(), "{fault:?}");
        assert_eq!(collector.stats().events, stored);
        assert_eq!(post(&collector.url(), &bytes).ack().stored, 10 - stored);
    }
}

#[test]
fn requests_are_numbered_from_zero() {
    let collector = Collector::builder()
        .fault(|request| Some(Fault::Status(500 + u16::try_from(request).unwrap())))
        .start()
        .unwrap();
    let statuses: Vec<_> = (0..4).map(|_| post(&collector.url(), b"").status).collect();
    assert_eq!(statuses, [500, 501, 502, 503]);
}
