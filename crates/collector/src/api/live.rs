use super::respond::PRIVATE;
use super::router::App;
use crate::refusal::Refusal;
use crate::stats::{CollectorStats, RunStats};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use serde::Serialize;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{MissedTickBehavior, interval};

const EVERY: Duration = Duration::from_secs(1);

/// How many lines by service there are; the busiest.
const SERVICES_MAX: usize = 50;

/// What came in during the last second.
#[derive(Debug, Serialize)]
struct Moment {
    /// How long it was, in truth.
    seconds: f64,
    events: u64,
    bytes: u64,
    duplicates: u64,
    rejected: u64,
    refused_full: u64,
    stored: Stored,
    /// What the runs say they lost, by reason, in all.
    lost: BTreeMap<String, u64>,
    services: Vec<Service>,
    services_left_out: usize,
    /// The number of the latest analysis.
    analysis: u64,
}

#[derive(Debug, Serialize)]
struct Stored {
    events: u64,
    batches: u64,
    bytes: u64,
    used_bytes: u64,
    max_bytes: u64,
    evicted_batches: u64,
}

#[derive(Debug, Default, Serialize)]
struct Service {
    service: String,
    runs: u64,
    /// During the last second.
    events: u64,
    events_total: u64,
    /// In all.
    lost: u64,
}

/// Tells once a second what comes in, as server-sent events, for as long as the client listens.
pub(super) async fn live(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let place = Arc::clone(&app.watchers).try_acquire_owned().map_err(|_| Refusal::Watchers)?;
    let (sender, body) = Channel::<Bytes, Infallible>::new(1);
    tokio::spawn(watch(app, sender, place));
    Ok((PRIVATE, [(header::CONTENT_TYPE, "text/event-stream")], Body::new(body)).into_response())
}

async fn watch(app: Arc<App>, mut sender: Sender<Bytes, Infallible>, _place: OwnedSemaphorePermit) {
    let mut stop = app.stop.subscribe();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = (Instant::now(), app.store.stats());
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            // An error says that the collector is gone, which is as good as a stop.
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let now = (Instant::now(), app.store.stats());
        let seconds = now.0.duration_since(before.0).as_secs_f64();
        let number = app.analyses.number();
        let moment = Moment::between(&before.1, &now.1, seconds, number);
        let Ok(json) = serde_json::to_string(&moment) else { return };
        // Fails when nobody listens any more.
        tokio::select! {
            sent = sender.send_data(format!("data: {json}\n\n").into()) => if sent.is_err() { return },
            _ = stop.wait_for(|stop| *stop) => return,
        }
        before = now;
    }
}

impl Moment {
    fn between(before: &CollectorStats, now: &CollectorStats, seconds: f64, analysis: u64) -> Self {
        let mut services = services(before, now);
        let services_left_out = services.len().saturating_sub(SERVICES_MAX);
        services.truncate(SERVICES_MAX);
        let mut lost = BTreeMap::<String, u64>::new();
        for (reason, count) in now.runs.iter().flat_map(|run| &run.lost) {
            let total = lost.entry(reason.clone()).or_default();
            *total = total.saturating_add(*count);
        }
        Self {
            seconds,
            events: now.events.saturating_sub(before.events),
            // Batches that were given up meanwhile hide as many bytes of those that came.
            bytes: now.bytes.saturating_sub(before.bytes),
            duplicates: now.duplicates.saturating_sub(before.duplicates),
            rejected: now.rejected.saturating_sub(before.rejected),
            refused_full: now.refused_full.saturating_sub(before.refused_full),
            stored: Stored {
                events: now.events,
                batches: now.batches,
                bytes: now.bytes,
                used_bytes: now.used_bytes,
                max_bytes: now.max_bytes,
                evicted_batches: now.evicted_batches,
            },
            lost,
            services,
            services_left_out,
            analysis,
        }
    }
}

/// What each service has sent, the busiest first.
fn services(before: &CollectorStats, now: &CollectorStats) -> Vec<Service> {
    let events: BTreeMap<&str, u64> = before.runs.iter().map(|run| (run.run.as_str(), run.events)).collect();
    let mut services = BTreeMap::<&str, Service>::new();
    for RunStats { run, service: name, events: total, lost, .. } in &now.runs {
        let service = services.entry(name).or_insert_with(|| Service { service: name.clone(), ..Service::default() });
        service.runs += 1;
        service.events += total.saturating_sub(events.get(run.as_str()).copied().unwrap_or(0));
        service.events_total += total;
        service.lost = lost.values().fold(service.lost, |sum, count| sum.saturating_add(*count));
    }
    let mut services: Vec<Service> = services.into_values().collect();
    services.sort_by_key(|service| std::cmp::Reverse((service.events, service.events_total)));
    services
}
