//! The layers by themselves, around services that are functions.

use crate::events::{Seen, events};
use http::{Request, Response, StatusCode};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;
use trackside::tower::{ClientLayer, ServerLayer};
use trackside::{Client, Context, MemoryTransport};
use trackside_wire::Kind;

const LONG: Duration = Duration::from_secs(60);

fn client() -> (Client, MemoryTransport) {
    let memory = MemoryTransport::new();
    let builder = Client::builder_to(memory.clone()).service("bank").instance("b1").record_locks(false);
    (builder.build().unwrap(), memory)
}

fn seen(client: &Client, memory: &MemoryTransport) -> Vec<Seen> {
    client.flush(LONG).unwrap();
    events(memory)
}

/// A service that is a function of the request.
#[derive(Clone)]
struct Function<F>(F);

impl<F, R, E, U> Service<Request<()>> for Function<F>
where
    F: FnMut(Request<()>) -> U,
    U: Future<Output = Result<Response<R>, E>>,
{
    type Response = Response<R>;
    type Error = E;
    type Future = U;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> U {
        (self.0)(request)
    }
}

fn request(path: &str) -> Request<()> {
    Request::builder().uri(path).body(()).unwrap()
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

type Answer = Ready<Result<Response<()>, Infallible>>;

fn ok(status: StatusCode) -> Answer {
    let mut response = Response::new(());
    *response.status_mut() = status;
    ready(Ok(response))
}

#[test]
fn a_request_and_its_response_are_recorded_around_what_the_handler_records() {
    let (client, memory) = client();
    let recorder = client.clone();
    let handler = Function(move |_| {
        recorder.track_write("accounts.alice.balance", 100, 50);
        ok(StatusCode::ACCEPTED)
    });
    let made_at = line!() + 1;
    let mut service = ServerLayer::new(&client).layer(handler);
    let request = Request::builder()
        .method("POST")
        .uri("/api/transfer?to=bob")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("content-type", "application/json")
        .header("authorization", "Bearer canary-0123456789")
        .header("cookie", "session=canary-0123456789")
        .body(())
        .unwrap();
    let Poll::Ready(Ok(response)) = poll(pin!(service.call(request))) else { panic!("a ready service") };
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let seen = seen(&client, &memory);
    let [asked, wrote, answered] = &seen[..] else { panic!("three events: {seen:?}") };
    assert_eq!((asked.kind, wrote.kind, answered.kind), (Kind::HttpRequest, Kind::Write, Kind::HttpResponse));
    assert_eq!((asked.name.as_deref(), asked.a.as_str()), (Some("POST"), "\"/api/transfer\""));
    assert_eq!(asked.b, "[{\"content-type\": \"application/json\"}, null]");
    assert_eq!(answered.a, "202");
    let nanos: u64 = answered.b.trim_matches(['[', ']']).rsplit(' ').next().unwrap().parse().unwrap();
    assert!(nanos > 0);
    assert_eq!((asked.line, asked.file.as_str()), (made_at, file!()));
    for event in &seen {
        assert_eq!((event.trace, event.span), (0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, 0xb7ad_6b71_6920_3331));
        assert_eq!(event.strand_name, "POST /api/transfer");
        assert!(event.entry);
        assert!(!format!("{event:?}").contains("canary"), "{event:?}");
    }
    assert!(Context::current().is_none());
}

#[test]
fn what_is_skipped_has_no_context_and_is_not_recorded() {
    let (client, memory) = client();
    let handler = Function(|_| {
        assert!(Context::current().is_none());
        ok(StatusCode::OK)
    });
    let mut service =
        ServerLayer::new(&client).skip_paths(["/health"]).skip_prefix("/static/").skip_bots().layer(handler);
    for path in ["/health", "/static/logo.png"] {
        assert!(poll(pin!(service.call(request(path)))).is_ready());
    }
    let bot = Request::builder().uri("/").header("user-agent", "AhrefsBot/7.0").body(()).unwrap();
    assert!(poll(pin!(service.call(bot))).is_ready());
    assert_eq!(seen(&client, &memory), []);
}

#[test]
fn a_handler_that_panics_is_recorded_and_the_panic_goes_on() {
    let (client, memory) = client();
    let handler = Function(|_| -> Answer { panic!("on purpose") });
    let mut service = ServerLayer::new(&client).layer(handler);
    let call = std::panic::AssertUnwindSafe(|| _ = poll(pin!(service.call(request("/")))));
    assert!(std::panic::catch_unwind(call).is_err());
    let seen = seen(&client, &memory);
    assert_eq!(seen.iter().map(|seen| seen.kind).collect::<Vec<_>>(), [Kind::HttpRequest, Kind::Error]);
    assert_eq!(seen[1].name.as_deref(), Some("panic"));
    assert_eq!(seen[0].strand, seen[1].strand);
    assert!(Context::current().is_none());
}

#[test]
fn a_request_dropped_before_its_response_is_recorded_as_cancelled() {
    let (client, memory) = client();
    let recorder = client.clone();
    let handler = Function(move |_| {
        let recorder = recorder.clone();
        async move {
            recorder.track_custom("begun", 1);
            std::future::pending::<()>().await;
            Ok::<_, Infallible>(Response::new(()))
        }
    });
    let mut service = ServerLayer::new(&client).layer(handler);
    for polls in [0, 1, 2] {
        let mut call = Box::pin(service.call(request("/")));
        (0..polls).for_each(|_| assert!(poll(call.as_mut()).is_pending()));
    }
    let seen = seen(&client, &memory);
    let names: Vec<_> = seen.iter().map(|seen| seen.name.as_deref().unwrap_or("")).collect();
    assert_eq!(names, ["cancelled", "GET", "begun", "cancelled", "GET", "begun", "cancelled"]);
    assert_eq!(seen[1].strand, seen[3].strand);
    assert_ne!(seen[3].strand, seen[4].strand);
}

#[test]
fn a_service_error_is_recorded_and_passed_on() {
    let (client, memory) = client();
    let handler = Function(|_| ready(Err::<Response<()>, _>("no")));
    let mut service = ServerLayer::new(&client).layer(handler);
    assert_eq!(poll(pin!(service.call(request("/")))).map(|result| result.unwrap_err()), Poll::Ready("no"));
    let seen = seen(&client, &memory);
    assert_eq!(seen[1].name.as_deref(), Some("service error"));
}

#[test]
fn a_call_carries_the_context_and_its_return_is_recorded() {
    let (client, memory) = client();
    let downstream = Function(|request: Request<()>| {
        let mut response = Response::new(request.headers().clone());
        *response.status_mut() = StatusCode::OK;
        ready(Ok::<_, Infallible>(response))
    });
    let mut calls = ClientLayer::new(&client).layer(downstream);

    let Poll::Ready(Ok(outside)) = poll(pin!(calls.call(request("/")))) else { panic!() };
    assert!(outside.body().is_empty(), "outside of a context nothing is added");

    let context = client.context();
    let trace = context.trace_id();
    let parents: Vec<String> = context.run(|| {
        let call = |_| {
            let Poll::Ready(Ok(response)) = poll(pin!(calls.call(request("/")))) else { panic!() };
            response.body()["traceparent"].to_str().unwrap().to_owned()
        };
        (0..2).map(call).collect()
    });
    assert!(parents.iter().all(|parent| parent.contains(&trace.hex().to_string())));
    assert_ne!(parents[0], parents[1]);
    let kinds: Vec<_> = seen(&client, &memory).into_iter().map(|seen| (seen.kind, seen.a)).collect();
    let span = |parent: &String| u64::from_str_radix(&parent[36..52], 16).unwrap().to_string();
    let expected: Vec<_> = parents
        .iter()
        .flat_map(|parent| [(Kind::CallSent, span(parent)), (Kind::CallReturned, span(parent))])
        .collect();
    assert_eq!(kinds, expected);
}
