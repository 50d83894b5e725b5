//! A shop that is instrumented with `tracing` alone, and whose lost update is found all the same.
//!
//! Each order is a span, and each access to the stock a marked event; there is not one call of `trackside` beyond the setup.
//! Two clerks take orders at once: each reads how many items are left, and writes back one less. Some sales are lost, and
//! the report says of which variable and between which orders.
//!
//! Run it with `cargo run --release --features tracing --example tracing_bridge`. It ends with 0 only if the lost update
//! was found.

use std::error::Error;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;
use trackside::tracing::TracksideLayer;
use trackside::{Client, Overflow};
use trackside_collector::Collector;

const CLERKS: u64 = 2;
const ORDERS: u64 = 20;
const STOCK: i64 = 1_000;

/// How many items are left: read and written back, with nothing to keep others out between the two.
struct Stock(AtomicI64);

impl Stock {
    fn take(&self, together: &Barrier) {
        let _function = tracing::info_span!("Stock::take").entered();
        let left = self.0.load(Relaxed);
        tracing::info!(target: "trackside", variable = "stock.chairs", access = "read", new = left);
        // The work that lies between the two in a real shop: here it lasts until the other clerk has come as far.
        together.wait();
        self.0.store(left - 1, Relaxed);
        tracing::info!(target: "trackside", variable = "stock.chairs", access = "write", old = left, new = left - 1);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::builder().start()?;
    let overflow = Overflow::Block { timeout: Duration::from_secs(10) };
    let client = Client::builder(collector.url()).service("shop").overflow(overflow).build()?;
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(TracksideLayer::new(&client)))?;

    let (stock, together) = (Stock(AtomicI64::new(STOCK)), Barrier::new(CLERKS as usize));
    thread::scope(|scope| {
        for clerk in 0..CLERKS {
            let (stock, together) = (&stock, &together);
            scope.spawn(move || {
                for number in 0..ORDERS {
                    let _order = tracing::info_span!("order", clerk, number).entered();
                    stock.take(together);
                }
            });
        }
    });
    let sold = STOCK - stock.0.load(Relaxed);
    println!("{} chairs were ordered, the stock says {sold}", CLERKS * ORDERS);

    client.flush(Duration::from_secs(60))?;
    println!("{}\n", client.shutdown(Duration::from_secs(10)));
    let report = collector.report();
    println!("{report}");
    if !report.findings.iter().any(|finding| finding.variable == "stock.chairs") {
        return Err("the lost update was not found".into());
    }
    Ok(())
}
