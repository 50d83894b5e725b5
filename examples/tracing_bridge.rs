//! A shop that is instrumented with `tracing` alone, and whose lost update is found all the same.
//!
//! Each order is a span, and each access to the stock a marked event; there is not one call of `trackside` beyond the setup.
//! Two clerks take orders at once: each reads how many items are left, and writes back one less. Some sales are lost, and
//! the report says of which variable, between which orders, and at which lines.
//!
//! Run it with `cargo run --release --features tracing --example tracing_bridge`. It ends with 0 only if the lost update
//! was found, at its two lines.

use std::error::Error;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;
use trackside::tracing::TracksideLayer;
use trackside::{Client, Overflow};
use trackside_analysis::FindingKind;
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
    let lost = report.findings.iter().find(|finding| finding.kind == FindingKind::LostUpdate);
    let lost = lost.filter(|lost| lost.variable == "stock.chairs").ok_or("the lost update was not found")?;
    let read = lost.read.as_ref().ok_or("a lost update begins with a read")?;
    let lines = (line_of("access = \"read\"")?, line_of("access = \"write\"")?);
    println!("what to look at: {}:{} and {}", file!(), lines.0, lines.1);
    for (access, line) in [(read, lines.0), (&lost.first, lines.1), (&lost.second, lines.1)] {
        if (access.file.as_deref(), access.line) != (Some(file!()), Some(line)) {
            return Err(format!("it was found at another line than {line}: {access:?}").into());
        }
    }
    Ok(())
}

/// The line of the source that says so, the first one that does.
fn line_of(what: &str) -> Result<u32, &'static str> {
    let at = include_str!("tracing_bridge.rs").lines().position(|line| line.contains(what));
    at.and_then(|at| u32::try_from(at + 1).ok()).ok_or("no such line")
}
