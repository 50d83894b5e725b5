//! What the layer for `tracing` records, as the receiver gets it.

use crate::support::{LONG, Seen, client, events};
use ::tracing::{Instrument, Level, error, info, info_span, subscriber::with_default};
use std::future::{Future, poll_fn};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{fmt, thread};
use tracing::Metadata;
use tracing::callsite::Callsite;
use tracing::field::{FieldSet, Value};
use tracing_core::identify_callsite;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, filter, registry};
use trackside::tracing::TracksideLayer;
use trackside::{Client, MemoryTransport, Outcome, SealedBatch, Transport};
use trackside_wire::Kind;

/// What is recorded while `f` runs with the layer, which may be given settings.
fn recorded_by(set: impl FnOnce(TracksideLayer) -> TracksideLayer, f: impl FnOnce(&Client)) -> Vec<Seen> {
    let (client, memory) = client();
    with_default(registry().with(set(TracksideLayer::new(&client))), || f(&client));
    client.flush(LONG).unwrap();
    events(&memory)
}

fn recorded(f: impl FnOnce(&Client)) -> Vec<Seen> {
    recorded_by(|layer| layer, f)
}

fn rows(seen: &[Seen]) -> Vec<(Kind, &str, &str, &str)> {
    seen.iter().map(|seen| (seen.kind, seen.name.as_deref().unwrap_or(""), &*seen.a, &*seen.b)).collect()
}

fn names(seen: &[Seen]) -> Vec<(Kind, &str)> {
    seen.iter().map(|seen| (seen.kind, seen.name.as_deref().unwrap_or(""))).collect()
}

/// Where each was recorded, in this file. There are no columns.
fn lines(seen: &[Seen]) -> Vec<u32> {
    let line = |seen: &Seen| {
        assert_eq!((&*seen.file, seen.column), (file!(), 0), "{seen:?}");
        seen.line
    };
    seen.iter().map(line).collect()
}

/// Runs on another thread, with the calling one's subscriber.
fn elsewhere<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    thread::scope(|scope| scope.spawn(|| tracing::dispatcher::with_default(&dispatch, f)).join().unwrap())
}

#[test]
fn a_span_is_a_call_with_its_fields_and_a_return_with_its_duration() {
    let mut line = 0;
    let began = std::time::Instant::now();
    let seen = recorded(|_| {
        let span = info_span!("transfer", n = -1, u = 2_u64, f = 1.5, b = true, s = "text", d = ?Some(3), later = tracing::field::Empty);
        line = line!() - 1;
        {
            let _entered = span.enter();
            span.record("later", 7);
        }
        // Not the first time.
        span.in_scope(|| ());
    });
    let call = "{\"n\": -1, \"u\": 2, \"f\": 1.5, \"b\": true, \"s\": \"text\", \"d\": \"Some(3)\"}";
    assert_eq!(rows(&seen[..1]), [(Kind::FunctionCall, "transfer", &*format!("\"{}\"", module_path!()), call)]);
    assert_eq!(
        (seen[1].kind, seen[1].name.as_deref(), &*seen[1].a),
        (Kind::FunctionReturn, Some("transfer"), "{\"later\": 7}")
    );
    let took: u64 = seen[1].b.parse().unwrap();
    assert!(took > 0 && u128::from(took) <= began.elapsed().as_nanos(), "{took}");
    assert_eq!(lines(&seen), [line, line]);
}

#[test]
fn what_is_set_before_the_first_entry_belongs_to_the_call_and_no_entry_is_no_call() {
    let seen = recorded(|_| {
        let span = info_span!("early", n = tracing::field::Empty);
        span.record("n", 1);
        span.in_scope(|| ());
        drop(info_span!("never entered"));
    });
    assert_eq!(names(&seen), [(Kind::FunctionCall, "early"), (Kind::FunctionReturn, "early")]);
    assert_eq!((&*seen[0].b, &*seen[1].a), ("{\"n\": 1}", "null"));
}

#[test]
fn marked_events_are_accesses() {
    let first = line!() + 2;
    let seen = recorded(|_| {
        info!(target: "trackside", variable = "x", access = "read", new = 1);
        info!(target: "trackside", variable = "x", access = "WRITE", old = 1, new = 1.5);
        info!(target: "trackside", variable = %format!("x.{}", 7), access = "AtomicRead", new = u64::MAX);
        tracing::trace!(target: "trackside", variable = "x", access = "atomicwrite", old = "a", new = true);
        error!(target: "trackside", variable = "x", access = ?trackside::Access::AtomicRmw, old = ?(1, 2));
    });
    let expected = [
        (Kind::Read, "x", "null", "1"),
        (Kind::Write, "x", "1", "1.5"),
        (Kind::AtomicRead, "x.7", "null", "18446744073709551615"),
        (Kind::AtomicWrite, "x", "\"a\"", "true"),
        (Kind::AtomicRmw, "x", "\"(1, 2)\"", "null"),
    ];
    assert_eq!(rows(&seen), expected);
    assert_eq!(lines(&seen), [0, 1, 2, 3, 4].map(|nth| first + nth));
}

#[test]
fn what_came_through_the_log_crate_has_no_place_rather_than_a_wrong_one() {
    // An event as tracing-log makes it: from a callsite that stands nowhere.
    struct OfLog;
    static METADATA: Metadata<'static> = Metadata::new(
        "log event",
        "bank",
        Level::ERROR,
        None,
        None,
        None,
        FieldSet::new(&["message"], identify_callsite!(&OfLog)),
        tracing::metadata::Kind::EVENT,
    );
    impl Callsite for OfLog {
        fn set_interest(&self, _interest: tracing::subscriber::Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            &METADATA
        }
    }
    let seen = recorded(|_| {
        let message = METADATA.fields().field("message").unwrap();
        tracing::Event::dispatch(
            &METADATA,
            &METADATA.fields().value_set(&[(&message, Some(&"overdrawn" as &dyn Value))]),
        );
    });
    assert_eq!(rows(&seen), [(Kind::Error, "bank", "\"overdrawn\"", "null")]);
    assert_eq!((&*seen[0].file, seen[0].line), ("", 0));
}

#[test]
fn a_callsite_has_one_place_however_often_it_is_passed() {
    let first = line!() + 1;
    let access = |new: i32| info!(target: "trackside", variable = "x", access = "write", new);
    let seen = recorded(|client| {
        (0..3).for_each(access);
        client.flush(LONG).unwrap();
        elsewhere(|| access(3));
    });
    assert_eq!(lines(&seen), [first; 4]);
}

#[test]
fn an_unknown_access_is_told_as_it_was_given() {
    let first = line!() + 2;
    let seen = recorded(|_| {
        info!(target: "trackside", variable = "x", access = "peek", old = 1);
        info!(target: "trackside", access = "read", new = 2);
        info!(target: "trackside", variable = "y");
    });
    assert_eq!(names(&seen), [(Kind::Custom, "x"), (Kind::Custom, "trackside"), (Kind::Custom, "y")]);
    assert_eq!(seen[0].a, "{\"variable\": \"x\", \"access\": \"peek\", \"old\": 1}");
    assert_eq!(seen[1].a, "{\"access\": \"read\", \"new\": 2}");
    assert_eq!(lines(&seen), [first, first + 1, first + 2]);
}

#[test]
fn errors_are_errors_and_others_only_where_asked_for() {
    let first = line!() + 2;
    let log = || {
        error!(target: "bank", error = %"overdrawn", "transfer {}", 7);
        error!(target: "bank", err = 5);
        tracing::warn!(target: "bank", n = 1, "low");
        info!(target: "bank", "fine");
    };
    let seen = recorded(|_| log());
    assert_eq!(names(&seen), [(Kind::Error, "bank"), (Kind::Error, "bank")]);
    assert_eq!((&*seen[0].a, &*seen[1].a), ("\"transfer 7: overdrawn\"", "\"5\""));
    assert_eq!((&*seen[0].b, &*seen[1].b), ("null", "null"));
    assert_eq!(lines(&seen), [first, first + 1]);

    let seen = recorded_by(|layer| layer.events(Level::WARN), |_| log());
    assert_eq!(names(&seen), [(Kind::Error, "bank"), (Kind::Error, "bank"), (Kind::Custom, "bank")]);
    assert_eq!(seen[2].a, "{\"message\": \"low\", \"n\": 1}");
    assert_eq!(lines(&seen), [first, first + 1, first + 2]);
}

/// A value that never stops writing, but for a writer that has had enough.
struct Endless;

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("ä…")?;
        }
    }
}

#[test]
fn what_is_too_long_is_cut_and_not_even_written() {
    let seen = recorded(|_| {
        let long = "é".repeat(100_000);
        info!(target: "trackside", variable = ?Endless, access = "write", old = long, new = ?Endless);
        info_span!("wide", a = 1, endless = ?Endless, out = long, also_out = 2).in_scope(|| ());
    });
    assert_eq!(seen[0].kind, Kind::Write);
    assert!(seen[0].name.as_ref().unwrap().len() <= trackside::Name::INLINE_LIMIT + 8);
    assert!(seen[0].a.len() < 1200 && seen[0].b.len() < 1200);
    assert!(
        seen[1].b.contains("\"a\": 1, \"endless\": \"ä…ä…") && seen[1].b.ends_with("\"…\": true}"),
        "{}",
        seen[1].b
    );
}

#[test]
fn a_root_begins_a_trace_and_its_children_are_in_it() {
    let seen = recorded(|client| {
        client.track_read("outside", 0);
        let root = info_span!("root");
        root.in_scope(|| {
            info_span!("child").in_scope(|| client.track_read("inside", 0));
        });
        drop(root);
        info_span!("another").in_scope(|| ());
    });
    let background = seen[0].trace;
    let (root, another) = (&seen[1..6], &seen[6..]);
    let order = ["root", "child", "inside", "child", "root"];
    assert_eq!(root.iter().map(|seen| seen.name.as_deref().unwrap()).collect::<Vec<_>>(), order);
    assert!(root.iter().all(|seen| seen.trace == root[0].trace && seen.strand == root[0].strand));
    assert!(root.iter().all(|seen| seen.span != 0 && seen.strand_name == "root"));
    assert_eq!(another.len(), 2);
    assert!(root[0].trace != background && another[0].trace != background && another[0].trace != root[0].trace);
}

#[test]
fn a_root_joins_the_context_that_is_there_unless_it_is_marked() {
    let mut ids = Vec::new();
    let seen = recorded(|client| {
        let request = client.context();
        ids = vec![request.trace_id().as_u128()];
        let _attached = request.attach();
        info_span!("joins").in_scope(|| ());
        info_span!("own", trackside.context = true).in_scope(|| info_span!("child").in_scope(|| ()));
        client.track_read("after", 0);
    });
    let of = |name: &str| seen.iter().find(|seen| seen.name.as_deref() == Some(name)).unwrap();
    assert_eq!((of("joins").trace, of("after").trace), (ids[0], ids[0]));
    assert_ne!(of("own").trace, ids[0]);
    assert_eq!(of("own").strand, of("child").strand);
    assert!(!of("own").b.contains("trackside.context"));
}

#[test]
fn a_root_that_is_marked_so_begins_no_context() {
    let seen = recorded(|client| {
        client.track_read("outside", 0);
        info_span!("worker", trackside.context = false).in_scope(|| {
            info_span!("child").in_scope(|| ());
            info_span!("request", trackside.context = true).in_scope(|| client.track_read("inside", 0));
        });
    });
    let of = |name: &str| seen.iter().find(|seen| seen.name.as_deref() == Some(name)).unwrap();
    assert_eq!((of("worker").strand, of("child").strand), (seen[0].strand, seen[0].strand));
    assert_ne!(of("inside").trace, seen[0].trace);
}

#[test]
fn spans_may_be_left_in_any_order() {
    let seen = recorded(|client| {
        let root = info_span!("root");
        let entered = root.enter();
        let child = info_span!("child");
        let inner = child.enter();
        drop(entered);
        client.track_read("still inside", 0);
        drop(inner);
        client.track_read("outside", 0);
        root.in_scope(|| client.track_read("again", 0));
    });
    let of = |name: &str| seen.iter().find(|seen| seen.name.as_deref() == Some(name)).unwrap();
    assert_eq!(of("still inside").strand, of("root").strand);
    assert_ne!(of("outside").strand, of("root").strand);
    assert_eq!(of("again").strand, of("root").strand);
}

#[test]
fn a_future_takes_its_context_from_thread_to_thread() {
    let seen = recorded(|client| {
        let other = client.clone();
        let mut polls = 0;
        let future = poll_fn(move |_| {
            polls += 1;
            other.track_read("polled", polls);
            if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
        });
        let mut future = Box::pin(future.instrument(info_span!("request")));
        let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(!poll());
        client.track_read("between", 0);
        assert!(!elsewhere(&mut poll));
        assert!(poll());
    });
    let own: Vec<_> = seen.iter().filter(|seen| seen.name.as_deref() != Some("between")).collect();
    let expected = ["request", "polled", "polled", "polled", "request"];
    assert_eq!(own.iter().map(|seen| seen.name.as_deref().unwrap()).collect::<Vec<_>>(), expected);
    assert!(own.iter().enumerate().all(|(step, seen)| seen.strand == own[0].strand && seen.step == step as u64));
    assert!(own[1].thread != own[2].thread && own[1].thread == own[3].thread, "{own:?}");
}

#[test]
fn two_threads_in_one_span_are_two_strands_of_one_trace() {
    let seen = recorded(|client| {
        client.track_write("x", 0, 1);
        let span = info_span!("both");
        let _entered = span.enter();
        elsewhere(|| span.in_scope(|| client.track_read("other", 0)));
        elsewhere(|| span.in_scope(|| client.track_read("third", 0)));
        client.track_read("one", 0);
    });
    let of = |name: &str| seen.iter().find(|seen| seen.name.as_deref() == Some(name)).unwrap();
    let (one, other, third) = (of("one"), of("other"), of("third"));
    assert_ne!(one.strand, other.strand);
    assert_eq!((one.trace, one.span), (other.trace, other.span));
    // It comes after what was done before the span was created, though nobody told of the thread.
    assert!(other.after.contains(&(seen[0].strand, 1)), "{other:?}");
    // The thread that comes later goes on with the context that has been left.
    assert_eq!(other.strand, third.strand);
    // All of it comes before the end of the span.
    let end = seen.iter().rfind(|seen| seen.kind == Kind::FunctionReturn).unwrap();
    assert_eq!(end.strand, one.strand);
    assert!(end.after.iter().any(|(strand, _)| *strand == other.strand), "{end:?}");
}

#[test]
fn a_child_that_is_made_here_and_entered_there_comes_after_its_making() {
    let seen = recorded(|client| {
        let root = info_span!("root").entered();
        client.track_write("x", 0, 1);
        let child = info_span!("child");
        elsewhere(|| child.in_scope(|| client.track_read("x", 1)));
        drop(child);
        drop(root);
    });
    // The return is told by the thread that drops the span, and may be delivered first: nothing orders the two.
    let call = (Kind::FunctionCall, Some("child"));
    let there = seen.iter().find(|seen| (seen.kind, seen.name.as_deref()) == call).unwrap();
    let here = seen.iter().find(|seen| seen.kind == Kind::Write).unwrap();
    assert_ne!(there.strand, here.strand);
    assert!(there.after.contains(&(here.strand, here.step + 1)), "{there:?}");
}

/// Says on the delivering thread all that would be recorded anywhere else, and on another one on its behalf.
#[derive(Debug)]
struct Talkative {
    memory: MemoryTransport,
    dispatch: Arc<std::sync::OnceLock<tracing::Dispatch>>,
}

impl Transport for Talkative {
    fn send(&mut self, batch: &SealedBatch, timeout: Duration) -> Outcome {
        tracing::dispatcher::with_default(self.dispatch.get().unwrap(), || {
            let span = info_span!("sending");
            let _entered = span.enter();
            error!("of the sender");
            info!(target: "trackside", variable = "sender", access = "write", new = 1);
            elsewhere(|| {
                let _child = info_span!(parent: &span, "beside the sender").entered();
                error!("beside the sender");
            });
        });
        self.memory.send(batch, timeout)
    }

    fn destination(&self) -> String {
        "memory".to_owned()
    }
}

#[test]
fn what_delivers_is_not_recorded() {
    let memory = MemoryTransport::new();
    let dispatch = Arc::new(std::sync::OnceLock::new());
    let transport = Talkative { memory: memory.clone(), dispatch: dispatch.clone() };
    let client = Client::builder_to(transport).service("it").record_locks(false).build().unwrap();
    let subscriber = registry().with(TracksideLayer::new(&client).events(Level::TRACE));
    dispatch.set(tracing::Dispatch::new(subscriber)).unwrap();
    tracing::dispatcher::with_default(dispatch.get().unwrap(), || {
        let _inside = info_span!(target: "ureq::pool", "inside").entered();
        error!(target: "rustls", "of a crate that delivers");
        error!("on its behalf");
        error!(target: "trackside::flusher", "of our own");
    });
    for round in 1..4 {
        client.track_read("x", round);
        client.flush(LONG).unwrap();
    }
    assert_eq!(names(&events(&memory)), [(Kind::Read, "x"); 3]);
    assert_eq!(client.stats().recorded, 3);
}

#[test]
fn a_filter_of_the_layer_holds() {
    let (client, memory) = client();
    let layer = TracksideLayer::new(&client).with_filter(filter::filter_fn(|metadata| metadata.target() != "noise"));
    with_default(registry().with(layer), || {
        let _noise = info_span!(target: "noise", "filtered").entered();
        error!(target: "noise", "filtered");
        info_span!("kept").in_scope(|| ());
    });
    client.flush(LONG).unwrap();
    assert_eq!(names(&events(&memory)), [(Kind::FunctionCall, "kept"), (Kind::FunctionReturn, "kept")]);
}

#[test]
fn layers_of_two_clients_do_not_mix() {
    let ((one, in_one), (other, in_other)) = (client(), client());
    with_default(registry().with(TracksideLayer::new(&one)).with(TracksideLayer::new(&other)), || {
        info_span!("both").in_scope(|| one.track_read("x", 1));
    });
    one.flush(LONG).unwrap();
    other.flush(LONG).unwrap();
    let (in_one, in_other) = (events(&in_one), events(&in_other));
    assert_eq!((in_one.len(), in_other.len()), (3, 2));
    assert!(in_one.iter().all(|seen| seen.strand == in_one[0].strand));
}

#[test]
fn many_threads_in_and_out_of_one_span() {
    const THREADS: usize = 4;
    let seen = recorded(|client| {
        let (span, together) = (info_span!("shared"), Barrier::new(THREADS));
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let _default = tracing::dispatcher::set_default(&dispatch);
                    together.wait();
                    for _ in 0..50 {
                        span.in_scope(|| client.track_read("x", 1));
                    }
                });
            }
        });
    });
    assert_eq!(seen.len(), 4 * 50 + 2);
    assert!(seen.iter().all(|event| event.trace == seen[0].trace && event.lost_before == 0));
    let strands: std::collections::BTreeSet<_> = seen.iter().map(|seen| seen.strand).collect();
    assert!(strands.len() <= THREADS, "{strands:?}");
}
