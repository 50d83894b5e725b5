//! Work that outlives its request, in the request's trace: a detached task, and a job that goes through a channel.
//!
//! ```sh
//! cargo run --release --features tower --example background_job
//! ```

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use trackside::tower::ServerLayer;
use trackside::{Client, Context, InContext};
use trackside_collector::Collector;

type Error = Box<dyn std::error::Error>;

/// A job and the context that it belongs to. A context can be sent; it is in one place at a time.
struct Job {
    context: Context,
    id: u64,
}

#[derive(Clone)]
struct Service {
    client: Client,
    queue: Sender<Job>,
    /// Told when the detached work is done.
    done: Arc<Notify>,
}

/// Answers at once. What goes on afterwards is in the same trace.
async fn submit(State(service): State<Service>) -> StatusCode {
    let Service { client, queue, done } = service;
    client.track_write("job.1.status", "", "pending");
    client.track_write("job.2.status", "", "pending");
    let request = Context::current().expect("the layer has attached one");

    let recorder = client.clone();
    let detached = async move {
        recorder.track_write("job.1.status", "pending", "processing");
        tokio::task::yield_now().await;
        recorder.track_write("job.1.status", "processing", "completed");
        done.notify_one();
    };
    tokio::spawn(detached.in_context(request.detach()));

    // The worker may be busy until long after the response.
    let sent = queue.send(Job { context: request.fork("queued job"), id: 2 });
    if sent.is_ok() { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn worker(client: &Client, queue: &Receiver<Job>) {
    for Job { context, id } in queue {
        context.run(|| {
            client.track_read("queue.dequeued", id);
            client.track_write(&format!("job.{id}.status"), "pending", "completed");
        });
    }
}

fn main() -> Result<(), Error> {
    let collector = Collector::builder().start()?;
    let client = Client::builder(collector.url()).service("jobs").instance("jobs-1").build()?;
    let (queue, jobs) = channel();
    let working = std::thread::spawn({
        let client = client.clone();
        move || worker(&client, &jobs)
    });

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = Arc::new(Notify::new());
    let service = Service { client: client.clone(), queue, done: done.clone() };
    let app = Router::new().route("/jobs", post(submit)).layer(ServerLayer::new(&client)).with_state(service);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}/jobs", listener.local_addr()?);
    runtime.spawn(async move { axum::serve(listener, app).await });
    let response = ureq::post(&url).send_empty()?;
    println!("== answered {} while the work goes on", response.status());

    runtime.block_on(done.notified());
    // The service goes, and with it the sender of the queue; then the worker has nothing left to do.
    drop(response);
    drop(runtime);
    working.join().map_err(|_| "the worker panicked")?;
    println!("   {}", client.shutdown(Duration::from_secs(10)));

    let traces = collector.traces();
    let request = traces.iter().find(|trace| trace.strands == 3).ok_or("the work is not in the request's trace")?;
    println!("   {}: {} events of {} strands", request.id, request.events, request.strands);
    let report = collector.report();
    println!("{report}");
    if report.findings.is_empty() {
        Ok(())
    } else {
        Err("what a request does before it detaches work is no race".into())
    }
}
