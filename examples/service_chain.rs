//! Three services on loopback, one trace, and a race across two of them.
//!
//! ```sh
//! cargo run --release --features tower --example service_chain
//! ```
//!
//! `shop` asks `stock` and `billing` at the same time; both write one row of a database, which neither locks. No process
//! sees more than its own half. The collector sees the trace.

use axum::extract::State;
use axum::http::{Request, Response};
use axum::routing::post;
use axum::{Json, Router};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tower_layer::Layer;
use tower_service::Service as _;
use trackside::Client;
use trackside::tower::{ClientLayer, ServerLayer};
use trackside_collector::Collector;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A row that several services know. The prefix `shared:` says that it is the same one in all processes.
const ROW: &str = "shared:orders.17.state";

/// A database, reduced to one row.
type Row = Arc<Mutex<String>>;

#[derive(Clone)]
struct Service {
    client: Client,
    row: Row,
    /// The services that this one calls.
    calls: Arc<Vec<String>>,
}

/// Reads the row, and writes it back changed, as `UPDATE` statements do that were not thought through.
async fn change(State(service): State<Service>, name: &'static str) -> Json<bool> {
    let old = service.row.lock().expect("nobody panics").clone();
    service.client.track_read(ROW, &old);
    tokio::task::yield_now().await;
    let new = format!("{old}+{name}");
    service.row.lock().expect("nobody panics").clone_from(&new);
    service.client.track_write(ROW, &old, &new);
    Json(true)
}

/// Calls both services at once. The layer gives each call headers of its own, and records that its response has come.
async fn order(State(service): State<Service>) -> Result<Json<bool>, String> {
    service.client.track_write(ROW, "", "new");
    let mut http = ClientLayer::new(&service.client).layer(Http);
    let calls: Vec<_> =
        service.calls.iter().map(|url| Request::post(url).body(()).map(|request| http.call(request))).collect();
    for call in calls {
        call.map_err(|error| error.to_string())?.await.map_err(|error| error.to_string())?;
    }
    let row = service.row.lock().expect("nobody panics").clone();
    service.client.track_read(ROW, &row);
    Ok(Json(true))
}

/// An HTTP client as a tower service. A program has hyper's or reqwest's; this one is short.
struct Http;

impl tower_service::Service<Request<()>> for Http {
    type Response = Response<()>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let response = tokio::task::spawn_blocking(move || ureq::run(request.map(|()| ureq::SendBody::none())));
        Box::pin(async move { Ok(response.await??.map(drop)) })
    }
}

fn start(runtime: &Runtime, name: &str, router: Router<Service>, service: Service) -> Result<String, Error> {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}/", listener.local_addr()?);
    let app = router.layer(ServerLayer::new(&service.client)).with_state(service);
    runtime.spawn(async move { axum::serve(listener, app).await });
    println!("   {name} is at {url}");
    Ok(url)
}

fn main() -> Result<(), Error> {
    let collector = Collector::builder().start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let row = Row::new(Mutex::new("new".into()));
    let mut clients = Vec::new();
    let mut service = |name: &str, calls: Vec<String>| -> Result<Service, Error> {
        let client = Client::builder(collector.url()).service(name).instance(format!("{name}-1")).build()?;
        clients.push(client.clone());
        Ok(Service { client, row: row.clone(), calls: Arc::new(calls) })
    };

    println!("== three services, one request");
    let stock = service("stock", vec![])?;
    let stock = start(&runtime, "stock", Router::new().route("/", post(|state| change(state, "reserved"))), stock)?;
    let billing = service("billing", vec![])?;
    let billing = start(&runtime, "billing", Router::new().route("/", post(|state| change(state, "paid"))), billing)?;
    let shop = service("shop", vec![stock, billing])?;
    let shop = start(&runtime, "shop", Router::new().route("/", post(order)), shop)?;

    ureq::post(&shop).send_empty()?;
    drop(runtime);
    for client in &clients {
        client.shutdown(Duration::from_secs(10));
    }

    println!("== its trace");
    let traces = collector.traces();
    let trace = traces.iter().find(|trace| trace.calls.len() == 2).ok_or("the calls are not in one trace")?;
    println!("   {}: {} events of {}", trace.id, trace.events, trace.processes.join(", "));
    for call in &trace.calls {
        println!("   {} called {} as span {}", call.from.process, call.to.process, call.span);
    }
    println!();
    let report = collector.report();
    println!("{report}");
    let across = report.findings.iter().any(|finding| finding.variable == ROW);
    if across { Ok(()) } else { Err("the race across two services was not found".into()) }
}
