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
    assert_eq!((seen[1].name.as_deref(), seen[1].a.as_str()), (Some("panic"), "\"on purpose\""));
    assert_eq!(seen[0].strand, seen[1].strand);
    assert!(Context::current().is_none());
}

#[test]
fn a_panic_between_two_polls_is_recorded_once_and_while_it_unwinds() {
    let (client, memory) = client();
    let handler = Function(|request: Request<()>| async move {
        tokio::task::yield_now().await;
        panic!("no {}", request.uri());
        #[expect(unreachable_code, reason = "it says what the response would be")]
        Ok::<_, Infallible>(Response::new(()))
    });
    let mut call = Box::pin(ServerLayer::new(&client).layer(handler).call(request("/way")));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(call.as_mut()).ok()));
    assert_eq!(caught.unwrap_err().downcast_ref::<String>().map(String::as_str), Some("no /way"));
    let unwound = seen(&client, &memory);
    assert_eq!((unwound.len(), unwound[1].a.as_str()), (2, "\"no /way\""));
    drop(call);
    assert_eq!(seen(&client, &memory).len(), 2);
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
    assert_eq!(names, ["GET", "cancelled", "GET", "begun", "cancelled", "GET", "begun", "cancelled"]);
    for request in seen.chunk_by(|a, b| a.strand == b.strand) {
        assert_eq!(request[0].name.as_deref(), Some("GET"));
        let end = request.last().unwrap();
        assert_eq!((end.kind, end.name.as_deref()), (Kind::Error, Some("cancelled")));
        assert!(end.a.contains("dropped before its response, after "), "{end:?}");
    }
    assert_eq!(seen.chunk_by(|a, b| a.strand == b.strand).count(), 3);
}

#[test]
fn what_a_service_does_when_it_is_called_is_in_the_context_and_it_need_not_be_cloned() {
    struct Once(Client, String);
    impl Service<Request<Vec<u8>>> for Once {
        type Response = Response<Vec<u8>>;
        type Error = Infallible;
        type Future = Ready<Result<Response<Vec<u8>>, Infallible>>;

        fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
            self.1.push_str("ready ");
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
            assert_eq!(self.1, "ready ");
            assert!(Context::current().is_some());
            self.0.track_custom("called", 1);
            ready(Ok(Response::new(request.into_body())))
        }
    }
    let (client, memory) = client();
    client.track_custom("of the thread", 0);
    let mut service = ServerLayer::new(&client).layer(Once(client.clone(), String::new()));
    assert!(service.poll_ready(&mut TaskContext::from_waker(Waker::noop())).is_ready());
    let request = Request::post("/pkg.Service/Method").body(b"frame".to_vec()).unwrap();
    let call = service.call(request);
    client.track_custom("of the thread", 2);
    let Poll::Ready(Ok(response)) = poll(pin!(call)) else { panic!("a ready service") };
    assert_eq!(response.body(), b"frame");
    let mut seen = seen(&client, &memory);
    seen.sort_by_key(|seen| seen.strand);
    let (own, request) = seen.split_at(2);
    // Requests that a thread happens to serve one after the other are not in order for that.
    assert!(seen.iter().all(|seen| seen.after.is_empty()), "{seen:?}");
    assert_eq!(own[0].strand, own[1].strand);
    let kinds: Vec<_> = request.iter().map(|seen| seen.kind).collect();
    assert_eq!(kinds, [Kind::HttpRequest, Kind::Custom, Kind::HttpResponse]);
}

#[test]
fn a_layer_within_another_leaves_the_request_its_context_unless_it_is_another_client_s() {
    let (client, memory) = client();
    let (other, other_memory) = self::client();
    let recorder = client.clone();
    let handler = Function(move |_| {
        recorder.track_custom("handled", 1);
        ok(StatusCode::OK)
    });
    let inner = ServerLayer::new(&client).layer(handler);
    let middle = ServerLayer::new(&client).layer(inner);
    let mut service = ServerLayer::new(&other).layer(middle);
    assert!(poll(pin!(service.call(request("/")))).is_ready());
    let kinds = |seen: &[Seen]| seen.iter().map(|seen| seen.kind).collect::<Vec<_>>();
    let seen_here = seen(&client, &memory);
    assert_eq!(kinds(&seen_here), [Kind::HttpRequest, Kind::Custom, Kind::HttpResponse]);
    assert!(seen_here.iter().all(|event| event.strand == seen_here[0].strand));
    assert_eq!(kinds(&seen(&other, &other_memory)), [Kind::HttpRequest, Kind::HttpResponse]);
}

#[test]
fn what_an_outer_layer_skips_an_inner_one_may_trace() {
    let (client, memory) = client();
    let inner = ServerLayer::new(&client).layer(Function(|_| ok(StatusCode::OK)));
    let mut service = ServerLayer::new(&client).filter(|method, uri, _| method == "PUT" || uri == "/a").layer(inner);
    for path in ["/a", "/b"] {
        assert!(poll(pin!(service.call(request(path)))).is_ready());
    }
    let seen = seen(&client, &memory);
    let names: Vec<_> = seen.iter().map(|seen| seen.strand_name.as_str()).collect();
    assert_eq!(names, ["GET /a", "GET /a", "GET /b", "GET /b"]);
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
    let called_at = line!() + 3;
    let parents: Vec<String> = context.run(|| {
        let call = |_| {
            let Poll::Ready(Ok(response)) = poll(pin!(calls.call(request("/")))) else { panic!() };
            response.body()["traceparent"].to_str().unwrap().to_owned()
        };
        (0..2).map(call).collect()
    });
    assert!(parents.iter().all(|parent| parent.contains(&trace.hex().to_string())));
    assert_ne!(parents[0], parents[1]);
    let kinds: Vec<_> = seen(&client, &memory)
        .into_iter()
        .map(|seen| {
            assert_eq!((seen.file.as_str(), seen.line), (file!(), called_at));
            (seen.kind, seen.a)
        })
        .collect();
    let span = |parent: &String| u64::from_str_radix(&parent[36..52], 16).unwrap().to_string();
    let expected: Vec<_> = parents
        .iter()
        .flat_map(|parent| [(Kind::CallSent, span(parent)), (Kind::CallReturned, span(parent))])
        .collect();
    assert_eq!(kinds, expected);
}

#[test]
fn a_call_from_service_to_service_in_one_process_is_a_request_of_its_own() {
    let (shop, shop_memory) = client();
    let (stock, stock_memory) = client();
    let answer = Function(|_| ok(StatusCode::OK));
    // The same client on both sides of the second call, and the request passed on as it came, marks and all.
    let stock_again = ServerLayer::new(&stock).layer(answer);
    let calls = ClientLayer::new(&stock).layer(stock_again);
    let stock_service = ServerLayer::new(&stock).layer(Function(move |request| calls.clone().call(request)));
    let calls = ClientLayer::new(&shop).layer(stock_service);
    let mut service = ServerLayer::new(&shop).layer(Function(move |request| calls.clone().call(request)));
    assert!(poll(pin!(service.call(request("/")))).is_ready());

    let (shop, stock) = (seen(&shop, &shop_memory), seen(&stock, &stock_memory));
    let kinds = |seen: &[Seen]| seen.iter().map(|seen| seen.kind).collect::<Vec<_>>();
    let around = [Kind::HttpRequest, Kind::CallSent, Kind::CallReturned, Kind::HttpResponse];
    assert_eq!(kinds(&shop), around);
    let [asked, sent, again, answered_again, returned, answered] = &stock[..] else { panic!("six events: {stock:?}") };
    assert_eq!([asked.kind, sent.kind, returned.kind, answered.kind], around);
    assert_eq!([again.kind, answered_again.kind], [Kind::HttpRequest, Kind::HttpResponse]);
    assert!(shop.iter().chain(&stock).all(|event| event.trace == shop[0].trace));
    assert_eq!((asked.span.to_string(), asked.upstream), (shop[1].a.clone(), shop[0].span));
    assert_eq!((again.span.to_string(), again.upstream), (sent.a.clone(), asked.span));
    assert!(!shop[0].entry && asked.entry && again.entry);
}

#[test]
fn a_call_that_fails_or_is_given_up_was_sent_and_has_not_returned() {
    let (client, memory) = client();
    let broken = ClientLayer::new(&client).layer(Function(|_| ready(Err::<Response<()>, _>("no"))));
    let stuck = ClientLayer::new(&client).layer(Function(|_| std::future::pending::<Result<Response<()>, &str>>()));
    client.context().run(|| {
        assert_eq!(poll(pin!(broken.clone().call(request("/")))).map(Result::unwrap_err), Poll::Ready("no"));
        assert!(poll(pin!(stuck.clone().call(request("/")))).is_pending());
    });
    let kinds: Vec<_> = seen(&client, &memory).iter().map(|seen| seen.kind).collect();
    assert_eq!(kinds, [Kind::CallSent, Kind::CallSent]);
}
