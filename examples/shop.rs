//! Something to look at: a shop that has most of the bugs that `trackside` finds, and records into a collector of yours.
//!
//! ```sh
//! trackside serve                                              # in one terminal; then open http://127.0.0.1:8080/
//! cargo run --release --example shop -- http://127.0.0.1:8080  # in another one
//! ```
//!
//! A till whose sums are added up without a lock; warehouse clerks who lock shelves in the order in which they need them; a
//! ledger that all wait for; a total that one of three places forgets to protect; and orders that go through three services,
//! two of which write the same row of a database. What is in `main` is what happens, one after the other.
//!
//! Without a URL it starts a collector of its own, and fails if one of these is not found.

use std::error::Error;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use trackside::sync::Mutex;
use trackside::thread::Builder;
use trackside::{Client, Overflow, Value, Variable};
use trackside_analysis::FindingKind;
use trackside_collector::Collector;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    if let Some(url) = std::env::args().nth(1) {
        return record(&url);
    }
    let collector = Collector::builder().start()?;
    record(&collector.url())?;
    let report = collector.report();
    println!("{report}");
    for kind in [FindingKind::LostUpdate, FindingKind::PotentialDeadlock, FindingKind::InconsistentLocking] {
        if !report.findings.iter().any(|finding| finding.kind == kind) {
            return Err(format!("{kind:?} was not found").into());
        }
    }
    Ok(())
}

fn record(url: &str) -> Result<(), Failure> {
    for (name, work) in [("till", till as fn(&Client)), ("warehouse", warehouse), ("ledger", ledger)] {
        let client = client(url, name)?;
        work(&client);
        finish(name, &client)?;
    }
    orders(url)
}

fn client(url: &str, service: &str) -> Result<Client, Failure> {
    // A demonstration wants every event. A service would rather drop some than wait, which is the default.
    let overflow = Overflow::Block { timeout: Duration::from_secs(10) };
    Ok(Client::builder(url).service(service).instance(format!("{service}-1")).overflow(overflow).build()?)
}

fn finish(name: &str, client: &Client) -> Result<(), Failure> {
    client.flush(Duration::from_secs(10))?;
    println!("{name}: {}", client.shutdown(Duration::from_secs(10)));
    Ok(())
}

/// Has each of `names` do `work` on a thread of its own, with its place in the list.
fn at_once(names: &[&str], work: impl Fn(usize) + Sync) {
    trackside::thread::scope(|scope| {
        for (number, name) in names.iter().enumerate() {
            let work = &work;
            // A machine that has no thread left has fewer people at work.
            let _ = Builder::new().name((*name).to_owned()).spawn_scoped(scope, move || work(number));
        }
    });
}

/// Three cashiers add to one sum: a load and a store, with a gap between. What falls into the gap is lost.
fn till(client: &Client) {
    const SALES: i64 = 40;
    let sum = AtomicI64::new(0);
    client.track_write("till.sum", 0, 0);
    at_once(&["cashier-ann", "cashier-bo", "cashier-cy"], |cashier| {
        for sale in 1..=SALES {
            let cents = 100 * sale + cashier as i64;
            client.track_function("ring_up", cents, || {
                let old = sum.load(Relaxed);
                client.track_read("till.sum", old);
                thread::yield_now();
                sum.store(old + cents, Relaxed);
                client.track_write("till.sum", old, old + cents);
            });
        }
    });
    client.track_read("till.sum", sum.load(Relaxed));
}

/// Clerks move goods between two shelves each, and lock the shelf they take from first. They work one after the other here,
/// so nobody is stuck; that is luck which `trackside` is not told of.
fn warehouse(_: &Client) {
    let shelves = [Mutex::named("shelf.books", 9), Mutex::named("shelf.games", 9), Mutex::named("shelf.tools", 9)];
    let (begin, mut turn) = std::sync::mpsc::channel::<()>();
    let mut begin = Some(begin);
    trackside::thread::scope(|scope| {
        for (number, name) in ["clerk-dee", "clerk-eli", "clerk-flo"].into_iter().enumerate() {
            let (next, following) = std::sync::mpsc::channel();
            let (mine, shelves) = (std::mem::replace(&mut turn, following), &shelves);
            let move_goods = move || {
                // Whoever comes before has left once this fails.
                let _ = mine.recv();
                for _ in 0..4 {
                    let mut from = shelves[number].lock().unwrap_or_else(PoisonError::into_inner);
                    let mut to = shelves[(number + 1) % shelves.len()].lock().unwrap_or_else(PoisonError::into_inner);
                    *from -= 1;
                    *to += 1;
                }
                drop(next);
            };
            let _ = Builder::new().name(name.to_owned()).spawn_scoped(scope, move_goods);
            drop(begin.take());
        }
    });
}

/// All write to one ledger, which is locked for as long as that takes; and a total that the one who reads it forgets to lock.
fn ledger(client: &Client) {
    let ledger = Mutex::named("ledger", 0_i64);
    let prices = Mutex::named("prices", [3, 5, 8]);
    let total = Variable::new("ledger.total");
    at_once(&["clerk-gus", "clerk-hal", "clerk-ivy", "auditor-jo"], |number| {
        for entry in 0..30 {
            if number == 3 {
                thread::sleep(Duration::from_micros(300));
                if entry % 10 == 9 {
                    total.read(client, 0);
                }
                continue;
            }
            let price = prices.lock().unwrap_or_else(PoisonError::into_inner)[entry % 3];
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            total.write(client, *ledger, *ledger + price);
            *ledger += price;
            // Stands for a write to a disk.
            thread::sleep(Duration::from_micros(50 + 20 * (entry as u64 % 7)));
        }
    });
}

/// Orders go from the shop to stock and billing, which are called at once and write one row that neither locks.
fn orders(url: &str) -> Result<(), Failure> {
    let [shop, stock, billing] = [client(url, "shop")?, client(url, "stock")?, client(url, "billing")?];
    for number in 0..12 {
        let row = std::sync::Mutex::new(String::from("new"));
        let _order = shop.context().named(format!("order {number}")).attach();
        let began = Instant::now();
        shop.track_http_request("POST", "/orders", Value::NIL, number);
        shop.track_database_query("orders", "INSERT INTO orders VALUES ($1, 'new')", Duration::from_micros(150));
        thread::scope(|scope| {
            let mut calls = Vec::new();
            for (service, path, to) in [(&stock, "/reserve", "reserved"), (&billing, "/charge", "charged")] {
                let Ok(headers) = shop.propagation_headers() else { continue };
                let (span, row) = (headers.child(), &row);
                let carried: Vec<_> = headers.into_iter().collect();
                calls.push((
                    span,
                    scope.spawn(move || service.extract(&carried).run(|| change(service, path, row, to, number))),
                ));
            }
            for (span, call) in calls {
                // A call that panicked has also come back.
                let _ = call.join();
                shop.track_call_returned(span);
            }
        });
        shop.track_http_response(201, Value::NIL, Value::NIL, began.elapsed());
    }
    for (name, client) in [("shop", &shop), ("stock", &stock), ("billing", &billing)] {
        finish(name, client)?;
    }
    Ok(())
}

/// What stock and billing do of an order: read the row, think, and write it back changed.
fn change(service: &Client, path: &'static str, row: &std::sync::Mutex<String>, to: &str, number: u64) {
    const STATE: &str = "shared:orders.state";
    let began = Instant::now();
    service.track_http_request("POST", path, Value::NIL, number);
    let old = row.lock().unwrap_or_else(PoisonError::into_inner).clone();
    service.track_read(STATE, old.as_str());
    service.track_function("decide", number, || thread::sleep(Duration::from_micros(200 + 150 * (number % 4))));
    if number == 7 && path == "/charge" {
        service.track_error("CardDeclined", "the card was declined", &[]);
    }
    let new = format!("{old}, {to}");
    row.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&new);
    service.track_write(STATE, old.as_str(), new.as_str());
    service.track_http_response(200, Value::NIL, Value::NIL, began.elapsed());
}
