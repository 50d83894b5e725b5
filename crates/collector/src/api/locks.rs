use super::respond::{json, tagged};
use super::router::App;
use crate::refusal::Refusal;
use crate::view::OrderEdge;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use trackside_analysis::LockReport;

#[derive(Serialize)]
struct Locks<'a> {
    /// Those that were waited for longest first.
    locks: &'a [LockReport],
    /// How many there are.
    total: u64,
    orders: &'a [OrderEdge],
    /// How often others were met.
    orders_left_out: u64,
    /// The findings that say that some of these may go round in a circle.
    deadlocks: Vec<Deadlock<'a>>,
}

#[derive(Serialize)]
struct Deadlock<'a> {
    id: &'a str,
    /// Each a lock that is held, and one that is asked for.
    steps: Vec<[&'a str; 2]>,
}

/// What locks cost, and in which orders they are taken, as the latest analysis has it.
pub(super) async fn locks(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let snapshot = app.analyses.look().snapshot.ok_or(Refusal::NotYet)?;
    tagged(&snapshot.number.to_string(), &headers, || {
        let circles = snapshot.findings().filter(|(_, finding)| finding.orders.len() > 1);
        let deadlocks = circles.map(|(id, finding)| Deadlock {
            id,
            steps: finding.orders.iter().map(|order| [order.holds.as_str(), order.asks.as_str()]).collect(),
        });
        json(&Locks {
            locks: &snapshot.report.locks,
            total: snapshot.report.summary.locks,
            orders: &snapshot.orders,
            orders_left_out: snapshot.orders_left_out,
            deadlocks: deadlocks.take(100).collect(),
        })
    })
}
