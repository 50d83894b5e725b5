//! Functions: guards, closures and futures.

use super::assert_rows;
use crate::support::{LONG, client, events};
use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use trackside::{Client, MemoryTransport, Value};
use trackside_wire::Kind;

/// The events, the durations left out: line, kind, `a`.
fn told(client: &Client, memory: &MemoryTransport) -> Vec<(u32, Kind, String)> {
    client.flush(LONG).unwrap();
    let seen = events(memory);
    for seen in &seen {
        assert_eq!(seen.name.as_deref(), Some("pay"));
        assert_eq!(seen.file, file!());
        assert!(seen.kind != Kind::FunctionReturn || seen.b.parse::<u64>().is_ok(), "{seen:?}");
    }
    seen.into_iter().map(|seen| (seen.line, seen.kind, seen.a)).collect()
}

fn both(line: u32, returned: &str) -> [(u32, Kind, String); 2] {
    [(line, Kind::FunctionCall, "null".into()), (line, Kind::FunctionReturn, returned.into())]
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// As long as a test can afford, and far more than the resolution of any clock.
fn spin() -> Duration {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(2) {}
    start.elapsed()
}

#[test]
fn a_closure_is_called_between_its_events_and_its_result_is_passed_on() {
    let (client, memory) = client();
    let args = [("userId", 123.into()), ("amount", 50.into())];
    let mut took = Duration::ZERO;
    let start = line!();
    let paid = client.track_function("processPayment", Value::map(&args), || {
        client.track_write("balance", 100, 50);
        took = spin();
        String::from("paid")
    });
    assert_eq!(paid, "paid");
    client.flush(LONG).unwrap();
    let duration = events(&memory)[2].b.clone();
    // The two clocks may differ a little: a tenth is generous.
    assert!(Duration::from_nanos(duration.parse().unwrap()) > took * 9 / 10, "{duration}");
    let rows = [
        (start + 1, Kind::FunctionCall, "processPayment", "null", "{\"userId\": 123, \"amount\": 50}"),
        (start + 2, Kind::Write, "balance", "100", "50"),
        (start + 1, Kind::FunctionReturn, "processPayment", "null", &duration),
    ];
    assert_rows(&client, &memory, file!(), &rows);
}

#[test]
fn a_panic_goes_on_and_is_told() {
    let (client, memory) = client();
    let start = line!();
    let panic = || client.track_function("pay", Value::NIL, || panic!("no money"));
    let caught = catch_unwind(AssertUnwindSafe(panic)).unwrap_err();
    assert_eq!(caught.downcast_ref(), Some(&"no money"));
    let panic = || {
        let _function = client.start_function("pay", Value::NIL);
        panic!("no money");
    };
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    let expected = [both(start + 1, "\"<panicked>\""), both(start + 5, "\"<panicked>\"")].concat();
    assert_eq!(told(&client, &memory), expected);
}

#[test]
fn a_function_that_cleans_up_after_a_panic_returns_as_any_other() {
    struct CleanUp<'a>(&'a Client);
    impl Drop for CleanUp<'_> {
        fn drop(&mut self) {
            drop(self.0.start_function("pay", Value::NIL));
        }
    }
    let line = line!() - 3;
    let (client, memory) = client();
    let panic = || {
        let _clean_up = CleanUp(&client);
        panic!("no money");
    };
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    assert_eq!(told(&client, &memory), both(line, "null"));
}

#[test]
fn a_guard_is_given_the_value_returned() {
    let (client, memory) = client();
    let start = line!();
    client.start_function("pay", Value::NIL).returns(Value::of(&("paid", 50)));
    drop(client.start_function("pay", Value::NIL));
    assert_eq!(told(&client, &memory), [both(start + 1, "[\"paid\", 50]"), both(start + 2, "null")].concat());
}

#[test]
fn a_value_that_panics_leaves_a_return_behind() {
    struct Bomb;
    impl serde::Serialize for Bomb {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("cannot be told")
        }
    }
    let (client, memory) = client();
    let returned = AssertUnwindSafe(|| client.start_function("pay", Value::NIL).returns(Value::of(&Bomb)));
    let line = line!() - 1;
    assert!(catch_unwind(returned).is_err());
    assert_eq!(told(&client, &memory), both(line, "\"<panicked>\""));
}

#[test]
fn a_future_s_call_is_its_first_poll_and_its_return_the_last() {
    let (client, memory) = client();
    let mut polls = 0;
    let inner = poll_fn(|_| {
        polls += 1;
        if polls == 3 { Poll::Ready(polls) } else { Poll::Pending }
    });
    let mut future = pin!(client.track_future("pay", 50, inner));
    let line = line!() - 1;
    client.flush(LONG).unwrap();
    assert!(events(&memory).is_empty());
    assert!(poll(future.as_mut()).is_pending());
    client.flush(LONG).unwrap();
    let seen = events(&memory);
    assert_eq!((seen.len(), seen[0].kind, seen[0].b.as_str()), (1, Kind::FunctionCall, "50"));
    let waited = spin();
    assert!(poll(future.as_mut()).is_pending());
    assert_eq!(poll(future.as_mut()), Poll::Ready(3));
    assert_eq!(told(&client, &memory), both(line, "null"));
    let took = Duration::from_nanos(events(&memory)[1].b.parse().unwrap());
    assert!(took > waited * 9 / 10, "{took:?}, of which it waited {waited:?}");
}

#[test]
fn a_future_that_is_not_done_says_how_it_ended() {
    let (client, memory) = client();
    let start = line!();
    drop(client.track_future("pay", Value::NIL, ready(())));
    let mut dropped = Box::pin(client.track_future("pay", Value::NIL, pending::<()>()));
    assert!(poll(dropped.as_mut()).is_pending());
    drop(dropped);
    let mut panicking =
        Box::pin(client.track_future("pay", Value::NIL, poll_fn(|_| -> Poll<()> { panic!("no money") })));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(panicking.as_mut()))).is_err());
    drop(panicking);
    // Dropped by a panic that is not its own.
    let mut bystander = Box::pin(client.track_future("pay", Value::NIL, pending::<()>()));
    assert!(poll(bystander.as_mut()).is_pending());
    let panic = move || {
        let _bystander = bystander;
        panic!("of something else");
    };
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    let expected = [(2, "\"<dropped>\""), (6, "\"<panicked>\""), (10, "\"<dropped>\"")];
    assert_eq!(told(&client, &memory), expected.map(|(at, returned)| both(start + at, returned)).concat());
}

#[test]
fn a_future_can_be_spawned_and_awaited_with_arguments() {
    fn spawnable<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    let (client, memory) = client();
    let spawned = client.clone();
    let outer = spawnable(async move {
        // The arguments are borrowed until after the await.
        spawned.track_future("pay", Value::map(&[("amount", 50.into())]), ready(())).await;
    });
    let line = line!() - 2;
    assert!(poll(pin!(outer)).is_ready());
    let owned = spawnable(client.track_future("pay", "text", ready(1)));
    assert_eq!(poll(pin!(owned)), Poll::Ready(1));
    assert_eq!(told(&client, &memory), [both(line, "null"), both(line + 4, "null")].concat());
}
