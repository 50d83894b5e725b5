//! Contention: of several locks, the one that costs time, who waits for it, and where it is held.
//!
//! Four workers serve orders. Each looks up a price (a lock that all of them read), adds to a counter of its own shop, and
//! writes to a journal that all of them share, and which holds its lock for as long as it writes. None of it is a bug, and
//! there is no finding. The report has a section about it: how often each lock was taken, how many had to wait for it and
//! for how long, how long it was held, both as histograms, and who waited where for whom.
//!
//! Run it with `cargo run --release --example contention`.

use std::error::Error;
use std::sync::{Barrier, PoisonError};
use std::thread;
use std::time::Duration;
use trackside::Client;
use trackside::sync::{Mutex, RwLock};
use trackside_analysis::{LockReport, Report};
use trackside_collector::Collector;

const WORKERS: usize = 4;
const ORDERS: u64 = 50;
const SHOPS: [&str; WORKERS] = ["shop.north", "shop.east", "shop.south", "shop.west"];

struct Market {
    prices: RwLock<Vec<u64>>,
    shops: [Mutex<u64>; WORKERS],
    journal: Mutex<Vec<String>>,
}

impl Market {
    fn serve(&self, shop: usize, order: u64) {
        let price = {
            let prices = self.prices.read().unwrap_or_else(PoisonError::into_inner);
            prices[order as usize % prices.len()]
        };
        *self.shops[shop].lock().unwrap_or_else(PoisonError::into_inner) += price;
        self.write_down(format!("{} sold for {price}", SHOPS[shop]));
        if order % 10 == 9 {
            self.look_back();
        }
    }

    /// The mistake, if it is one: what is slow is done with the lock held.
    fn write_down(&self, line: String) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        // Stands for a write to a disk.
        thread::sleep(Duration::from_micros(100));
        journal.push(line);
    }

    fn look_back(&self) {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        thread::sleep(Duration::from_millis(1));
        drop(journal);
    }
}

/// Has all orders served, and returns what `trackside` says of it.
fn trade() -> Result<Report, Box<dyn Error>> {
    let collector = Collector::builder().start()?;
    let client = Client::builder(collector.url()).service("market").build()?;
    let market = Market {
        prices: RwLock::named("prices", (100..110).collect()),
        shops: SHOPS.map(|name| Mutex::named(name, 0)),
        journal: Mutex::named("journal", Vec::new()),
    };
    let start = Barrier::new(WORKERS);
    thread::scope(|scope| -> Result<(), std::io::Error> {
        for shop in 0..WORKERS {
            let (market, start) = (&market, &start);
            thread::Builder::new().name(format!("worker-{shop}")).spawn_scoped(scope, move || {
                start.wait();
                (0..ORDERS).for_each(|order| market.serve(shop, order));
            })?;
        }
        Ok(())
    })?;
    client.flush(Duration::from_secs(10))?;
    client.shutdown(Duration::from_secs(10));
    Ok(collector.report())
}

/// Whether the report names the lock that is to blame.
fn judge(report: &Report) -> Result<(), String> {
    let taken = |name: &str| {
        let lock = report.locks.iter().find(|lock| lock.lock == name);
        lock.map_or(0, |lock| lock.acquisitions)
    };
    let orders = WORKERS as u64 * ORDERS;
    if taken("journal") != orders + orders / 10 || taken("prices") != orders || SHOPS.iter().any(|s| taken(s) != ORDERS)
    {
        return Err("not all acquisitions are in the record".to_owned());
    }
    let Some((hot, cool)) = report.locks.split_first() else { return Err("no locks".to_owned()) };
    let waited = |locks: &[LockReport]| locks.iter().map(|lock| lock.wait.total_ns).sum::<u64>();
    if hot.lock != "journal" || hot.wait.count == 0 || hot.wait.total_ns <= waited(cool) {
        return Err(format!("{} is said to be the lock that costs most", hot.lock));
    }
    if hot.hold.count != hot.acquisitions || hot.hold.total_ns < orders * 100_000 {
        return Err(format!("the journal was held for longer than {} ns", hot.hold.total_ns));
    }
    match hot.waiters.iter().find(|waiter| waiter.held_at.is_some()) {
        Some(_) if report.findings.is_empty() => Ok(()),
        Some(_) => Err("a lock that is waited for is no mistake".to_owned()),
        None => Err("nobody knows whom the waiters waited for".to_owned()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("== {WORKERS} workers, {ORDERS} orders each, one journal\n");
    let report = trade()?;
    println!("{report}");
    Ok(judge(&report)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hot_lock_is_named_first_with_its_waiters() {
        let report = trade().expect("a day of trade");
        judge(&report).unwrap_or_else(|what| panic!("{what}\n{report}"));
        let text = report.to_string();
        let section = text.split_once("locks that were waited for").expect("the section").1;
        let (journal, prices) = (section.find("journal"), section.find("prices"));
        assert!(journal.is_some() && prices.is_none_or(|at| Some(at) > journal), "{text}");
        // What it is judged by can say no.
        let mut cooler = report.clone();
        cooler.locks.rotate_left(1);
        let mut silent = report;
        silent.locks[0].wait = Default::default();
        assert!(judge(&cooler).is_err() && judge(&silent).is_err());
    }
}
