use super::answer::{census_and_analyzer, look};
use super::traces::uuid;
use crate::api::App;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use trackside_analysis::{AccessInfo, Census, Confidence, Finding, FindingKind};
use trackside_wire::RunId;

/// How many races are told in detail.
const DETAILS_MAX: usize = 100;

/// How many traces are named for each variable.
const TRACES_MAX: usize = 100;

/// `GET /api/analyze/global`: the races in all that is stored.
pub(crate) async fn global(State(app): State<Arc<App>>) -> Response {
    look(app, |batches| {
        let (census, analyzer) = census_and_analyzer(batches);
        let report = analyzer.finish();
        let races: Vec<&Finding> = report.findings.iter().filter(|finding| is_race(finding)).collect();
        let details: Vec<Value> = races.iter().take(DETAILS_MAX).map(|race| detail(race, &census)).collect();
        let pairs = races.iter().fold(0, |sum: u64, race| sum.saturating_add(race.count));
        Ok(json!({
            "total_traces": census.traces().len(),
            "total_events": report.summary.events,
            "concurrent_events": pairs,
            "potential_races": races.len(),
            "anomalies": [],
            "truncated": races.len() > details.len(),
            "race_details": details,
        }))
    })
    .await
}

/// `GET /api/distributed/global-races`: the variables that race.
pub(crate) async fn global_races(State(app): State<Arc<App>>) -> Response {
    look(app, |batches| {
        let (census, analyzer) = census_and_analyzer(batches);
        let report = analyzer.finish();
        let mut variables: BTreeMap<&str, Confidence> = BTreeMap::new();
        for race in report.findings.iter().filter(|finding| is_race(finding)) {
            let worst = variables.entry(&race.variable).or_insert(race.confidence);
            *worst = race.confidence.max(*worst);
        }
        let race = |(name, confidence): (&&str, &Confidence)| {
            let tally = census.variable(name)?;
            Some(json!({
                "variable": name,
                "trace_count": tally.traces.len(),
                "access_count": tally.accesses,
                "access_types": tally.kinds,
                "thread_count": tally.strands.len(),
                "severity": severity(*confidence),
                "trace_ids": tally.traces.iter().take(TRACES_MAX).map(|trace| uuid(*trace)).collect::<Vec<_>>(),
                "truncated": tally.bounded || tally.traces.len() > TRACES_MAX,
            }))
        };
        let races: Vec<Value> = variables.iter().filter_map(race).take(DETAILS_MAX).collect();
        let truncated = variables.len() > races.len();
        Ok(json!({"total_races": variables.len(), "races": races, "truncated": truncated}))
    })
    .await
}

fn is_race(finding: &Finding) -> bool {
    matches!(finding.kind, FindingKind::DataRace | FindingKind::LostUpdate)
}

fn detail(race: &Finding, census: &Census) -> Value {
    json!({
        "severity": severity(race.confidence),
        "variable": race.variable,
        "trace1_id": trace_of(&race.first, census),
        "trace2_id": trace_of(&race.second, census),
        "event1_thread": race.first.thread,
        "event2_thread": race.second.thread,
        "event1_location": location(&race.first),
        "event2_location": location(&race.second),
        "description": race.explanation,
    })
}

/// The trace that an access belongs to, by its run and strand.
fn trace_of(access: &AccessInfo, census: &Census) -> Option<String> {
    let run = u64::from_str_radix(&access.run, 16).ok()?;
    let strand = access.thread_id.rsplit_once('-')?.1.parse().ok()?;
    census.trace_of(RunId::new(run), strand).map(uuid)
}

fn location(access: &AccessInfo) -> String {
    match (&access.file, access.line) {
        (Some(file), Some(line)) if line > 0 => format!("{file}:{line}"),
        (file, _) => file.clone().unwrap_or_default(),
    }
}

fn severity(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Confirmed => "Critical",
        Confidence::Likely => "Warning",
        _ => "Minor",
    }
}
