//! A bank whose transfers race: real threads, and balances that really come out wrong.
//!
//! Tellers move money between accounts by reading a balance, working out the new one, and writing it back. Without a
//! lock, two tellers can read the same balance, and one transfer is lost. `trackside` watches, and names the variable,
//! the two lines and what was lost; then the same transfers run under a `TrackedMutex`, and nothing remains to be found.
//!
//! Run it with `cargo run --release --example bank`. It starts its own collector on a free port of this machine.

use std::error::Error;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use trackside::{Client, Overflow, TrackedMutex};
use trackside_collector::Collector;

const TELLERS: usize = 4;
const TRANSFERS: usize = 25_000;
/// In cents.
const OPENING: i64 = 1_000_000;

/// A variable that threads share without agreeing on anything: a Relaxed load and a Relaxed store, with a gap between.
struct Account {
    name: &'static str,
    balance: AtomicI64,
}

impl Account {
    const fn new(name: &'static str) -> Self {
        Self { name, balance: AtomicI64::new(OPENING) }
    }

    fn add(&self, client: &Client, amount: i64) {
        let old = self.balance.load(Relaxed);
        client.track_read(self.name, old);
        let new = old + amount;
        self.balance.store(new, Relaxed);
        client.track_write(self.name, old, new);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::builder().start()?;

    println!("== {TELLERS} tellers, {TRANSFERS} transfers each, no lock");
    let missing = run(&collector, None)?;
    let report = collector.report();
    println!("\n{report}");
    if missing == 0 || !report.findings.iter().any(|finding| finding.variable.starts_with("accounts.")) {
        return Err("the race did not show up: run the example again".into());
    }

    collector.clear();
    println!("== the same transfers, each under the lock");
    static LEDGER: TrackedMutex<()> = TrackedMutex::named("ledger", ());
    let missing = run(&collector, Some(&LEDGER))?;
    let report = collector.report();
    println!("\n{report}");
    if missing != 0 || !report.findings.is_empty() {
        return Err("a finding under the lock: that is a bug in trackside, please report it".into());
    }
    Ok(())
}

/// Lets the tellers loose, delivers what was recorded, and returns how much money is missing or too much.
fn run(collector: &Collector, lock: Option<&'static TrackedMutex<()>>) -> Result<i64, Box<dyn Error>> {
    // A demonstration wants every event. A service would rather drop some than wait, which is the default.
    let overflow = Overflow::Block { timeout: Duration::from_secs(10) };
    let client = Client::builder(collector.url()).service("bank").overflow(overflow).build()?;
    let accounts = [Account::new("accounts.alice"), Account::new("accounts.bob")];
    for account in &accounts {
        client.track_write(account.name, 0, OPENING);
    }

    let start = Instant::now();
    thread::scope(|scope| -> Result<(), std::io::Error> {
        let mut tellers = Vec::new();
        for number in 0..TELLERS {
            let (client, accounts) = (&client, &accounts);
            let task = client.track_async_spawn("teller");
            let work = move || {
                let _running = client.enter(task);
                for transfer in 0..TRANSFERS {
                    let amount = 1 + ((transfer * 7_919 + number * 104_729) % 99_991) as i64;
                    let (from, to) = (&accounts[(number + transfer) % 2], &accounts[(number + transfer + 1) % 2]);
                    let guard = lock.map(|lock| lock.lock());
                    from.add(client, -amount);
                    to.add(client, amount);
                    drop(guard);
                }
            };
            let teller = thread::Builder::new().name(format!("teller-{number}")).spawn_scoped(scope, work)?;
            tellers.push((task, teller));
        }
        for (task, teller) in tellers {
            // A teller that panicked has also ended.
            let _ = teller.join();
            client.track_async_await(task);
        }
        Ok(())
    })?;

    let mut total = 0;
    for account in &accounts {
        let balance = account.balance.load(Relaxed);
        client.track_read(account.name, balance);
        println!("   {} has {balance}", account.name);
        total += balance;
    }
    let missing = OPENING * accounts.len() as i64 - total;
    println!("   money missing: {missing}");

    client.flush(Duration::from_secs(60))?;
    let seconds = start.elapsed().as_secs_f64();
    let stats = client.shutdown(Duration::from_secs(10));
    let (millions, each) = (stats.recorded as f64 / 1e6, stats.bytes as f64 / stats.delivered.max(1) as f64);
    println!("   {stats}");
    println!("   {millions:.2} million events, recorded and stored by the collector in {seconds:.2} s");
    println!("   = {:.2} million a second, {each:.1} bytes each on the wire", millions / seconds);
    Ok(missing)
}
