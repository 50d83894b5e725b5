//! The transfer service of Raceway's Go manual, on axum: middleware, locks, errors, and nothing traced that need not be.
//!
//! ```sh
//! cargo run --release --features tower --example axum_service
//! ```
//!
//! It starts a collector and the service, sends itself requests, and shows what the collector found: nothing under the
//! lock, and the race of a handler that reads a balance before it takes the lock.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use trackside::tower::ServerLayer;
use trackside::{Client, TrackedMutex, Value};
use trackside_collector::Collector;

type Error = Box<dyn std::error::Error>;

struct Bank {
    client: Client,
    accounts: TrackedMutex<HashMap<String, i64>>,
}

#[derive(Deserialize, Serialize)]
struct Transfer {
    from: String,
    to: String,
    amount: i64,
}

/// Reads, decides and writes under one lock.
async fn transfer(State(bank): State<Arc<Bank>>, Json(order): Json<Transfer>) -> StatusCode {
    let Transfer { from, to, amount } = order;
    let mut accounts = bank.accounts.lock().expect("no handler panics");
    let balance = accounts.get(&from).copied().unwrap_or(0);
    bank.client.track_read(&format!("accounts.{from}.balance"), balance);
    if balance < amount {
        bank.client.track_error("InsufficientFunds", "balance too low", &[]);
        return StatusCode::BAD_REQUEST;
    }
    for (account, change) in [(from, -amount), (to, amount)] {
        let old = accounts.get(&account).copied().unwrap_or(0);
        bank.client.track_write(&format!("accounts.{account}.balance"), old, old + change);
        accounts.insert(account, old + change);
    }
    StatusCode::OK
}

/// Reads under the lock, thinks about it without, and writes what it thought: whatever came in between is lost.
async fn add_interest(State(bank): State<Arc<Bank>>, Path(account): Path<String>) -> StatusCode {
    let name = format!("accounts.{account}.balance");
    let read = |bank: &Bank| bank.accounts.lock().expect("no handler panics").get(&account).copied().unwrap_or(0);
    let balance = read(&bank);
    bank.client.track_read(&name, balance);
    tokio::task::yield_now().await;
    let mut accounts = bank.accounts.lock().expect("no handler panics");
    bank.client.track_write(&name, balance, balance + balance / 100);
    accounts.insert(account.clone(), balance + balance / 100);
    StatusCode::OK
}

fn main() -> Result<(), Error> {
    let collector = Collector::builder().start()?;
    let client = Client::builder(collector.url()).service("bank").instance("bank-1").build()?;
    let accounts = HashMap::from([("alice".to_owned(), 10_000), ("bob".to_owned(), 10_000)]);
    let bank = Arc::new(Bank { client: client.clone(), accounts: TrackedMutex::named("accounts", accounts) });
    let app = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/api/transfer", post(transfer))
        .route("/api/interest/{account}", post(add_interest))
        .layer(ServerLayer::new(&client).skip_paths(["/health", "/metrics"]).skip_prefix("/static/").skip_bots())
        .with_state(bank);

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let address = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok::<_, std::io::Error>(address)
    })?;

    println!("== transfers, under one lock");
    customers(|customer| {
        let (from, to) = if customer % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        let order = format!(r#"{{"from":"{from}","to":"{to}","amount":{}}}"#, customer + 1);
        ureq::post(format!("http://{address}/api/transfer")).content_type("application/json").send(order).map(drop)
    })?;
    ureq::get(format!("http://{address}/health")).call()?;
    let broke = ureq::post(format!("http://{address}/api/transfer")).content_type("application/json");
    let refused = broke.send(r#"{"from":"carol","to":"bob","amount":1}"#);
    println!("   carol has no money: {}", refused.err().map_or("it worked?".into(), |error| error.to_string()));
    client.flush(Duration::from_secs(10))?;
    let before = collector.report();
    println!("{before}");

    println!("== interest, without");
    customers(|_| ureq::post(format!("http://{address}/api/interest/alice")).send_empty().map(drop))?;
    drop(runtime);
    client.track_custom("closing time", Value::NIL);
    println!("   {}", client.shutdown(Duration::from_secs(10)));
    let after = collector.report();
    println!("{after}");
    println!(
        "{} requests were traced; health checks were not",
        collector.traces().iter().filter(|t| t.events > 1).count()
    );
    match (before.findings.is_empty(), after.findings.is_empty()) {
        (true, false) => Ok(()),
        (false, _) => Err("a race was found where there is none".into()),
        (true, true) => Err("the race was not found".into()),
    }
}

/// Several customers at once, each with several requests.
fn customers(request: impl Fn(u64) -> Result<(), ureq::Error> + Sync) -> Result<(), ureq::Error> {
    std::thread::scope(|scope| {
        let customer = |customer| {
            let request = &request;
            scope.spawn(move || (0..50).try_for_each(|_| request(customer)))
        };
        let customers: Vec<_> = (0..4).map(customer).collect();
        customers.into_iter().try_for_each(|customer| customer.join().expect("a customer does not panic"))
    })
}
