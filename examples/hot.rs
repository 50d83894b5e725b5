//! scratch: cost of a call
use std::hint::black_box;
use std::time::{Duration, Instant};
use trackside::*;
#[derive(Debug)]
struct Null;
impl Transport for Null {
    fn send(&mut self, _: &SealedBatch, _: Duration) -> Outcome {
        Outcome::Delivered
    }
    fn destination(&self) -> String {
        String::new()
    }
}
fn main() {
    let (client, mut flusher) = Client::builder_to(Null)
        .service("hot")
        .ring_bytes(std::env::args().nth(1).map_or(512, |a| a.parse().unwrap()) << 10)
        .flush_interval(Duration::from_secs(500))
        .build_manual()
        .unwrap();
    let clock = quanta::Clock::new();
    let name = String::from("accounts.0123456789.balance.euro");
    let n: u64 = std::env::args().nth(2).map_or(1000, |a| a.parse().unwrap());
    let (mut tsc, mut st, mut dy, mut dr) = (vec![], vec![], vec![], vec![]);
    for _ in 0..10000u64 {
        let t = Instant::now();
        for _ in 0..n {
            black_box(clock.raw());
        }
        tsc.push(t.elapsed().as_nanos() as f64 / n as f64);
        flusher.step();
        let t = Instant::now();
        for i in 0..n {
            client.track_state_change("counter", black_box(i), black_box(i + 1), Access::Write);
        }
        st.push(t.elapsed().as_nanos() as f64 / n as f64);
        let t = Instant::now();
        flusher.step();
        dr.push(t.elapsed().as_nanos() as f64 / n as f64);
        let t = Instant::now();
        for i in 0..n {
            client.track_state_change(Name::dynamic(&name), black_box(i), black_box(i + 1), Access::Write);
        }
        dy.push(t.elapsed().as_nanos() as f64 / n as f64);
        flusher.step();
    }
    for (what, v) in [("tsc", &mut tsc), ("static", &mut st), ("dynamic", &mut dy), ("drain", &mut dr)] {
        v.sort_by(f64::total_cmp);
        println!("{what}: median {:.2} min {:.2}", v[v.len() / 2], v[0]);
    }
    println!("{} {}", client.stats(), client.stats().bytes);
}
