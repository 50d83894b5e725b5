//! Contexts by hand: scopes, futures, threads, and what their events carry.

use crate::support::{LONG, Seen, builder, client, events};
use std::collections::HashMap;
use std::pin::pin;
use std::task::{self, Poll, Waker};
use std::time::Duration;
use trackside::{Client, Context, InContext, MemoryTransport, Value};
use trackside_wire::Kind;

fn seen(client: &Client, memory: &MemoryTransport) -> Vec<Seen> {
    client.flush(LONG).unwrap();
    events(memory)
}

fn strand_of(context: &Context) -> u64 {
    context.thread_id().strand
}

#[test]
fn a_context_s_events_carry_its_ids_and_the_threads_own_do_not() {
    let (client, memory) = client();
    let context = client.context().named("GET /transfer");
    let (trace, span, strand) = (context.trace_id(), context.span_id().unwrap(), strand_of(&context));
    assert!(Context::current().is_none());
    client.track_custom("before", 1);
    {
        let _attached = context.attach();
        let current = Context::current().unwrap();
        assert_eq!((current.trace_id(), current.span_id(), current.thread_id().strand), (trace, Some(span), strand));
        client.track_custom("inside", 2);
    }
    assert!(Context::current().is_none());
    client.track_custom("after", 3);
    let [before, inside, after] = &seen(&client, &memory)[..] else { panic!("three events") };
    assert_eq!((inside.trace, inside.span, inside.strand), (trace.as_u128(), span.as_u64(), strand));
    assert_eq!((inside.strand_name.as_str(), inside.entry, inside.upstream), ("GET /transfer", false, 0));
    assert_eq!(inside.clock.len(), 1);
    assert!(inside.clock[0].0.starts_with("it#"), "{inside:?}");
    assert_eq!(before.strand, after.strand);
    assert_ne!(before.trace, inside.trace);
    assert_eq!((before.span, before.trace), (0, after.trace));
    // A scope is on the way from what came before it to what comes after it.
    assert_eq!(inside.after, [(before.strand, 1)]);
    assert_eq!(after.after, [(strand, 1)]);
}

#[test]
fn a_request_s_context_is_in_the_caller_s_trace() {
    let (client, memory) = client();
    let upstream = client.context();
    let trace = upstream.trace_id();
    let caller_span = upstream.span_id().unwrap();
    let attached = upstream.attach();
    client.track_custom("one", 1);
    let headers = client.propagation_headers().unwrap();
    drop(attached);

    let callee_memory = MemoryTransport::new();
    let callee = builder(&callee_memory).service("callee").instance("c1").build().unwrap();
    let carrier: HashMap<&str, &str> = headers.iter().collect();
    let context = callee.extract(&carrier);
    assert_eq!((context.trace_id(), context.span_id()), (trace, Some(headers.child())));
    assert_eq!(context.upstream_span_id(), Some(caller_span));
    context.run(|| callee.track_custom("two", 2));

    let sent = &seen(&client, &memory)[1];
    assert_eq!((sent.kind, sent.a.clone()), (Kind::CallSent, headers.child().as_u64().to_string()));
    let got = &seen(&callee, &callee_memory)[0];
    assert_eq!((got.trace, got.span, got.upstream), (trace.as_u128(), headers.child().as_u64(), caller_span.as_u64()));
    assert!(got.entry);
    // One event, and the sending itself.
    let component = sent.clock[0].0.clone();
    assert_eq!(got.clock, [(component, 2), ("callee#c1".to_owned(), 0)]);
}

#[test]
fn each_call_has_a_span_and_a_count_of_its_own_recorded_or_not() {
    for sampled in ["01", "00"] {
        let (client, _memory) = client();
        let headers = [("traceparent", format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{sampled}"))];
        let context = client.extract(&headers);
        assert_eq!(context.is_sampled(), sampled == "01");
        let component = format!("it#{}", seen_instance());
        context.run(|| {
            let counts: Vec<(u64, String)> = (0..3)
                .map(|_| {
                    let headers = client.propagation_headers().unwrap();
                    let parent = headers.get("traceparent").unwrap().to_owned();
                    assert!(parent.ends_with(sampled));
                    let carrier: HashMap<&str, &str> = headers.iter().collect();
                    let clock = trackside::propagation::Received::parse(&carrier).clock;
                    let own = clock.iter().find(|(name, _)| name.starts_with("it#")).expect(&component).1;
                    (own, parent)
                })
                .collect();
            assert_eq!(counts.iter().map(|(count, _)| *count).collect::<Vec<_>>(), [1, 2, 3]);
            assert!(counts[0].1 != counts[1].1 && counts[1].1 != counts[2].1);
        });
        assert!(client.propagation_headers().is_err());
    }
}

fn seen_instance() -> String {
    std::process::id().to_string()
}

#[test]
fn an_unsampled_context_records_its_errors_and_nothing_else() {
    let (client, memory) = client();
    let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")];
    client.extract(&headers).run(|| {
        client.track_custom("quiet", 1);
        client.track_error("Overdrawn", "account 7", &[]);
        client.track_custom("quiet", 2);
        client.extract(&[("traceparent", "00-11111111111111111111111111111111-b7ad6b7169203331-01")]).run(|| {
            client.track_custom("loud", 3);
        });
        client.track_write("quiet", Value::NIL, 4);
        client.track_error("Overdrawn", "account 8", &[]);
    });
    client.track_custom("loud", 5);
    let kinds: Vec<_> = seen(&client, &memory).into_iter().map(|seen| (seen.kind, seen.a)).collect();
    let expected =
        [(Kind::Error, "\"account 7\""), (Kind::Custom, "3"), (Kind::Error, "\"account 8\""), (Kind::Custom, "5")];
    assert_eq!(kinds, expected.map(|(kind, a)| (kind, a.to_owned())));
    assert_eq!(client.stats().recorded, 4);
}

#[test]
fn whoever_began_a_trace_has_decided_whether_it_is_sampled() {
    let parent = |flags: &str| ("traceparent", format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"));
    // A clock alone says that there is a caller, and nothing of its decision: events of it are there to be met.
    let clock = ("raceway-clock", "v1;eyJjbG9jayI6W1sidXAjMSIsNV1dfQ".to_owned());
    for (rate, headers, expected) in [
        (0.0, vec![parent("01")], true),
        (0.0, vec![parent("01"), clock.clone()], true),
        (0.0, vec![clock.clone()], true),
        (0.0, vec![], false),
        (1.0, vec![parent("00")], false),
        (1.0, vec![parent("00"), clock], false),
        (1.0, vec![], true),
    ] {
        let memory = MemoryTransport::new();
        let client = builder(&memory).sample_rate(rate).build().unwrap();
        let request = client.extract(&headers);
        assert_eq!(request.is_sampled(), expected, "{rate} {headers:?}");
        request.run(|| {
            client.track_custom("in the request", 1);
            Context::current().unwrap().fork("job").run(|| client.track_custom("in a fork", 1));
            // The next service hears of it.
            let sent = client.propagation_headers().unwrap();
            assert!(sent.get("traceparent").unwrap().ends_with(if expected { "-01" } else { "-00" }), "{sent:?}");
        });
        let events = if expected { 4 } else { 0 };
        assert_eq!(seen(&client, &memory).len(), events, "{rate} {headers:?}");
    }
}

#[test]
fn without_the_background_trace_only_what_is_in_a_context_is_recorded_and_errors() {
    let memory = MemoryTransport::new();
    let client = builder(&memory).background(false).build().unwrap();
    client.track_custom("outside", 1);
    client.track_error("Overdrawn", "outside", &[]);
    client.fork("a job of nobody's").run(|| client.track_custom("outside", 2));
    client.context().run(|| client.track_custom("inside", 3));
    client.track_custom("outside", 4);
    let seen: Vec<_> = seen(&client, &memory).into_iter().map(|seen| (seen.kind, seen.a)).collect();
    assert_eq!(seen, [(Kind::Error, "\"outside\"".to_owned()), (Kind::Custom, "3".to_owned())]);
}

#[test]
fn guards_dropped_out_of_order_leave_the_innermost_that_is_left() {
    let (client, memory) = client();
    let contexts: Vec<Context> = (0..3).map(|_| client.context()).collect();
    let strands: Vec<u64> = contexts.iter().map(strand_of).collect();
    let mut guards: Vec<_> = contexts.into_iter().map(|context| Some(context.attach())).collect();
    client.track_custom("in 2", 0);
    guards[0] = None;
    client.track_custom("in 2", 0);
    guards[2] = None;
    client.track_custom("in 1", 0);
    guards[1] = None;
    client.track_custom("out", 0);
    let seen: Vec<u64> = seen(&client, &memory).iter().map(|seen| seen.strand).collect();
    assert_eq!(seen[..3], [strands[2], strands[2], strands[1]]);
    assert!(!strands.contains(&seen[3]));
}

#[test]
fn a_thread_may_exit_while_a_context_is_attached_to_it() {
    let (client, memory) = client();
    let recorder = client.clone();
    let strand = std::thread::spawn(move || {
        let context = recorder.context();
        let strand = strand_of(&context);
        std::mem::forget(context.attach());
        recorder.track_custom("inside", 1);
        strand
    })
    .join()
    .unwrap();
    let recorder = client.clone();
    std::thread::spawn(move || recorder.track_custom("another thread, perhaps in the same ring", 2)).join().unwrap();
    let seen = seen(&client, &memory);
    assert_eq!(seen[0].strand, strand);
    assert_ne!(seen[1].strand, strand);
    assert_eq!(seen[1].step, 0);
}

#[test]
fn two_clients_contexts_do_not_get_mixed_up() {
    let ((one, to_one), (two, to_two)) = (client(), client());
    let (first, second) = (one.context(), two.context());
    let (first_trace, second_trace) = (first.trace_id().as_u128(), second.trace_id().as_u128());
    let _outer = first.attach();
    for round in 0..3 {
        one.track_custom("one", round);
        two.track_custom("two, outside", round);
    }
    let inner = second.attach();
    for round in 0..3 {
        one.track_custom("one", round);
        two.track_custom("two", round);
    }
    drop(inner);
    one.track_custom("one", 3);
    let one: Vec<_> = seen(&one, &to_one).iter().map(|seen| seen.trace == first_trace).collect();
    assert_eq!(one, [true; 7]);
    let two: Vec<_> = seen(&two, &to_two).iter().map(|seen| seen.trace == second_trace).collect();
    assert_eq!(two, [false, false, false, true, true, true]);
}

#[test]
fn a_future_records_in_its_context_when_polled_and_when_dropped() {
    struct Tells(Client);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.track_custom("dropped", 2);
        }
    }
    let (client, memory) = client();
    for finishes in [false, true] {
        let context = client.context();
        let strand = strand_of(&context);
        let tells = Tells(client.clone());
        let recorder = client.clone();
        let mut polls = 0;
        let work = std::future::poll_fn(move |_| {
            let _tells = &tells;
            recorder.track_custom("polled", 1);
            polls += 1;
            if polls == 2 && finishes { Poll::Ready(()) } else { Poll::Pending }
        });
        {
            let mut work = pin!(work.in_context(context));
            for _ in 0..2 {
                let _ = work.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
                assert!(Context::current().is_none());
            }
        }
        let seen = seen(&client, &memory);
        let last = &seen[seen.len() - 3..];
        assert_eq!(
            last.iter().map(|seen| seen.name.as_deref().unwrap()).collect::<Vec<_>>(),
            ["polled", "polled", "dropped"]
        );
        assert!(last.iter().all(|seen| seen.strand == strand), "{last:?}");
    }
}

#[test]
fn a_panic_inside_leaves_no_context_behind() {
    let (client, memory) = client();
    let context = client.context();
    let work = std::panic::AssertUnwindSafe(|| context.run(|| panic!("on purpose")));
    assert!(std::panic::catch_unwind(work).is_err());
    assert!(Context::current().is_none());
    let mut work = Box::pin(async { panic!("on purpose") }.in_context(client.context()));
    let polled = std::panic::AssertUnwindSafe(|| {
        let _: Poll<()> = work.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
    });
    assert!(std::panic::catch_unwind(polled).is_err());
    assert!(Context::current().is_none());
    client.track_custom("outside", 1);
    assert_eq!(seen(&client, &memory)[0].span, 0);
}

#[test]
fn dropped_events_keep_their_steps_when_the_strand_moves_on() {
    let memory = MemoryTransport::new();
    let (client, mut flusher) =
        builder(&memory).ring_bytes(64 << 10).flush_interval(Duration::from_millis(1)).build_manual().unwrap();
    let context = client.context();
    let strand = strand_of(&context);
    // More than the ring holds: the last ones are dropped, and the context leaves for another thread.
    let attached = context.attach();
    let written = 5_000;
    (0..written).for_each(|n| client.track_custom("here", n));
    let context = attached.detach().unwrap();
    // No room to say whose events these are.
    client.context().run(|| client.track_custom("dropped as well", 1));
    let recorder = client.clone();
    std::thread::spawn(move || context.run(|| recorder.track_custom("there", 1))).join().unwrap();
    while !flusher.step() {}
    client.context().run(|| client.track_custom("again", 1));
    while !flusher.step() {}
    let seen = events(&memory);
    let there = seen.iter().find(|seen| seen.name.as_deref() == Some("there")).unwrap();
    assert_eq!((there.strand, there.step), (strand, written));
    let again = seen.iter().find(|seen| seen.name.as_deref() == Some("again")).unwrap();
    assert_eq!((again.step, again.lost_before), (0, 0));
    let stats = client.stats();
    assert_eq!(stats.recorded, written + 3);
    assert_eq!(stats.recorded, stats.delivered + stats.lost.total());
    assert!(stats.lost.ring_full > 1, "{stats}");
}
