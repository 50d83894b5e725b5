//! Dining philosophers: a deadlock is found in a run that did not deadlock.
//!
//! Five philosophers sit at a round table, with a fork between each two of them. To eat, one takes the fork on the left,
//! then the one on the right. Should all of them take their left forks at the same time, each waits for its neighbour for
//! ever. It hardly ever happens; here it cannot, because the philosophers are made to eat one after the other. `trackside`
//! tells of the circle all the same, with the two places at which each of the five takes its forks. Both of the classical
//! remedies silence it: a *gate*, one lock that whoever takes forks holds meanwhile (the butler), and an *order*, in which
//! everybody takes them.
//!
//! ```sh
//! cargo run --release --example dining_philosophers               # all three, one after the other
//! cargo run --release --example dining_philosophers -- --naive    # or one of them
//! cargo run --release --example dining_philosophers -- --gate
//! cargo run --release --example dining_philosophers -- --ordered
//! ```

use std::error::Error;
use std::sync::PoisonError;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use trackside::Client;
use trackside::sync::Mutex;
use trackside_analysis::{FindingKind, Report};
use trackside_collector::Collector;

const PHILOSOPHERS: [&str; 5] = ["Aristotle", "Hypatia", "Kant", "Spinoza", "Weil"];
const FORKS: [&str; 5] = ["fork 0", "fork 1", "fork 2", "fork 3", "fork 4"];
const MEALS: u64 = 3;

/// How forks are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// The left one, then the right one.
    Naive,
    /// Likewise, with the butler's leave.
    Gate,
    /// The one with the lower number first.
    Ordered,
}

struct Table {
    manners: Manners,
    /// Each knows how often somebody has eaten with it.
    forks: [Mutex<u64>; FORKS.len()],
    butler: Mutex<()>,
}

impl Table {
    fn new(manners: Manners) -> Self {
        Self { manners, forks: FORKS.map(|name| Mutex::named(name, 0)), butler: Mutex::named("butler", ()) }
    }

    fn eat(&self, seat: usize) {
        let (left, right) = (seat, (seat + 1) % self.forks.len());
        let (first, second) = match self.manners {
            Manners::Naive | Manners::Gate => (left, right),
            Manners::Ordered => (left.min(right), left.max(right)),
        };
        let gate = (self.manners == Manners::Gate).then(|| self.butler.lock());
        let mut one = self.forks[first].lock().unwrap_or_else(PoisonError::into_inner);
        let mut other = self.forks[second].lock().unwrap_or_else(PoisonError::into_inner);
        *one += 1;
        *other += 1;
        drop((one, other, gate));
    }
}

/// Has all of them eat, each on a thread of its own, and returns what `trackside` says of it.
fn dine(manners: Manners) -> Result<Report, Box<dyn Error>> {
    let collector = Collector::builder().start()?;
    let client = Client::builder(collector.url()).service("table").build()?;
    let table = Table::new(manners);
    thread::scope(|scope| -> Result<(), std::io::Error> {
        // Who has the floor eats, and hands it on. That is this run's good luck and no part of the philosophers' manners: the
        // channels are std's own, so `trackside` does not know of it. Were it told, it would say, rightly, that those who
        // always eat one after the other cannot get into each other's way.
        let (begin, mut floor) = channel();
        for (seat, name) in PHILOSOPHERS.into_iter().enumerate() {
            let (next, following) = channel();
            let (table, mine) = (&table, std::mem::replace(&mut floor, following));
            thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, move || {
                for () in mine {
                    table.eat(seat);
                    // The last one hands it to nobody, once dinner is over.
                    let _ = next.send(());
                }
            })?;
        }
        for _ in 0..MEALS {
            // All of them have eaten once the floor has come round. It does not if one of them has left.
            if begin.send(()).is_err() || floor.recv().is_err() {
                return Err(std::io::Error::other("a philosopher has left the table"));
            }
        }
        drop(begin);
        Ok(())
    })?;
    client.flush(Duration::from_secs(10))?;
    client.shutdown(Duration::from_secs(10));
    Ok(collector.report())
}

/// Whether the report says of these manners what is true of them.
fn judge(manners: Manners, report: &Report) -> Result<(), String> {
    // Silence means something only if all was heard.
    let taken: u64 = report.locks.iter().map(|lock| lock.acquisitions).sum();
    let locks_each = if manners == Manners::Gate { 3 } else { 2 };
    if taken != MEALS * PHILOSOPHERS.len() as u64 * locks_each || !report.summary.is_complete() {
        return Err(format!("{taken} acquisitions are in the record, which is not all of them"));
    }
    let circles: Vec<_> =
        report.findings.iter().filter(|finding| finding.kind == FindingKind::PotentialDeadlock).collect();
    match (manners, &circles[..]) {
        (Manners::Naive, [circle]) => {
            let in_here = |file: &Option<String>| file.as_deref().is_some_and(|file| file.ends_with("philosophers.rs"));
            let told = circle.orders.iter().filter(|order| {
                let held = order.held.as_ref().filter(|held| in_here(&held.file)).and_then(|held| held.line);
                in_here(&order.asked.file) && held.is_some_and(|held| order.asked.line == Some(held + 1))
            });
            match told.count() {
                told if told == FORKS.len() => Ok(()),
                told => Err(format!("{told} of {} steps have both of their places", FORKS.len())),
            }
        }
        (Manners::Gate | Manners::Ordered, []) if report.findings.is_empty() => Ok(()),
        _ => Err(format!("{} of {} findings are deadlocks: {manners:?}", circles.len(), report.findings.len())),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let all = [("--naive", Manners::Naive), ("--gate", Manners::Gate), ("--ordered", Manners::Ordered)];
    let wanted = std::env::args().nth(1);
    let chosen = |(flag, _): &&(&str, Manners)| wanted.as_deref().is_none_or(|wanted| wanted == *flag);
    if !all.iter().any(|each| chosen(&each)) {
        return Err("usage: dining_philosophers [--naive | --gate | --ordered]".into());
    }
    for (flag, manners) in all.iter().filter(chosen) {
        println!("== {} philosophers, {MEALS} meals each, {}: nobody was stuck", PHILOSOPHERS.len(), &flag[2..]);
        let report = dine(*manners)?;
        println!("\n{report}");
        judge(*manners, &report)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // One test, because locks record into the client that was built last.
    #[test]
    fn the_circle_is_told_and_a_gate_or_an_order_silences_it() {
        let [naive, gate, ordered] = [Manners::Naive, Manners::Gate, Manners::Ordered].map(|manners| {
            let report = dine(manners).expect("dinner");
            judge(manners, &report).unwrap_or_else(|what| panic!("{what}\n{report}"));
            report
        });
        // What it is judged by can say no.
        for (manners, other) in
            [(Manners::Naive, &ordered), (Manners::Ordered, &naive), (Manners::Gate, &naive), (Manners::Ordered, &gate)]
        {
            assert!(judge(manners, other).is_err(), "{manners:?}\n{other}");
        }
        let text = naive.to_string();
        assert!(text.contains("potential deadlock on `fork 0`, `fork 1`, `fork 2`, `fork 3` and `fork 4`"), "{text}");
        assert!(PHILOSOPHERS.iter().all(|name| text.contains(name)), "{text}");
    }
}
