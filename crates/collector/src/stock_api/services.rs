use super::answer::{census, census_and_analyzer, look};
use super::traces::page;
use crate::api::{App, take_in};
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use trackside_analysis::{ServiceCalls, ServiceTally, VariableTally, service_calls};

/// How many entries a list has at most.
const LIST_MAX: usize = 1000;

/// How many variables, and calls, are hot.
const HOT: usize = 10;

/// `GET /api/services`
pub(crate) async fn services(State(app): State<Arc<App>>) -> Response {
    look(app, |batches| {
        let services = census(batches).services();
        let entry = |service: &ServiceTally| {
            json!({"name": service.name, "event_count": service.events, "trace_count": service.traces})
        };
        let shown: Vec<Value> = services.iter().take(LIST_MAX).map(entry).collect();
        let truncated = services.len() > shown.len();
        Ok(json!({"total_services": services.len(), "services": shown, "truncated": truncated}))
    })
    .await
}

/// `GET /api/services/{name}/traces`: a page of the traces that the service has events in.
pub(crate) async fn traces_of(State(app): State<Arc<App>>, Path(name): Path<String>, uri: Uri) -> Response {
    look(app, move |batches| {
        let census = census(batches);
        page(&uri, census.traces().filter(|trace| trace.services.contains_key(&name)))
    })
    .await
}

/// `GET /api/services/{name}/dependencies`: whom the service calls, and who calls it.
pub(crate) async fn dependencies(State(app): State<Arc<App>>, Path(name): Path<String>) -> Response {
    look(app, move |batches| {
        let calls = service_calls(&take_in(batches).traces());
        let entry = |calls: &ServiceCalls| {
            json!({"from": calls.from, "to": calls.to, "total_calls": calls.calls, "trace_count": calls.traces})
        };
        let list = |is_wanted: &dyn Fn(&ServiceCalls) -> bool| -> Vec<Value> {
            calls.iter().filter(|calls| is_wanted(calls)).take(LIST_MAX).map(entry).collect()
        };
        let (to, by) = (list(&|calls| calls.from == name), list(&|calls| calls.to == name));
        if to.is_empty() && by.is_empty() {
            return Err((StatusCode::NOT_FOUND, "no call to or from a service of that name is known"));
        }
        Ok(json!({"service_name": name, "calls_to": to, "called_by": by}))
    })
    .await
}

/// `GET /api/distributed/edges`: who calls whom.
pub(crate) async fn edges(State(app): State<Arc<App>>) -> Response {
    look(app, |batches| {
        let calls = service_calls(&take_in(batches).traces());
        let shown: Vec<Value> = calls.iter().take(LIST_MAX).map(|calls| edge(calls, true)).collect();
        let truncated = calls.len() > shown.len();
        Ok(json!({"total_edges": calls.len(), "edges": shown, "truncated": truncated}))
    })
    .await
}

/// `GET /api/distributed/hotspots`: the variables and the calls that there is most of.
pub(crate) async fn hotspots(State(app): State<Arc<App>>) -> Response {
    look(app, |batches| {
        let (census, mut analyzer) = census_and_analyzer(batches);
        let calls = service_calls(&analyzer.traces());
        let mut variables: Vec<_> = census.variables().collect();
        variables.sort_by(|(a, one), (b, other)| other.accesses.cmp(&one.accesses).then_with(|| a.cmp(b)));
        let variable = |(name, tally): &(&str, &VariableTally)| {
            json!({
                "variable": name,
                "access_count": tally.accesses,
                "trace_count": tally.traces.len(),
                "services": tally.services,
                "truncated": tally.bounded,
            })
        };
        let variables: Vec<Value> = variables.iter().take(HOT).map(variable).collect();
        let calls: Vec<Value> = calls.iter().take(HOT).map(|calls| edge(calls, false)).collect();
        Ok(json!({"top_variables": variables, "top_service_calls": calls}))
    })
    .await
}

fn edge(calls: &ServiceCalls, is_typed: bool) -> Value {
    let mut edge = json!({"from_service": calls.from, "to_service": calls.to, "call_count": calls.calls});
    if is_typed {
        edge["link_type"] = "call".into();
    }
    edge
}
