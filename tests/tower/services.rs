//! Three services, two instances each, and many requests at once: one trace for each, with every link in it.

use crate::events::{Seen, decode};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, Request, Response, StatusCode};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tower_layer::Layer;
use tower_service::Service;
use trackside::tower::{ClientLayer, ServerLayer};
use trackside::{Client, Context, InContext, TraceId};
use trackside_collector::Collector;
use trackside_wire::Kind;

const LONG: Duration = Duration::from_secs(60);
const REQUESTS: usize = if cfg!(debug_assertions) { 300 } else { 1_000 };
/// One in so many is given up by the caller on its way.
const CANCELLED_EVERY: usize = 20;
const SERVICES: [&str; 3] = ["api", "inventory", "payment"];

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
    let mut request = Request::post(&instance.next[at]);
    if let Some(stuck) = headers.get("x-stuck") {
        request = request.header("x-stuck", stuck);
    }
    let request = request.body(()).expect("a request");
    let response = ClientLayer::new(client).layer(Connection).call(request).await;
    response.expect("the service answers").status()
}

/// An HTTP client: each request over a connection of its own, which is closed if the future is dropped.
struct Connection;

impl Service<Request<()>> for Connection {
    type Response = Response<()>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<()>>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        Box::pin(async move {
            let host = request.uri().authority().expect("an absolute URL").as_str();
            let mut stream = tokio::net::TcpStream::connect(host).await?;
            let mut text = format!("POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n");
            for (name, value) in request.headers() {
                text += &format!("{name}: {}\r\n", value.to_str().map_err(io::Error::other)?);
            }
            stream.write_all((text + "\r\n").as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            let status = answer.get(9..12).and_then(|status| StatusCode::from_bytes(status).ok());
            let mut response = Response::new(());
            *response.status_mut() = status.ok_or(io::ErrorKind::InvalidData)?;
            Ok(response)
        })
    }
}

async fn start(client: &Client, next: &[String], stuck: &Arc<Stuck>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/", listener.local_addr().expect("it is bound"));
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
    let began = Instant::now();
    let (traces, cancelled) = runtime.block_on(drive(&clients));
    // Each service has: request, read, spawning of the job, the job's event, and an end. Two of them call, and each call
    // that is not given up returns.
    let events_of = |number: usize| 3 * 5 + if cancelled.contains(&number) { 2 } else { 4 };
    let expected: u64 = (0..REQUESTS).map(events_of).sum();
    // That a caller is gone, a server notices by itself; the last jobs may also come after the last response.
    let recorded = || clients.iter().flatten().map(|client| client.stats().recorded).sum::<u64>();
    while recorded() < expected {
        assert!(began.elapsed() < LONG, "{} of {expected} events", recorded());
        std::thread::yield_now();
    }
    for client in clients.iter().flatten() {
        client.flush(LONG).unwrap();
        let stats = client.stats();
        assert_eq!((stats.lost.total(), stats.pending), (0, 0), "{stats}");
    }
    let took = began.elapsed();
    assert_eq!(collector.distinct_events(), expected);

    let mut events: HashMap<TraceId, Vec<Seen>> = HashMap::new();
    for seen in collector.batches().flat_map(|batch| decode(&batch)) {
        events.entry(TraceId::from_u128(seen.trace).expect("an id")).or_default().push(seen);
    }
    let found: BTreeMap<String, trackside_analysis::Trace> =
        collector.traces().into_iter().map(|trace| (trace.id.clone(), trace)).collect();
    assert_eq!((found.len(), events.len()), (REQUESTS, REQUESTS), "nothing is outside of the requests' traces");
    let mut edges = 0;
    for (number, id) in traces.iter().enumerate() {
        let trace = found.get(&id.to_string()).unwrap_or_else(|| panic!("request {number} has no trace"));
        assert_eq!(trace.orphans, [], "request {number}");
        let links: Vec<_> =
            trace.calls.iter().map(|call| (service_of(&call.from.process), service_of(&call.to.process))).collect();
        assert_eq!(links, [("api", "inventory"), ("inventory", "payment")], "request {number}: {trace:?}");
        let spans: BTreeSet<_> = trace.calls.iter().map(|call| &call.span).collect();
        assert_eq!(spans.len(), 2);
        edges += trace.calls.len();
        // Each service has the request and one background job in it.
        assert_eq!((trace.strands, trace.processes.len()), (6, 3), "request {number}: {trace:?}");
        assert_eq!(trace.events as usize, events[id].len());
        let gave_up = cancelled.contains(&number);
        check(&events[id], gave_up).unwrap_or_else(|what| panic!("request {number} ({gave_up}): {what}: {trace:?}"));
    }
    assert!(collector.report().findings.is_empty(), "{:?}", collector.report().findings);
    println!("{REQUESTS} requests, {} given up: {edges} calls, {expected} events in {took:?}", cancelled.len());
}

/// Whether each service has the events that it should have, of one request.
fn check(events: &[Seen], gave_up: bool) -> Result<(), String> {
    let count = |kind: Kind, name: &str| {
        events.iter().filter(|seen| seen.kind == kind && seen.name.as_deref().unwrap_or("") == name).count()
    };
    let (ended, returned) = if gave_up { (0, 0) } else { (3, 2) };
    let expected = [
        (Kind::HttpRequest, "POST", 3),
        (Kind::HttpResponse, "", ended),
        (Kind::Error, "cancelled", 3 - ended),
        (Kind::Custom, "background", 3),
        (Kind::AsyncSpawn, "job", 3),
        (Kind::CallSent, "", 2),
        (Kind::CallReturned, "", returned),
    ];
    for (kind, name, expected) in expected {
        if count(kind, name) != expected {
            return Err(format!("{} of {kind:?} {name}, not {expected}", count(kind, name)));
        }
    }
    // A request's end is the last that its strand says; and a job is no part of the strand.
    let mut strands: HashMap<(u64, u64), Vec<&Seen>> = HashMap::new();
    for seen in events {
        strands.entry((seen.span, seen.strand)).or_default().push(seen);
    }
    for strand in strands.values_mut() {
        strand.sort_by_key(|seen| seen.step);
        let kinds = (strand[0].kind, strand[strand.len() - 1].kind);
        let name = strand[0].strand_name.as_str();
        let end = if gave_up { Kind::Error } else { Kind::HttpResponse };
        match name {
            "POST /" if kinds == (Kind::HttpRequest, end) => {}
            "job" if kinds == (Kind::Custom, Kind::Custom) && !strand[0].after.is_empty() => {}
            _ => return Err(format!("{name} from {kinds:?}")),
        }
    }
    Ok(())
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
        let parent = format!("00-{}-{}-01", trace.hex(), trackside::SpanId::random());
        let mut request = Request::post(&addresses[number % addresses.len()]).header("traceparent", parent);
        let gives_up = number % CANCELLED_EVERY == 0;
        if gives_up {
            request = request.header("x-stuck", "yes");
            cancelled.insert(number);
        }
        requests.push((gives_up, tokio::spawn(Connection.call(request.body(()).expect("a request")))));
    }
    // All that are to be given up have come to the last service, and wait there.
    let arrived = stuck.arrived.acquire_many(cancelled.len() as u32).await.expect("it is never closed");
    arrived.forget();
    for (gives_up, request) in requests {
        if gives_up {
            request.abort();
        } else {
            assert_eq!(request.await.expect("no panic").expect("it is answered").status(), StatusCode::OK);
        }
    }
    (traces, cancelled)
}
