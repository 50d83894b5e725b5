//! Three services, two instances each, and many requests at once: one trace for each, with every link in it.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use trackside::propagation::Received;
use trackside::tower::ServerLayer;
use trackside::{Client, Context, InContext, TraceId};
use trackside_collector::Collector;

const LONG: Duration = Duration::from_secs(60);
const REQUESTS: usize = if cfg!(debug_assertions) { 300 } else { 1_000 };
/// One in so many is given up by the caller on its way.
const CANCELLED_EVERY: usize = 20;
const SERVICES: [&str; 3] = ["api", "orders", "payments"];

/// One instance of a service.
#[derive(Clone)]
struct Instance {
    client: Client,
    /// Where the instances of the next service are; none for the last.
    next: Arc<Vec<String>>,
    turn: Arc<AtomicUsize>,
    /// Where requests wait that are to be given up.
    stuck: Arc<Stuck>,
}

struct Stuck {
    /// Has a permit for each request that has come there.
    arrived: Semaphore,
    forever: Notify,
}

async fn handle(State(instance): State<Instance>, headers: HeaderMap) -> StatusCode {
    let client = &instance.client;
    client.track_read("requests.handled", 1);
    let job = Context::current().expect("a request has a context").fork("job");
    let recorder = client.clone();
    tokio::spawn(async move { recorder.track_custom("background", 1) }.in_context(job));
    if instance.next.is_empty() {
        if headers.contains_key("x-stuck") {
            instance.stuck.arrived.add_permits(1);
            instance.stuck.forever.notified().await;
        }
        return StatusCode::OK;
    }
    let at = instance.turn.fetch_add(1, Ordering::Relaxed) % instance.next.len();
    let mut outgoing = HeaderMap::new();
    if let Some(stuck) = headers.get("x-stuck") {
        outgoing.insert("x-stuck", stuck.clone());
    }
    let sent = client.propagation_headers().expect("within a request");
    let span = sent.child();
    for (name, value) in sent {
        outgoing.insert(name, value.parse().expect("a header"));
    }
    let status = call(&instance.next[at], outgoing).await;
    client.track_call_returned(span);
    status
}

/// A request over a connection of its own, which is closed if the future is dropped.
async fn call(address: &str, headers: HeaderMap) -> StatusCode {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("the service listens");
    let mut text = format!("POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 0\r\n");
    for (name, value) in &headers {
        text += &format!("{name}: {}\r\n", value.to_str().expect("visible ASCII"));
    }
    stream.write_all((text + "\r\n").as_bytes()).await.expect("the service reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the service answers");
    let status = std::str::from_utf8(&answer[9..12]).expect("a status line");
    StatusCode::from_bytes(status.as_bytes()).expect("a status")
}

async fn start(client: &Client, next: &[String], stuck: &Arc<Stuck>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let instance =
        Instance { client: client.clone(), next: Arc::new(next.to_vec()), turn: Arc::default(), stuck: stuck.clone() };
    let app = Router::new().route("/", post(handle)).layer(ServerLayer::new(client)).with_state(instance);
    tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
    address
}

#[test]
fn many_requests_through_three_services_are_one_whole_trace_each() {
    let collector = Collector::builder().start().unwrap();
    let build = |service: &str, instance: usize| {
        let builder = Client::builder(collector.url()).service(service).instance(format!("{service}-{instance}"));
        builder.record_locks(false).build().unwrap()
    };
    let clients: Vec<Vec<Client>> =
        SERVICES.iter().map(|service| (0..2).map(|instance| build(service, instance)).collect()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let (traces, cancelled) = runtime.block_on(drive(&clients));
    // What is cancelled is dropped by the servers when they notice; the background jobs end by themselves.
    drop(runtime);
    for client in clients.iter().flatten() {
        client.flush(LONG).unwrap();
        let stats = client.stats();
        assert_eq!((stats.lost.total(), stats.pending), (0, 0), "{stats}");
    }

    let found: BTreeMap<String, trackside_analysis::Trace> =
        collector.traces().into_iter().map(|trace| (trace.id.clone(), trace)).collect();
    let wanted: BTreeSet<String> = traces.iter().map(ToString::to_string).collect();
    assert_eq!(wanted.len(), REQUESTS);
    for (number, trace) in traces.iter().enumerate() {
        let trace = found.get(&trace.to_string()).unwrap_or_else(|| panic!("request {number} has no trace"));
        assert_eq!(trace.orphans, [], "request {number}");
        let links: Vec<_> =
            trace.calls.iter().map(|call| (service_of(&call.from.process), service_of(&call.to.process))).collect();
        assert_eq!(links, [("api", "orders"), ("orders", "payments")], "request {number}: {trace:?}");
        let spans: BTreeSet<_> = trace.calls.iter().map(|call| &call.span).collect();
        assert_eq!(spans.len(), 2);
        // Each service has the request and one background job in it.
        assert_eq!(trace.strands, 6, "request {number}: {trace:?}");
        // Request, read, fork, background event: 4 each. Response 1 each, or its being cancelled. Calls 1, with return 2.
        let calls = if cancelled.contains(&number) { 2 } else { 4 };
        assert_eq!(trace.events, 3 * 5 + calls, "request {number}");
    }
    let others = found.keys().filter(|id| !wanted.contains(*id)).count();
    assert!(others <= 6, "beside the requests there are only the processes' own traces: {others}");
    assert!(collector.report().findings.is_empty(), "{:?}", collector.report().findings);
}

fn service_of(process: &str) -> &str {
    process.split('#').next().unwrap_or("")
}

/// Makes the requests. Returns their traces, and which of them were given up.
async fn drive(clients: &[Vec<Client>]) -> (Vec<TraceId>, BTreeSet<usize>) {
    let stuck = Arc::new(Stuck { arrived: Semaphore::new(0), forever: Notify::new() });
    let mut addresses: Vec<String> = Vec::new();
    for service in clients.iter().rev() {
        let mut these = Vec::new();
        for client in service {
            these.push(start(client, &addresses, &stuck).await);
        }
        addresses = these;
    }
    let mut requests = Vec::new();
    let (mut traces, mut cancelled) = (Vec::new(), BTreeSet::new());
    for number in 0..REQUESTS {
        let trace = TraceId::random();
        traces.push(trace);
        let mut headers = HeaderMap::new();
        let parent = format!("00-{}-{}-01", trace.hex(), trackside::SpanId::random());
        headers.insert("traceparent", parent.parse().expect("a header"));
        assert!(Received::parse(&headers).distributed);
        let gives_up = number % CANCELLED_EVERY == 0;
        if gives_up {
            headers.insert("x-stuck", "yes".parse().expect("a header"));
            cancelled.insert(number);
        }
        let address = addresses[number % addresses.len()].clone();
        requests.push((gives_up, tokio::spawn(async move { call(&address, headers).await })));
    }
    // All that are to be given up have come to the last service, and wait there.
    let arrived = stuck.arrived.acquire_many(cancelled.len() as u32).await.expect("it is never closed");
    arrived.forget();
    for (gives_up, request) in requests {
        if gives_up {
            request.abort();
        } else {
            assert_eq!(request.await.expect("it is answered"), StatusCode::OK);
        }
    }
    (traces, cancelled)
}
