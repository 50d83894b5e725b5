//! Findings as SARIF 2.1.0, which code hosts and editors show.

use super::fingerprint;
use crate::cli::access::step;
use crate::cli::kinds::{KINDS, KindText, confidence, headline, index_of, level, text_of};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use trackside_analysis::{AccessInfo, Finding, Report};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(report: &Report) -> Value {
    // Findings that have a fingerprint in common are numbered, by their places.
    let mut order: Vec<&Finding> = report.findings.iter().collect();
    order.sort_by_key(|finding| [&finding.first, &finding.second].map(|access| (access.line, access.column)));
    let mut met: BTreeMap<String, u64> = BTreeMap::new();
    let mut results: Vec<(usize, Value)> = Vec::new();
    for finding in order {
        let fingerprint = fingerprint(finding);
        let count = met.entry(fingerprint.clone()).or_default();
        *count += 1;
        let at = report.findings.iter().position(|other| std::ptr::eq(other, finding)).unwrap_or(0);
        results.push((at, result(finding, &format!("{fingerprint}:{count}"))));
    }
    results.sort_by_key(|(at, _)| *at);
    let results: Vec<Value> = results.into_iter().map(|(_, result)| result).collect();
    let mut notifications = Vec::new();
    if !report.summary.is_complete() {
        let text = "Something is missing in the record, so findings may be missing.";
        notifications.push(json!({ "level": "warning", "message": { "text": text } }));
    }
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "trackside",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": KINDS.iter().map(|(_, text)| rule(text)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": { "summary": report.summary },
        }],
    })
}

fn rule(text: &KindText) -> Value {
    json!({
        "id": text.id,
        "name": text.name,
        "shortDescription": { "text": text.what },
        "fullDescription": { "text": text.what },
        "help": {
            "text": format!("{} {}", text.what, text.help),
            "markdown": format!("{}\n\n**What to do:** {}", text.what, text.help),
        },
        "properties": { "tags": ["concurrency"] },
    })
}

fn result(finding: &Finding, fingerprint: &str) -> Value {
    let mut text = format!("{}. {}", headline(finding), finding.explanation);
    let told = [("Not certain: ", &finding.reserve), ("Incomplete: ", &finding.incomplete)];
    for (label, more) in told.iter().filter_map(|(label, more)| Some((label, more.as_ref()?))) {
        text += &format!("\n{label}{more}");
    }
    text += &format!("\nWhat to do: {}", finding.advice);
    let sides = [&finding.first, &finding.second];
    let locations: Vec<Value> = sides.iter().filter_map(|access| location(access)).take(1).collect();
    let others: Vec<&AccessInfo> = sides.into_iter().skip(1).chain(&finding.read).collect();
    let related: Vec<Value> = (1..).zip(others).filter_map(|(id, access)| related(id, access)).collect();
    let rule = index_of(finding.kind);
    json!({
        "ruleId": text_of(finding.kind).id,
        "ruleIndex": rule,
        "level": level(finding),
        "message": { "text": text },
        "locations": locations,
        "relatedLocations": related,
        "codeFlows": [{ "threadFlows": thread_flows(finding) }],
        "partialFingerprints": { "trackside/v1": fingerprint },
        "properties": {
            "variable": finding.variable,
            "confidence": confidence(finding.confidence),
            "count": finding.count,
        },
    })
}

/// What each strand did, in its order.
fn thread_flows(finding: &Finding) -> Vec<Value> {
    let steps: Vec<&AccessInfo> = if finding.orders.is_empty() {
        finding.read.iter().chain([&finding.first, &finding.second]).collect()
    } else {
        finding.orders.iter().flat_map(|order| order.held.iter().chain([&order.asked])).collect()
    };
    let mut strands: Vec<(&str, &str, Vec<&AccessInfo>)> = Vec::new();
    for access in steps {
        match strands.iter_mut().find(|(run, id, _)| (*run, *id) == (&*access.run, &*access.thread_id)) {
            Some((.., steps)) => steps.push(access),
            None => strands.push((&access.run, &access.thread_id, vec![access])),
        }
    }
    let flow = |(_, id, mut steps): (&str, &str, Vec<&AccessInfo>)| {
        steps.sort_by_key(|access| access.step);
        let locations = steps.iter().map(|access| {
            let location = related(0, access).unwrap_or_else(|| json!({ "message": { "text": step(access) } }));
            json!({ "location": location })
        });
        json!({ "id": id, "message": { "text": steps[0].thread }, "locations": locations.collect::<Vec<_>>() })
    };
    strands.into_iter().map(flow).collect()
}

/// A location with an id and what happened there; nothing if it is not known where that is. Id 0 is none.
fn related(id: u64, access: &AccessInfo) -> Option<Value> {
    let mut location = location(access)?;
    location["message"] = json!({ "text": step(access) });
    if id > 0 {
        location["id"] = json!(id);
    }
    Some(location)
}

fn location(access: &AccessInfo) -> Option<Value> {
    let file = access.file.as_deref().filter(|file| !file.is_empty())?;
    let mut physical = Map::new();
    physical.insert("artifactLocation".into(), artifact(file));
    if let Some(line) = access.line.filter(|line| *line > 0) {
        let mut region = json!({ "startLine": line });
        if let Some(column) = access.column.filter(|column| *column > 0) {
            region["startColumn"] = json!(column);
        }
        physical.insert("region".into(), region);
    }
    Some(json!({ "physicalLocation": physical }))
}

/// Where a file is: below the root of the sources, or on the machine.
fn artifact(file: &str) -> Value {
    let mut uri = String::new();
    for byte in file.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            byte => uri += &format!("%{byte:02X}"),
        }
    }
    if file.starts_with('/') {
        return json!({ "uri": format!("file://{uri}") });
    }
    json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(artifact("src/a b%.rs"), json!({ "uri": "src/a%20b%25.rs", "uriBaseId": "%SRCROOT%" }));
        assert_eq!(artifact("/x/y.rs"), json!({ "uri": "file:///x/y.rs" }));
        assert_eq!(artifact("javascript:x"), json!({ "uri": "javascript%3Ax", "uriBaseId": "%SRCROOT%" }));
    }
}
